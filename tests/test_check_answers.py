"""Answers of the exercise checkers: what is equal, how it is shown, what is remembered; and nothing breaks them."""

import importlib
import json
import math
import pkgutil
import re
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from scratchnet import check
from scratchnet.check import progress
from scratchnet.check.values import difference, show, show_apart

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NAMES = [name for name, value in vars(check).items() if isinstance(value, check.Exercise)]
identity = check.Exercise("The same", lambda x: x, [(np.array([1.5, 2.0]),)])


class TestEqual:
    @pytest.mark.parametrize(
        ("actual", "expected"),
        [
            (1, 1.0),
            (1.0, 1),
            (np.float32(0.1), 0.1),
            (np.array(0.5), 0.5),
            ([1, 2], np.array([1.0, 2.0])),
            ((1, 2), np.array([1.0, 2.0])),
            (range(3), np.arange(3)),
            ([Fraction(1, 2)], np.array([0.5])),
            ([1, 2], (1, 2)),
            (np.array([[1.0], [2.0]]), (np.array([1.0]), np.array([2.0]))),
            ([np.nan, np.inf], np.array([np.nan, np.inf])),
            (True, True),
            (1, True),
            ("Dead ReLU ", "dead relu"),
            (None, None),
        ],
    )
    def test_equal(self, actual, expected):
        assert difference(actual, expected) is None

    @pytest.mark.parametrize(
        ("actual", "expected", "hint"),
        [
            ("0.5", 0.5, "text"),
            (["0.5"], np.array([0.5]), "texts"),
            (np.array(["0.5"]), np.array([0.5]), "text"),
            (True, 1.0, "True and False"),
            (np.array([True, False]), np.array([1.0, 0.0]), "True and False"),
            (np.array([0.5]), 0.5, "a single number, got (1,)"),
            (0.5, np.array([0.5]), "the shape (1,), got ()"),
            (
                np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).T,
                np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
                "swapped",
            ),
            (np.zeros(3), np.zeros((4, 4)), "the shape (4, 4), got the shape (3,)"),
            ([1.0, np.nan], np.array([1.0, 2.0]), "nan"),
            ([1.0, np.inf], np.array([1.0, 2.0]), "inf"),
            ((1.0, 3.0), (1.0, 2.0), "Only number 2 of the 2 values differs."),
            (1.0, (1.0, 2.0), "Expected 2 values, got 1"),
            (None, 1.0, "return"),
            (..., 1.0, "return"),
            (max, 1.0, "function"),
            ((x for x in [1.0]), np.array([1.0]), "iterator"),
            (np.array([1.5]).mean, 1.5, "brackets"),
            ({"a": 1}, 1.0, "Expected a number"),
            ([[1, 2], [3]], np.array([1.0]), "Expected numbers"),
            (1.0, "text", "Expected a text"),
            ("other", "text", ""),
            (100_000_001, 100_000_000, ""),
            (2.5, 2, ""),
        ],
    )
    def test_different(self, actual, expected, hint):
        assert hint in difference(actual, expected)

    def test_type_of_numbers(self):
        expected = np.array([0.5], np.float32)
        assert difference(expected, expected, np.float32) is None
        assert "expected float32, got float64" in difference(expected.astype(float), expected, np.float32)
        assert "expected float32, got a list" in difference([0.5], expected, np.float32)
        assert "expected float64, got a list" in difference([0.5], expected, np.float64)

    def test_small_numbers_count(self):
        assert difference(np.array([2e-8]), np.array([1e-8])) is not None
        assert difference(np.array([1e-9]), np.array([0.0])) is None
        assert difference(np.array([1e-5]), np.array([0.0])) is not None


