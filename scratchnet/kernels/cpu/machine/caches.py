"""The sizes of this processor's caches, which say how much of a product is worked on at a time.

Linux tells them in files under /sys, macOS by sysctl. Where neither does, or a number cannot be true, `USUAL` stands:
sizes that no common processor is far below.

No result depends on them. They decide how far a sum goes before it is put aside, and it goes on where it stopped; where
a sum is cut into parts that are added is decided by shapes alone. And no kernel is compiled for them: they reach it as
arguments, so that kernels that are kept on disk are right for any caches.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import NamedTuple

_CPU = Path("/sys/devices/system/cpu/cpu0")


class Caches(NamedTuple):
    """Bytes that are near to one core: in its first cache, in its share of the second, and in what all cores share."""

    first: int
    second: int
    shared: int


USUAL = Caches(32 << 10, 512 << 10, 8 << 20)
_LEAST, _MOST = Caches(8 << 10, 64 << 10, 256 << 10), Caches(1 << 20, 64 << 20, 4 << 30)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _bytes(size: str) -> int:
    """Of "32K"; 0 where that is no size."""
    number, unit = size[:-1], {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(size[-1:])
    return int(number) * unit if unit and number.isdigit() else 0


def _count(processors: str) -> int:
    """How many are in a list such as "0-3,8"; at least 1."""
    ranges = [part.split("-") for part in processors.split(",") if part.replace("-", "").isdigit()]
    return max(1, sum(int(ends[-1]) - int(ends[0]) + 1 for ends in ranges))


def _from_files(cpu: Path) -> list[int]:
    """What Linux writes about the first processor: of each level, 0 where it does not."""
    sizes = [0, 0, 0, 0]
    siblings = _count(_text(cpu / "topology" / "thread_siblings_list"))  # threads of one core share all of its caches
    for folder in sorted((cpu / "cache").glob("index*")):
        level, size = _text(folder / "level"), _bytes(_text(folder / "size"))
        if level in ("1", "2", "3") and _text(folder / "type") in ("Data", "Unified"):
            cores = max(1, _count(_text(folder / "shared_cpu_list")) // siblings) if level == "2" else 1
            sizes[int(level)] = size // cores
    return sizes[1:]


def _sysctl(name: str) -> int:
    """A number that macOS knows by that name, 0 where it does not."""
    value, size = ctypes.c_int64(0), ctypes.c_size_t(8)
    try:
        call = ctypes.CDLL(None).sysctlbyname
    except (AttributeError, OSError, TypeError):
        return 0
    failed = call(name.encode(), ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0))
    return 0 if failed else value.value


def _from_sysctl() -> list[int]:
    """What macOS says; with cores of two kinds, of the fast ones. Apple's share the second and have no third."""

    def number(name: str) -> int:
        return _sysctl(f"hw.perflevel0.{name}") or _sysctl(f"hw.{name}")

    second = number("l2cachesize")
    return [number("l1dcachesize"), second // max(1, number("cpusperl2")), number("l3cachesize") or second]


def likely(sizes: list[int]) -> Caches:
    """These sizes, and the usual one for each that is missing or cannot be true."""
    return Caches(
        *(size if low <= size <= high else usual for size, low, high, usual in zip(sizes, _LEAST, _MOST, USUAL))
    )


def read() -> Caches:
    """The sizes on this machine."""
    if sys.platform == "darwin":
        return likely(_from_sysctl())
    if sys.platform == "linux":
        return likely(_from_files(_CPU))
    return USUAL


CACHES = read()
