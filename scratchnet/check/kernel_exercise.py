"""Exercises in which the reader writes kernels: right numbers count only if a kernel was launched."""

from __future__ import annotations

import contextlib
import io

from scratchnet.blocks.grid import launches
from scratchnet.check.exercise import Exercise, Function, Verdict, outcome_of
from scratchnet.check.gradients import GradientExercise
from scratchnet.check.values import difference


class KernelExercise(Exercise):
    """An exercise whose function has to launch a kernel: the right numbers by NumPy alone do not pass."""

    def __call__(self, function: Function) -> Verdict:
        """As `Exercise`; right numbers without a launch are told from others first."""
        verdict = _without_kernel(self, function)
        return super().__call__(function) if verdict is None else verdict


class KernelGradientExercise(GradientExercise):
    """The same for a forward and its backward."""

    def __call__(self, function: Function) -> Verdict:
        """As `GradientExercise`; right numbers without a launch are told from others first."""
        verdict = _without_kernel(self, function)
        return super().__call__(function) if verdict is None else verdict


def _without_kernel(exercise: Exercise, function: Function) -> Verdict | None:
    """What to say of a function that finds the right numbers and launches no kernel; None of any other."""
    if not callable(function):
        return None
    for case in exercise.cases:
        before = launches()
        with contextlib.redirect_stdout(io.StringIO()):  # what it prints is seen when it is called again
            outcome = outcome_of(function, case)
        launched = launches() > before
        if launched or outcome.error or difference(outcome.value, exercise.right(*case)) is not None:
            return None
    text = (
        f"{exercise.title}: not yet.\n  The numbers are right, but no kernel was launched: blocks.launch(kernel, ...)."
    )
    return Verdict(False, text)
