"""What a checker is: it compares a reader's function with the right one, and names the likely mistake.

A checker holds the right function, cases from small to large, and the mistakes that readers make most often, each as
a function of its own. The reader's function is called on copies of every case. If it differs, the answer shows the
smallest failing case; if it agrees everywhere with one of the mistakes, the answer names that mistake.

    square = Exercise(
        "A square",
        lambda x: x * x,
        [(0,), (3,)],
        {"that is twice x, not x times x.": lambda x: 2 * x},
    )
    square(lambda x: 2 * x)  # shows square(3), expected 9, got 6, and the hint
"""

from __future__ import annotations

import contextlib
import copy
import html
import inspect
import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from scratchnet.check import progress
from scratchnet.check.values import difference, show, show_apart, type_of_numbers

Function = Callable[..., Any]


class Verdict:
    """What a checker answers: true if the function is right; as text, why not and what to try."""

    def __init__(self, right: bool, message: str):
        self.right = right
        self.message = message

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.message

    def _repr_html_(self) -> str:
        """The same text in a notebook, with a bar beside it: blue-green if right, orange if not."""
        colour = "#009e73" if self.right else "#e69f00"
        style = f"border-left: 5px solid {colour}; padding-left: 10px"
        return f'<pre style="{style}">{html.escape(self.message)}</pre>'


@dataclass
class Outcome:
    """What a function made of a case: its value or the error that it raised, and whether it changed its arguments."""

    value: Any = None
    error: BaseException | None = None
    changed: bool = False

    def agrees(self, other: Outcome, dtype: Any = None) -> bool:
        """Whether the other one is the same: an equal value, or an error of the same kind."""
        if self.error is not None or other.error is not None:
            return type(self.error) is type(other.error)
        if dtype is not None and type_of_numbers(self.value) != type_of_numbers(other.value):
            return False
        return difference(self.value, other.value, strict=True) is None


@dataclass
class Exercise:
    """One exercise: the right function, its cases and the usual mistakes.

    Args:
        title: what is asked, in a few words; the answer begins with it.
        right: the right function. Where it returns a tuple, several values are expected.
        cases: tuples of arguments, the smallest first. They must tell each mistake from the right function.
        mistakes: hint -> the function of who makes that mistake, or several such functions. Write them as a reader
            would, with the same nan and the same errors.
        dtype: the type of numbers that the exercise asks for, such as np.float32; None if any will do.
        returns: the names of the values where there are several, such as ("w", "v").
    """

    title: str
    right: Function
    cases: Sequence[tuple]
    mistakes: Mapping[str, Function | Sequence[Function]] = field(default_factory=dict)
    _: KW_ONLY
    dtype: Any = None
    returns: tuple[str, ...] = ()

    def __call__(self, function: Function) -> Verdict:
        """Compare `function` with the right one on every case. Never raises: what the function raises is shown."""
        if not callable(function):
            return Verdict(
                False,
                f"{self.title}: expected a function, got {show(function)}. Pass its name without brackets.",
            )
        outcomes: list[Outcome] = []
        for number, case in enumerate(self.cases):
            outcomes.append(outcome_of(function, case))
            expected = outcome_of(self.right, case).value
            kind = "" if outcomes[-1].error else self._difference(outcomes[-1].value, expected)
            if kind is not None:
                with contextlib.redirect_stdout(io.StringIO()):  # what it prints was seen already
                    outcomes += [outcome_of(function, later) for later in self.cases[number + 1 :]]
                mistake = self._mistake(outcomes)
                hint = self._arguments(function, case) or kind if mistake is None else f"Likely: {mistake}"
                lines = self._wrong(function, case, outcomes[number], expected)
                return Verdict(False, "\n".join(lines + [f"  {hint}"] * bool(hint)))
            if outcomes[-1].changed:
                call = self._call(function, case)
                return Verdict(False, f"{self.title}: {call} changes its argument. Work on a copy: x = x.copy().")
        progress.remember(self)
        return Verdict(True, self._passed(outcomes))

    @property
    def chapter(self) -> str:
        """The notebook to which it belongs, such as "03_1d_training"; an empty text for an exercise of your own."""
        return progress.chapter_of(self)

    def all_mistakes(self) -> Iterator[tuple[str, Function]]:
        """Each hint with its function, once for each of several."""
        for hint, functions in self.mistakes.items():
            for function in [functions] if callable(functions) else functions:
                yield hint, function

    def _difference(self, actual: Any, expected: Any) -> str | None:
        return difference(actual, expected, self.dtype)

    def _passed(self, outcomes: list[Outcome]) -> str:
        return f"{self.title}: right, in all {len(self.cases)} cases."

    def _wrong(self, function: Function, case: tuple, outcome: Outcome, expected: Any) -> list[str]:
        """The lines of the answer that show a failing case."""
        wanted, got = expected_and_got(expected, outcome)
        return [
            f"{self.title}: not yet.",
            "  " + self._call(function, case),
            "  expected " + indented(wanted, 11),
            "  got      " + indented(got, 11),
        ]

    def _call(self, function: Function, case: tuple) -> str:
        name = getattr(function, "__name__", "function")
        return f"{name}({', '.join(show(a) for a in case)})".replace("\n", "\n" + " " * (len(name) + 3))

    def _mistake(self, outcomes: list[Outcome]) -> str | None:
        """The hint of the mistake that agrees in every case; at second choice, in all but the type of the numbers."""
        for dtype in (self.dtype, None) if self.dtype is not None else (None,):
            for hint, mistake in self.all_mistakes():
                made = [outcome_of(mistake, case) for case in self.cases]
                if all(a.agrees(b, dtype) for a, b in zip(outcomes, made)) and (
                    dtype is self.dtype or not self._numbers_are_right(made)
                ):
                    return hint
        return None

    def _numbers_are_right(self, outcomes: list[Outcome]) -> bool:
        return all(o.agrees(outcome_of(self.right, case)) for o, case in zip(outcomes, self.cases))

    def _arguments(self, function: Function, case: tuple) -> str:
        """What to say where the function does not take the arguments of the exercise."""
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            return ""
        try:
            signature.bind(*case)
        except TypeError:
            names = ", ".join(inspect.signature(self.right).parameters)
            return f"The function is called with {len(case)} arguments: {names}."
        return ""


def outcome_of(function: Function, case: tuple) -> Outcome:
    """Call a function on a copy of the case, without its warnings: an infinite or missing number shows in the value."""
    arguments = copy.deepcopy(case)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value = function(*arguments)
    except (Exception, SystemExit) as error:
        return Outcome(error=error)
    changed = any(difference(now, before) is not None for now, before in zip(arguments, case))
    return Outcome(value, changed=changed)


def expected_and_got(expected: Any, outcome: Outcome) -> tuple[str, str]:
    """Both as text, the same format; what was got may be an error."""
    if outcome.error is None:
        return show_apart(expected, outcome.value)
    try:
        text = str(outcome.error)
    except Exception:
        text = ""
    return show(expected), f"{type(outcome.error).__name__}: {text[:300]}"


def indented(text: str, columns: int) -> str:
    """The text with all lines but the first moved to the right."""
    return text.replace("\n", "\n" + " " * columns)
