"""Files written whole or not at all: who reads sees the old file or the new one, never a part, whatever is killed."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

ABANDONED = 3600  # seconds since its last byte, after which an unfinished file is nobody's


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file open for writing bytes, under a name of its own; at the end it is flushed to the disk and renamed to path.

    An error within leaves the file at `path` as it was. What a process left that was killed as it wrote is removed by
    the next one that writes there, once it is an hour old: before that, its writer may still be at it.

    Raises:
        OSError: the folder or the disk does not let us.
    """
    path = Path(path)
    _remove_abandoned(path)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # before the rename, or a power cut could leave the name without the data
        os.replace(unfinished, path)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _remove_abandoned(path: Path) -> None:
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()
