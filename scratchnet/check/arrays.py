"""A checker for functions that return several arrays, such as a forward and its gradients: an error for each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet.check.exercise import TOLERANCE, Exercise, Verdict

_SMALL = 12  # arrays of so many numbers are shown


@dataclass
class ArraysExercise(Exercise):
    """An exercise whose function returns several arrays, named by `names`; the verdict has a line for each.

    The relative error of an array is max |got - expected| / max |expected|.
    """

    names: Sequence[str] = ()

    def __call__(self, function: Callable[..., Any]) -> Verdict:
        """Compare `function` with the right one on every case. Never raises: what the function raises is shown."""
        if not callable(function):
            text = f"{self.title}: expected a function, got {function!r}. Pass its name without brackets."
            return Verdict(False, text)
        lines: list[str] = []
        for case in self.cases:
            expected, arguments = self.right(*copy.deepcopy(case)), copy.deepcopy(case)
            call = f"{getattr(function, '__name__', 'function')}({', '.join(_short(a) for a in case)})"
            try:
                actual = function(*arguments)
            except Exception as error:
                return self._not_yet(function, call, [f"expected {', '.join(self.names)}", f"got      {error!r}"])
            if not all(np.array_equal(now, before) for now, before in zip(arguments, case)):
                return Verdict(False, f"{self.title}: {call} changes its argument. Work on a copy: x = x.copy().")
            lines, right = self._table(actual, expected)
            if not right:
                return self._not_yet(function, call, lines)
        return Verdict(True, "\n  ".join([f"{self.title}: right, in all {len(self.cases)} cases.", *lines]))

    def _not_yet(self, function: Callable[..., Any], call: str, lines: list[str]) -> Verdict:
        lines = [f"{self.title}: not yet.", call, *lines]
        for hint, mistake in self.mistakes.items():
            if self._agree(function, mistake):
                lines.append(f"Likely: {hint}")
                break
        return Verdict(False, "\n  ".join(lines))

    def _table(self, actual: Any, expected: tuple) -> tuple[list[str], bool]:
        """A line for each array with its relative error, and whether all are right."""
        if actual is None:
            lines = [f"expected {', '.join(self.names)}", "got      None"]
            return [*lines, "The function returns nothing: does it end with `return`?"], False
        if not isinstance(actual, (tuple, list)) or len(actual) != len(expected):
            got = f"{len(actual)} arrays" if isinstance(actual, (tuple, list)) else f"one {type(actual).__name__}"
            return [f"expected {len(expected)} arrays: {', '.join(self.names)}", f"got      {got}"], False
        lines, right = [f"{'array':<7}{'shape':<15}relative error"], True
        for name, a, e in zip(self.names, actual, expected):
            error = _error(a, e)
            note = "" if error <= TOLERANCE else f"   expected {_short(e)}, got {_short(a)}"
            shown = f"{error:.1e}" if np.isfinite(error) else "-"
            lines.append(f"{name:<7}{np.shape(e)!s:<15}{shown}{note}")
            right = right and error <= TOLERANCE
        return lines, right

    def _agree(self, function: Callable[..., Any], mistake: Callable[..., Any]) -> bool:
        return all(_alike(_outcome(function, case), _outcome(mistake, case)) for case in self.cases)


def _error(actual: Any, expected: Any) -> float:
    """max |actual - expected| / max |expected|; infinite where the shapes or kinds differ."""
    try:
        a, e = np.asarray(actual, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    except (TypeError, ValueError):
        return np.inf
    if a.shape != e.shape or not np.isfinite(a).all():
        return np.inf
    size = np.abs(e).max(initial=0.0)
    return float(np.abs(a - e).max(initial=0.0) / (size if size > 0 else 1.0))


def _outcome(function: Callable[..., Any], case: tuple) -> Any:
    try:
        return function(*copy.deepcopy(case))
    except Exception as error:
        return type(error).__name__


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(_error(one, other) <= TOLERANCE for one, other in zip(a, b))
    return isinstance(a, str) and isinstance(b, str) and a == b


def _short(value: Any) -> str:
    """A small array by its numbers, a large one by its shape."""
    if isinstance(value, np.ndarray) and value.size > _SMALL:
        return f"array of shape {value.shape}"
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, separator=", ", threshold=_SMALL, max_line_width=200).replace(
            "\n", ""
        )
    return repr(value)
