"""Exercises in which the reader writes a forward and its backward, and sees the relative error of each gradient."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise, Function, Outcome, expected_and_got, indented, outcome_of
from scratchnet.check.values import TOLERANCE, as_numbers, difference, parts_of, relative_error, show, show_apart

_STEP = 1e-4


@dataclass
class GradientExercise(Exercise):
    """One exercise whose function returns a layer's output and its gradients, (y, dx, ...); the answer is a table.

        def _scale(x, w, dy):
            return x * w, dy * w, np.sum(dy * x, axis=0)  # y, dx, dw

        scale = GradientExercise(
            "Scale each column, forward and backward",
            _scale,
            [(np.array([[1.0, 2.0]]), np.array([3.0, 4.0]), np.array([[1.0, -1.0]]))],  # x, w, dy
            {"dw is summed over the pictures.": lambda x, w, dy: (x * w, dy * w, dy * x)},
        )

    The arguments are those of the forward and at last dy, the gradient of the loss with respect to y; of a loss, which
    has no dy, those of the forward only. What the function returns is named after the arguments of `right`:
    (x, w, dy) returns y, dx, dw. Say `returns=("y", "dw")` where it returns others, or a loss has another name.
    The tests compare the gradients of `right` with difference quotients of its first value, where that is no gradient.
    """

    def __post_init__(self) -> None:
        if not self.returns:
            inputs = [name for name in inspect.signature(self.right).parameters if name != "dy"]
            self.returns = ("y", *(f"d{name}" for name in inputs))
        made = outcome_of(self.right, self.cases[0]).value
        if (len(made) if isinstance(made, tuple) else 1) != len(self.returns):
            raise ValueError(
                f"{self.title}: expected `right` to return a tuple of {len(self.returns)}: {', '.join(self.returns)}; "
                "name what it returns with returns=(...)."
            )

    def quotients(self, case: tuple) -> dict[str, np.ndarray]:
        """The gradients of one case by difference quotients of sum(y * dy), by name; {} where no output is returned.

        At a kink, where the quotients of the two sides differ, there is nothing to compare with: nan.
        """
        names = list(inspect.signature(self.right).parameters)
        gradients = [name for name in self.returns if name[0] == "d" and name[1:] in names]
        if self.returns[0] in gradients:
            return {}
        dy = case[names.index("dy")] if "dy" in names else 1.0

        def total(arguments: list) -> float:
            return float(np.sum(np.asarray(self.right(*arguments)[0]) * dy))

        found = {}
        for name in gradients:
            place = names.index(name[1:])
            start = np.array(case[place], np.float64)
            gradient = np.zeros(start.shape)
            for index in np.ndindex(start.shape):
                sums = []
                for step in (-_STEP, 0, _STEP):
                    moved = start.copy()
                    moved[index] += step
                    sums.append(total([*case[:place], moved, *case[place + 1 :]]))
                left, right = np.diff(sums) / _STEP
                smooth = abs(right - left) < 0.01 * max(1, abs(left))
                gradient[index] = (left + right) / 2 if smooth else np.nan
            found[name] = gradient
        return found

    def _parts(self, value: Any) -> list[Any] | None:
        return (
            [value] if len(self.returns) == 1 and not isinstance(value, tuple) else parts_of(value, len(self.returns))
        )

    def _difference(self, actual: Any, expected: Any) -> str | None:
        got, wanted = self._parts(actual), self._parts(expected)
        if got is None or wanted is None:
            return super()._difference(actual, expected)
        found = [difference(a, e, self.dtype) for a, e in zip(got, wanted)]
        return next((kind for kind in found if kind is not None), None)

    def _passed(self, outcomes: list[Outcome]) -> str:
        errors = dict.fromkeys(self.returns, 0.0)
        for case, outcome in zip(self.cases, outcomes):
            expected = self._parts(outcome_of(self.right, case).value) or []
            for name, a, e in zip(self.returns, self._parts(outcome.value) or [], expected):
                errors[name] = max(errors[name], relative_error(np.asarray(a), np.asarray(e)))
        table = _table([(name, _error(error), "right") for name, error in errors.items()])
        return "\n".join([super()._passed(outcomes), *table])

    def _wrong(self, function: Function, case: tuple, outcome: Outcome, expected: Any) -> list[str]:
        lines = [f"{self.title}: not yet. The smallest case that fails:"]
        names = list(inspect.signature(self.right).parameters)
        width = max(map(len, names))
        lines += [f"  {name:{width}} = {indented(show(a), width + 5)}" for name, a in zip(names, case)]
        wanted, got = self._parts(expected) or [], None if outcome.error else self._parts(outcome.value)
        if got is None:
            text = expected_and_got(expected, outcome, function)[1]
            return [*lines, f"  expected {', '.join(self.returns)}", f"  got      {indented(text, 11)}"]
        rows: list[tuple[str, str, str]] = []
        details: list[str] = []
        for name, a, e in zip(self.returns, got, wanted):
            kind = difference(a, e, self.dtype)
            rows.append((name, *_compared(a, e, kind)))
            if kind is not None and not details:
                start = f"  {name}: expected "
                texts = [indented(text, len(start)) for text in show_apart(e, a)]
                details = [start + texts[0], f"{'got      ':>{len(start)}}{texts[1]}"]
        return lines + _table(rows) + details


def _compared(a: Any, e: Any, kind: str | None) -> tuple[str, str]:
    """The relative error as text, and the verdict of a row of the table."""
    if kind is None:
        return _error(relative_error(np.asarray(a), np.asarray(e))), "right"
    numbers, wanted = as_numbers(a, limit=1_000_000), np.asarray(e)
    if numbers is None or numbers.shape != wanted.shape:
        return "-", "wrong" if numbers is None else f"wrong: shape {numbers.shape}, expected {wanted.shape}"
    return _error(relative_error(numbers, wanted)), "wrong"


def _error(error: float) -> str:
    """A relative error as text, the same on every machine: what is rounding is not printed in digits."""
    if not math.isfinite(error):
        return "not finite"
    return "< 1e-12" if error < 1e-12 else f"< {TOLERANCE:.0e}" if error <= TOLERANCE else f"{error:.2g}"


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    width = max(6, *(len(name) for name, _, _ in rows))
    lines = [f"  {'':{width}}  relative error"]
    return lines + [f"  {name:{width}}  {error:>14}  {verdict}" for name, error, verdict in rows]
