"""Two processes that compile at once: a second one compiles from the end what the first will need.

Numba compiles one kernel at a time in a process, so threads would not help. `start` begins the second process at the
first parallel kernel that is not on disk: once a machine, where two processors are free and compiled kernels can be
kept. It finds out what the training of a network needs (`rehearsal.py`), and goes through it from the end, while this
process compiles what it comes upon. What each makes, the other finds on disk.

A file in a folder says that a kernel is being compiled: `take` makes it, or waits until the other process has removed
its own. Nobody waits in a circle: a process waits for a kernel that is called by the one it compiles, and kernels do
not call each other in circles.

The second process ends when it is done, and at the latest with the first one. Where it cannot be started, or ends
early, the first one compiles all by itself.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numba

from scratchnet.kernels.cpu.compiling import rehearsal
from scratchnet.kernels.cpu.machine import processors

_config: Any = numba.config
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from scratchnet.compile import help_to_compile; help_to_compile()"
_MET = "met_"  # begins the names of files that stay: a parallel kernel was not on disk
_POLL = 0.005  # seconds between two looks at the other's files
_LONGEST = 120.0  # seconds for which one kernel may be waited for

folder: Path | None = None  # of the files; None where this process compiles alone
_second: subprocess.Popen[bytes] | None = None  # None in the second process itself
_owner = 0  # the process that began to share: one that is forked from it does not
_held: Counter[str] = Counter()
_asked = False


def _name(cache: Any) -> str:
    """Of the file that says that this kernel is being compiled."""
    where = f"{cache.cache_path}/{cache._impl.filename_base}"
    return hashlib.sha256(where.encode()).hexdigest()[:24]


def _shares() -> bool:
    global folder
    if folder is None or _owner != os.getpid():
        return False
    if _second is not None and _second.poll() is not None:  # it has ended; what it left half done is ours
        shutil.rmtree(folder, ignore_errors=True)
        folder = None
    return folder is not None


def is_taken(cache: Any) -> bool:
    """Whether the other process is compiling this kernel."""
    return _shares() and not _held[_name(cache)] and (Path(str(folder)) / _name(cache)).exists()


def take(cache: Any) -> bool:
    """Whether this kernel is now ours to compile; False if the other process was compiling it, when it is done."""
    if not _shares() or not hasattr(cache, "cache_path"):
        return True
    assert folder is not None  # as _shares says
    name = _name(cache)
    if _held[name]:
        _held[name] += 1
        return True
    try:
        (folder / name).touch(exist_ok=False)
    except FileExistsError:
        _wait_for(folder / name)
        return False
    except OSError:  # the folder is gone
        return True
    _held[name] = 1
    if cache.parallel:
        with contextlib.suppress(OSError):
            (folder / f"{_MET}{name}").touch()
    return True


def _wait_for(file: Path) -> None:
    """Until the other process has removed it; one that does not get on is ended."""
    until = time.monotonic() + _LONGEST
    while _shares() and file.exists():
        if time.monotonic() > until:
            end()
        time.sleep(_POLL)


def needs_more(planned: Iterable[tuple[Any, Any]]) -> bool:
    """Whether the other process has come upon a parallel kernel that is not among these, with their types."""
    if not _shares():
        return False
    known = {_MET + _name(kernel._cache) for kernel, _ in planned}
    return any(file.name not in known for file in Path(str(folder)).glob(f"{_MET}*"))


def give(cache: Any) -> None:
    """A kernel that was taken is on disk, or cannot be compiled."""
    if folder is None or not _held or not hasattr(cache, "cache_path"):
        return
    name = _name(cache)
    _held[name] -= 1
    if _held[name] <= 0:
        del _held[name]
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def share(path: Path, second: subprocess.Popen[bytes] | None = None) -> None:
    """Compile together with another process from now on, by files in this folder."""
    global folder, _second, _owner
    folder, _second, _owner = path, second, os.getpid()


def start(kept: Path, stamp: str, sources: str, works: str = "") -> None:
    """Begin the second process, if one is of use; asked once, at the first parallel kernel that is not on disk.

    kept: where compiled kernels are. stamp: of the sources and of the processor: with the same, a second process was
    of use before and is no longer. works: what it is to rehearse, by names of `scratchnet.compile`.
    """
    global _asked
    if _asked or (rehearsal.planned is not None and not works):
        return
    _asked = True
    done = kept / f"compiled_by_two_{stamp[:16]}"
    two = processors.processors().usable > 1 and _config.NUMBA_NUM_THREADS > 1
    if not two or not sys.executable or getattr(sys, "frozen", False) or (done.exists() and not works):
        return
    try:
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=kept):  # what one process makes, the other must find
            pass
        path = Path(tempfile.mkdtemp(prefix="scratchnet_"))
    except OSError:
        return
    environment = {**os.environ, **({"NUMBA_CACHE_DIR": _config.CACHE_DIR} if _config.CACHE_DIR else {})}
    try:
        second = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(Path(__file__).parents[4]), str(path), sources, str(done), works],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, ValueError):
        shutil.rmtree(path, ignore_errors=True)
        return
    share(path, second)
    atexit.register(end)


def wait() -> None:
    """Until the second process is done."""
    if _second is not None and _owner == os.getpid():
        _second.wait()
        end()


def end() -> None:
    """End the second process, and leave nothing of it behind."""
    global folder, _second
    if _second is None or _owner != os.getpid():
        return
    _second.kill()
    _second.wait()
    if _second.stdin is not None:
        _second.stdin.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    folder = _second = None
