"""Printing that never ends a run: `say` is for what is nice to read, and a run goes on where nobody can read it."""

from __future__ import annotations

import sys
from typing import Any, TextIO


def usable(stream: TextIO | None) -> bool:
    """Whether something can be written: a program without a console, such as pythonw's, has None for a stream."""
    return stream is not None and not getattr(stream, "closed", False)


def say(*values: Any, sep: str = " ") -> None:
    """As `print`, at once; nothing where standard output is None or closed, and "?" for what it has no letters for."""
    stream = sys.stdout
    if not usable(stream):
        return
    text = sep.join(map(str, values)) + "\n"
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a console that knows ASCII or one code page, and a name in Chinese
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()
