"""A ring of eight Gaussians in the plane: data for a GAN whose result, and whose collapse, one figure shows.

Source: the ring of Metz et al., "Unrolled Generative Adversarial Networks", arXiv 1611.02163.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count, check_number

RADIUS, STD, MODES = 2.0, 0.05, 8


def centres(modes: int = MODES, radius: float = RADIUS) -> np.ndarray:
    """(modes, 2), the means of the Gaussians, counter-clockwise from (radius, 0)."""
    angles = 2 * np.pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@checked
def ring_of_gaussians(
    n: int = 10000, modes: int = MODES, radius: float = RADIUS, std: float = STD, seed: int = 0
) -> np.ndarray:
    """(n, 2) points, float32, each from one of the Gaussians at random; their standard deviation is std in both axes.

    Raises:
        ValueError: n or modes are not whole numbers of at least 1, or std is below 0.
    """
    for name, value in (("n", n), ("modes", modes)):
        check_count(value, name, "ring_of_gaussians")
    check_number(radius, "radius", "ring_of_gaussians")
    check_number(std, "std", "ring_of_gaussians", 0)
    rng = np.random.default_rng(check_count(seed, "seed", "ring_of_gaussians", 0, None))
    points = centres(modes, radius)[rng.integers(modes, size=n)] + rng.normal(0, std, (n, 2))
    return points.astype(np.float32)


class Coverage(NamedTuple):
    """How well points cover a ring.

    Attributes:
        modes: how many Gaussians have at least a fifth of N / modes points near them.
        share: the share of the points that are near a centre, within three standard deviations; of real points 0.989.
        counts: how many points are near each centre.
    """

    modes: int
    share: float
    counts: np.ndarray


def coverage(points: np.ndarray, modes: int = MODES, radius: float = RADIUS, std: float = STD) -> Coverage:
    """How well points (N, 2) cover the ring; see Coverage.

    Raises:
        ValueError: points of another shape.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"coverage: expected points of shape (N, 2), got {points.shape}.")
    distances = np.linalg.norm(points[:, None] - centres(modes, radius), axis=2)
    near = distances.min(axis=1) <= 3 * std
    counts = np.bincount(distances.argmin(axis=1)[near], minlength=modes)
    return Coverage(int((counts >= 0.2 * len(points) / modes).sum()), float(near.mean()), counts)
