"""notebooks/README.md and its thumbnails, from the notebooks as they are stored."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from scratchnet.book.chapters import APPENDICES, CHAPTERS, PAGES, REPOSITORY, cells, title
from scratchnet.book.pages import badges

WIDTH, HEIGHT = 300, 170  # pixels of a thumbnail, at most
COLOURS = 64

HEAD = """# The book

A textbook that runs: how a computer recognizes pictures, and how it makes them. Read the chapters in this order; open
them with `jupyter lab`, or read them as web pages (`python -m scratchnet.book` writes them into `site/`). They follow a
Chinese article section by section, whose titles stand beside ours.

To look things up: {pages}.
"""
ROW = "| {picture} | **[{title}]({name}.ipynb)**<br>{line}{badges} |"


def readme(notebooks: Path, repository: str = REPOSITORY) -> str:
    """The text of notebooks/README.md: a thumbnail and a line for each notebook that there is."""
    pages = ", ".join(f"[{words.lower()}]({name}.md)" for name, words in PAGES.items())
    lines = [HEAD.format(pages=pages)]
    if repository:
        lines.append(
            "In Colab, the package comes first, in a cell of its own: "
            f'`%pip install "scratchnet[notebooks] @ git+https://github.com/{repository}"`.\n'
        )
    for heading, chapters in (("Chapters", CHAPTERS), ("Appendices", APPENDICES)):
        lines += [f"## {heading}", "", "| | |", "|---|---|"]
        for name, line in chapters.items():
            path = notebooks / f"{name}.ipynb"
            if not path.exists():
                continue
            picture = f"thumbnails/{name}.png"
            shown = f"[![A figure of {title(path)}]({picture})]({name}.ipynb)" if (notebooks / picture).exists() else ""
            buttons = badges(name, repository)
            lines.append(
                ROW.format(
                    picture=shown,
                    title=title(path),
                    name=name,
                    line=line,
                    badges=f"<br>{buttons}" if buttons else "",
                )
            )
        lines.append("")
    return "\n".join(lines)


def picture(path: Path) -> bytes | None:
    """The PNG that stands for a notebook: of the cell tagged `thumbnail`, or else the largest. None where none is."""
    tagged: list[bytes] = []
    others: list[bytes] = []
    for cell in cells(path):
        for output in cell.get("outputs", []):
            data = output.get("data", {}).get("image/png")
            if data:
                mine = tagged if "thumbnail" in cell["metadata"].get("tags", []) else others
                mine.append(base64.b64decode("".join(data)))
    return tagged[0] if tagged else max(others, key=len, default=None)


def thumbnail(png: bytes) -> bytes:
    """A picture made small: at most WIDTH x HEIGHT pixels, and COLOURS colours. The top of a tall one is taken.

    Raises:
        ImportError: Pillow is not installed; the text has the line that installs it.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('thumbnails are made by Pillow: pip install "scratchnet[images]"') from error
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    wide, high = white.size
    cut = white.convert("RGB").crop((0, 0, wide, min(high, wide * HEIGHT // WIDTH)))
    cut.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    cut.quantize(COLOURS).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def write(notebooks: Path) -> list[Path]:
    """Make the thumbnails and notebooks/README.md anew. What did not change is not written. Returns all their paths."""
    (notebooks / "thumbnails").mkdir(exist_ok=True)
    made = []
    for name in (*CHAPTERS, *APPENDICES):
        path = notebooks / f"{name}.ipynb"
        png = picture(path) if path.exists() else None
        if png is not None:
            made.append(notebooks / "thumbnails" / f"{name}.png")
            small = thumbnail(png)
            if not made[-1].exists() or made[-1].read_bytes() != small:
                made[-1].write_bytes(small)
    made.append(notebooks / "README.md")
    made[-1].write_text(readme(notebooks), encoding="utf-8")
    return made
