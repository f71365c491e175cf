"""A notebook or a page of text as HTML: by nbconvert, in a frame of our own that a phone can show."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from scratchnet.book.chapters import REPOSITORY, neighbours, title, without_code

MATHJAX = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/3.2.2/es5/tex-svg.min.js"
WIDGET = "application/vnd.jupyter.widget-view+json"
FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="style.css">
<script>MathJax = {{tex: {{inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]], processEscapes: true}},
  options: {{skipHtmlTags: ["script", "style", "pre", "code", "textarea"]}}}};</script>
<script defer src="{mathjax}"></script>
</head>
<body>
{top}
<main>
{body}
</main>
{bottom}
</body>
</html>
"""


def page(path: Path, mathjax: str = MATHJAX) -> str:
    """The whole HTML of a notebook, or of a Markdown file.

    Widgets, which need a kernel, are shown as the picture that is stored beside them, or not at all. Cells tagged
    `remove-input` show their output only, those tagged `remove-cell` nothing. Links to notebooks and pages lead to
    their HTML.

    Args:
        path: a notebook, or a Markdown file in the folder of the notebooks.
        mathjax: the address of the script that sets formulas, from the page's folder.

    Raises:
        ImportError: nbconvert is not installed; the text has the line that installs it.
    """
    body = _mended(_converted(_notebook(path)), path)
    top, bottom = _navigation(path.stem)
    return FRAME.format(title=html.escape(title(path)), mathjax=html.escape(mathjax), top=top, body=body, bottom=bottom)


def badges(name: str, repository: str = REPOSITORY) -> str:
    """The Markdown of the badges that open a notebook in Colab and Binder; empty while the address is not known."""
    if not repository:
        return ""
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{repository}/HEAD?labpath=notebooks/{name}.ipynb"
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) "
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    )


def _notebook(path: Path) -> Any:
    """The notebook at the path, or one that holds the page's text; widgets left out, pictures described."""
    try:
        import nbformat
    except ImportError as error:
        raise ImportError('the book is made by nbconvert: pip install "scratchnet[notebooks]"') from error
    new = nbformat.v4.new_markdown_cell
    if path.suffix == ".md":
        return nbformat.v4.new_notebook(cells=[new(path.read_text(encoding="utf-8"))])
    book = nbformat.read(path, as_version=4)
    for number, cell in enumerate(book.cells):
        if "outputs" in cell:
            cell.outputs = [out for out in cell.outputs if WIDGET not in out.get("data", {}) or "image/png" in out.data]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop(WIDGET, None)
            if "image/png" in data:
                described = output.metadata.setdefault("image/png", {})
                described.setdefault("alt", description(book.cells, number))
    if badges(path.stem):
        book.cells.insert(1, new(badges(path.stem)))
    return book


def description(cells: list[Any], number: int) -> str:
    """What the picture under a cell shows, in the words of the text beside it: the sentence after it, or else before.

    Returns an empty text where there is no text next to it.
    """
    for step, pick in ((1, 0), (-1, -1)):
        place = number + step
        while 0 <= place < len(cells) and cells[place]["cell_type"] == "code" and abs(place - number) < 3:
            place += step
        if not 0 <= place < len(cells) or cells[place]["cell_type"] == "code":
            continue
        text = re.sub(r"<details.*?</details>", "", without_code("".join(cells[place]["source"])), flags=re.DOTALL)
        blocks = [b.strip() for b in text.split("\n\n") if re.match(r"[^\W_]|[*_(\"']", b.strip())]
        if blocks:
            block = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(blocks[pick].split()))
            sentences = re.split(r"(?<=[.!?:]) +", re.sub(r"[*$\\]", "", block))
            return sentences[pick]
    return ""


def _converted(notebook: Any) -> str:
    """nbconvert's HTML of the cells."""
    from nbconvert.exporters import HTMLExporter
    from nbconvert.preprocessors import TagRemovePreprocessor
    from traitlets.config import Config

    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_input_tags = {"remove-input"}
    config.TagRemovePreprocessor.remove_cell_tags = {"remove-cell"}
    exporter = HTMLExporter(template_name="basic", config=config, exclude_input_prompt=True, exclude_output_prompt=True)
    exporter.register_preprocessor(TagRemovePreprocessor(config=config), enabled=True)
    body, _ = exporter.from_notebook_node(notebook)
    return str(body)


def _mended(body: str, path: Path) -> str:
    """Links to pages lead to HTML, those to the source to the repository; tables scroll."""

    def link(match: re.Match[str]) -> str:
        target = html.unescape(match[1])
        file, mark, anchor = target.partition("#")
        if re.match(r"^([a-z][a-z0-9+.-]*:|//)", target, re.IGNORECASE) or not file:
            return match[0]
        if file.startswith("../"):
            place = f"https://github.com/{REPOSITORY}/blob/main/{file[3:]}"
            return f'href="{html.escape(place + mark + anchor)}"' if REPOSITORY else f'title="{html.escape(file[3:])}"'
        file = "index.html" if file == "README.md" else re.sub(r"\.(ipynb|md)$", ".html", file)
        return f'href="{html.escape(file + mark + anchor)}"'

    body = re.sub(r'(?<=<a )href="([^"]*)"', link, body)
    body = re.sub(r'<img (?=[^>]*src="https://)', '<img loading="lazy" ', body)
    body = re.sub(r'(?<= id=")[^"]*%[^"]*(?=")', lambda match: unquote(match[0]), body)
    body = re.sub(r"<table\b", '<div class="scroll"><table', body)
    return re.sub(r"</table>", "</table></div>", body)


def _navigation(name: str) -> tuple[str, str]:
    """The line above a page, and the one below it."""
    before, after = neighbours(name)
    back = f'<a rel="prev" href="{before}.html">← {_short(before)}</a>' if before else "<span></span>"
    on = f'<a rel="next" href="{after}.html">{_short(after)} →</a>' if after else "<span></span>"
    pages = "".join(f'<a href="{page}.html">{page}</a>' for page in ("symbols", "glossary", "formulas"))
    top = f'<header><a href="index.html">scratchnet</a><nav>{pages}</nav></header>'
    return top, f"<footer>{back}{on}</footer>"


def _short(name: str) -> str:
    """03_1d_training as 3.1d training."""
    number, words = re.match(r"(\d+(?:_\d\w?)?|A\d)_(.*)", name).groups()  # type: ignore[union-attr]
    return f"{number.lstrip('0').replace('_', '.') or '0'} {words.replace('_', ' ')}"
