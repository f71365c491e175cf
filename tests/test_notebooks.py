"""The stored notebooks hold to their rules (`notebook_rules.py`), and each rule can fail: faulty ones are made here."""

import json
import re
import subprocess
import sys
from pathlib import Path

import notebook_rules as rules
import pytest

from scratchnet.book.chapters import APPENDICES, CHAPTERS, folder

FOLDER = folder()
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RULES = [
    rules.size,
    rules.executed,
    rules.paths,
    rules.checked,
    rules.opening,
    rules.letters,
    rules.ending,
    rules.lines,
    rules.described,
    rules.linked,
    rules.exercises,
]


def test_every_notebook_has_its_place_in_the_order():
    assert {path.stem for path in NOTEBOOKS} == {*CHAPTERS, *APPENDICES}


def test_page_of_symbols_holds_to_its_own_letters():
    assert rules.letters(FOLDER / "symbols.md") == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, rule):
    assert rule(path) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_term_is_used_before_it_is_introduced(path):
    assert rules.terms(path, FOLDER / "glossary.md") == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_terms_stand_where_the_glossary_says(path):
    assert rules.introduced(path, FOLDER / "glossary.md") == []


def test_glossary_is_in_the_order_of_the_book():
    order = [*CHAPTERS, *APPENDICES]
    found = rules.glossary(FOLDER / "glossary.md")
    assert len(found) > 60
    places = [order.index(chapter) for _, chapter in found]
    assert places == sorted(places)
    variants = [variant.lower() for names, _ in found for variant in names]
    assert len(variants) == len(set(variants))


# A small notebook that holds to every rule, and its faults, one at a time.

TEXT = """# Small · 小

| symbol | meaning |
|---|---|
| x | an array |
"""
SOLUTION = """<details><summary>Solution</summary>

```python
def output_size(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1
```
</details>
"""
STUB = "def {0}({1}):\n    pass\n\n\nsn.check.{0}({0})"
OTHERS = {
    "accuracy": ("p, labels", "np.mean(p.argmax(axis=1) == labels)"),
    "conv_parameters": ("kh, kw, c, f", "(kh * kw * c + 1) * f"),
}


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def code(source, output=None, tags=()):
    outputs = [] if output is None else [{"output_type": "stream", "name": "stdout", "text": [output]}]
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": source.splitlines(keepends=True), "outputs": outputs}


def small():
    """The cells of the small notebook."""
    made = [text(TEXT), code("import numpy as np\n\nimport scratchnet as sn\n\nsn.set_random_seed(0)")]
    made += [code(f"print({n})", f"{n}\n", ["nbval-check-output"]) for n in range(3)]
    made += [code(STUB.format("output_size", "size, kernel, stride, padding")), text(SOLUTION)]
    for name, (arguments, value) in OTHERS.items():
        solution = f"def {name}({arguments}):\n    return {value}\n"
        made += [code(STUB.format(name, arguments))]
        made += [text(f"<details><summary>Solution</summary>\n\n```python\n{solution}```\n</details>")]
    return [*made, text("## Summary\n\nNext: [Background](01_background.ipynb).")]


@pytest.fixture
def stored(tmp_path):
    """Writes cells as the notebook 00_start_here, executed in order, beside a page; returns its path."""

    def write(cells):
        number = 0
        for cell in cells:
            if cell["cell_type"] == "code":
                number += 1
                cell["execution_count"] = number
        book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        path = tmp_path / "00_start_here.ipynb"
        path.write_text(json.dumps(book, ensure_ascii=False), encoding="utf-8")
        (tmp_path / "01_background.ipynb").touch()  # the next
        (tmp_path / "page.md").write_text("# A page\n\n## Two words\n", encoding="utf-8")
        return path

    return write


def broken(path):
    return {rule.__name__ for rule in RULES if rule(path)}


def test_a_notebook_that_holds_to_the_rules_has_no_findings(stored):
    assert broken(stored(small())) == set()


VIEW = "application/vnd.jupyter.widget-view+json"
PICTURE = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "aGVsbG8="}}
PRINTED = {"output_type": "stream", "name": "stdout"}
WIDGET = {
    **PICTURE,
    "data": {**PICTURE["data"], VIEW: {"model_id": "1"}},
}
FAILURE = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}


def source(place, new):
    """A fault that puts another source into the cell at a place."""

    def fault(cells):
        cells[place]["source"] = [new]

    return fault


def added(*new):
    """A fault that puts cells before the last one."""
    return lambda cells: cells.__setitem__(slice(-1, -1), new)


def outputs(place, *new):
    def fault(cells):
        cells[place]["outputs"] = list(new)

    return fault


def untagged(cells):
    cells[2]["metadata"] = {}


