"""Exercises on generation: the game and its optimum, the range of pictures, ways between latents, scores."""

from __future__ import annotations

import numpy as np

from scratchnet.check.exercise import Exercise

_SCORES = [np.array([0.0]), np.array([2.0]), np.array([-1.0, 3.0]), np.array([0.5, -0.5, 4.0, -6.0])]


def _softplus(z: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, z)


def _spherical(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    w = np.arccos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    return (np.sin((1 - t) * w) * a + np.sin(t * w) * b) / np.sin(w)


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-np.sum(p * np.log(p))) + 0.0  # never -0.0


optimal_discriminator = Exercise(
    "The best discriminator",
    lambda p, q: p / (p + q),
    [
        (np.array([1.0]), np.array([1.0])),
        (np.array([3.0]), np.array([1.0])),
        (np.array([0.2, 0.0, 5.0]), np.array([0.6, 1.0, 0.0])),
    ],
    {
        "the answer is the probability of real, not the odds p / q.": lambda p, q: p / q,
        "p is the density of the real pictures, q of the generated ones: p / (p + q).": lambda p, q: q / (p + q),
    },
)

discriminator_loss = Exercise(
    "The discriminator's loss",
    lambda real, fake: float(np.mean(_softplus(-real)) + np.mean(_softplus(fake))),
    [(r, f) for r, f in zip(_SCORES, (np.array([0.0]), np.array([-2.0]), np.array([1.0]), np.array([-3.0, 0.1])))],
    {
        "the mean over each batch, not one over both.": lambda r, f: float(
            np.mean(np.concatenate([_softplus(-r), _softplus(f)]))
        ),
        "the signs: real scores are to be large, generated ones small.": lambda r, f: float(
            np.mean(_softplus(r)) + np.mean(_softplus(-f))
        ),
        "a mean over the batch, not a sum.": lambda r, f: float(np.sum(_softplus(-r)) + np.sum(_softplus(f))),
    },
)

generator_loss = Exercise(
    "The generator's loss",
    lambda fake: float(np.mean(_softplus(-fake))),
    [(z,) for z in _SCORES],
    {
        "that is the minimax loss, which stalls; the non-saturating one is -log p.": lambda z: float(
            -np.mean(_softplus(z))
        ),
        "the sign of the score: the generator wants it large.": lambda z: float(np.mean(_softplus(z))),
        "a mean over the batch, not a sum.": lambda z: float(np.sum(_softplus(-z))),
    },
)

to_tanh_range = Exercise(
    "Pixels in the range of tanh",
    lambda x: x.astype(np.float32) / np.float32(127.5) - 1,
    [(np.array([0, 255], np.uint8),), (np.array([[51, 204], [102, 153]], np.uint8),)],
    {
        "that is 0 to 1; tanh gives -1 to 1.": lambda x: x.astype(np.float32) / 255,
        "that is -0.5 to 0.5; tanh gives -1 to 1.": lambda x: x.astype(np.float32) / 255 - np.float32(0.5),
        "half of 255 is 127.5.": lambda x: x.astype(np.float32) / 128 - 1,
    },
)

spherical = Exercise(
    "The way along the sphere",
    _spherical,
    [
        (np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.0),
        (np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.5),
        (np.array([2.0, 0.0, 1.0]), np.array([0.0, 3.0, 1.0]), 0.25),
    ],
    {
        "that is the straight line, whose middle is too short.": lambda a, b, t: (1 - t) * a + t * b,
        "t = 0 is a, t = 1 is b.": lambda a, b, t: _spherical(b, a, t),
        "the angle is that of the directions: divide the product by both lengths.": lambda a, b, t: (
            (np.sin((1 - t) * np.arccos(np.clip(a @ b, -1, 1))) * a + np.sin(t * np.arccos(np.clip(a @ b, -1, 1))) * b)
            / max(np.sin(np.arccos(np.clip(a @ b, -1, 1))), 1e-3)
        ),
    },
)

frechet_in_one_dimension = Exercise(
    "Frechet distance of two normal distributions",
    lambda m, s, n, t: (m - n) ** 2 + (s - t) ** 2,
    [(0.0, 1.0, 0.0, 1.0), (0.0, 1.0, 2.0, 1.0), (0.0, 1.0, 0.0, 3.0), (1.0, 0.5, -1.0, 2.0)],
    {
        "the widths count too, not the means alone.": lambda m, s, n, t: (m - n) ** 2,
        "standard deviations, not variances: s^2 + t^2 - 2 s t.": lambda m, s, n, t: (m - n) ** 2 + (s**2 - t**2) ** 2,
        "FID and its kin are this square, not its root.": lambda m, s, n, t: ((m - n) ** 2 + (s - t) ** 2) ** 0.5,
    },
)

class_entropy = Exercise(
    "Entropy of the classes",
    _entropy,
    [(np.array([5]),), (np.array([4, 4]),), (np.array([1, 3, 0]),), (np.array([10] * 10),)],
    {
        "counts become shares first: divide by their sum.": lambda c: float(-np.sum(c[c > 0] * np.log(c[c > 0]))),
        "the sign: entropy is not negative.": lambda c: -_entropy(c),
        "natural logarithms: nats, not bits.": lambda c: _entropy(c) / np.log(2),
        "a class that does not occur counts 0, and log(0) must not be taken.": lambda c: (
            float(-np.sum(c / c.sum() * np.log(np.maximum(c / c.sum(), 0)))) if (c > 0).all() else float("nan")
        ),
    },
)
