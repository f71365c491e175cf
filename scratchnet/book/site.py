"""The book as a folder of HTML pages."""

from __future__ import annotations

import shutil
from pathlib import Path

from scratchnet.book.chapters import APPENDICES, CHAPTERS, PAGES
from scratchnet.book.links import dead_links
from scratchnet.book.pages import MATHJAX, page


def sources(notebooks: Path) -> list[Path]:
    """The files of the book that there are, in the order of reading: contents, chapters, appendices, pages."""
    names = ["README.md", *(f"{name}.ipynb" for name in (*CHAPTERS, *APPENDICES)), *(f"{name}.md" for name in PAGES)]
    return [notebooks / name for name in names if (notebooks / name).exists()]


def build(notebooks: Path, output: Path, mathjax: Path | None = None) -> tuple[list[Path], list[str]]:
    """Write all pages, and what they need, into a folder.

    Args:
        notebooks: the folder of the notebooks.
        output: where the pages go; made if it is not there, and what it holds of the same names is replaced.
        mathjax: the file `tex-svg.js` of MathJax 3, to be copied beside the pages, so that formulas are set without a
            network. Without it the pages load it from a public server.

    Returns:
        The pages that were written, and a line for each link in them that leads nowhere.
    """
    output.mkdir(parents=True, exist_ok=True)
    script = MATHJAX
    if mathjax is not None:
        script = "mathjax.js"
        shutil.copy(mathjax, output / script)
    (output / "style.css").write_text(style(), encoding="utf-8")
    if (notebooks / "thumbnails").is_dir():
        shutil.copytree(notebooks / "thumbnails", output / "thumbnails", dirs_exist_ok=True)
    written, dead = [], []
    for path in sources(notebooks):
        place = output / ("index.html" if path.name == "README.md" else f"{path.stem}.html")
        place.write_text(page(path, script), encoding="utf-8")
        written.append(place)
        dead += dead_links(path)
    return written, dead


def style() -> str:
    """The style sheet: ours, and the colours of code."""
    from pygments.formatters import HtmlFormatter

    ours = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    return ours + HtmlFormatter(style="default").get_style_defs(".highlight") + "\n"
