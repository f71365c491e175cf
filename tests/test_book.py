"""The book around the notebooks: contents and thumbnails, index of formulas, links, and the site of HTML pages."""

import base64
import importlib
import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest
from PIL import Image

from scratchnet import reference
from scratchnet.book import __main__ as command
from scratchnet.book import chapters, contents, links, pages, site
from scratchnet.kernels import cpu

FOLDER = chapters.folder()
ROOT = FOLDER.parent
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TEXTS = [*sorted(FOLDER.glob("*.md")), ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md"))]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_link_of_a_text_is_dead(path):
    assert links.dead_links(path) == []


def test_contents_are_those_of_the_notebooks():
    """After a change of a notebook's title or figures: python -m scratchnet.book --contents."""
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == contents.readme(FOLDER)


def test_readme_lists_the_notebooks_in_their_order():
    """After a new notebook: python -m scratchnet.book --contents."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == contents.with_table(text, FOLDER)
    listed = re.findall(r"^\| \[(\w+)\]\(notebooks/\1\.ipynb\)", text, re.MULTILINE)
    assert sorted(listed) == [path.stem for path in NOTEBOOKS]


def test_every_notebook_has_a_small_thumbnail():
    thumbnails = sorted((FOLDER / "thumbnails").glob("*.png"))
    assert [path.stem for path in thumbnails] == [path.stem for path in NOTEBOOKS]
    assert sum(path.stat().st_size for path in thumbnails) < 300_000


def test_thumbnail_is_small_and_shows_the_top():
    tall = np.zeros((900, 400, 3), np.uint8)
    tall[:200] = 255
    buffer = io.BytesIO()
    Image.fromarray(tall).save(buffer, "png")
    made = np.asarray(Image.open(io.BytesIO(contents.thumbnail(buffer.getvalue()))).convert("L"))
    assert made.shape == (contents.HEIGHT, contents.WIDTH)
    assert made[0].min() == 255
    assert made[-1].max() == 0


def test_badges_stand_only_where_the_address_is_known(monkeypatch):
    assert pages.badges("00_start_here", "") == ""
    assert "badge" not in contents.readme(FOLDER, "")
    with_badges = contents.readme(FOLDER, "someone/something")
    assert with_badges.count("colab.research.google.com/github/someone/something/blob/main/") == len(NOTEBOOKS)
    assert with_badges.count("mybinder.org/v2/gh/someone/something/HEAD?labpath=notebooks/") == len(NOTEBOOKS)
    monkeypatch.setattr(pages, "REPOSITORY", "someone/something")
    shown = pages.page(FOLDER / "formulas.md")
    assert 'href="https://github.com/someone/something/blob/main/scratchnet/reference/conv.py"' in shown


# The index of formulas.


def rows():
    """(notebook, definitions, kernels) of each formula: the file, then (name, file) pairs."""
    for line in (FOLDER / "formulas.md").read_text(encoding="utf-8").splitlines():
        cells = re.split(r" \| ", line.strip("| "))
        if len(cells) == 5 and "](" in line:
            named = [re.findall(r"\[`(\w+)`\]\(([^)]+)\)", cell) for cell in cells[3:]]
            yield re.search(r"\((.+)\)", cells[2])[1], *named


def test_index_of_formulas_names_what_there_is():
    found = list(rows())
    assert len(found) > 20
    for notebook, definitions, kernels in found:
        assert (FOLDER / notebook).exists()
        assert definitions
        for name, file in (*definitions, *kernels):
            module = importlib.import_module(file.removeprefix("../").removesuffix(".py").replace("/", "."))
            assert hasattr(module, name), f"{file} has no {name}"
            assert re.search(rf"\b{name}\b", Path(module.__file__).read_text(encoding="utf-8"))
        assert all(hasattr(cpu, name) for name, _ in kernels)


def test_index_of_formulas_has_all_loops_that_the_notebooks_show():
    listed = {name for _, definitions, _ in rows() for name, _ in definitions}
    shown = set()
    for path in NOTEBOOKS:
        for cell in chapters.cells(path):
            shown |= set(re.findall(r"\breference\.(\w+)\(", cell["source"]))
    assert (shown & set(reference.__all__)) - {"places", "windows", "philox", "uniform"} <= listed


# The site.


class Page(HTMLParser):
    """The names, links and pictures of a page."""

    def __init__(self, path):
        super().__init__()
        self.names, self.links, self.alts = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.names.add(told.get("id"))
        if tag == "img":
            self.alts.append(told.get("alt"))
        self.links += [told[key] for key in ("href", "src") if told.get(key)]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages of the whole book."""
    output = tmp_path_factory.mktemp("site")
    script = output / "tex-svg.js"
    script.write_text("// sets formulas")
    site.build(FOLDER, output / "pages", script)
    return output / "pages"


def test_site_has_a_page_for_each_notebook_and_text(built):
    named = {path.stem for path in NOTEBOOKS} | {"index", *chapters.PAGES}
    assert {path.stem for path in built.glob("*.html")} == named
    assert (built / "mathjax.js").read_text() == "// sets formulas"


def test_links_of_the_site_lead_somewhere_and_pictures_are_described(built):
    read = {path.name: Page(path) for path in built.glob("*.html")}
    for name, page in read.items():
        assert all(page.alts), name
        for link in page.links:
            file, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            assert not file or (built / file).exists(), f"{name} leads to {link}"
            if anchor and not file.endswith(".svg"):
                assert unquote(anchor) in read[file or name].names, f"{name} leads to {link}"


def test_a_page_suits_a_phone_and_needs_no_kernel(built):
    for path in built.glob("*.html"):
        told = path.read_text(encoding="utf-8")
        assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in told
        assert "widget-view" not in told
        assert told.count("<table") == told.count('<div class="scroll"><table')
    style = (built / "style.css").read_text()
    for rule in (
        r"img, svg, video \{ max-width: 100%",
        r"pre \{[^}]*overflow-x: auto",
        r"\.scroll \{ overflow-x: auto",
    ):
        assert re.search(rule, style)


@pytest.fixture
def notebook(tmp_path):
    """Writes a notebook of these cells as 00_start_here and returns its path."""

    def write(*cells):
        (tmp_path / "README.md").write_text("# The book\n", encoding="utf-8")
        path = tmp_path / "00_start_here.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
        return path

    return write


def drawn(alt=None, tags=(), **data):
    metadata = {"image/png": {"alt": alt}} if alt else {}
    output = nbformat.v4.new_output(
        "display_data", {"image/png": "aGVsbG8=", "text/plain": "<x>", **data}, metadata=metadata
    )
    cell = nbformat.v4.new_code_cell("draw(1)", outputs=[output])
    cell.metadata.tags = list(tags)
    return cell


TITLE = nbformat.v4.new_markdown_cell("# A title · 标题")


def test_a_widget_is_shown_as_its_picture_with_its_alt_text(notebook):
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1", "version_major": 2, "version_minor": 0}}
    told = pages.page(notebook(TITLE, drawn("three curves", **view)))
    assert "model_id" not in told
    assert re.search(r'<img[^>]*alt="three curves"', told)


def test_a_picture_is_described_by_the_sentence_beside_it(notebook):
    after = nbformat.v4.new_markdown_cell("The **blue** curve falls. It goes on.")
    assert re.search(r'<img[^>]*alt="The blue curve falls."', pages.page(notebook(TITLE, drawn(), after)))
    before = nbformat.v4.new_markdown_cell("# A title · 标题\n\nFirst this. Then that.")
    assert re.search(r'<img[^>]*alt="Then that."', pages.page(notebook(before, drawn())))


def test_cells_of_the_book_s_own_are_hidden(notebook):
    hidden = nbformat.v4.new_code_cell("assert secret")
    hidden.metadata.tags = ["remove-cell"]
    told = pages.page(notebook(TITLE, drawn("x", ["remove-input"]), hidden))
    assert "secret" not in told
    assert "<img" in told
    assert "draw(" not in re.sub(r"<[^>]+>", "", told)


def test_a_heading_with_quotes_can_be_linked_to(notebook):
    told = pages.page(notebook(TITLE, nbformat.v4.new_markdown_cell('## What is "right" · 对？')))
    assert 'id="What-is-&quot;right&quot;-·-对？"' in told


def test_neighbours_lead_on_and_the_last_chapter_back_to_the_first(notebook):
    told = pages.page(notebook(TITLE))
    assert 'rel="next" href="01_background.html">1 background' in told
    assert 'rel="prev"' not in told
    assert chapters.neighbours("08_the_references") == ("07_conclusion_and_errata", "00_start_here")
    assert chapters.neighbours("A1_making_convolution_fast") == (None, None)


def test_a_notebook_without_heading_is_named(notebook):
    with pytest.raises(ValueError, match=r"00_start_here\.ipynb has no heading"):
        pages.page(notebook(nbformat.v4.new_markdown_cell("`# no heading`")))


def test_the_command_names_dead_links_and_fails(notebook, tmp_path, monkeypatch, capsys):
    path = notebook(TITLE, nbformat.v4.new_markdown_cell("[a](#A-title-·-标题) [b](#Another) [c](gone.md)"))
    monkeypatch.setattr(chapters, "folder", lambda: path.parent)
    assert command.main(["--output", str(tmp_path / "site")]) == 1
    told = capsys.readouterr()
    assert "2 pages in" in told.out
    assert told.err.splitlines() == [
        "00_start_here.ipynb: #Another: 00_start_here.ipynb has no heading of that name",
        "00_start_here.ipynb: gone.md: there is no such file",
    ]
    notebook(TITLE)
    assert command.main(["--output", str(tmp_path / "site")]) == 0


def test_the_command_makes_the_contents(notebook, monkeypatch, capsys):
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(buffer, "png")
    cell = drawn("x")
    cell.outputs[0].data["image/png"] = base64.b64encode(buffer.getvalue()).decode()
    path = notebook(TITLE, cell)
    monkeypatch.setattr(chapters, "folder", lambda: path.parent)
    assert command.main(["--contents"]) == 0
    made = (path.parent / "README.md").read_text(encoding="utf-8")
    assert "[![A figure of A title · 标题](thumbnails/00_start_here.png)](00_start_here.ipynb)" in made
    assert "thumbnails/00_start_here.png" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "call", "line"),
    [
        ("nbformat", lambda: pages.page(FOLDER / "formulas.md"), "scratchnet[notebooks]"),
        ("PIL", lambda: contents.thumbnail(b""), "scratchnet[images]"),
    ],
)
def test_what_is_missing_is_named(monkeypatch, module, call, line):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=re.escape(line)):
        call()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](b.md) ![c](d.png) <img src='e.png'>\n\n[f]: g.md", ["b.md", "d.png", "e.png", "g.md"]),
        ("[![a](b.png)](c.md)", ["b.png", "c.md"]),
        ("`[a](b)`\n\n```\n[c](d)\n```\n[e](<f g.md>)", ["f g.md"]),
        ("$x_{[a]}(b)$ [a](https://x.y/z_(q))", ["https://x.y/z_(q)"]),
    ],
)
def test_links_of_a_text(text, found):
    assert links.links(text) == found
