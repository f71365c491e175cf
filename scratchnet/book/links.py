"""Links that lead nowhere: to a file that is not there, or to a heading that its page does not have."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from scratchnet.book.chapters import markdown, without_code

ELSEWHERE = re.compile(r"^([a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)  # https:, mailto:, data:, attachment:


def links(text: str) -> list[str]:
    """Where the links and pictures of a Markdown text lead, in their order."""
    text = without_code(text)
    found = [(m.start(), m[1] or m[2]) for m in re.finditer(r"\]\(\s*(?:<([^>]*)>|([^\s()]+(?:\([^\s()]*\))?))", text)]
    found += [(m.start(), m[1]) for m in re.finditer(r"""<(?:a|img)\b[^>]*?\b(?:href|src)=["']([^"']+)["']""", text)]
    found += [(m.start(), m[1]) for m in re.finditer(r"^ {0,3}\[[^\]]+\]: *(\S+)", text, re.MULTILINE)]
    return [target for _, target in sorted(found)]


def anchors(path: Path) -> set[str]:
    """The names to which a link of this page can lead.

    A heading of a notebook is named as Jupyter and nbconvert name it, with hyphens for spaces; one of a Markdown file
    as GitHub names it: small letters, and no other signs.
    """
    text = without_code(_keep_code_in_headings(markdown(path)))
    headings = [_plain(m[1]) for m in re.finditer(r"^ {0,3}#{1,6} +(.+?) *#* *$", text, re.MULTILINE)]
    if path.suffix == ".md":
        names = {slug(heading) for heading in headings}
    else:
        names = {heading.replace(" ", "-") for heading in headings}
    return names | set(re.findall(r"""<[a-z]+\b[^>]*?\b(?:id|name)=["']([^"']+)["']""", text))


def slug(heading: str) -> str:
    """The name that GitHub gives to a heading of a Markdown file."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def dead_links(path: Path) -> list[str]:
    """A line for each link of this notebook or page that leads nowhere. Links to other sites are not followed.

    Args:
        path: a notebook, or a Markdown file.
    """
    dead = []
    for link in links(markdown(path)):
        if ELSEWHERE.match(link):
            continue
        file, _, anchor = unquote(link).partition("#")
        target = path.parent / file if file else path
        if not target.exists():
            dead.append(f"{path.name}: {link}: there is no such file")
        elif anchor and target.suffix in {".ipynb", ".md"} and anchor not in anchors(target):
            dead.append(f"{path.name}: {link}: {target.name} has no heading of that name")
    return list(dict.fromkeys(dead))


def _plain(heading: str) -> str:
    """A heading as it is shown: without stars, backticks, links and tags."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    heading = re.sub(r"<[^>]+>", "", heading)
    return re.sub(r"[`*]|(?<!\w)_|_(?!\w)", "", heading).strip()


def _keep_code_in_headings(text: str) -> str:
    return re.sub(r"^ {0,3}#{1,6} .*$", lambda m: m[0].replace("`", ""), text, flags=re.MULTILINE)
