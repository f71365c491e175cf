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


def _in_float32(value):
    """What the right function returns, from numbers that were float32 for a while."""
    if isinstance(value, tuple):
        return tuple(_in_float32(part) for part in value)
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" else value


def _in_lists(value):
    return tuple(map(_in_lists, value)) if isinstance(value, tuple) else np.asarray(value).tolist()


@pytest.mark.parametrize("name", EXERCISES)
def test_right_numbers_pass_in_float32_and_in_lists(name):
    exercise = EXERCISES[name]
    if isinstance(exercise.right(*exercise.cases[0]), str):
        return
    assert exercise(lambda *case: _in_float32(exercise.right(*case)))
    verdict = exercise(lambda *case: _in_lists(exercise.right(*case)))
    assert verdict or "type is not: expected float32, got a list" in repr(verdict)
    assert bool(verdict) == (exercise.dtype is None)


def _as_text(value):
    return tuple(map(_as_text, value)) if isinstance(value, tuple) else np.asarray(value).astype(str)


@pytest.mark.parametrize("name", EXERCISES)
def test_what_is_of_another_kind_is_refused(name):
    exercise = EXERCISES[name]
    if isinstance(exercise.right(*exercise.cases[0]), str):
        return
    for wrong in (
        lambda *case: str(exercise.right(*case)),
        lambda *case: _as_text(exercise.right(*case)),
        lambda *case: [exercise.right(*case)],
        lambda *case: None,
        lambda *case: {},
        lambda *case: np.zeros((1000, 1000)),
        lambda *case: print,
    ):
        verdict = exercise(wrong)
        assert not verdict
        assert len(repr(verdict)) < 10_000


@pytest.mark.parametrize(
    ("name", "hint", "mistake"), [(n, *pair) for n, e in EXERCISES.items() for pair in e.all_mistakes()]
)
def test_each_mistake_is_rejected_and_named(name, hint, mistake):
    verdict = EXERCISES[name](mistake)
    assert not verdict
    assert "expected" in repr(verdict)
    assert repr(verdict).endswith(f"  Likely: {hint}")  # its own and no other: no two mistakes are confused


@pytest.mark.parametrize("name", EXERCISES)
def test_at_least_six_mistakes_are_recognized(name):
    assert len(EXERCISES[name].mistakes) >= 6


@pytest.mark.parametrize("name", [n for n, e in EXERCISES.items() if isinstance(e, check.GradientExercise)])
def test_gradients_of_the_right_function_are_those_of_its_forward(name):
    exercise = EXERCISES[name]
    for case in exercise.cases:
        made = dict(zip(exercise.returns, exercise.right(*case)))
        for gradient, quotient in exercise.quotients(case).items():
            smooth = np.isfinite(quotient)
            np.testing.assert_allclose(np.asarray(made[gradient])[smooth], quotient[smooth], rtol=1e-5, atol=1e-6)


def test_smallest_failing_case_is_shown():
    verdict = check.output_size(lambda size, kernel, stride, padding: size - kernel + 1)
    assert "(4, 3, 1, 1)" in repr(verdict)  # the first case with padding
    assert "expected 4" in repr(verdict)
    assert "got      2" in repr(verdict)


def test_what_the_function_raises_is_shown():
    def beyond(p, y):
        first = p[1000]
        return first

    verdict = check.accuracy(beyond)
    assert not verdict
    assert "got      IndexError: index 1000 is out of bounds" in repr(verdict)
    assert repr(verdict).endswith("\n           in: first = p[1000]")

    def inside(p, y):
        return np.dot(p, [1, 2, 3, 4, 5])  # raised in NumPy, called from here

    assert "in: return np.dot(p" in repr(check.accuracy(inside))
    assert "in: " not in repr(check.accuracy(max))


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


def _scale(x, w, dy):
    return x * w, dy * w, np.sum(dy * x, axis=0)


X, W, DY = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([3.0, 4.0]), np.array([[1.0, -1.0], [2.0, 0.5]])
SCALE = check.GradientExercise(
    "Scale each column",
    _scale,
    [(X[:1], W, DY[:1]), (X, W, DY)],
    {"dx: the factor is w, not x.": lambda x, w, dy: (x * w, dy * x, np.sum(dy * x, axis=0))},
)


class TestGradientExercise:
    def test_right_one_shows_a_row_for_each_value(self):
        text = repr(SCALE(_scale))
        assert SCALE.returns == ("y", "dx", "dw")
        assert "right, in all 2 cases" in text
        assert text.count("< 1e-12") == 3
        assert SCALE(lambda x, w, dy: [v.astype(np.float32) for v in _scale(x, w, dy)])

    def test_wrong_one_shows_the_error_of_each_gradient_and_the_mistake(self):
        verdict = SCALE(lambda x, w, dy: (x * w, dy * x, np.sum(dy * x, axis=0)))
        rows = {line.split()[0]: line.split()[-1] for line in repr(verdict).splitlines() if "right" in line[-5:]}
        assert not verdict
        assert set(rows) == {"y", "dw"}
        assert "  dx                 0.5  wrong" in repr(verdict)  # [1, -2] for [3, -4]
        assert "dx: expected [[ 3., -4.]]\n      got      [[ 1., -2.]]" in repr(verdict)
        assert "Likely: dx: the factor is w, not x." in repr(verdict)

    def test_two_mistakes_are_both_named(self):
        hints = {
            "dx: the factor is w, not x.": lambda x, w, dy: (x * w, dy * x, np.sum(dy * x, axis=0)),
            "dw: the sum, not the mean.": lambda x, w, dy: (x * w, dy * w, np.mean(dy * x, axis=0)),
            "dw: the gradient of y, not y.": lambda x, w, dy: (x * w, dy * w, np.sum(x * w * x, axis=0)),
        }
        scale = check.GradientExercise("Scale", _scale, SCALE.cases, hints)
        verdict = scale(lambda x, w, dy: (x * w, dy * x, np.mean(dy * x, axis=0)))
        assert repr(verdict).endswith("  Likely: dx: the factor is w, not x.\n  Likely: dw: the sum, not the mean.")
        verdict = scale(lambda x, w, dy: (x + w, dy * w, np.mean(dy * x, axis=0)))
        assert repr(verdict).endswith("  Likely: dw: the sum, not the mean.")  # of y nothing is known
        assert "Likely" not in repr(scale(lambda x, w, dy: (x + w, dy, x)))

    def test_wrong_shape_number_and_nothing(self):
        assert "shape (1, 2), expected (2,)" in repr(SCALE(lambda x, w, dy: (x * w, dy * w, dy * x)))
        assert "Expected 3 values, got 2" in repr(SCALE(lambda x, w, dy: (x, w)))
        assert "returns nothing" in repr(SCALE(lambda x, w, dy: None))
        assert "called with 3 arguments: x, w, dy" in repr(SCALE(lambda x: x))

    def test_gradients_agree_with_quotients(self):
        for case in SCALE.cases:
            found = SCALE.quotients(case)
            np.testing.assert_allclose(found["dx"], _scale(*case)[1], rtol=1e-8)
            np.testing.assert_allclose(found["dw"], _scale(*case)[2], rtol=1e-8)

    def test_names_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match="name what it returns"):
            check.GradientExercise("One value", lambda x, dy: dy, [(X, DY)])
        alone = check.GradientExercise("One value", lambda x, dy: 2 * dy, [(X, DY)], returns=("dx",))
        assert alone(lambda x, dy: dy + dy)
        assert "dx" in repr(alone(lambda x, dy: dy))
