"""Exercises on generation: the game and its optimum, the range of pictures, ways between latents."""

from __future__ import annotations

import numpy as np

from scratchnet.check.exercise import Exercise

_SCORES = [np.array([0.0]), np.array([2.0]), np.array([-1.0, 3.0]), np.array([0.5, -0.5, 4.0, -6.0])]
_FAKE_SCORES = [np.array([0.0]), np.array([-2.0]), np.array([1.0]), np.array([-3.0, 0.1])]


def _softplus(z: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, z)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _mean(z: np.ndarray) -> float:
    return float(np.mean(z))


def _least_squares(real: np.ndarray, fake: np.ndarray) -> float:
    return _mean((real - 1) ** 2) + _mean(fake**2)


optimal_discriminator = Exercise(
    "The best discriminator",
    lambda r, g: r / (r + g),
    [
        (np.array([1.0]), np.array([1.0])),
        (np.array([3.0]), np.array([1.0])),
        (np.array([0.2, 0.0, 5.0]), np.array([0.6, 1.0, 0.0])),
        (np.array([[0.1, 0.4], [0.3, 0.2]]), np.array([[0.3, 0.1], [0.2, 0.4]])),
    ],
    {
        "the answer is the probability of real, not the odds r / g.": (
            lambda r, g: r / g,
            lambda r, g: g / r,
            lambda r, g: _sigmoid(r / g),
        ),
        "the densities themselves, not their squares.": lambda r, g: r**2 / (r**2 + g**2),
        "that is what D says where r = g; elsewhere it can do better.": lambda r, g: np.full_like(r, 0.5),
        "r is the density of the real data, g of the generated ones: r / (r + g).": (
            lambda r, g: g / (r + g),
            lambda r, g: 1 - r / (r + g),
        ),
        "that is the score; its sigmoid is the probability, r / (r + g).": lambda r, g: np.log(r / g),
        "a probability from 0 to 1, not a decision.": (
            lambda r, g: np.round(r / (r + g)),
            lambda r, g: r > g,
            lambda r, g: r >= g,
            lambda r, g: np.where(r > g, 1.0, 0.0),
            lambda r, g: np.where(r >= g, 1.0, 0.0),
        ),
        "each place by itself: r + g there, not the sum over all places.": lambda r, g: r / (r + g).sum(),
        "one probability for each place, not their mean.": (
            lambda r, g: _mean(r / (r + g)),
            lambda r, g: float(r.mean() / (r.mean() + g.mean())),
        ),
        "that is the difference of the densities; what counts is the share of r in r + g.": (
            lambda r, g: r - g,
            lambda r, g: (r - g) / (r + g),
        ),
        "the densities are no scores: no sigmoid.": lambda r, g: _sigmoid(r - g),
        "brackets: r is divided by the sum of both densities.": (
            lambda r, g: r / r + g,
            lambda r, g: r / (1 + g),
            lambda r, g: r / (r - g),
        ),
        "nothing is halved: where all data are real, the answer is 1.": lambda r, g: r / (r + g) / 2,
    },
)

discriminator_loss = Exercise(
    "The discriminator's loss",
    lambda real, fake: _mean(_softplus(-real)) + _mean(_softplus(fake)),
    list(zip(_SCORES, _FAKE_SCORES)),
    {
        "the two means are added, not halved. (The article halves them.)": (
            lambda r, f: 0.5 * (_mean(_softplus(-r)) + _mean(_softplus(f)))
        ),
        "the mean over each batch, not one over both.": (
            lambda r, f: _mean(np.concatenate([_softplus(-r), _softplus(f)])),
        ),
        "the signs: real scores are to be large, generated ones small.": (
            lambda r, f: _mean(_softplus(r)) + _mean(_softplus(-f)),
            lambda r, f: _mean(_softplus(-r)) + _mean(_softplus(-f)),
            lambda r, f: _mean(_softplus(r)) + _mean(_softplus(f)),
        ),
        "a mean over the batch, not a sum.": lambda r, f: float(np.sum(_softplus(-r)) + np.sum(_softplus(f))),
        "one loss for each score; the means of the two batches are missing.": lambda r, f: _softplus(-r) + _softplus(f),
        "the loss is minus the logarithm: large where D is wrong.": (
            lambda r, f: -_mean(_softplus(-r)) - _mean(_softplus(f))
        ),
        "generated data count too: the mean of softplus(fake).": lambda r, f: _mean(_softplus(-r)),
        "real data count too: the mean of softplus(-real).": lambda r, f: _mean(_softplus(f)),
        "both terms are added, none subtracted.": lambda r, f: _mean(_softplus(-r)) - _mean(_softplus(f)),
        "these are scores, not probabilities: -log sigmoid(real) is softplus(-real).": (
            lambda r, f: -_mean(np.log(r)) - _mean(np.log(1 - f)),
            lambda r, f: -_mean(np.log(r) + np.log(1 - f)),
        ),
        "that is the hinge loss; asked is the one with the logarithm.": lambda r, f: (
            _mean(np.maximum(0, 1 - r)) + _mean(np.maximum(0, 1 + f))
        ),
        "that is the Wasserstein loss; asked is the one with the logarithm.": (
            lambda r, f: _mean(f) - _mean(r),
            lambda r, f: _mean(r) - _mean(f),
        ),
        "that is the least-squares loss; asked is the one with the logarithm.": (
            lambda r, f: _least_squares(r, f),
            lambda r, f: _least_squares(_sigmoid(r), _sigmoid(f)),
        ),
        "each batch has a mean of its own, since it may have a size of its own.": lambda r, f: _mean(
            _softplus(-r) + _softplus(f)
        ),
        "the mean of the logarithms, not the logarithm of the mean score.": lambda r, f: float(
            np.logaddexp(0, -np.mean(r)) + np.logaddexp(0, np.mean(f))
        ),
    },
)