class TestShown:
    def test_expected_and_got_in_one_format(self):
        assert show_apart(2 * np.log(2), -1.38629) == ("1.38629", "-1.38629")
        assert show_apart(np.float32(0.5), 1) == ("0.5", "1")
        assert show_apart(1.0, np.float64(2)) == ("1.0", "2.0")
        assert show_apart(np.array([1.0, 2.0]), [1, 3.5]) == ("[1., 2.]", "[1. , 3.5]")
        assert show_apart((np.array([1.0]), np.array([2.0])), np.array([[1.0], [3.0]])) == (
            "([1.], [2.])",
            "([1.], [3.])",
        )
        assert show_apart((1.0, np.zeros(2)), [1, [0, 1.0]]) == ("(1.0, [0., 0.])", "(1, [0., 1.])")

    def test_as_many_digits_as_tell_them_apart(self):
        assert show_apart(1.0, 1.0001) == ("1.0", "1.0001")
        assert show_apart(1.23456789, 1.23456) == ("1.23457", "1.23456")
        assert show_apart(1.234567, 1.234568) == ("1.234567", "1.234568")

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (-0.0, "0.0"),
            (True, "True"),
            (float("nan"), "nan"),
            (np.int64(3), "3"),
            ((1,), "(1,)"),
            ("text", "'text'"),
            ([[1.0, 2], [3]], "[[1.0, 2], [3]]"),
            (1e-8, "1e-08"),
            (print, "<built-in function print>"),
            (range(10**9), "a range of 1000000000"),
            pytest.param(10**5000, "a whole number of 5001 digits", id="5001 digits"),
        ],
    )
    def test_one_value(self, value, text):
        assert show(value) == text

    def test_long_ones_are_cut(self):
        endless = []
        endless.append(endless)
        for value in ("a" * 10**6, list(range(10**6)), np.zeros((300, 300)), {n: n for n in range(1000)}, endless):
            assert len(show(value)) < 2000
        assert "of shape (300, 300)" in show(np.zeros((300, 300)))

    def test_arrays_of_small_and_large_numbers(self):
        assert show(np.array([0.24239, 0.00227])) == "[0.2424, 0.0023]"
        assert show(np.array([1e-6])) == "[1.e-06]"
        assert show(np.array([30000, 0.5], np.float16)).startswith("[3")  # no warning of an overflow
        assert show(np.array([0.0, np.nan, 1.5])) == "[0. , nan, 1.5]"
        assert show(np.arange(4.0).reshape(2, 1, 2)) == "[[[0., 1.]],\n [[2., 3.]]]"

    def test_no_address_of_an_object(self):
        assert not re.search("0x", show(lambda: 0) + show(object()))

    def test_html_is_the_same_text_with_a_colour(self):
        right, wrong = identity(lambda x: x), identity(lambda x: "<b>")
        assert "#009e73" in right._repr_html_()
        assert "#e69f00" in wrong._repr_html_()
        assert "&lt;b&gt;" in wrong._repr_html_()
        long = check.Verdict(False, "Title: not yet.\n  " + "x" * 120 + "\n  Likely: " + "a word " * 20)
        lines = re.sub("<.*?>", "", long._repr_html_()).splitlines()
        assert lines[1] == "  " + "x" * 120
        assert len(lines) == 4
        assert max(map(len, lines[2:])) <= 92
        assert "<b>" in repr(wrong)


class Hostile:
    """An object that raises whatever is asked of it."""

    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError("repr")

    def __eq__(self, other):
        raise RuntimeError("eq")

    def __len__(self):
        raise RuntimeError("len")


class BadText(Exception):
    def __str__(self):
        raise RuntimeError("str")


def raises(error):
    raise error


def endless_recursion(*case):
    return endless_recursion(*case)


BAD = {
    "hostile": lambda *case: Hostile(),
    "hostile in a list": lambda *case: [Hostile(), Hostile()],
    "error without text": lambda *case: raises(BadText()),
    "exit": lambda *case: raises(SystemExit(1)),
    "recursion": endless_recursion,
    "no arguments": lambda: 0,
    "a class": dict,
    "a built-in": max,
    "huge list": lambda *case: [0.0] * 3_000_000,
    "huge range": lambda *case: range(10**12),
    "nested without end": lambda *case: [[0] * 10**6] * 10**6,
    "huge view": lambda *case: np.broadcast_to(np.float64(1), (10**6, 10**6)),
    "huge number": lambda *case: 10**10_000,
    "objects": lambda *case: np.array([print, None]),
    "ragged": lambda *case: [[1, 2], [3]],
    "dates": lambda *case: np.array(["2020-01-01"], "M8[D]"),
    "records": lambda *case: np.zeros(2, [("a", float)]),
    "the arguments": lambda *case: case,
    "complex": lambda *case: 1j,
    "empty": lambda *case: [],
    "exercise": check.output_size,
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["accuracy", "adam_step", "to_tanh_range"])
def test_nothing_breaks_a_checker(name, bad):
    verdict = getattr(check, name)(BAD[bad])
    assert not verdict
    assert len(repr(verdict)) < 3000
    assert len(verdict._repr_html_()) < 4000


