"""Exercises on honest experiments: the order of the pictures, a training loop with faults, an evaluation that leaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations

import numpy as np

from scratchnet.check.exercise import Exercise


def _orders(seed: int, epochs: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([rng.permutation(count) for _ in range(epochs)])


def _same_places(orders: np.ndarray) -> float:
    return float(np.mean(orders[1:] == orders[:-1]))


def _shared(orders: np.ndarray) -> float:
    return float(np.mean([np.isin(a, b) for a, b in zip(orders[1:], orders[:-1])]))


same_places = Exercise(
    "The share of places with the picture of the epoch before",
    _same_places,
    [
        (np.array([[0, 1, 2], [0, 2, 1]]),),
        (np.array([[2, 0, 1], [2, 0, 1], [2, 1, 0]]),),
        (np.array([[3, 0, 1, 2], [3, 0, 2, 1], [3, 0, 1, 2]]),),
        (_orders(0, 4, 5),),
        (np.tile(_orders(1, 1, 6), (3, 1)),),
    ],
    {
        "each epoch is compared with the one before it, not with the first.": lambda o: float(np.mean(o[1:] == o[0])),
        "a count; divide by the number of places that are compared.": lambda o: int(np.sum(o[1:] == o[:-1])),
        "the first epoch has none before it, and is not compared with the last.": lambda o: float(
            np.mean(o == np.roll(o, 1, axis=0))
        ),
        "neighbours within an epoch are compared; the epochs are on axis 0.": lambda o: float(
            np.mean(o[:, 1:] == o[:, :-1])
        ),
        "this is the share of places that differ.": lambda o: 1 - _same_places(o),
        "whether all places agree; asked is how many of them do.": lambda o: float(np.array_equal(o[1:], o[:-1])),
        "every epoch holds every picture; what counts is the place where it comes.": _shared,
        "in percent; the answer is a share from 0 to 1.": lambda o: 100 * _same_places(o),
    },
)

# The faults of the printed loop, each with what is said of it. With none of them the loop is right.
_LOOP_FAULTS = {
    "one order for all epochs: draw it anew inside the loop over the epochs": "order",
    "the gradient of the last batch is still in dw: set it to 0 in each step": "zero",
    "the last pictures are never seen: range(0, len(x), batch_size)": "last",
    "the last batch may be smaller: divide by len(batch)": "mean",
}


def _train(
    w: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    rate: float,
    epochs: int,
    batch_size: int,
    seed: int,
    faults: tuple[str, ...] = (),
) -> np.ndarray:
    """Softmax regression by gradient descent, with the named faults."""
    rng, w = np.random.default_rng(seed), w.copy()
    order = rng.permutation(len(x)) if "order" in faults else np.arange(len(x))
    dw = np.zeros_like(w)
    for _ in range(epochs):
        if "order" not in faults:
            order = rng.permutation(len(x))
        for start in range(0, len(x) - (batch_size if "last" in faults else 0), batch_size):
            batch = order[start : start + batch_size]
            e = np.exp(x[batch] @ w)
            p = e / e.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            if "zero" not in faults:
                dw = np.zeros_like(w)
            dw += x[batch].T @ p / (batch_size if "mean" in faults else len(batch))
            w += rate * dw if "uphill" in faults else -rate * dw
    return w


def _train_with(*faults: str) -> Callable[..., np.ndarray]:
    return partial(_train, faults=faults)


def _remaining(faults: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Each hint for one or more faults that are left, with their names."""
    subsets = [subset for size in range(1, len(faults) + 1) for subset in combinations(faults, size)]
    named = {"still in it: " + "; ".join(s) + ".": tuple(faults[text] for text in s) for s in subsets}
    # Where no batch is smaller than the others, dividing by batch_size does no harm: one hides the other.
    return {hint: names for hint, names in named.items() if not {"last", "mean"} <= set(names)}


def _loop_case(seed: int, count: int, size: int, classes: int, epochs: int, batch_size: int) -> tuple:
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(count, size)), 1)
    return np.zeros((size, classes)), x, np.arange(count) % classes, 0.5, epochs, batch_size, seed


def _unshuffled(
    w: np.ndarray, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, batch_size: int, seed: int
) -> np.ndarray:
    """As they lie: one epoch after another over the pictures, each in the order of the array."""
    for _ in range(epochs):
        for start in range(0, len(x), batch_size):
            batch = np.arange(start, min(start + batch_size, len(x)))
            e = np.exp(x[batch] @ w)
            p = e / e.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            w = w - rate * x[batch].T @ p / len(batch)
    return w


