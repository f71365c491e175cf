"""The exercises on honest experiments: every fault that is left is named, and the notebook's solutions pass."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from scratchnet import check

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "04_1_image_recognition.ipynb"
EXERCISES = ("same_places", "mended_loop", "honest_evaluation")


def functions_of_notebook(folded):
    """The functions that the notebook defines: in its folded solutions, or in the cells that the reader completes."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    if folded:
        codes = re.findall(r"<details>.*?```python\n(.*?)```", "\n".join(texts), re.S)
    else:
        codes = [text.split("sn.check.")[0] for text in texts if "\nsn.check." in text]
    names = {"np": np}
    for code in codes:
        exec(code, names)
    return names


@pytest.mark.parametrize("name", EXERCISES)
def test_every_mistake_is_named(name):
    exercise = getattr(check, name)
    assert len(exercise.mistakes) >= 6
    for hint, mistake in exercise.mistakes.items():
        assert hint in repr(exercise(mistake))


@pytest.mark.parametrize("name", [*EXERCISES, "one_hot", "cross_entropy", "confusion_matrix"])
def test_the_printed_solution_passes(name):
    verdict = getattr(check, name)(functions_of_notebook(folded=True)[name])
    assert verdict, verdict


def test_the_faults_of_the_printed_programs_are_named():
    printed = functions_of_notebook(folded=False)
    answer = repr(check.mended_loop(printed["mended_loop"]))
    assert "one order for all epochs" in answer
    assert "still in dw" in answer
    assert "never seen" in answer
    assert "both leaks" in repr(check.honest_evaluation(printed["honest_evaluation"]))


def test_the_mended_loop_learns_and_leaves_its_argument_alone():
    """Two clouds of points, one on each side of 0, are told apart."""
    y = np.arange(40) % 2
    x = np.random.default_rng(0).normal(size=(40, 2)) + 6.0 * y[:, None] - 3.0
    w = np.zeros((2, 2))
    learnt = check.mended_loop.right(w, x, y, 0.5, 5, 8, 0)
    assert np.array_equal((x @ learnt).argmax(axis=1), y)
    assert not w.any()


def test_a_leak_shows_in_the_distance():
    """Where a picture's own mirror image is among those to learn from, the nearest is as near as its own asymmetry."""
    x = np.random.default_rng(0).normal(size=(60, 16))
    x = x + x[:, ::-1]  # symmetric: the mirror image is the picture itself
    y = np.arange(60) % 2
    leaking = next(f for hint, f in check.honest_evaluation.mistakes.items() if hint.startswith("mirrored before"))
    accuracy, distance = leaking(x, y, 20)
    assert (accuracy, round(distance, 6)) == (1, 0)
    assert check.honest_evaluation.right(x, y, 20)[1] > 1
