"""An exercise on labels between 0 and 1: what D pays for real pictures when it is told 0.9 of them."""

from __future__ import annotations

import numpy as np

from scratchnet.check.exercise import Exercise


def _softplus(s: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, s)


def _sigmoid(s: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-s))


def _smoothed(s: np.ndarray, label: float) -> np.ndarray:
    return label * _softplus(-s) + (1 - label) * _softplus(s)


def _by_logarithms(s: np.ndarray, label: float) -> float:
    p = _sigmoid(s)
    return float(-np.mean(label * np.log(p) + (1 - label) * np.log(1 - p)))


smoothed_loss = Exercise(
    "D's loss with a smoothed label",
    lambda s, label: float(_smoothed(s, label).mean()),
    [
        (np.array([2.0]), 0.9),
        (np.array([0.5]), 1.0),
        (np.array([-1.0, 3.0]), 0.75),
        (np.array([0.5, -0.5, 4.0, -6.0]), 0.9),
        (np.array([1000.0, -1000.0]), 0.9),
    ],
    {
        "that is the loss where label is 1; here a share of 1 - label counts as generated.": (
            lambda s, label: float(_softplus(-s).mean())
        ),
        "the share of 1 - label is missing: it costs what a generated picture costs.": (
            lambda s, label: float(label * _softplus(-s).mean())
        ),
        "swapped: label goes with the cost of a real picture, softplus(-s).": (
            lambda s, label: float(_smoothed(-s, label).mean()),
            lambda s, label: float(label * _softplus(s).mean()),
        ),
        "both costs have the same sign: a generated picture costs softplus(s).": (
            lambda s, label: float((label * _softplus(-s) - (1 - label) * _softplus(s)).mean()),
        ),
        "both costs count in full; their shares are label and 1 - label.": (
            lambda s, label: float((_softplus(-s) + _softplus(s)).mean()),
            lambda s, label: float((label * _softplus(-s) + _softplus(s)).mean()),
            lambda s, label: float((_softplus(-s) + (1 - label) * _softplus(s)).mean()),
        ),
        "a mean over the batch, not a sum.": lambda s, label: float(_smoothed(s, label).sum()),
        "one loss for each score; their mean is missing.": _smoothed,
        "the label is smoothed, not the score.": (
            lambda s, label: float(_softplus(-label * s).mean()),
            lambda s, label: float(_softplus(label - s).mean()),
        ),
        "exp(1000) is infinite, and so is log(sigmoid(-1000)); np.logaddexp(0, s) is finite for every score.": (
            _by_logarithms,
            lambda s, label: float((label * np.log(1 + np.exp(-s)) + (1 - label) * np.log(1 + np.exp(s))).mean()),
        ),
        "s are scores, not probabilities: -log sigmoid(s) is softplus(-s).": lambda s, label: float(
            -np.mean(label * np.log(s) + (1 - label) * np.log(1 - s))
        ),
        "that is how far p is from label; asked is the cross-entropy, with the logarithm.": (
            lambda s, label: float(np.mean((_sigmoid(s) - label) ** 2)),
            lambda s, label: float(np.mean(np.abs(_sigmoid(s) - label))),
        ),
        "that is the gradient; asked is the loss.": (
            lambda s, label: float(np.mean(_sigmoid(s) - label)),
            lambda s, label: _sigmoid(s) - label,
        ),
        "the sign: the loss is minus the logarithm, which is positive.": (
            lambda s, label: float(-_smoothed(s, label).mean())
        ),
        "the mean of the costs, not the cost of the mean score.": (lambda s, label: float(_smoothed(s.mean(), label))),
        "it is not halved: the shares, label and 1 - label, make 1 already.": (
            lambda s, label: float(_smoothed(s, label).mean() / 2)
        ),
    },
)
