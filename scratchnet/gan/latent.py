"""Pictures between two latents: spherical interpolation and a figure of it; `scratchnet.interact.latent` has a slider.

matplotlib comes with `pip install "scratchnet[notebooks]"` and is imported when it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchnet import plot
from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.gan.model import GAN
from scratchnet.gan.pictures import as_bytes, check_makes_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checked
def spherical(a: np.ndarray, b: np.ndarray, t: float | np.ndarray) -> np.ndarray:
    """The way from latent a to latent b, at t from 0 to 1, along the sphere: (..., D) for t of shape (...).

        y = (sin((1 - t) w) * a + sin(t w) * b) / sin w,  w the angle between a and b

    Nearly all normal random vectors of D numbers have a length of about sqrt(D). The middle of the straight line from
    one to another is shorter by a factor of sqrt(2): a latent as G was never trained on. Where a and b have the same or
    the opposite direction, the straight line is taken.

    Source: Shoemake, SIGGRAPH 1985; White, arXiv 1609.04468.

    Raises:
        ValueError: a and b are not two vectors of the same length.
    """
    a, b, t = np.asarray(a), np.asarray(b), np.asarray(t, np.float64)[..., None]
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(
            f"spherical: expected a and b, two latents of the same shape (D,), got {a.shape} and {b.shape}."
        )
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    angle = np.arccos(np.clip(a @ b / lengths, -1, 1)) if lengths else 0.0
    if np.sin(angle) < 1e-6:
        return ((1 - t) * a + t * b).astype(a.dtype)
    return ((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)).astype(a.dtype)


@checked
def interpolate(gan: GAN, rows: int = 4, steps: int = 10, seed: int = 0) -> np.ndarray:
    """Pictures on the way from one latent to another, (rows, steps, H, W, C), the ends included.

    Raises:
        ValueError: rows or steps below 1.
    """
    rows, steps = check_count(rows, "rows", "interpolate"), check_count(steps, "steps", "interpolate")
    ends, t = gan.latents(2 * rows, seed), np.linspace(0, 1, steps)
    z = np.concatenate([spherical(a, b, t) for a, b in zip(ends[::2], ends[1::2])])
    x = gan.decode(z)
    return x.reshape(rows, steps, *x.shape[1:])


@checked
def interpolation(gan: GAN, rows: int = 4, steps: int = 10, seed: int = 0) -> Figure:
    """A figure of `interpolate`: each row goes from one picture to another.

    Raises:
        ValueError: rows or steps below 1, or a GAN that makes no pictures.
    """
    check_makes_pictures(gan, "interpolation")
    x = interpolate(gan, rows, steps, seed)
    return plot.images(as_bytes(x.reshape(-1, *x.shape[2:]), gan.picture_range), columns=steps)
