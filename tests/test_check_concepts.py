"""The exercises of chapter 2: the printed solutions pass, and their answers lead on."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from scratchnet import check

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "02_core_concepts.ipynb"
NAMES = ("count_parameters", "shift_error", "two_layers", "xor")


def solutions():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    space = {"np": np}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if block.startswith("def "):
            exec(block, space)
    return space


@pytest.mark.parametrize("name", NAMES)
def test_the_printed_solution_passes(name):
    verdict = getattr(check, name)(solutions()[name])
    assert verdict, verdict


@pytest.mark.parametrize("name", NAMES)
def test_six_mistakes_at_least_are_named(name):
    assert len(getattr(check, name).mistakes) >= 6


def test_lenet_has_the_parameters_of_its_layers():
    lenet = check.count_parameters.cases[-1]
    assert check.count_parameters.right(*lenet) == 156 + 2416 + 48120 + 10164 + 850


def test_two_layers_show_the_relative_error_of_each_gradient():
    def means(x, w, b, w2, b2, dy):
        y, dx, dw, db, dw2, db2 = check.two_layers.right(x, w, b, w2, b2, dy)
        return y, dx, dw / len(x), db, dw2, db2

    answer = repr(check.two_layers(means))
    assert "relative error" in answer
    assert re.search(r"dw +0\.5 +wrong", answer)
    assert re.search(r"dx +< 1e-12 +right", answer)


def test_functions_among_the_arguments_are_named():
    answer = repr(check.shift_error(lambda f, x: 5.0))
    assert "(brighter, [[1., 2., 3.]])" in answer
