"""How many threads there are by default: the affinity and the quota of made-up control groups."""

import os

import numba
import pytest
from processes import python

from scratchnet import doctor
from scratchnet.kernels.cpu.machine import processors
from scratchnet.kernels.cpu.machine.processors import Processors, quota


@pytest.fixture
def tree(tmp_path):
    """Writes these files below a folder of groups, and what /proc/self/cgroup says; the quota that follows."""

    def write(own, files):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return quota(tmp_path / "groups", tmp_path / "own")

    return write


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000", "cpu.max": "400000 100000"}, 0.5),
        ("0::/a/b\n", {"a/b/cpu.max": "200000 100000", "a/cpu.max": "max 100000"}, 2.0),
        ("0::/not/here\n", {"cpu.max": "300000 100000"}, 3.0),  # a container that is told the host's path
        ("0::/../x\n", {"cpu.max": "100000 100000"}, 1.0),
        ("4:cpu,cpuacct:/d\n", {"cpu/d/cpu.cfs_quota_us": "25000", "cpu/d/cpu.cfs_period_us": "100000"}, 0.25),
        ("4:cpu,cpuacct:/\n", {"cpu,cpuacct/cpu.cfs_quota_us": "-1", "cpu,cpuacct/cpu.cfs_period_us": "1"}, None),
        ("3:cpuset:/\n0::/\n", {"cpuset/cpu.cfs_quota_us": "1", "cpuset/cpu.cfs_period_us": "1"}, None),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {"cpu.max": "100000 0"}, None),
        ("nonsense", {"cpu.max": "100000 100000"}, None),
    ],
)
def test_the_least_quota_on_the_way_up_counts(tree, own, files, expected):
    assert tree(own, files) == expected


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert quota(tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize(
    ("found", "usable", "words"),
    [
        (Processors(64, 64, None), 64, "64 processors"),
        (Processors(64, 2, None), 2, "affinity allows 2 of 64 processors"),
        (Processors(64, 2, 1.5), 2, "affinity allows 2 of 64 processors; the container's quota is 1.5"),
        (Processors(64, 64, 0.5), 1, "64 processors; the container's quota is 0.5"),
        (Processors(1, 1, None), 1, "1 processor"),
    ],
)
def test_how_many_threads_and_why(found, usable, words):
    assert (found.usable, found.described()) == (usable, words)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system binds no process to processors")
def test_the_affinity_is_this_process_s():
    assert processors.processors().allowed == len(os.sched_getaffinity(0))


# A process with four of Numba's threads and a quota of two processors.
LIMITED = """
import threading
import numba
from scratchnet.kernels.cpu.machine import processors
import numpy as np, scratchnet as sn
processors.limit = 2
def count():
    sn.kernels.cpu.relu(np.zeros(3, np.float32))
    return numba.get_num_threads()
if {by_hand}:
    numba.set_num_threads({by_hand})
counts = [count()]
numba.set_num_threads(4)
counts.append(count())
thread = threading.Thread(target=lambda: counts.append(count()))
thread.start()
thread.join()
print(*counts)
"""


@pytest.mark.parametrize(("by_hand", "expected"), [(0, "2 4 2"), (1, "1 4 2"), (3, "3 4 2")])
def test_kernels_keep_to_the_limit_unless_somebody_chose_a_number(by_hand, expected):
    assert python("-c", LIMITED.format(by_hand=by_hand), NUMBA_NUM_THREADS="4") == expected


def test_a_number_in_the_environment_wins(monkeypatch):
    monkeypatch.setattr(processors, "processors", lambda: Processors(64, 64, 0.5))
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 64)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "64")
    assert processors._limit() is None
    monkeypatch.delenv("NUMBA_NUM_THREADS")
    assert processors._limit() == 1


def test_the_doctor_says_which_number_and_why(monkeypatch):
    monkeypatch.setattr(processors, "processors", lambda: Processors(64, 2, 0.5))
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    (line,) = doctor.threads()
    count = numba.get_num_threads()
    assert line.fact.startswith(f"{count}: affinity allows 2 of 64 processors; the container's quota is 0.5; ")
    assert ("NUMBA_NUM_THREADS=1" in line.advice) == (count > 1)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    assert "NUMBA_NUM_THREADS says so" in doctor.threads()[0].fact
