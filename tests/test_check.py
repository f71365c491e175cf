"""The exercise checkers accept right functions, reject and name wrong ones, and never raise."""

import numpy as np
import pytest

from scratchnet import check

EXERCISES = {name: value for name, value in vars(check).items() if isinstance(value, check.Exercise)}


def test_there_are_exercises_and_each_has_a_docstring_like_title():
    assert len(EXERCISES) >= 6
    assert len({e.title for e in EXERCISES.values()}) == len(EXERCISES)


@pytest.mark.parametrize("name", EXERCISES)
def test_right_function_passes(name):
    exercise = EXERCISES[name]
    verdict = exercise(exercise.right)
    assert verdict, verdict
    assert "right" in repr(verdict)


@pytest.mark.parametrize(("name", "hint"), [(n, h) for n, e in EXERCISES.items() for h in e.mistakes])
def test_each_mistake_is_rejected_and_named(name, hint):
    verdict = EXERCISES[name](EXERCISES[name].mistakes[hint])
    assert not verdict
    assert "expected" in repr(verdict)
    assert hint in repr(verdict)


def test_smallest_failing_case_is_shown():
    verdict = check.output_size(lambda size, kernel, stride, padding: size - kernel + 1)
    assert "(4, 3, 1, 1)" in repr(verdict)  # the first case with padding
    assert "expected 4" in repr(verdict)
    assert "got      2" in repr(verdict)


def test_what_the_function_raises_is_shown():
    verdict = check.accuracy(lambda p, y: p[1000])
    assert not verdict
    assert "IndexError" in repr(verdict)


def test_missing_return_and_changed_argument_and_no_function_are_named():
    assert "return" in repr(check.one_hot(lambda labels, num_classes: None))
    assert "expected a function" in repr(check.one_hot(3))

    def greedy(p, labels):
        value = float(np.mean(p.argmax(axis=1) == labels))
        p[:] = 0
        return value

    assert "changes its argument" in repr(check.accuracy(greedy))


def test_a_list_counts_as_an_array():
    assert check.one_hot(lambda y, c: [[float(k == v) for k in range(c)] for v in y])