@pytest.mark.parametrize("value", [Hostile, None, 3, "text", np.zeros((100, 100))])
def test_what_is_no_function_is_shown(value):
    verdict = check.accuracy(Hostile() if value is Hostile else value)
    assert not verdict
    assert "expected a function" in repr(verdict) or value is Hostile


def test_interrupting_is_no_wrong_answer():
    with pytest.raises(KeyboardInterrupt):
        check.accuracy(lambda p, y: raises(KeyboardInterrupt()))


def test_prints_of_the_reader_are_seen_once(capsys):
    check.accuracy(lambda p, y: print(len(y)))
    assert capsys.readouterr().out == "1\n"


def test_cases_stay_as_they_are():
    before = [tuple(map(np.copy, case)) for case in check.accuracy.cases]

    def greedy(p, labels):
        p[:] = 0
        labels[:] = 0
        return 0.0

    assert not check.accuracy(greedy)
    for case, copies in zip(check.accuracy.cases, before):
        assert all(map(np.array_equal, case, copies))


def test_in_place_steps_are_refused_with_their_reason():
    def step(w, v, g, rate, momentum):
        v *= momentum
        v -= rate * g
        w += v
        return w, v

    assert "changes its argument" in repr(check.momentum_step(step))


def _sliding(x, KH, KW):
    windows = np.lib.stride_tricks.sliding_window_view(x, (KH, KW), axis=(0, 1))  # (OH, OW, C, KH, KW)
    return windows.transpose(0, 1, 3, 4, 2).reshape(-1, KH * KW * x.shape[2])


def _confusion_by_loops(true, predicted, num_classes):
    rows = [[0] * num_classes for _ in range(num_classes)]
    for t, p in zip(true, predicted):
        rows[t][p] += 1
    return rows


def _adam_in_float32(w, m, v, g, t, rate):
    w, m, v, g = (a.astype(np.float32) for a in (w, m, v, g))
    m = m + np.float32(0.1) * (g - m)
    v = np.float32(0.999) * v + np.float32(0.001) * g * g
    return [w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v]


def _spherical(a, b, t):
    a, b = a.tolist(), b.tolist()
    product = sum(x * y for x, y in zip(a, b))
    lengths = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
    w = math.acos(max(-1, min(1, product / lengths)))
    return [(math.sin((1 - t) * w) * x + math.sin(t * w) * y) / math.sin(w) for x, y in zip(a, b)]


