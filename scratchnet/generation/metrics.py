"""Distances between two sets of pictures by their features: x (N, D) of real ones, y (M, D) of generated ones.

All are computed in float64. All depend on the numbers of samples: compare only values of the same numbers. They are
the same bits for any number of threads, with one exception: eigenvalues and singular values come from LAPACK, and with
more than about 128 features their last bits may depend on the number of threads of its BLAS library.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.generation import distances


class KernelDistance(NamedTuple):
    """The mean of the kernel distance over subsets, and the standard deviation between the subsets' values."""

    mean: float
    std: float


class PrecisionRecall(NamedTuple):
    """Shares from 0 to 1: of the generated pictures that look real, and of the real ones that could be generated."""

    precision: float
    recall: float


def check_features(real: np.ndarray, fake: np.ndarray, caller: str, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 arrays.

    Raises:
        ValueError: not two arrays of rows of one length, too few rows, NaN or infinity.
    """
    arrays = []
    for name, features in (("real", real), ("fake", fake)):
        array = np.asarray(features)
        if array.dtype.kind not in "uif" or array.ndim != 2 or array.shape[1] < 1:
            raise ValueError(
                f"{caller}: expected {name} features of shape (N, D), got {array.shape} of {array.dtype}. Pictures "
                "become features by classifier.features(pictures)."
            )
        if len(array) < least:
            raise ValueError(f"{caller}: expected at least {least} {name} samples, got {len(array)}.")
        if not np.isfinite(array).all():
            row = int(np.argmin(np.isfinite(array).all(axis=1)))
            raise ValueError(f"{caller}: NaN or infinity in the {name} features, first in row {row}.")
        arrays.append(array.astype(np.float64))
    if arrays[0].shape[1] != arrays[1].shape[1]:
        raise ValueError(
            f"{caller}: real features have {arrays[0].shape[1]} numbers a picture, fake ones {arrays[1].shape[1]}. "
            "Both must come from the same classifier."
        )
    return arrays[0], arrays[1]


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D) of features (N, D), the sum of products divided by N - 1."""
    features = np.ascontiguousarray(features, np.float64)
    mean = features.mean(axis=0)
    centered = features - mean
    covariance = kernels.of(centered).dense_weight_grad(centered, centered) / (len(features) - 1)
    return mean, (covariance + covariance.T) / 2


def square_root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric r with r r = covariance, from its eigenvalues; those that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def frechet_of_moments(mean_x: np.ndarray, cov_x: np.ndarray, mean_y: np.ndarray, cov_y: np.ndarray) -> float:
    """The squared Frechet distance of two Gaussians.

        d = |m_x - m_y|^2 + tr C_x + tr C_y - 2 tr (C_x C_y)^(1/2)

    The last trace is computed as the sum of the singular values of C_x^(1/2) C_y^(1/2): it loses no digits where a
    covariance is singular, and is always real, while the square root of a product of two matrices may be complex.

    Source: Dowson and Landau, "The Frechet distance between multivariate normal distributions", 1982.
    """
    overlap = np.linalg.svd(square_root(cov_x) @ square_root(cov_y), compute_uv=False).sum()
    distance = ((mean_x - mean_y) ** 2).sum() + np.trace(cov_x) + np.trace(cov_y) - 2 * overlap
    return max(float(distance), 0.0)


@checked
def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """`frechet_of_moments` of two sets of features: 0 for equal ones, in squared units of the features.

    In the features of a classifier it is the FCD, as it is the FID in those of Inception. Few samples make it too
    large: compare only values of the same numbers of samples, and with the floor, the distance of two sets of real
    pictures.

    Args:
        real, fake: (N, D) and (M, D), of the same classifier.

    Raises:
        ValueError: as `check_features` says.

    Warns:
        UserWarning: no more samples than features, which makes a covariance singular.

    Source: Heusel et al., arXiv 1706.08500.
    """
    real, fake = check_features(real, fake, "frechet_distance")
    if (fewest := min(len(real), len(fake))) <= real.shape[1]:
        warnings.warn(
            f"frechet_distance: {fewest} samples of {real.shape[1]} features say little about their covariance: the "
            "distance comes out too large. Take several times as many samples as there are features.",
            UserWarning,
            stacklevel=3,
        )
    return frechet_of_moments(*moments(real), *moments(fake))


def _kernel_sum(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Sums of k(x_i, y_j) over all pairs, and over those with i = j."""
    product = kernels.of(x).dense(x, np.ascontiguousarray(y.T) / x.shape[1], np.ones(len(y)))
    values = product * product
    values *= product
    return float(values.sum()), float(np.trace(values))


@checked
def kernel_distance(
    real: np.ndarray, fake: np.ndarray, subsets: int = 100, subset_size: int | None = None, seed: int = 0
) -> KernelDistance:
    """KID, the squared maximum mean discrepancy with the kernel k(x, y) = (x.y / D + 1)^3, without bias.

        mean over i != j of k(x_i, x_j) + mean over i != j of k(y_i, y_j) - 2 mean over i, j of k(x_i, y_j)

    For two sets from one distribution its expectation is 0 for any number of samples, so that values below 0 occur.

    Args:
        real, fake: (N, D) and (M, D), of the same classifier.
        subsets: how often a subset of each is drawn and measured.
        subset_size: samples in each; by default 1000, or half of the smaller set where that is less.
        seed: of the draws.

    Raises:
        ValueError: as `check_features` says; or subset_size is not from 2 to the number of samples, or no subsets.

    Source: Bińkowski et al., arXiv 1801.01401.
    """
    real, fake = check_features(real, fake, "kernel_distance", least=4)
    fewest = min(len(real), len(fake))
    m = min(1000, fewest // 2) if subset_size is None else subset_size
    check_count(subsets, "subsets", "kernel_distance")
    check_count(seed, "seed", "kernel_distance", 0, None)
    if not 2 <= m <= fewest:
        raise ValueError(f"kernel_distance: expected subset_size from 2 to {fewest}, the number of samples, got {m}.")
    rng, values = np.random.default_rng([seed, len("kernel_distance")]), []
    for _ in range(subsets):
        x, y = (part[rng.choice(len(part), m, replace=False)] for part in (real, fake))
        (xx, own_x), (yy, own_y), (xy, _) = _kernel_sum(x, x), _kernel_sum(y, y), _kernel_sum(x, y)
        values.append((xx - own_x + yy - own_y) / (m * (m - 1)) - 2 * xy / m**2)
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


@checked
def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> PrecisionRecall:
    """Quality and variety as two numbers, by balls round the samples that reach to each one's k-th neighbour.

        precision = share of the generated samples that lie in the ball of a real one
        recall    = share of the real samples that lie in the ball of a generated one

    Neighbours are those in the same set. Both are somewhat below 1 for two sets from one distribution; the floor says
    by how much.

    Args:
        real, fake: (N, D) and (M, D), of the same classifier.
        k: neighbours; more make larger balls.

    Raises:
        ValueError: as `check_features` says; or k is not from 1 to below the number of samples.

    Source: Kynkäänniemi et al., arXiv 1904.06991.
    """
    real, fake = check_features(real, fake, "precision_recall")
    if not isinstance(k, (int, np.integer)) or not 1 <= k < min(len(real), len(fake)):
        raise ValueError(
            f"precision_recall: expected k from 1 to {min(len(real), len(fake)) - 1}, below the number of samples, got "
            f"{k!r}."
        )
    precision = distances.inside(fake, real, distances.squared_radii(real, int(k))).mean()
    recall = distances.inside(real, fake, distances.squared_radii(fake, int(k))).mean()
    return PrecisionRecall(float(precision), float(recall))


@checked
def class_histogram(classes: np.ndarray, num_classes: int = 10) -> np.ndarray:
    """(K,): how many pictures of each class there are, from class numbers (N,).

    Raises:
        ValueError: none at all, or a class number out of range.
    """
    check_count(num_classes, "num_classes", "class_histogram")
    classes = np.asarray(classes).reshape(-1)
    if classes.size == 0 or classes.dtype.kind not in "ui" or classes.min() < 0 or classes.max() >= num_classes:
        raise ValueError(f"class_histogram: expected classes as numbers from 0 to {num_classes - 1}, got {classes!r}.")
    return np.bincount(classes, minlength=num_classes)


@checked
def entropy(counts: np.ndarray) -> float:
    """-sum p ln p of the shares p in a histogram, in nats: ln K where K classes are alike, 0 where there is only one.

    Raises:
        ValueError: negative counts, or nothing counted.
    """
    counts = np.asarray(counts, np.float64)
    if counts.size == 0 or not (counts >= 0).all() or not 0 < counts.sum() < np.inf:
        raise ValueError(f"entropy: expected counts of at least 0, some above it, got {counts!r}.")
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum()) + 0.0
