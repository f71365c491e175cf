"""What `diagnose` measures in a GAN: how varied its pictures are, how far from real ones, how long its gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.annotations import checked
from scratchnet.devices import to_numpy
from scratchnet.gan.model import GAN


@checked
def diversity(x: np.ndarray) -> float:
    """The mean distance between two examples of a batch, the root of the sum of squares; 0 for a single one."""
    if len(x) == 0:
        raise ValueError(f"diversity: expected x with at least one example, got an array of shape {np.shape(x)}.")
    flat = to_numpy(x).astype(np.float64).reshape(len(x), -1)
    squares = np.square(flat).sum(axis=1)
    products = kernels.of(flat).dense_input_grad(flat, flat)  # flat @ flat.T, the same bits for any number of threads
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * products, 0))
    pairs = len(flat) * (len(flat) - 1)
    return float(distances[~np.eye(len(flat), dtype=bool)].sum() / pairs) if pairs else 0.0


@checked
def relative_diversity(gan: GAN, n: int = 64, seed: int = 0) -> float:
    """The diversity of n generated pictures in units of that of the real ones that `fit` was given.

    Raises:
        RuntimeError: the GAN was not trained, so that it knows no real pictures.
    """
    if gan.real_sample is None:
        raise RuntimeError(f"{gan.full_name}: diversity before fit. It is measured against real pictures.")
    return diversity(gan.decode(gan.latents(n, seed))) / max(diversity(gan.real_sample), 1e-12)


@checked
def separation(gan: GAN, n: int = 64, seed: int = 0) -> float:
    """How far n generated pictures are from real ones: the energy distance, in units of the real ones' diversity.

        (2 E|x - y| - E|x - x'| - E|y - y'|) / E|x - x'|,  x real, y generated, x' and y' others of their kind

    About 0 where both come from one source, above 0 where not. Source: Szekely and Rizzo, 2013.

    Raises:
        RuntimeError: the GAN was not trained, so that it knows no real pictures.
    """
    if gan.real_sample is None:
        raise RuntimeError(f"{gan.full_name}: separation before fit. It is measured against real pictures.")
    real, fake = (to_numpy(x).astype(np.float64) for x in (gan.real_sample, gan.generate(n, seed)))
    real, fake = (x.reshape(len(x), -1) for x in (real, fake))
    between = np.mean([np.linalg.norm(real - one, axis=1).mean() for one in fake])
    return float((2 * between - diversity(real) - diversity(fake)) / max(diversity(real), 1e-12))


def gradient_norm(network: Any) -> float:
    """The length of all gradients of the last step taken as one vector."""
    return math.sqrt(sum(kernels.of(g).square_sum(g) for g in network.grads.values()))
