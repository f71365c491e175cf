"""The exercises on honest experiments: every fault that the notebook prints is named."""

from pathlib import Path

import numpy as np
from notebook_rules import code_cells

from scratchnet import check

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "04_1_image_recognition.ipynb"


def functions_of_notebook():
    """The functions in the cells that the reader completes."""
    texts = [cell["source"] for cell in code_cells(NOTEBOOK)]
    names = {"np": np}
    for text in texts:
        if "\nsn.check." in text:
            exec(text.split("sn.check.")[0], names)
    return names


def test_the_faults_of_the_printed_programs_are_named():
    printed = functions_of_notebook()
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
