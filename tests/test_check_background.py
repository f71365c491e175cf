"""The exercises of chapter 1: the printed solutions pass, and what they are said to find is what they find."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from scratchnet import check
from scratchnet.datasets import fashion_mnist_small

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "01_background.ipynb"
NAMES = ("balanced_accuracy", "by_luck", "nearest_mean", "share_of_copies")


@pytest.fixture(scope="module")
def solutions():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    space = {"np": np, "math": math}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if block.startswith("def "):
            exec(block, space)
    return space


@pytest.mark.parametrize("name", NAMES)
def test_the_printed_solution_passes(name, solutions):
    verdict = getattr(check, name)(solutions[name])
    assert verdict, verdict


@pytest.mark.parametrize("name", NAMES)
def test_six_mistakes_at_least_are_named(name):
    assert len(getattr(check, name).mistakes) >= 6


def test_the_numbers_beside_the_solutions(solutions):
    (x, y), (x_test, y_test) = fashion_mnist_small.load_data()
    a, b = (pictures.reshape(len(pictures), -1) / 255 for pictures in (x, x_test))
    assert np.mean(solutions["nearest_mean"](a, y, b) == y_test) == pytest.approx(0.65, abs=0.005)
    assert solutions["by_luck"](7, 10, 0.1) == pytest.approx(1e-5, rel=0.1)
    assert solutions["by_luck"](8, 12, 0.5) == pytest.approx(0.19, abs=0.005)
    assert solutions["balanced_accuracy"](np.repeat([1, 3], [95, 5]), np.repeat(1, 100)) == 0.5
    made, train = x[:20] / 127.5 - 1.0, x[:200] / 127.5 - 1.0
    assert solutions["share_of_copies"](made, train, 0.1) == 1
    assert solutions["share_of_copies"](np.roll(made, 1, axis=2), train, 0.1) == 0
