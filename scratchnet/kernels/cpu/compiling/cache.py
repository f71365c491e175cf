"""Compiled kernels on disk: every later process finds them, and none runs one that is not right for it.

Numba's own cache looks for a kernel by the file that it stands in, its name, its types and the variables that it holds.
That goes wrong with kernels that call each other and that functions make, in four ways. What is done here:

- A kernel contains the code of the kernels that it calls, which stand in other files. Numba sees a change of its own
  file only. Here all kernels are compiled anew when any file of kernels/cpu has changed.
- Two kernels that one function makes, `kernel` for P = 4 and for P = 6, have one name. Numba tells them apart by a
  number that counts from 1 in each process, so that a process may run the kernel for 4 as that for 6, which writes
  beyond its arrays. Here each gets a name of its own, by `variant`.
- Among the variables that a kernel holds may be another kernel. Numba would look for it by its address, which no later
  process has. Here kernels are left out of what is looked for.
- Two processes that compile a kernel for different types at once may write to one file. What is found is run only if it
  was compiled for the types that were asked for.

A cache that cannot be read or written is as good as none: a folder without the right to write, a full disk, damaged
files. Kernels are then compiled anew, and one warning a process says so. Damage is found by a checksum, since Numba
would run whatever machine code it finds; it includes the stamp of the sources, since an index may name a file that a
full disk left as an older version wrote it.

This stands on parts of Numba that are not public. Where another version has changed them, kernels are not kept on disk:
a slower start, and a warning.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pickle
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from scratchnet.kernels.cpu.compiling import sharing
from scratchnet.kernels.cpu.compiling.bar import watched

_FILES = sorted(Path(__file__).parents[1].rglob("*.py"))  # of kernels/cpu with all its rooms
SOURCES = hashlib.sha256(b"".join(path.read_bytes() for path in _FILES)).hexdigest()


KNOWN = "0.60 to 0.68"  # versions of Numba whose cache is built as this file expects it


def _private(path: str) -> Any:
    """A part of Numba that is not public, such as "numba.core.caching.FunctionCache"; None where there is none."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


_FunctionCache = _private("numba.core.caching.FunctionCache")
_IndexDataCacheFile = _private("numba.core.caching.IndexDataCacheFile")
_normalize_signature = _private("numba.core.sigutils.normalize_signature")

# What `_Cache` overrides or sets has an effect only where Numba's own methods use it.
_USED: dict[str, dict[str, tuple[str, ...]]] = {
    "numba.core.caching.FunctionCache": {
        "load_overload": ("_load_overload",),
        "_load_overload": ("_index_key", "_cache_file"),
        "_save_overload": ("_index_key", "_cache_file"),
        "save_overload": ("_save_overload",),
        "__init__": ("_impl", "_cache_path", "_cache_file"),
    },
    "numba.core.caching.IndexDataCacheFile": {
        "__init__": ("_cache_path", "_index_path", "_source_stamp", "_version"),
        "load": ("_load_index", "_load_data"),
        "save": ("_load_index", "_save_index", "_save_data"),
        "_save_index": ("_source_stamp", "_version", "_index_path", "_dump"),
        "_save_data": ("_data_path", "_dump"),
    },
    "numba.core.dispatcher.Dispatcher": {"compile": ("_cache",), "enable_caching": ("_cache",)},
}


def difference() -> str | None:
    """What in this version of Numba is not as `_Cache` expects it; None where all is."""
    for path, methods in _USED.items():
        for method, names in methods.items():
            code = getattr(getattr(_private(path), method, None), "__code__", None)
            for name in names:
                if code is None or name not in code.co_names:
                    return f"{path}.{method} does not use {name}"
    if _normalize_signature is None or not hasattr(_private("numba.core.compiler.CompileResult"), "signature"):
        return "no normalize_signature, or no CompileResult.signature"
    return None


_DIFFERENCE = difference()
if _DIFFERENCE is not None:
    warnings.warn(
        f"Kernels are compiled anew in each process, and nothing is kept in NUMBA_CACHE_DIR: Numba {numba.__version__} "
        f"keeps compiled kernels in a way that scratchnet does not know ({_DIFFERENCE}). All results are right; the "
        f"start is slower. A Numba that it knows is {KNOWN}.",
        RuntimeWarning,
        stacklevel=2,
    )


_folders: dict[str, None] = {}  # in use, the one of the first kernel first; each folder of kernels has its own
trouble: str | None = None  # why kernels were not read or written in this process, the first time


