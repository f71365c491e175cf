"""The article's listing 4.2 beside the mended one in the notebook: both whole, and the mended one is what is run."""

import html
import json
import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "04_2_image_generation.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
SHOWN = next(text for text in ("".join(cell["source"]) for cell in CELLS) if text.count("<pre") == 2)
LISTED, MENDED = (html.unescape(code).strip() for code in re.findall(r"<pre[^>]*>\n(.*?)</pre>", SHOWN, re.S))


def _faults(program):
    comments = re.findall(r"# (?:[^\n]*: )?((?:\d+(?:, )?)+)", program)
    return {int(number) for comment in comments for number in re.findall(r"\d+", comment)}


def test_the_mended_listing_is_the_cell_that_runs():
    assert MENDED in ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def test_the_listing_stops_at_its_first_fault():
    with pytest.raises(NameError, match="Activation"):
        exec(compile(LISTED, "listing_4_2.py", "exec"), {})


def test_every_fault_is_marked_in_both():
    assert _faults(MENDED) == set(range(1, 15))
    assert _faults(LISTED) == set(range(1, 15))


@pytest.mark.parametrize("program", [LISTED, MENDED], ids=["listed", "mended"])
def test_no_line_is_cut_side_by_side(program):
    assert max(map(len, program.splitlines())) <= 67
