"""How many threads the kernels use by default: as many as there are processors that this process may use.

A system counts the processors of the machine. A process may be bound to some of them (its affinity), and a container
may have a quota: so much processor time a period, such as half a processor's. With more threads than the quota allows,
all stand still for the rest of each period. Numba asks for the affinity only.

The quota of a cgroup holds for all groups below it, so the least on the way from the group of the process up to the
root counts:

    version 2    /sys/fs/cgroup/PATH/cpu.max                  "MICROSECONDS PERIOD", or "max PERIOD"
    version 1    /sys/fs/cgroup/cpu/PATH/cpu.cfs_quota_us     microseconds, -1 for no quota; cpu.cfs_period_us

PATH stands in /proc/self/cgroup, a line a hierarchy: NUMBER:CONTROLLERS:PATH, with no controllers for version 2.
Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and Documentation/scheduler/sched-bwc.rst.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numba

_config: Any = numba.config
_VARIABLE = "NUMBA_NUM_THREADS"
_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class Processors(NamedTuple):
    """Processors of the machine, those that this process is bound to, and the container's quota in processors."""

    machine: int
    allowed: int
    quota: float | None

    @property
    def usable(self) -> int:
        """How many threads can run at once, at least 1: a part of a processor is good for a thread as well."""
        return max(1, self.allowed if self.quota is None else min(self.allowed, math.ceil(self.quota)))

    def described(self) -> str:
        """What limits the number, in words."""
        count = "processor" if self.machine == 1 else "processors"
        limits = [f"{self.machine} {count}"]
        if self.allowed < self.machine:
            limits = [f"affinity allows {self.allowed} of {self.machine} {count}"]
        if self.quota is not None:
            limits.append(f"the container's quota is {self.quota:g}")
        return "; ".join(limits)


def _own_paths(text: str) -> Iterator[tuple[list[str], PurePosixPath]]:
    """The controllers and the path of each line of /proc/self/cgroup."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        yield [name for name in controllers.split(",") if name], PurePosixPath(path.lstrip("/"))


def _quota_2(folder: Path) -> float:
    limit, period = (folder / "cpu.max").read_text().split()
    return math.inf if limit == "max" else int(limit) / int(period)


def _quota_1(folder: Path) -> float:
    limit = int((folder / "cpu.cfs_quota_us").read_text())
    return math.inf if limit < 0 else limit / int((folder / "cpu.cfs_period_us").read_text())


def quota(groups: Path = _GROUPS, own: Path = _OWN_GROUPS) -> float | None:
    """The least quota of the cgroups that this process is in, in processors; None where there is none.

    A container often sees its own group as the root of the tree, whatever path it is told: a folder that is not there
    is passed over, and the root is looked at in any case.
    """
    found = [math.inf]
    with contextlib.suppress(OSError, ValueError):
        for controllers, path in _own_paths(own.read_text()):
            if not controllers:
                root, read = groups, _quota_2
            elif "cpu" in controllers:
                names = ("cpu", ",".join(controllers))
                root = next((groups / name for name in names if (groups / name).is_dir()), groups)
                read = _quota_1
            else:
                continue
            for folder in (path, *path.parents):
                # No such file, or something else in it: no quota that is known.
                with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
                    found.append(read(root / folder))
    least = min(found)
    return least if 0 < least < math.inf else None


def processors() -> Processors:
    """What is there, asked anew."""
    machine = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    return Processors(machine, allowed, quota())


def chosen_by_user() -> bool:
    """Whether NUMBA_NUM_THREADS says how many threads there shall be."""
    return bool(os.environ.get(_VARIABLE))


def _limit() -> int | None:
    usable = processors().usable
    return None if chosen_by_user() or usable >= _config.NUMBA_NUM_THREADS else usable


limit = _limit()  # how many threads kernels use by default; None where that is Numba's own number
_here = threading.local()


def limit_threads() -> None:
    """Let the kernels that this Python thread launches use at most `limit` threads; only the first call in it counts.

    Numba has a number for each thread. One that `numba.set_num_threads` has already made smaller stays.
    """
    if limit is not None and not hasattr(_here, "asked"):
        _here.asked = True
        if numba.get_num_threads() == _config.NUMBA_NUM_THREADS:
            numba.set_num_threads(limit)
