"""The warning that an old name is answered by."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

PACKAGE = __name__.partition(".")[0]
_HERE = str(Path(__file__).parent.parent)
_told: set[str] = set()


class OldName(UserWarning):
    """A name of Keras 1 or 2 was used; the text says today's."""


def tell(old: str, today: str) -> None:
    """Warn at the line of the reader's program that used the old name, once for each name."""
    if old in _told:
        return
    _told.add(old)
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((_HERE, "<frozen importlib")):
        level += frame.f_code.co_filename.startswith(_HERE)  # those of the import itself do not count in a stacklevel
        frame = frame.f_back
    warnings.warn(f"{old} is of an earlier Keras: {today}", OldName, stacklevel=level)
