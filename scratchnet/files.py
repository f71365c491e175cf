"""Files written whole or not at all: who reads sees the old file or the new one, never a part, whatever is killed."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import stat
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

    Where `path` is a link, the file that it leads to is replaced; one that is there keeps its permissions.

    Raises:
        OSError: the folder or the disk does not let us; the error names `path`.
    """
    wanted, path = path, Path(os.path.realpath(path))
    _remove_abandoned(path)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # before the rename, or a power cut could leave the name without the data
        with contextlib.suppress(FileNotFoundError):
            os.chmod(unfinished, stat.S_IMODE(path.stat().st_mode))
        os.replace(unfinished, path)
    except OSError as error:
        if error.filename != str(unfinished) and error.filename != unfinished:
            raise
        raise type(error)(error.errno, error.strerror, os.fspath(wanted)) from error  # the reader's name for it
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def check_writable(path: Path) -> None:
    """Make the folder of a file that is to be written later, and raise an OSError at once if it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "expected the name of a file, got that of a folder", str(path))
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "the folder does not let us write", str(path.parent))


def _remove_abandoned(path: Path) -> None:
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()