generator_loss = Exercise(
    "The generator's loss",
    lambda fake: _mean(_softplus(-fake)),
    [(z,) for z in _SCORES],
    {
        "that is the minimax loss, which stalls; the non-saturating one is -log p.": lambda z: -_mean(_softplus(z)),
        "the sign of the score: the generator wants it large.": lambda z: _mean(_softplus(z)),
        "the sign of the loss: it is -log p, which is positive.": lambda z: -_mean(_softplus(-z)),
        "a mean over the batch, not a sum.": lambda z: float(np.sum(_softplus(-z))),
        "one loss for each score; the mean of them is missing.": lambda z: _softplus(-z),
        "these are scores, not probabilities: -log sigmoid(fake) is softplus(-fake).": lambda z: -_mean(np.log(z)),
        "that is p itself; the loss is -log p.": (
            lambda z: _mean(_sigmoid(z)),
            lambda z: -_mean(_sigmoid(z)),
            lambda z: _mean(1 - _sigmoid(z)),
        ),
        "the mean of the logarithms, not the logarithm of the mean.": (
            lambda z: float(-np.log(np.mean(_sigmoid(z)))),
            lambda z: float(np.logaddexp(0, -np.mean(z))),
        ),
        "that is the Wasserstein loss; asked is the one with the logarithm.": (
            lambda z: -_mean(z),
            lambda z: _mean(z),
        ),
        "that is the least-squares loss; asked is the one with the logarithm.": (
            lambda z: _mean((z - 1) ** 2),
            lambda z: _mean((_sigmoid(z) - 1) ** 2),
        ),
        "the loss is not halved.": lambda z: 0.5 * _mean(_softplus(-z)),
        "np.log is the natural logarithm; log2 or log10 measure in other units.": (
            lambda z: _mean(_softplus(-z)) / np.log(2),
            lambda z: _mean(_softplus(-z)) / np.log(10),
        ),
    },
)

to_tanh_range = Exercise(
    "Pixels in the range of tanh",
    lambda x: x.astype(np.float32) / np.float32(127.5) - 1,
    [(np.array([0, 255], np.uint8),), (np.array([[51, 204], [102, 153]], np.uint8),)],
    {
        "x is still uint8: above 255 it goes on at 0. x.astype(np.float32) first.": (
            lambda x: 2 * x / 255 - 1,
            lambda x: (2 * x / 255 - 1).astype(np.float32),
            lambda x: (2 * x).astype(np.float32) / 255 - 1,
            lambda x: (2 * x - 255) / 255,
            lambda x: x.astype(np.int8) / 127.5 - 1,
        ),
        "x - 128 is still uint8: below 0 it goes on at 255. x.astype(np.float32) first.": (
            lambda x: (x - 128) / 128,
            lambda x: (x - 127) / 127,
            lambda x: ((x - 128) / 128).astype(np.float32),
            lambda x: (x - 128).astype(np.float32) / 128,
            lambda x: ((x - 127) / 127).astype(np.float32),
        ),
        "the numbers are right, but float64, twice the memory: x.astype(np.float32) first.": lambda x: x / 127.5 - 1,
        "that is 0 to 1; tanh gives -1 to 1.": lambda x: x.astype(np.float32) / 255,
        "that is -0.5 to 0.5; tanh gives -1 to 1.": lambda x: x.astype(np.float32) / 255 - np.float32(0.5),
        "that is 0 to 2; tanh gives -1 to 1.": lambda x: x.astype(np.float32) / np.float32(127.5),
        "that is -1 to 0; tanh gives -1 to 1.": lambda x: x.astype(np.float32) / 255 - 1,
        "moved, but not divided: the ends are -127.5 and 127.5.": (
            lambda x: x.astype(np.float32) - np.float32(127.5),
            lambda x: x - 127.5,
        ),
        "half of 255 is 127.5.": (
            lambda x: x.astype(np.float32) / 128 - 1,
            lambda x: x.astype(np.float32) / 127 - 1,
            lambda x: (x.astype(np.float32) - 128) / 128,
            lambda x: (x.astype(np.float32) - 127) / 127,
        ),
        "black, 0, becomes -1, and white, 255, becomes 1; these are inverted.": lambda x: (
            1 - x.astype(np.float32) / np.float32(127.5)
        ),
        "0 and 255 are the ends for every picture, not its own darkest and lightest pixel.": lambda x: (
            2 * (x.astype(np.float32) - x.min()) / np.float32(x.max() - x.min()) - 1
        ),
        "tanh is what the generator ends with; the pixels are only moved and stretched.": (
            lambda x: np.tanh(x.astype(np.float32)),
            lambda x: np.tanh(x.astype(np.float32) / np.float32(127.5) - 1),
        ),
        "// and integers leave only a few values: divide with /, and keep floats.": (
            lambda x: (x // 127.5 - 1).astype(np.float32),
            lambda x: (x / 127.5 - 1).astype(np.int8),
            lambda x: (x / 127.5 - 1).astype(int),
        ),
    },
    dtype=np.float32,
)


def _along(a: np.ndarray, b: np.ndarray, t: float, w: float | np.ndarray) -> np.ndarray:
    return (np.sin((1 - t) * w) * a + np.sin(t * w) * b) / np.sin(w)


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arccos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))