mended_loop = Exercise(
    "A training loop with faults",
    _train,
    [_loop_case(1, 3, 1, 2, 2, 2), _loop_case(2, 5, 2, 2, 3, 2), _loop_case(3, 11, 3, 4, 4, 4)],
    {hint: _train_with(*names) for hint, names in _remaining(_LOOP_FAULTS).items()}
    | {
        "uphill: the step goes against the gradient, w - rate * dw.": _train_with("uphill"),
        "the pictures are never shuffled: draw an order with rng.permutation in each epoch.": _unshuffled,
    },
)


def _nearest(x_train: np.ndarray, y_train: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[accuracy, mean distance]: each picture gets the class of the training picture that is nearest to it."""
    distance = np.sqrt(((x[:, None] - x_train) ** 2).sum(axis=2))
    return np.array([np.mean(y_train[distance.argmin(axis=1)] == y), distance.min(axis=1).mean()])


def _mirrored(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([x, x[:, ::-1]]), np.concatenate([y, y])


def _evaluate(x: np.ndarray, y: np.ndarray, held_out: int) -> np.ndarray:
    x_train, y_train, x_val, y_val = x[:-held_out], y[:-held_out], x[-held_out:], y[-held_out:]
    mean, std = x_train.mean(), x_train.std()
    more_x, more_y = _mirrored((x_train - mean) / std, y_train)
    return _nearest(more_x, more_y, (x_val - mean) / std, y_val)


def _mirrored_first(x: np.ndarray, y: np.ndarray, held_out: int) -> np.ndarray:
    return _evaluate_alone(*_mirrored(x, y), held_out)


def _evaluate_alone(x: np.ndarray, y: np.ndarray, held_out: int) -> np.ndarray:
    """Split and normalized rightly, nothing mirrored."""
    mean, std = x[:-held_out].mean(), x[:-held_out].std()
    x = (x - mean) / std
    return _nearest(x[:-held_out], y[:-held_out], x[-held_out:], y[-held_out:])


def _normalized_by_all(x: np.ndarray, y: np.ndarray, held_out: int) -> np.ndarray:
    x = (x - x.mean()) / x.std()
    more_x, more_y = _mirrored(x[:-held_out], y[:-held_out])
    return _nearest(more_x, more_y, x[-held_out:], y[-held_out:])


def _both_leaks(x: np.ndarray, y: np.ndarray, held_out: int) -> np.ndarray:
    x, y = _mirrored((x - x.mean()) / x.std(), y)
    return _nearest(x[:-held_out], y[:-held_out], x[-held_out:], y[-held_out:])


def _apart(x: np.ndarray, y: np.ndarray, held_out: int) -> np.ndarray:
    """Each part by its own mean and deviation."""
    x_train, x_val = ((part - part.mean()) / part.std() for part in (x[:-held_out], x[-held_out:]))
    more_x, more_y = _mirrored(x_train, y[:-held_out])
    return _nearest(more_x, more_y, x_val, y[-held_out:])


def _all_to_learn(x: np.ndarray, y: np.ndarray, held_out: int) -> np.ndarray:
    mean, std = x[:-held_out].mean(), x[:-held_out].std()
    x = (x - mean) / std
    return _nearest(*_mirrored(x, y), x[-held_out:], y[-held_out:])


def _first_held_out(x: np.ndarray, y: np.ndarray, held_out: int) -> np.ndarray:
    return _evaluate(np.roll(x, -held_out, axis=0), np.roll(y, -held_out), held_out)


def _evaluation_case(seed: int, count: int, size: int, held_out: int) -> tuple:
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(size=(count, size)), 1), np.arange(count) % 2, held_out


honest_evaluation = Exercise(
    "An evaluation that does not leak",
    _evaluate,
    [_evaluation_case(1, 5, 2, 2), _evaluation_case(2, 12, 3, 5), _evaluation_case(3, 30, 4, 10)],
    {
        "both leaks are left: split first; then normalize by the training part, and mirror the training part.": (
            _both_leaks
        ),
        "mean and deviation are still those of all pictures: take them from the training part.": _normalized_by_all,
        "mirrored before the split: a validation picture has its mirror image among the training pictures.": (
            _mirrored_first
        ),
        "nothing is mirrored: the training pictures should be, after the split.": _evaluate_alone,
        "each part by its own mean and deviation: validation pictures are treated as the training ones are.": _apart,
        "the validation pictures are among the training pictures too.": _all_to_learn,
        "the last pictures are held out, not the first.": _first_held_out,
    },
)
