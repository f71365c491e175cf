"""The metrics of generated pictures against plain loops, closed forms, and what must hold whatever the numbers."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.generation import distances, metrics
from scratchnet.generation.metrics import (
    class_histogram,
    entropy,
    frechet_distance,
    frechet_of_moments,
    kernel_distance,
    precision_recall,
)

SIZES = st.tuples(st.integers(8, 30), st.integers(8, 30), st.integers(1, 5), st.integers(0, 2**32 - 1))


def two_sets(sizes, shift=0.5):
    n, m, d, seed = sizes
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) * 1.5 + shift


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks so small that every sum and minimum runs over several of them."""
    monkeypatch.setattr(distances, "ROWS", 7)
    monkeypatch.setattr(distances, "COLUMNS", 5)


# The Frechet distance.


def plain_frechet(x, y):
    """From the definition: the square root of the product by its eigenvalues, which need not be symmetric."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    d = x.shape[1]
    cov_x, cov_y = np.zeros((d, d)), np.zeros((d, d))
    for a in range(d):
        for b in range(d):
            cov_x[a, b] = sum((row[a] - mean_x[a]) * (row[b] - mean_x[b]) for row in x) / (len(x) - 1)
            cov_y[a, b] = sum((row[a] - mean_y[a]) * (row[b] - mean_y[b]) for row in y) / (len(y) - 1)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(cov_x @ cov_y).real, 0))
    return sum((mean_x - mean_y) ** 2) + np.trace(cov_x) + np.trace(cov_y) - 2 * sum(roots)


@given(SIZES)
def test_frechet_distance_is_its_definition(sizes):
    x, y = two_sets(sizes)
    assert frechet_distance(x, y) == pytest.approx(plain_frechet(x, y), rel=1e-7, abs=1e-7)
    assert frechet_distance(y, x) == pytest.approx(frechet_distance(x, y), rel=1e-9, abs=1e-9)


def test_frechet_distance_of_gaussians_in_closed_form():
    rng = np.random.default_rng(0)
    axes, _ = np.linalg.qr(rng.normal(size=(64, 64)))
    lengths_x, lengths_y = rng.uniform(0, 3, 64), rng.uniform(0, 3, 64)
    lengths_x[:20], lengths_y[10:30] = 0, 0  # singular, both, and not in the same directions
    mean_x, mean_y = rng.normal(size=(2, 64))
    cov_x, cov_y = (axes * lengths_x**2) @ axes.T, (axes * lengths_y**2) @ axes.T
    expected = ((mean_x - mean_y) ** 2).sum() + ((lengths_x - lengths_y) ** 2).sum()
    assert frechet_of_moments(mean_x, cov_x, mean_y, cov_y) == pytest.approx(expected, rel=1e-7)


def test_frechet_distance_of_samples_goes_to_that_of_their_gaussians():
    rng = np.random.default_rng(1)
    x, y = rng.normal(0, 1, (200_000, 2)), rng.normal(3, 2, (200_000, 2))
    assert frechet_distance(x, y) == pytest.approx(2 * (9 + 1), rel=0.01)


def test_frechet_distance_of_equal_sets_is_0_also_where_the_covariance_is_singular():
    rng = np.random.default_rng(2)
    line = rng.normal(size=(300, 1)) * np.ones((1, 64)) * 10 + 1e3
    assert 0 <= frechet_distance(line, line) < 1e-7 * line.var()
    x = rng.normal(size=(300, 64))
    assert 0 <= frechet_distance(x, x) < 1e-11
    assert 0 <= frechet_distance(x, x[::-1]) < 1e-11


def test_frechet_distance_follows_shift_turn_and_scale():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(100, 6)), rng.normal(1, 2, (120, 6))
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    assert frechet_distance(x @ turn + 5, y @ turn + 5) == pytest.approx(frechet_distance(x, y), rel=1e-9)
    assert frechet_distance(3 * x, 3 * y) == pytest.approx(9 * frechet_distance(x, y), rel=1e-9)


def test_few_samples_make_it_too_large_and_that_is_said():
    rng = np.random.default_rng(4)
    many = frechet_distance(rng.normal(size=(5000, 32)), rng.normal(size=(5000, 32)))
    with pytest.warns(UserWarning, match="20 samples of 32 features"):
        few = frechet_distance(rng.normal(size=(20, 32)), rng.normal(size=(20, 32)))
    assert few > 20 * many


# The kernel distance.


def plain_kernel_distance(x, y):
    def k(a, b):
        return (sum(p * q for p, q in zip(a, b)) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return xx + yy - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


@given(SIZES)
def test_kernel_distance_is_its_definition(sizes):
    x, y = two_sets((sizes[0], sizes[0], *sizes[2:]))
    mean, std = kernel_distance(x, y, subsets=2, subset_size=len(x))  # a subset of all: in another order
    assert mean == pytest.approx(plain_kernel_distance(x, y), rel=1e-9, abs=1e-9)
    assert std == pytest.approx(0, abs=1e-9)


def test_kernel_distance_of_one_distribution_is_0_on_average():
    rng = np.random.default_rng(5)
    values = [
        kernel_distance(rng.normal(size=(8, 3)), rng.normal(size=(8, 3)), subsets=1, subset_size=8).mean
        for _ in range(400)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / 20
    assert min(values) < 0 < max(values)
    mean, std = kernel_distance(rng.normal(size=(600, 8)), rng.normal(size=(700, 8)))
    assert abs(mean) < 2 * std
    far, _ = kernel_distance(rng.normal(size=(600, 8)), rng.normal(size=(700, 8)) + 1)
    assert far > 20 * std


def test_kernel_distance_draws_by_its_seed_alone():
    x, y = two_sets((50, 60, 4, 6))
    assert kernel_distance(x, y, seed=1) == kernel_distance(x, y, seed=1)
    assert kernel_distance(x, y, seed=1) != kernel_distance(x, y, seed=2)


# Precision, recall and neighbours.


def plain_precision(real, fake, k):
    radii = [sorted(np.linalg.norm(a - b) for j, b in enumerate(real) if j != i)[k - 1] for i, a in enumerate(real)]
    return np.mean([any(np.linalg.norm(f - r) <= radius for r, radius in zip(real, radii)) for f in fake])


@given(SIZES, st.integers(1, 7))
def test_precision_and_recall_are_their_definitions(sizes, k):
    x, y = two_sets(sizes, shift=1.0)
    assert precision_recall(x, y, k) == (plain_precision(x, y, k), plain_precision(y, x, k))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("k", [1, 3, 7])
def test_precision_and_recall_over_several_blocks(k):
    x, y = two_sets((23, 31, 3, 0), shift=1.0)
    assert precision_recall(x, y, k) == (plain_precision(x, y, k), plain_precision(y, x, k))


def test_precision_falls_with_quality_and_recall_with_variety():
    rng = np.random.default_rng(7)
    real, alike = rng.normal(size=(500, 2)), rng.normal(size=(500, 2))
    spread, narrow = 4 * alike, 0.1 * alike
    assert min(precision_recall(real, alike)) > 0.9
    assert precision_recall(real, spread).precision < 0.5
    assert precision_recall(real, spread).recall > 0.9
    assert precision_recall(real, narrow).precision == 1
    assert precision_recall(real, narrow).recall < 0.1


@pytest.mark.usefixtures("small_blocks")
def test_squared_distances_cover_all_pairs():
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(23, 2, 3)) + 1e3, rng.normal(size=(17, 2, 3)) + 1e3
    whole = np.full((23, 17), np.nan)
    for i, j, block in distances.squared_distances(x, y):
        assert np.isnan(whole[i : i + len(block), j : j + block.shape[1]]).all()
        whole[i : i + len(block), j : j + block.shape[1]] = block
    expected = [[((a - b) ** 2).sum() for b in y] for a in x]
    np.testing.assert_allclose(whole, expected, rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
def test_nearest_points_the_first_of_several_and_0_for_a_copy():
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(20, 4)).astype(np.float32), rng.normal(size=(30, 4)).astype(np.float32)
    y[[12, 25]] = x[3]
    index, distance = distances.nearest_points(x, y)
    everything = np.array([[np.linalg.norm(a.astype(float) - b) for b in y] for a in x])
    np.testing.assert_array_equal(index, everything.argmin(axis=1))
    np.testing.assert_allclose(distance, everything.min(axis=1), rtol=1e-12)
    assert (index[3], distance[3]) == (12, 0)


# Classes.


def test_class_histogram_and_entropy():
    counts = class_histogram([0, 2, 2, 9])
    np.testing.assert_array_equal(counts, [1, 0, 2, 0, 0, 0, 0, 0, 0, 1])
    assert entropy(counts) == pytest.approx(1.5 * np.log(2))
    assert entropy(np.ones(10)) == pytest.approx(np.log(10))
    assert entropy([0, 7, 0]) == 0


# What cannot be measured.


@pytest.mark.parametrize("metric", [frechet_distance, kernel_distance, precision_recall])
def test_bad_features_are_named(metric):
    good = np.random.default_rng(0).normal(size=(20, 3))
    bad = good.copy()
    bad[4, 1] = np.nan
    with pytest.raises(ValueError, match=rf"{metric.__name__}: NaN or infinity in the fake features, first in row 4"):
        metric(good, bad)
    with pytest.raises(ValueError, match="real features of shape"):
        metric(good[0], good)
    with pytest.raises(ValueError, match="real features have 3 numbers a picture, fake ones 2"):
        metric(good, good[:, :2])
    with pytest.raises(ValueError, match=r"expected at least \d real samples, got 1"):
        metric(good[:1], good)
    with pytest.raises(ValueError, match="expected real to be an array of numbers"):
        metric(good.astype(str), good)


def test_bad_arguments_are_named():
    x, y = two_sets((20, 15, 2, 0))
    for k in (0, 15):
        with pytest.raises(ValueError, match="expected k from 1 to 14"):
            precision_recall(x, y, k)
    with pytest.raises(ValueError, match=r"precision_recall: expected k to be a whole number, got 2\.5"):
        precision_recall(x, y, 2.5)
    for size in (1, 16):
        with pytest.raises(ValueError, match="subset_size from 2 to 15"):
            kernel_distance(x, y, subset_size=size)
    for classes in ([], [10], [-1], [0.5]):
        with pytest.raises(ValueError, match="classes as numbers from 0 to 9"):
            class_histogram(classes)
    for counts in ([], [0, 0], [1, -1], [np.nan]):
        with pytest.raises(ValueError, match="entropy: expected counts"):
            entropy(counts)


# The same bits.

RUN = """
import numpy as np
from scratchnet.generation.metrics import frechet_distance, kernel_distance, precision_recall
from scratchnet.generation.distances import nearest_points
x, y = np.random.default_rng(0).normal(size=(2, 1500, 64)) ** 2
found = [frechet_distance(x, y), *kernel_distance(x, y, 3), *precision_recall(x, y), nearest_points(x, y)[1].sum()]
print([float(v).hex() for v in found])
"""


def test_the_same_bits_on_1_2_and_4_threads():
    names, results = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), set()
    for threads in (1, 2, 4):
        environment = {**os.environ, **dict.fromkeys(names, str(threads))}
        done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        results.add(done.stdout)
    assert len(results) == 1


def test_moments_of_a_single_feature():
    mean, covariance = metrics.moments(np.array([[1.0], [2.0], [6.0]]))
    assert (mean.tolist(), covariance.tolist()) == ([3.0], [[7.0]])