FAULTS = {
    "too large": ("size", added(text("x" * 1_500_000))),
    "an error": ("executed", outputs(1, FAILURE)),
    "a warning": ("executed", outputs(1, {"output_type": "stream", "name": "stderr", "text": ["UserWarning: no"]})),
    "a path in an output": (
        "paths",
        outputs(1, {**PRINTED, "text": ["/home/me/x.py"]}),
    ),
    "a path in the source": ("paths", added(text("See /root/x.py."))),
    "two checked cells": ("checked", untagged),
    "a checked cell without output": ("checked", outputs(2)),
    "no title": ("opening", source(0, TEXT.replace("# Small · 小", "Small"))),
    "no Chinese": ("opening", source(0, TEXT.replace(" · 小", ""))),
    "no symbols": ("opening", source(0, "# Small · 小")),
    "another p": ("letters", source(0, TEXT + "| s, p | stride, padding |\n")),
    "no seed": ("opening", source(1, "import numpy as np\nimport scratchnet as sn")),
    "no next": ("ending", source(-1, "## Summary")),
    "another next": ("ending", source(-1, "Next: [a page](page.md)")),
    "a long line": ("lines", source(2, "x = 0  #" + "-" * 100)),
    "a long line in a text": ("lines", added(text("```python\nx = 0  #" + "-" * 100 + "\n```"))),
    "a picture without alt": ("described", added(text("![](page.md)"))),
    "a tag without alt": ("described", added(text('<img src="page.md">'))),
    "a figure without text": (
        "described",
        added(*map(code, "abc"), {**code("d"), "outputs": [PICTURE]}, *map(code, "efg")),
    ),
    "a widget without alt": ("described", outputs(1, WIDGET)),
    "a widget without picture": ("described", outputs(1, {**PICTURE, "data": {VIEW: {"model_id": "1"}}})),
    "a dead link": ("linked", added(text("See [this](nowhere.md)."))),
    "a dead anchor": ("linked", added(text("See [this](page.md#three-words)."))),
    "a dead anchor of its own": ("linked", added(text("See [this](#Nothing)."))),
    "a wrong solution": ("exercises", source(6, SOLUTION.replace("+ 1", "+ 2"))),
    "a solution that raises": ("exercises", source(6, SOLUTION.replace("def", "nothing\ndef"))),
    "no solution": ("exercises", source(6, "A text.")),
    "two exercises": ("exercises", lambda cells: cells.pop(5)),
}


@pytest.mark.parametrize(("rule", "fault"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_found_by_its_rule_alone(stored, rule, fault):
    cells = small()
    fault(cells)
    assert broken(stored(cells)) == {rule}


@pytest.mark.parametrize("count", [None, 1, 7])
def test_a_cell_that_was_never_run_or_not_in_order_is_found(stored, count):
    path = stored(small())
    book = json.loads(path.read_text(encoding="utf-8"))
    book["cells"][3]["execution_count"] = count
    path.write_text(json.dumps(book), encoding="utf-8")
    assert broken(path) == {"executed"}


def test_a_comment_does_not_mark_a_checked_cell(stored):
    cells = small()
    cells.insert(2, code("# NBVAL_CHECK_OUTPUT\nprint(0)", "0\n"))
    assert broken(stored(cells)) == {"checked"}


def test_a_solution_may_show_itself_on_what_the_notebook_computes(stored):
    cells = small()
    cells[2] = code("seen = [3, 4]\nprint(0)", "0\n", ["nbval-check-output"])
    shown = SOLUTION.replace("```\n<", "\n\nprint([output_size(n, 3, 1, 0) for n in seen])\n```\n<")
    cells[6] = text(shown)
    assert broken(stored(cells)) == set()
    cells[6] = text(shown.replace("seen", "unseen"))
    assert broken(stored(cells)) == {"exercises"}


def test_links_that_lead_somewhere(stored):
    cells = small()
    good = "[a](page.md) [b](page.md#two-words) [c](#Summary) [d](01_background.ipynb) [e](https://x.y/z) `[f](no)`"
    cells.insert(2, text(good))
    assert broken(stored(cells)) == set()


GLOSSARY = """| term | 中文 | introduced in | meaning |
|---|---|---|---|
| stride / step width | 步幅 | [3.1a](03_1a_convolution.ipynb) | cells from one window to the next |
| ReLU | 线性整流 | [3.1b](03_1b_activation_pooling_dense.ipynb) | max(x, 0) |
| batch | 批 | [0](00_start_here.ipynb) | what is computed at once |
"""


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Its strides are two.", ["strides"]),
        ("The step\nwidth is two.", ["step width"]),
        ("A ReLU and a stride.", ["stride", "ReLU"]),
        ("A batch of relu-like bestrides.", []),
        ("`stride` in code, $stride$ in a formula.", []),
        ("The stride comes in [3.1a](03_1a_convolution.ipynb).", []),
    ],
)
def test_a_term_that_is_used_too_early_is_found(stored, tmp_path, said, found):
    (tmp_path / "glossary.md").write_text(GLOSSARY, encoding="utf-8")
    cells = small()
    cells.insert(2, text(said))
    wrong = rules.terms(stored(cells), tmp_path / "glossary.md")
    assert [re.match("'(.*?)'", line)[1] for line in wrong] == found


def test_a_term_that_is_not_where_the_glossary_says_is_found(stored, tmp_path):
    (tmp_path / "glossary.md").write_text(GLOSSARY, encoding="utf-8")
    cells = small()
    assert len(rules.introduced(stored(cells), tmp_path / "glossary.md")) == 1
    cells.insert(2, text("A batch is what is computed at once."))
    assert rules.introduced(stored(cells), tmp_path / "glossary.md") == []


def test_pytest_fails_where_a_checked_output_is_altered_and_where_a_cell_errors(stored):
    cells = [
        code("print(1)", "1\n", ["nbval-check-output"]),
        code("print(2)", "3\n", ["nbval-check-output"]),
        code("print(4)", "5\n"),
        code("1 / 0"),
    ]
    path = stored(cells)
    options = ["-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env", "-q", "-rA", "--rootdir", path.parent]
    run = [sys.executable, "-m", "pytest", "-c", Path(__file__).parent / "nbval_sanitize.cfg", *options, path]
    said = subprocess.run(run, capture_output=True, text=True, timeout=300, check=False)
    verdicts = re.findall(r"^(PASSED|FAILED|ERROR).*::Cell (\d)", said.stdout, re.MULTILINE)
    assert sorted(verdicts, key=lambda verdict: verdict[1]) == [
        ("PASSED", "0"),
        ("FAILED", "1"),
        ("PASSED", "2"),
        ("FAILED", "3"),
    ], said.stdout
