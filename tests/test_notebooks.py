"""The stored notebooks are whole: run in order, with outputs, without errors, and light enough to open."""

import json
import re
from pathlib import Path

import pytest

from scratchnet import check

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# A folder of somebody's machine: /home/x/, /Users/x/, C:\Users\x, /tmp/x/, /root/, /work/
MACHINE_PATH = re.compile(r"(?<![\w.])(/(home|Users|tmp|root|work|var|mnt)/|[A-Z]:\\\\)")


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def test_there_are_notebooks():
    assert {"00_start_here", "04_1_image_recognition"} <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestNotebook:
    def test_size(self, path):
        assert path.stat().st_size < 1_500_000

    def test_cells_are_executed_in_order_without_errors(self, path):
        code = [c for c in cells_of(path) if c["cell_type"] == "code"]
        assert [c["execution_count"] for c in code] == list(range(1, len(code) + 1))
        for cell in code:
            for output in cell["outputs"]:
                assert output["output_type"] != "error" or "raises-exception" in cell["metadata"].get("tags", [])
                assert not (output.get("name") == "stderr" and "Warning" in json.dumps(output)), source(cell)

    def test_names_no_path_of_a_machine(self, path):
        for cell in cells_of(path):
            outputs = re.sub(r'"image/png": "[^"]*"', "", json.dumps(cell.get("outputs", [])))
            assert not MACHINE_PATH.search(outputs), source(cell)
            assert not MACHINE_PATH.search(source(cell)), source(cell)

    def test_checked_cells(self, path):
        checked = [c for c in cells_of(path) if c["cell_type"] == "code" and "NBVAL_CHECK_OUTPUT" in source(c)]
        assert len(checked) >= 3
        assert all(c["outputs"] for c in checked)

    def test_opens_with_import_and_seed(self, path):
        first = next(source(c) for c in cells_of(path) if c["cell_type"] == "code")
        assert "import scratchnet as sn" in first
        assert "sn.set_random_seed(" in first

    def test_three_exercises_with_solutions(self, path):
        text = "\n".join(source(c) for c in cells_of(path))
        used = set(re.findall(r"sn\.check\.(\w+)", text))
        assert len(used) >= 3
        assert all(isinstance(getattr(check, name), check.Exercise) for name in used)
        assert text.count("<details>") >= 3

    def test_chinese_section_title_and_next_link(self, path):
        text = "\n".join(source(c) for c in cells_of(path) if c["cell_type"] == "markdown")
        assert re.search("[\u4e00-\u9fff]", text)
        for target in re.findall(r"\]\(([\w./-]+\.ipynb)\)", text):
            assert (FOLDER / target).exists(), target
