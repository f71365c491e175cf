"""Files written whole or not at all: who reads sees the old file or the new one, never a part, whatever is killed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import platform
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

ABANDONED = 3600  # seconds since its last byte, after which an unfinished file is nobody's
DESCRIPTOR = re.compile("/dev/(stdin|stdout|stderr|fd/.*)|/proc/[^/]+/fd/.*")  # names of files that are open already
KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file open for writing bytes, under a name of its own; at the end it is flushed to the disk and renamed to path.

    An error within leaves the file at `path` as it was. What a process left that was killed as it wrote is removed by
    the next one that writes there: at once where that process is known to be gone, else when it is an hour old.

    Where `path` is a link, the file that it leads to is replaced; one that is there keeps its permissions.

    Raises:
        OSError: the folder or the disk does not let us, or what is there is no regular file and would be lost; the
            error names `path`.
    """
    wanted, path = os.fspath(path), real_path(path)
    check_replaceable(path, wanted)
    _remove_abandoned(path)
    unfinished = path.with_name(f"{_start(path)}{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # before the rename, or a power cut could leave the name without the data
        with contextlib.suppress(FileNotFoundError):
            os.chmod(unfinished, stat.S_IMODE(path.stat().st_mode))
        os.replace(unfinished, path)
    except OSError as error:
        # A full disk's error names no file; the reader knows this one by the name that was given.
        if error.filename not in (None, str(unfinished), unfinished) or error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, wanted) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def real_path(path: str | os.PathLike[str]) -> Path:
    """The path with links followed, absolute.

    Raises:
        FileNotFoundError: it is relative, and the working folder is gone.
    """
    try:
        return Path(os.path.realpath(path))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            errno.ENOENT,
            "the working folder was deleted; give an absolute path, or change to another folder",
            str(path),
        ) from error


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """What stands at a path, in words, where it is no regular file; None for a regular file, or for nothing.

    /dev/stdout is no regular file even where the shell has sent it to one: others write there at the same time.
    """
    if DESCRIPTOR.fullmatch(os.path.abspath(path)):
        return "an open file of a process"
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None
    return None if stat.S_ISREG(mode) else next((name for fits, name in KINDS if fits(mode)), "no regular file")


def check_replaceable(path: Path, wanted: str | os.PathLike[str]) -> None:
    """Raise an OSError where something stands at the path, `wanted` with links followed, that a file would replace."""
    kind = kind_of(wanted) or kind_of(path)
    if kind == "a folder":
        raise IsADirectoryError(errno.EISDIR, "expected the name of a file, got that of a folder", os.fspath(wanted))
    if kind is not None:
        raise FileExistsError(
            errno.EEXIST, f"expected a regular file or none, got {kind}, which a file would replace", os.fspath(wanted)
        )


def check_writable(path: Path) -> None:
    """Make the folder of a file that is to be written later, and raise an OSError at once if it cannot be."""
    real = real_path(path)
    real.parent.mkdir(parents=True, exist_ok=True)
    check_replaceable(real, path)
    if not os.access(real.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "the folder does not let us write", str(path.parent))


def _start(path: Path) -> str:
    """How the names of this file's unfinished ones begin: short, for a file's name may be as long as they come.

    The machine is a part of it: another one, on the same network drive, has its own numbers for processes.
    """
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    machine = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
    return f".{name}.{machine}."


def _is_gone(process: int) -> bool:
    """Whether there is certainly no such process on this machine."""
    if os.name != "posix" or process == os.getpid():  # elsewhere the signal 0 is none: it would end the process
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, and another user's
        return False
    return False


def _remove_abandoned(path: Path) -> None:
    """Remove unfinished files of this name that nobody is at any more; where that cannot be, they stay."""
    ours, start = _start(path), _start(path).rsplit(".", 2)[0]
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:  # closed also where another one cleans up
        for entry in entries:
            if not (entry.name.startswith(start) and entry.name.endswith(".part")):
                continue
            process = entry.name.split(".")[3]
            gone = entry.name.startswith(ours) and process.isdecimal() and _is_gone(int(process))
            if gone or time.time() - entry.stat().st_mtime > ABANDONED:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
