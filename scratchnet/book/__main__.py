"""`python -m scratchnet.book`: the book as a static web site. Ends with status 1 where a link leads nowhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from scratchnet.book import chapters, contents, site


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the arguments of the command line ask for; the status of the process."""
    parser = argparse.ArgumentParser(
        prog="python -m scratchnet.book", description="The notebooks as a static web site."
    )
    parser.add_argument("--output", type=Path, default=Path("site"), help="folder of the pages (default: site)")
    parser.add_argument(
        "--mathjax", type=Path, help="MathJax 3's file tex-svg.js, copied beside the pages: formulas without a network"
    )
    parser.add_argument("--contents", action="store_true", help="only make notebooks/README.md and its thumbnails anew")
    asked = parser.parse_args(arguments)
    notebooks = chapters.folder()
    if asked.contents:
        for path in contents.write(notebooks):
            print(f"{path.relative_to(notebooks.parent).as_posix()}: {path.stat().st_size:,} bytes")
        return 0
    written, dead = site.build(notebooks, asked.output, asked.mathjax)
    print(f"{len(written)} pages in {asked.output}: open {written[0]}")
    for line in dead:
        print(line, file=sys.stderr)
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