def _straight_made_longer(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    straight = (1 - t) * a + t * b
    return straight / np.linalg.norm(straight)


spherical = Exercise(
    "The way along the sphere",
    lambda a, b, t: _along(a, b, t, _angle(a, b)),
    [
        (np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.0),
        (np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.5),
        (np.array([1.0, 0.0]), np.array([0.6, 0.8]), 0.25),
        (np.array([2.0, 0.0, 1.0]), np.array([0.0, 3.0, 1.0]), 0.25),
    ],
    {
        "that is the straight line, whose middle is too short.": lambda a, b, t: (1 - t) * a + t * b,
        "that is the straight line, stretched to length 1: it is too fast in the middle.": _straight_made_longer,
        "the ends are swapped: t = 0 gives a, t = 1 gives b.": (
            lambda a, b, t: _along(b, a, t, _angle(a, b)),
            lambda a, b, t: t * a + (1 - t) * b,
            lambda a, b, t: (np.sin(t * _angle(a, b)) * a + np.sin((1 - t) * _angle(a, b)) * b) / np.sin(_angle(a, b)),
        ),
        "the angle is that of the directions: divide the product by both lengths.": (
            lambda a, b, t: _along(a, b, t, np.arccos(a @ b)),
            lambda a, b, t: _along(a, b, t, np.arccos(np.clip(a @ b, -1, 1))),
            lambda a, b, t: _along(a, b, t, np.arccos(a @ b / np.linalg.norm(a))),
            lambda a, b, t: _along(a, b, t, np.arccos(a @ b / np.linalg.norm(b))),
            lambda a, b, t: _along(a, b, t, np.arccos(a @ b / (a @ a * (b @ b)))),
            lambda a, b, t: _along(a, b, t, np.arccos(a @ b / (np.linalg.norm(a) + np.linalg.norm(b)))),
        ),
        "a @ b is one number, the sum of the products; a * b is not summed yet.": lambda a, b, t: _along(
            a, b, t, np.arccos(a * b / (np.linalg.norm(a) * np.linalg.norm(b)))
        ),
        "that is the cosine of the angle; arccos makes the angle of it.": (
            lambda a, b, t: _along(a, b, t, np.cos(_angle(a, b))),
            lambda a, b, t: _along(a, b, t, a @ b),
        ),
        "that is right where a and b are at right angles; elsewhere the angle is another.": lambda a, b, t: (
            a * np.cos(t * np.pi / 2) + b * np.sin(t * np.pi / 2)
        ),
        "divide by the sine of the whole angle.": (
            lambda a, b, t: np.sin((1 - t) * _angle(a, b)) * a + np.sin(t * _angle(a, b)) * b,
            lambda a, b, t: _along(a, b, t, _angle(a, b)) * np.sin(_angle(a, b)) / _angle(a, b),
        ),
        "brackets: both terms are divided by sin(w).": lambda a, b, t: (
            np.sin((1 - t) * _angle(a, b)) * a + np.sin(t * _angle(a, b)) * b / np.sin(_angle(a, b))
        ),
        "sin takes the angle as it is, in radians.": lambda a, b, t: _along(a, b, t, np.degrees(_angle(a, b))),
        "a and b keep their lengths: do not divide the result, or them, by these.": lambda a, b, t: _along(
            a / np.linalg.norm(a), b / np.linalg.norm(b), t, _angle(a, b)
        ),
    },
)