def _note(error: Exception) -> None:
    """Warn that kernels are compiled anew; once a process."""
    global trouble
    sharing.end()  # another process would not find what is compiled here
    if trouble is None:
        trouble = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"Compiled kernels cannot be kept on disk, or those that are there cannot be used ({trouble}). They are "
            "compiled anew, which makes the start slower; all results are right. Set NUMBA_CACHE_DIR to a folder of "
            "yours with free space: they are kept there. python -m scratchnet.doctor says where they are now.",
            RuntimeWarning,
            stacklevel=2,
        )


class _Files(_IndexDataCacheFile or object):  # type: ignore[misc]  # a class that is looked up has no type
    """Numba's files of one kernel, each with a checksum at its end, behind where pickle stops to read."""

    def __init__(self, cache_path: str, filename_base: str, source_stamp: Any):
        super().__init__(cache_path=cache_path, filename_base=filename_base, source_stamp=(source_stamp, SOURCES))
        self._version = f"{numba.__version__}, with checksums"  # without them, a file is as of another version

    def _checksum(self, data: bytes) -> bytes:
        return zlib.crc32(data, zlib.crc32(repr(self._source_stamp).encode())).to_bytes(4, "big")

    def _dump(self, content: Any) -> bytes:
        data = super()._dump(content)
        return data + self._checksum(data)

    def _load_index(self) -> dict[Any, str]:
        """Which data file has which types; nothing where the index is missing, of other sources, or damaged."""
        try:
            with open(self._index_path, "rb") as file:
                if pickle.load(file) != self._version:
                    return {}
                data = file.read()
            stamp, overloads = pickle.loads(data)
            if stamp != self._source_stamp:
                return {}
            self._check(data, self._index_path)
        except FileNotFoundError:
            return {}
        except Exception as error:  # damaged bytes can make anything
            _note(error)
            return {}
        return overloads

    def _load_data(self, name: str) -> Any:
        with open(self._data_path(name), "rb") as file:
            data = file.read()
        self._check(data, self._data_path(name))
        return pickle.loads(data)

    def _check(self, data: bytes, path: str) -> None:
        if self._checksum(data[:-4]) != data[-4:]:
            raise ValueError(f"{path} is damaged, or of another version")


class _Cache(_FunctionCache or object):  # type: ignore[misc]  # a class that is looked up has no type
    """Numba's cache of one kernel, with other conditions."""

    def __init__(self, function: Callable[..., Any], parallel: bool, first: bool):
        super().__init__(function)
        self.function, self.parallel, self.first = function, parallel, first
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp())

    def load_overload(self, signature: Any, target: Any) -> Any:
        """What was compiled for these types; None where nothing is there that can be read."""
        found = self._read(signature, target)
        if found is None:
            if (self.parallel or self.first) and trouble is None:
                stamp = hashlib.sha256(f"{SOURCES} {target.codegen().magic_tuple()}".encode()).hexdigest()
                sharing.start(first_folder(), stamp, SOURCES)
            while not sharing.take(self):
                found = self._read(signature, target)
                if found is not None:
                    break
        return found

    def _read(self, signature: Any, target: Any) -> Any:
        try:
            return super().load_overload(signature, target)
        except Exception as error:
            _note(error)
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Write what was compiled, if that is possible."""
        try:
            super().save_overload(signature, compiled)
        except Exception as error:
            _note(error)
        finally:
            sharing.give(self)

    def _index_key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        held = [cell.cell_contents for cell in self.function.__closure__ or ()]
        values = [value for value in held if not hasattr(value, "py_func")]  # all but kernels
        return signature, codegen.magic_tuple(), repr(values)

    def _load_overload(self, signature: Any, target: Any) -> Any:
        found = super()._load_overload(signature, target)
        types, _ = _normalize_signature(signature)
        return found if found is not None and tuple(found.signature.args) == tuple(types) else None


def cached(kernel: Any) -> Any:
    """Keep what is compiled of a kernel on disk, where there is a folder for it."""
    if _DIFFERENCE is None:
        try:
            # What runs the kernels is no kernel itself; it is compiled before the first one.
            options = getattr(kernel, "targetoptions", None)
            kernel._cache = _Cache(kernel.__wrapped__, bool(options and options.get("parallel")), options is None)
            _folders[kernel._cache.cache_path] = None
        except (OSError, RuntimeError) as error:  # RuntimeError: "no locator available"
            _note(error)
    return watched(kernel)


def folder() -> Path | None:
    """The folder below which compiled kernels are kept; None where they are not."""
    return Path(os.path.commonpath(_folders)) if _folders else None


def first_folder() -> Path:
    """The folder of the kernel that was made first, the same one in every process."""
    return Path(next(iter(_folders)))


def variant(*parameters: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Name a function after the parameters that it is made for; below the decorator that compiles it."""

    def name(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__qualname__ = "_".join(map(str, (function.__qualname__, *parameters)))
        return function

    return name
