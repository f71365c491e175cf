"""Is my backward right? Every gradient compared with a difference quotient, in float64.

The scalar s = sum(forward(x) * dy) with a random dy has the gradient that backward(dy) returns; where a layer has an
activity_regularizer, its penalty belongs to s. (With dy of ones, a
softmax whose backward returns zeros would pass: its outputs add up to 1 whatever the input.) The quotient is

    d(h) = (s(x + h) - s(x - h)) / 2h,  and (4 d(h/2) - d(h)) / 3, whose error shrinks with h^4

Where a kink (ReLU at 0, two equal maxima) lies within the step, there is no derivative to compare with. Kinks are found
from the forward alone, so that a wrong backward cannot hide behind them: the second difference
(s(x+h) - 2 s(x) + s(x-h)) / h of a smooth function halves when h halves; at a kink it does not.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_array, check_count, check_number, is_array
from scratchnet.devices import as_array, like, to_numpy
from scratchnet.layers import Embedding, Layer
from scratchnet.layers.penalties import activity_penalties
from scratchnet.losses import Loss
from scratchnet.structures import flat, packed

_STEP = 1e-4
_FLOOR = 1e-3  # gradients smaller than this are compared absolutely: a gradient of 0 has no relative error


@dataclass
class Row:
    """The comparison of one array: its name, coordinates compared and left out, the largest error, the verdict."""

    name: str
    checked: int
    kinks: int
    max_error: float
    passed: bool


@dataclass
class GradcheckReport:
    """What `gradcheck` found, one row an array; true if all passed; as text, a table."""

    rows: list[Row] = field(default_factory=list)
    tolerance: float = 1e-7

    @property
    def passed(self) -> bool:
        """Whether every array passed, and something was checked at all."""
        return bool(self.rows) and all(row.passed for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        width = max([len(row.name) for row in self.rows], default=5)
        lines = [f"{'array':{width}}  checked  kinks  largest error"]
        for row in self.rows:
            verdict = "ok" if row.passed else f"WRONG (above {self.tolerance:g})" if row.checked else "NOTHING CHECKED"
            lines.append(f"{row.name:{width}}  {row.checked:7d}  {row.kinks:5d}  {row.max_error:13.1e}  {verdict}")
        return "\n".join(lines)


@checked
def gradcheck(
    subject: Layer | Loss,
    x: Any,
    training: bool = True,
    tolerance: float = 1e-7,
    samples: int | None = 200,
    seed: int = 0,
    y_true: np.ndarray | None = None,
) -> GradcheckReport:
    """Compare the gradients of a layer, a model or a loss with difference quotients.

    A float64 copy is checked; the subject itself is left as it is, unbuilt if it was. Weights that are held fixed,
    `trainable = False`, have no gradients. In a model with an Embedding, inputs of nothing but whole numbers are
    numbers of rows, which cannot be moved a little: they are left out.

    Args:
        subject: a layer or model (forward, backward, params, grads), or a loss.
        x: the input, a list or dict of arrays where there are several; for a loss, the predictions.
        training: as in forward.
        tolerance: the largest error allowed, relative to the array's largest gradient.
        samples: coordinates compared in each array, drawn at random; None for all.
        seed: of dy and of the coordinates.
        y_true: the labels, for a loss.

    Returns:
        A report: `report.passed`, `report.rows`, and a table as text. What could not be checked at all has not passed.

    Raises:
        TypeError: a loss without y_true.
    """
    # A stream of its own: a dy equal to an x drawn from the same seed would be a special direction, not a random one.
    rng = np.random.default_rng([check_count(seed, "seed", "gradcheck", 0, None), len("gradcheck")])
    check_number(tolerance, "tolerance", "gradcheck", 0)
    if samples is not None:
        check_count(samples, "samples", "gradcheck")
    several = _several(x)
    parts = flat(x) if several else [x]
    for part in parts:
        check_array(part, "x", "gradcheck")
    parts = [as_array(part, np.float64).copy() for part in parts]
    x = packed(x, parts) if several else parts[0]
    if isinstance(subject, Loss):
        if y_true is None:
            raise TypeError("gradcheck: a loss needs its labels: gradcheck(loss, predictions, y_true=labels).")
        _, gradient = subject.value_and_gradient(y_true, x)
        arrays = {"y_pred": (x, gradient)}
        scalar = lambda: subject(y_true, x)  # noqa: E731
    else:
        layer = copy.deepcopy(subject)
        layer.forward(x, training=training)  # builds, and turns the weights into float64
        layer.zero_grads()
        start = copy.deepcopy(layer)  # with moving averages and dropout's counter as they were before the step
        y = layer.forward(x, training=training)
        dys = [like(rng.normal(size=part.shape), part) for part in flat(y)]
        dx = layer.backward(packed(y, [dy.copy() for dy in dys]))
        assert dx is not None  # input_grad is on
        arrays = {f"x[{i}]" if several else "x": pair for i, pair in enumerate(zip(parts, flat(dx)))}
        if _has_rows(layer):
            arrays = {name: pair for name, pair in arrays.items() if bool((pair[0] % 1 != 0).any())}
        arrays |= {name: (start.params[name], gradient) for name, gradient in layer.trained()[1].items()}

        def scalar() -> float:
            with activity_penalties() as penalties:
                found = flat(copy.deepcopy(start).forward(x, training=training))
            return sum((float((part * dy).sum()) for part, dy in zip(found, dys)), sum(penalties))

    report = GradcheckReport(tolerance=tolerance)
    for name, (values, gradient) in arrays.items():
        report.rows.append(_compare(name, values, to_numpy(gradient), scalar, tolerance, samples, rng))
    return report


def _has_rows(layer: Any) -> bool:
    """Whether there is an Embedding among the layers."""
    return isinstance(layer, Embedding) or any(map(_has_rows, getattr(layer, "layers", ())))


def _several(x: Any) -> bool:
    """Whether x are the arrays of several inputs; a list of numbers is one array."""
    return isinstance(x, Mapping) or (isinstance(x, (list, tuple)) and all(is_array(part) for part in x))


def _compare(
    name: str,
    values: np.ndarray,
    gradient: np.ndarray,
    scalar: Callable[[], float],
    tolerance: float,
    samples: int | None,
    rng: np.random.Generator,
) -> Row:
    """One row: move each chosen coordinate of `values` in place, there and back."""
    if gradient.shape != values.shape:
        return Row(name, values.size, 0, np.inf, False)  # of the wrong shape: no error is large enough
    chosen = np.arange(values.size)
    if samples is not None and values.size > samples:
        chosen = np.sort(rng.choice(values.size, samples, replace=False))
    flat, center = values.reshape(-1), scalar()
    quotients, kinks = np.full(len(chosen), np.nan), 0
    for place, e in enumerate(chosen):
        before = float(flat[e])
        quotient, second = [], []  # first and second differences, for each h
        for h in (_STEP, _STEP / 2, _STEP / 4):
            flat[e] = before + h
            above = scalar()
            flat[e] = before - h
            below = scalar()
            flat[e] = before
            quotient.append((above - below) / (2 * h))
            second.append((above - 2 * center + below) / h)
        # Rounding of s leaves noise of about 1e-16 * |s| / h in each second difference.
        noise = 1e-14 * (1 + abs(center)) / _STEP * 16
        if any(abs(wide - 2 * narrow) > noise + 1e-3 * abs(wide) for wide, narrow in itertools.pairwise(second)):
            kinks += 1
        else:
            quotients[place] = (4 * quotient[1] - quotient[0]) / 3
    compared = ~np.isnan(quotients)
    analytic = gradient.reshape(-1)[chosen][compared]
    numeric = quotients[compared]
    if not compared.any():
        return Row(name, 0, kinks, np.nan, False)
    scale = max(float(np.abs(numeric).max()), _FLOOR)
    error = float(np.abs(analytic - numeric).max() / scale)
    return Row(name, int(compared.sum()), kinks, error, bool(error <= tolerance))
