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
import linecache
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from scratchnet.check import progress
from scratchnet.check.values import TOLERANCE as TOLERANCE
from scratchnet.check.values import as_numbers, difference, parts_of, show, show_apart, type_of_numbers

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
        font = "font-family: var(--jp-code-font-family, monospace); font-size: 13px; line-height: 1.3"
        style = f"border-left: 5px solid {colour}; padding-left: 10px; overflow-x: auto; {font}"
        lines = []
        for line in self.message.splitlines():
            wrapped = textwrap.wrap(line, 92, subsequent_indent=" " * 10) if line.startswith("  Likely:") else []
            lines += wrapped or [line]
        return f'<pre style="{style}">{html.escape(chr(10).join(lines))}</pre>'


@dataclass
class Outcome:
    """What a function made of a case: its value or the error that it raised, and whether it changed its arguments."""

    value: Any = None
    error: BaseException | None = None
    changed: bool = False

    def is_finite(self) -> bool:
        """Whether there is a value without an infinite or missing number."""
        numbers = as_numbers(self.value, limit=1_000_000)
        return self.error is None and (numbers is None or bool(np.isfinite(numbers).all()))

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
    _outcomes: Any = field(default=None, init=False, repr=False, compare=False)

    def __call__(self, function: Function) -> Verdict:
        """Compare `function` with the right one on every case. Never raises: what the function raises is shown."""
        try:
            return self._verdict(function)
        except Exception as error:  # of an object that cannot even be looked at
            return Verdict(False, f"{self.title}: not yet. What comes cannot be read: {type(error).__name__}.")

    def _verdict(self, function: Function) -> Verdict:
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
        return difference(actual, expected, self.dtype, names=self.returns)

    def _passed(self, outcomes: list[Outcome]) -> str:
        return f"{self.title}: right, in {'its only case' if len(self.cases) == 1 else f'all {len(self.cases)} cases'}."

    def _wrong(self, function: Function, case: tuple, outcome: Outcome, expected: Any) -> list[str]:
        """The lines of the answer that show a failing case."""
        wanted, got = expected_and_got(expected, outcome, function)
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
        """The hint of the mistake that agrees in every case, types of numbers included if they matter.

        Second choice is one that agrees in the numbers, third one that agrees wherever both are finite: who makes two
        mistakes, and gets nan or an error in a case, is told of one. Last, where several values are returned, each
        wrong one is looked for by itself.
        """
        right, made = self._known()
        if all(outcome.error for outcome in outcomes):
            return None  # equal errors alone say too little
        for hint, theirs in made:
            if all(a.agrees(b, self.dtype) for a, b in zip(outcomes, theirs)):
                return hint
        made = [(hint, theirs) for hint, theirs in made if not all(a.agrees(b) for a, b in zip(theirs, right))]
        for hint, theirs in made:
            if all(a.agrees(b) for a, b in zip(outcomes, theirs)):
                return hint
        for hint, theirs in made:
            pairs = [three for three in zip(outcomes, theirs, right) if three[0].is_finite() and three[1].is_finite()]
            wrong = sum(not a.agrees(r) for a, _, r in pairs)
            if wrong and len(pairs) > 1 and all(a.agrees(b) for a, b, _ in pairs):
                return hint
        return _mistakes_by_value(outcomes, right, made)

    def _known(self) -> tuple[list[Outcome], list[tuple[str, list[Outcome]]]]:
        """What the right function and each mistake make of the cases; found once."""
        if self._outcomes is None:

            def outcomes(function: Function) -> list[Outcome]:
                return [outcome_of(function, case) for case in self.cases]

            self._outcomes = outcomes(self.right), [(hint, outcomes(f)) for hint, f in self.all_mistakes()]
        return self._outcomes

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


def _mistakes_by_value(
    outcomes: list[Outcome], right: list[Outcome], made: list[tuple[str, list[Outcome]]]
) -> str | None:
    """Of a function that returns several values: the hints of the mistakes that explain a wrong one of them each."""
    count = len(right[0].value) if isinstance(right[0].value, tuple) else 0
    hints: list[str] = []

    def values(found: list[Outcome]) -> list[list[Any]]:
        return [parts_of(outcome.value, count) or [] for outcome in found]

    mine, wanted = values(outcomes), values(right)
    for place in range(count if all(mine) else 0):
        if all(difference(a[place], e[place]) is None for a, e in zip(mine, wanted)):
            continue
        for hint, found in made:
            pairs = zip(mine, values(found))
            if all(b and difference(a[place], b[place], strict=True) is None for a, b in pairs):
                hints += [hint] * (hint not in hints)
                break
    return "\n  Likely: ".join(hints) or None


def expected_and_got(expected: Any, outcome: Outcome, function: Function) -> tuple[str, str]:
    """Both as text, the same format; what was got may be an error, shown with the line that raised it."""
    if outcome.error is None:
        return show_apart(expected, outcome.value)
    try:
        text = str(outcome.error)
    except Exception:
        text = ""
    return show(expected), f"{type(outcome.error).__name__}: {text[:300]}{_line_of(outcome.error, function)}"


def _line_of(error: BaseException, function: Function) -> str:
    """Where the error was raised in the file, or the cell, of the function, on a line of its own; "" if unknown."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    line, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = linecache.getline(file, trace.tb_lineno).strip()[:100]
        trace = trace.tb_next
    return f"\nin: {line}" if line else ""


def indented(text: str, columns: int) -> str:
    """The text with all lines but the first moved to the right."""
    return text.replace("\n", "\n" + " " * columns)
