"""The text of the package's CUDA C files, a function or a loop at a time."""

from __future__ import annotations

import textwrap
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "kernels" / "gpu"


def cuda_text(file: str, start: str, comment: bool = True, width: int = 96) -> str:
    """What begins with the first line that has `start` in it: a kernel, a function or a loop, up to its closing brace.

    Args:
        file: of the folder kernels/gpu, such as "conv/naive.cu".
        start: a part of the first line, such as "void conv2d(".
        comment: the lines of comment above it as well.
        width: longer lines are broken.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: there is no such line.
    """
    lines = (_FOLDER / file).read_text(encoding="utf-8").splitlines()
    first = next((number for number, line in enumerate(lines) if start in line), None)
    if first is None:
        raise ValueError(f"cuda_text: {file} has no line with {start!r}.")
    depth, last = 0, first
    for last in range(first, len(lines)):
        depth += lines[last].count("{") - lines[last].count("}")
        if depth == 0 and ("}" in lines[last] or lines[last].rstrip().endswith(";")):
            break
    while comment and first > 0 and lines[first - 1].lstrip().startswith("//"):
        first -= 1
    text = textwrap.dedent("\n".join(lines[first : last + 1]))
    return "\n".join(_broken(line, width) for line in text.splitlines())


def _broken(line: str, width: int) -> str:
    """A line that is too long in several, at its spaces, as far to the right as it begins and a little more."""
    indent = " " * (len(line) - len(line.lstrip()))
    more = "// " if line.lstrip().startswith("//") else "        "
    parts = textwrap.wrap(line.strip(), width, initial_indent=indent, subsequent_indent=indent + more,
                          break_long_words=False, break_on_hyphens=False)  # fmt: skip
    return line if len(line) <= width else "\n".join(parts)
