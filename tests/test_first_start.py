"""The first start on a machine: its bar, its second process, and what is compiled ahead of it."""

import importlib.util
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numba
import numpy as np
import pytest
from processes import python

from scratchnet import compile as ahead_of_time
from scratchnet.kernels.cpu.compiling import bar, cache, linking, rehearsal, sharing
from scratchnet.kernels.cpu.compiling.bar import Progress
from scratchnet.kernels.cpu.machine import processors
from scratchnet.kernels.cpu.runtime.jit import serial


class Terminal(io.StringIO):
    def isatty(self):
        return True


def compile_for(progress, seconds, stream):
    """As if one kernel took so long, and another one within it no time."""
    now = time.perf_counter
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with progress.one():
            patch.setattr(time, "perf_counter", lambda: now() + seconds)
            with progress.one():
                pass


def test_a_long_compilation_shows_how_many_kernels_are_compiled():
    progress, terminal = Progress(), Terminal()
    compile_for(progress, 5, terminal)
    assert "compiling kernels for this processor, once a machine: 1 [00:0" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")  # its line is free again
    assert progress.count == 2
    assert 5 <= progress.seconds < 10


def test_one_short_kernel_shows_nothing():
    progress, terminal = Progress(), Terminal()
    compile_for(progress, 0.5, terminal)
    assert terminal.getvalue() == ""


def test_many_short_kernels_show_the_bar():
    progress, terminal = Progress(), Terminal()
    for _ in range(3):
        compile_for(progress, 0.5, terminal)
    assert bar.TITLE in terminal.getvalue()


@pytest.mark.parametrize("closed", [True, False])
def test_without_a_terminal_there_is_no_bar(closed):
    stream, progress = io.StringIO(), Progress()
    if closed:
        stream.close()
    compile_for(progress, 5, stream if closed else None)
    assert progress.count == 2


