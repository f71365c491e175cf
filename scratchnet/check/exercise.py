"""What a checker is: it compares a reader's function with the right one, and names the likely mistake.

A checker holds the right function, cases from small to large, and the mistakes that readers make most often, each as
a function of its own. The reader's function is called on copies of every case. If it differs, the answer shows the
smallest failing case; if it agrees everywhere with one of the mistakes, the answer names that mistake.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TOLERANCE = 1e-6


class Verdict:
    """What a checker answers: true if the function is right; as text, why not and what to try."""

    def __init__(self, right: bool, message: str):
        self.right = right
        self.message = message

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.message


@dataclass
class Exercise:
    """One exercise: the right function, its cases (tuples of arguments, small ones first) and the usual mistakes."""

    title: str
    right: Callable[..., Any]
    cases: Sequence[tuple]
    mistakes: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def __call__(self, function: Callable[..., Any]) -> Verdict:
        """Compare `function` with the right one on every case. Never raises: what the function raises is shown."""
        if not callable(function):
            return Verdict(
                False, f"{self.title}: expected a function, got {function!r}. Pass its name without brackets."
            )
        for case in self.cases:
            arguments = copy.deepcopy(case)
            expected = self.right(*copy.deepcopy(case))
            call = f"{getattr(function, '__name__', 'function')}({', '.join(_show(a) for a in case)})"
            try:
                actual = function(*arguments)
            except Exception as error:
                return self._wrong(call, expected, f"{type(error).__name__}: {error}", function)
            if not _equal(actual, expected):
                return self._wrong(call, expected, _show(actual), function)
            if not all(_equal(now, before) for now, before in zip(arguments, case)):
                return Verdict(False, f"{self.title}: {call} changes its argument. Work on a copy: x = x.copy().")
        return Verdict(True, f"{self.title}: right, in all {len(self.cases)} cases.")

    def _wrong(self, call: str, expected: Any, actual: str, function: Callable[..., Any]) -> Verdict:
        lines = [f"{self.title}: not yet.", f"  {call}", f"  expected {_show(expected)}", f"  got      {actual}"]
        if actual == "None":
            lines.append("  The function returns nothing: does it end with `return`?")
        for hint, mistake in self.mistakes.items():
            if self._agree(function, mistake):
                lines.append(f"  Likely: {hint}")
                break
        return Verdict(False, "\n".join(lines))

    def _agree(self, function: Callable[..., Any], mistake: Callable[..., Any]) -> bool:
        return all(_equal(_outcome(function, case), _outcome(mistake, case)) for case in self.cases)


def _outcome(function: Callable[..., Any], case: tuple) -> Any:
    """What the function returns, or the kind of exception it raises: a mistake may show either way."""
    try:
        return function(*copy.deepcopy(case))
    except Exception as error:
        return type(error).__name__


def _equal(actual: Any, expected: Any) -> bool:
    """Same shape and, within the tolerance, the same numbers; a list or tuple counts as the array it spells."""
    try:
        a, e = np.asarray(actual, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    except (TypeError, ValueError):
        return bool(actual == expected)
    return a.shape == e.shape and bool(np.allclose(a, e, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))


def _show(value: Any) -> str:
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, separator=", ", threshold=24, max_line_width=100)
        return text.replace("\n", "\n           ") + ("" if value.size <= 24 else f" of shape {value.shape}")
    if isinstance(value, np.floating):
        return f"{value:.6g}"
    return repr(value.item()) if isinstance(value, np.generic) else repr(value)