RIGHT = [
    ("output_size", lambda size, kernel, stride, padding: math.floor((size + 2 * padding - kernel) / stride + 1)),
    ("output_size", lambda s, k, d, p: len(range(-p, s + p - k + 1, d))),
    ("output_size", lambda s, k, d, p: np.float32((s + 2 * p - k) // d + 1)),
    ("conv_parameters", lambda kh, kw, c, f: (kh * kw * c + 1) * f),
    ("conv_parameters", lambda kh, kw, c, f: np.ones((kh, kw, c, f)).size + f),
    ("conv_work", lambda *sizes: 2 * math.prod(sizes)),
    ("conv_work", lambda *sizes: np.float32(2) * np.prod(np.float32(sizes))),
    ("tile_registers", lambda P, Q: (P + 1) * Q + 1),
    ("im2col", _sliding),
    ("im2col", lambda x, KH, KW: _sliding(x.astype(np.float32), KH, KW).tolist()),
    ("accuracy", lambda p, y: sum(int(np.argmax(row) == label) for row, label in zip(p, y)) / len(y)),
    ("accuracy", lambda p, y: (p.argmax(-1) == y).mean(dtype=np.float32)),
    ("accuracy", lambda p, y: np.count_nonzero(np.array(p.tolist()).argmax(1) == y) / y.size),
    ("one_hot", lambda y, c: np.eye(c)[y]),
    ("one_hot", lambda y, c: np.eye(c, dtype=np.uint8)[y]),
    ("one_hot", lambda y, c: [[int(k == label) for k in range(c)] for label in y]),
    ("cross_entropy", lambda p, y: -sum(math.log(row[label]) for row, label in zip(p.tolist(), y)) / len(y)),
    ("cross_entropy", lambda p, y: -np.log(p.astype(np.float32)[range(len(y)), y]).mean()),
    ("cross_entropy", lambda p, y: -(np.eye(p.shape[1])[y] * np.log(p + 1e-7)).sum(1).mean()),
    ("cross_entropy", lambda p, y: np.array(-np.log(np.take_along_axis(p, y[:, None], 1)).mean())),
    ("confusion_matrix", _confusion_by_loops),
    ("confusion_matrix", lambda t, p, c: np.bincount(t * c + p, minlength=c * c).reshape(c, c).astype(np.float32)),
    ("confusion_matrix", lambda t, p, c: np.eye(c)[t].T @ np.eye(c)[p]),
    ("momentum_step", lambda w, v, g, rate, p: [w + p * v - rate * g, p * v - rate * g]),
    ("momentum_step", lambda w, v, g, rate, p: np.array([w + p * v - rate * g, p * v - rate * g], np.float32)),
    ("momentum_step", lambda w, v, g, r, p: ((w + p * v - r * g).tolist(), (p * v - r * g).tolist())),
    ("adam_step", _adam_in_float32),
    ("clip_by_norm", lambda g, limit: g if np.linalg.norm(g) <= limit else g / np.linalg.norm(g) * limit),
    ("clip_by_norm", lambda g, limit: (g / max(1, np.linalg.norm(g.astype(np.float32)) / limit)).tolist()),
    ("clip_by_norm", lambda g, limit: g * limit / max(np.linalg.norm(g), limit)),
    ("cosine_rate", lambda step, steps, rate: rate * math.cos(math.pi / 2 * step / steps) ** 2),
    ("cosine_rate", lambda step, steps, rate: np.float32(rate) * np.float32(0.5 + 0.5 * np.cos(np.pi * step / steps))),
    ("optimal_discriminator", lambda r, g: 1 - g / (g + r)),
    ("optimal_discriminator", lambda r, g: 1 / (1 + g / r)),
    ("optimal_discriminator", lambda r, g: (r.astype(np.float32) / (r + g)).tolist()),
    ("discriminator_loss", lambda r, f: -np.log(1 / (1 + np.exp(-r))).mean() - np.log(1 - 1 / (1 + np.exp(-f))).mean()),
    ("discriminator_loss", lambda r, f: sum(np.log1p(np.exp(-r))) / len(r) + sum(np.log1p(np.exp(f))) / len(f)),
    ("generator_loss", lambda f: -np.log(1 / (1 + np.exp(-f.astype(np.float32)))).mean()),
    ("generator_loss", lambda f: (np.maximum(-f, 0) + np.log1p(np.exp(-abs(f)))).mean()),
    ("to_tanh_range", lambda x: 2 * x.astype("float32") / 255 - 1),
    ("to_tanh_range", lambda x: (x / 127.5 - 1).astype(np.float32)),
    ("to_tanh_range", lambda x: np.float32(x / 255 * 2 - 1)),
    ("to_tanh_range", lambda x: np.interp(x, (0, 255), (-1, 1)).astype(np.float32)),
    ("spherical", _spherical),
    ("frechet_in_one_dimension", lambda m, s, n, t: abs(complex(m - n, s - t)) ** 2),
    (
        "frechet_in_one_dimension",
        lambda m, s, n, t: np.float32(m - n) ** 2 + s * s + t * t - 2 * np.sqrt(s * s * t * t),
    ),
    ("class_entropy", lambda c: -sum(n / sum(c) * math.log(n / sum(c)) for n in c.tolist() if n)),
    ("class_entropy", lambda c: -np.sum(c / c.sum() * np.log(c / c.sum() + 1e-12))),
    ("class_entropy", lambda c: np.log(c.sum()) - np.sum(c * np.log(np.maximum(c, 1))) / c.sum()),
]


@pytest.mark.parametrize(("name", "function"), RIGHT, ids=[f"{n}{k}" for k, (n, _) in enumerate(RIGHT)])
def test_right_answers_of_other_kinds_pass(name, function):
    verdict = getattr(check, name)(function)
    assert verdict, verdict


def test_every_older_exercise_has_a_right_answer_of_another_kind():
    assert len({name for name, _ in RIGHT}) == 20


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRATCHNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class TestRemembered:
    def test_passed_ones_are_named_by_chapter(self, cache):
        assert not any(check.passed().values())
        assert list(check.passed()) == list(check.CHAPTERS)
        assert not check.output_size(lambda *case: 0)
        assert not any(check.passed().values())
        assert check.output_size(check.output_size.right)
        assert check.accuracy(check.accuracy.right)
        assert check.passed()["00_start_here"] == ["output_size", "accuracy"]
        assert json.loads((cache / "exercises.json").read_text()) == {"passed": ["accuracy", "output_size"]}

    def test_ones_of_your_own_are_not_remembered(self, cache):
        assert identity(lambda x: x)
        assert identity.chapter == ""
        assert not cache.exists()

    @pytest.mark.parametrize("text", ["", "[", "[]", '{"passed": 3}', '{"passed": [1, null]}', "\x00", "[" * 100_000])
    def test_a_file_that_is_not_ours_counts_as_none(self, cache, text):
        cache.mkdir()
        (cache / "exercises.json").write_text(text)
        assert not any(check.passed().values())
        assert check.accuracy(check.accuracy.right)
        assert check.passed()["00_start_here"] == ["accuracy"]

    def test_names_of_other_versions_are_kept(self, cache):
        cache.mkdir()
        (cache / "exercises.json").write_text('{"passed": ["of_tomorrow"]}')
        assert check.accuracy(check.accuracy.right)
        assert json.loads((cache / "exercises.json").read_text())["passed"] == ["accuracy", "of_tomorrow"]

    def test_where_nothing_can_be_written_all_else_works(self, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        for place in (tmp_path / "file" / "below", Path("/proc/nowhere"), "\x00"):
            monkeypatch.setattr(progress, "progress_file", lambda place=place: Path(place) / "exercises.json")
            assert check.accuracy(check.accuracy.right)
            assert not any(check.passed().values())

    def test_user_cache_folder_by_default(self, tmp_path, monkeypatch):
        monkeypatch.delenv("SCRATCHNET_CACHE")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert progress.progress_file().name == "exercises.json"
        assert progress.progress_file().parent.name == "scratchnet"

    def test_several_at_once(self, cache):
        names = NAMES[:8]
        threads = [threading.Thread(target=progress.remember, args=(getattr(check, name),)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (cache / "exercises.json").exists()
        for name in names:  # three tries each: nearly always enough; a second pass always is
            progress.remember(getattr(check, name))
        assert set(json.loads((cache / "exercises.json").read_text())["passed"]) == set(names)

    def test_tests_remember_in_a_folder_of_their_own(self):
        assert "scratchnet-exercises-" in str(progress.progress_file())


def test_each_exercise_of_a_module_has_its_name_in_check():
    for module in pkgutil.iter_modules(check.__path__):
        for name, value in vars(importlib.import_module(f"scratchnet.check.{module.name}")).items():
            if isinstance(value, check.Exercise) and name[0] != "_":
                assert getattr(check, name, None) is value, f"import {name} in scratchnet/check/__init__.py"
                assert name in check.__all__


def _used(path):
    return re.findall(r"sn\.check\.(\w+)\(\w+\)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda p: p.stem)
def test_table_of_chapters_agrees_with_the_notebook(path):
    listed = {name for name in check.CHAPTERS.get(path.stem, ()) if name in NAMES}
    assert listed == {name for name in _used(path) if name in NAMES}, (
        "enter them in CHAPTERS, scratchnet/check/progress.py"
    )


def test_each_exercise_belongs_to_one_chapter():
    listed = [name for names in check.CHAPTERS.values() for name in names]
    assert len(set(listed)) == len(listed)
    assert set(NAMES) == set(listed), "enter them in CHAPTERS, scratchnet/check/progress.py"
    assert check.adam_step.chapter == "03_1d_training"