def test_whoever_wants_no_bars_gets_none(monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    progress, terminal = Progress(), Terminal()
    compile_for(progress, 5, terminal)
    assert (progress.count, terminal.getvalue()) == (2, "")


def test_a_stream_that_is_closed_while_the_bar_is_shown():
    progress, terminal = Progress(), Terminal()
    compile_for(progress, 5, terminal)
    terminal.close()
    with progress.one():
        pass
    assert progress.count == 3


def test_what_cannot_be_compiled_is_not_counted():
    progress = Progress()
    with pytest.raises(ZeroDivisionError), progress.one():
        raise ZeroDivisionError
    assert progress.count == 0
    assert progress._depth == 0


# Kernels without the machine code of their parts.


def test_this_numba_is_known():
    assert linking._Library is not None


def test_a_kernel_without_the_machine_code_of_its_parts_gives_the_same_bits():
    """The sums of a loop, compiled both ways."""

    def sums(x, y):
        for i in numba.prange(len(y)):
            total = x.dtype.type(0)
            for j in range(x.shape[1]):
                total += x[i, j] * x[i, j] / (1 + y[i])
            y[i] = total

    x, results = np.random.default_rng(0).random((64, 999), dtype=np.float32), []
    options = {"parallel": True, "fastmath": {"contract", "reassoc", "nsz", "arcp"}, "error_model": "numpy"}
    for watched in (bar.watched, lambda kernel: kernel):
        y = np.ones(64, np.float32)
        watched(numba.njit(**options)(sums))(x, y)
        results.append(y)
    np.testing.assert_array_equal(*results)


def test_numba_s_own_compiler_is_left_as_it_was():
    kernel = serial(lambda x: x + 1)
    assert kernel(1) == 2
    codegen = kernel.targetctx.codegen()
    assert "_library_class" not in vars(codegen)
    assert "set_env" not in vars(codegen)


# Two processes. What one of them does is played by the test.


class Other:
    """A second process that runs until it is told to end."""

    stdin = None

    def __init__(self):
        self.ended = False

    def poll(self):
        return 0 if self.ended else None

    def kill(self):
        self.ended = True

    def wait(self):
        return 0


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """kernel() is a kernel as each of two processes has it."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "trouble", None)
    path = tmp_path / "small.py"
    path.write_text("def add(x):\n    return x + 1\n")
    spec = importlib.util.spec_from_file_location("small", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda: serial(module.add)


@pytest.fixture
def other(tmp_path, monkeypatch):
    """The other process; this one shares its work with it."""
    for name in ("folder", "_second", "_owner"):
        monkeypatch.setattr(sharing, name, getattr(sharing, name))
    (tmp_path / "shared").mkdir()
    second = Other()
    sharing.share(tmp_path / "shared", second)
    yield second
    sharing.end()


def test_a_kernel_that_the_other_compiles_is_waited_for_and_loaded(kernel, other, monkeypatch):
    assert kernel()(1) == 2  # it is on disk from here on
    mine = kernel()
    busy = sharing.folder / sharing._name(mine._cache)
    found = mine._cache._read
    monkeypatch.setattr(mine._cache, "_read", lambda *args: None if busy.exists() else found(*args))
    busy.touch()
    assert sharing.is_taken(mine._cache)
    monkeypatch.setattr(sharing.time, "sleep", lambda _: busy.unlink())
    assert mine(1) == 2
    assert sum(mine.stats.cache_hits.values()) == 1
    assert not list(sharing.folder.iterdir())


def test_a_kernel_that_the_other_gave_up_is_compiled(kernel, other, monkeypatch):
    mine = kernel()
    busy = sharing.folder / sharing._name(mine._cache)
    busy.touch()
    monkeypatch.setattr(sharing.time, "sleep", lambda _: other.kill())
    assert mine(1) == 2
    assert sum(mine.stats.cache_misses.values()) == 1
    assert sharing.folder is None
    assert not busy.parent.exists()


def test_one_that_does_not_get_on_is_ended(kernel, other, monkeypatch):
    mine = kernel()
    (sharing.folder / sharing._name(mine._cache)).touch()
    monkeypatch.setattr(sharing, "_LONGEST", -1.0)
    assert mine(1) == 2
    assert other.ended


def test_a_kernel_that_cannot_be_compiled_is_given_back(kernel, other):
    mine = kernel()
    with pytest.raises(numba.TypingError):
        mine("text")
    assert not list(sharing.folder.iterdir())


def test_a_disk_without_space_ends_the_second_process(kernel, other, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(cache._Files, "_open_for_write", full)
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        assert kernel()(1) == 2
    assert other.ended


@pytest.mark.parametrize(
    "why", ["one thread", "one processor", "not writable", "no Python", "done before", "no second process"]
)
def test_where_a_second_process_is_of_no_use_or_cannot_be(tmp_path, monkeypatch, why):
    monkeypatch.setattr(sharing, "_asked", False)
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 1 if why == "one thread" else 2)
    count = 1 if why == "one processor" else 2
    monkeypatch.setattr(sharing.processors, "processors", lambda: sharing.processors.Processors(count, count, None))
    kept = tmp_path / "kept"
    if why == "not writable":
        kept.touch()
    if why == "no Python":
        monkeypatch.setattr(sys, "executable", None)
    if why == "done before":
        kept.mkdir()
        (kept / "compiled_by_two_stamp").touch()

    def refused(*_, **__):
        if why != "no second process":
            pytest.fail("a second process was begun")
        raise PermissionError("no processes here")

    monkeypatch.setattr(sharing.subprocess, "Popen", refused)
    monkeypatch.setattr(sharing.tempfile, "tempdir", str(tmp_path))
    sharing.start(kept, "stamp", cache.SOURCES)
    assert sharing.folder is None
    assert not list(tmp_path.glob("scratchnet_*"))


# Whole programs, each of which compiles all anew: the article's network, small, and what it prints of itself.
STEP = """
import numpy as np, scratchnet as sn
from scratchnet.kernels.cpu.compiling import bar, sharing
model = sn.zoo.article_cnn()
model.compile("adam", "sparse_categorical_crossentropy")
x, y = np.ones((32, 32, 32, 3), np.float32), np.zeros(32, int)
sn.set_random_seed(0)
print(model.train_on_batch(x, y), model.predict(x, verbose=0).sum(), bar.progress.count, sharing._asked)
"""


@pytest.fixture(scope="module")
def ahead(tmp_path_factory):
    """A folder in which `python -m scratchnet.compile` has put its kernels, and what it printed."""
    folder = tmp_path_factory.mktemp("ahead")
    printed = python("-m", "scratchnet.compile", NUMBA_CACHE_DIR=str(folder), NUMBA_NUM_THREADS="2")
    return folder, printed


def test_what_is_compiled_ahead_is_not_compiled_again(ahead):
    folder, printed = ahead
    assert f"They are kept in {folder}" in printed
    assert " kernels are compiled, which took " in printed
    *_, compiled, asked = python("-c", STEP, NUMBA_CACHE_DIR=str(folder), NUMBA_NUM_THREADS="2").split()
    assert (compiled, asked) == ("0", "False")


def test_what_is_compiled_ahead_and_cannot_be_kept(capsys, monkeypatch):
    monkeypatch.setattr(cache, "trouble", "OSError: No space left on device")
    monkeypatch.setattr(rehearsal, "begin", lambda: None)  # which is for a process of its own
    monkeypatch.setattr(sharing, "_asked", True)
    monkeypatch.setattr(ahead_of_time, "FIRST", [])
    with pytest.raises(SystemExit, match="NUMBA_CACHE_DIR"):
        ahead_of_time.main([])
    assert "and not kept: OSError: No space left on device" in capsys.readouterr().out


KILLED = """
import os, signal, sys
from pathlib import Path
import scratchnet
from scratchnet.kernels.cpu.compiling import cache, sharing
sharing.start(Path(sys.argv[1]), "stamp", cache.SOURCES)
print(sharing._second.pid, sharing.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def runs(pid):
    """Whether a process computes still; one that nobody has asked how it ended is there, but does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(processors.processors().usable < 2, reason="needs two processors")
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
def test_the_second_process_ends_with_the_first_however_that_ends(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_NUM_THREADS": "2"}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid, folder = done.stdout.split()
    until = time.monotonic() + 60
    while (runs(pid) or Path(folder).exists()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not runs(pid)
    assert not Path(folder).exists()
