"""Settings of all tests: how many workers and threads run them, and which examples Hypothesis draws."""

import os
import signal
import tempfile
from pathlib import Path

from one_thread import WORKER  # before NumPy and Numba

import numba
import pytest
import small_cifar
import stand_in
from devices import device  # noqa: F401 - a fixture of all tests
from hypothesis import settings

from scratchnet.datasets import cifar10

# Exercises that tests and notebooks pass are not the user's: they are remembered in a folder of this process.
CACHE = tempfile.TemporaryDirectory(prefix="scratchnet-exercises-")
os.environ["SCRATCHNET_CACHE"] = CACHE.name

# The same examples in every run of the continuous integration, so that a failure is the change's; elsewhere others each
# time, and one that failed is tried first the next time. `--hypothesis-profile=wide` picks by name.
settings.register_profile("same", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("random", deadline=None, max_examples=25)
settings.register_profile("wide", deadline=None, max_examples=1000)
settings.register_profile("few", deadline=None, derandomize=True, max_examples=4)
settings.load_profile("same" if os.environ.get("CI") else "random")


def pytest_configure(config):
    if WORKER:
        numba.set_num_threads(1)
    config.pluginmanager.register(KernelsOfNotebooks())


def pytest_unconfigure():
    CACHE.cleanup()


class KernelsOfNotebooks:
    """How Jupyter's kernels start: without the bar of compiling, which would be one output more than is stored, and in
    workers with one thread only. A plugin, since notebooks stand outside of this folder.
    """

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        if item.path.suffix != ".ipynb":
            return (yield)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TQDM_DISABLE", "1")
            if WORKER:
                patch.setenv("NUMBA_NUM_THREADS", "1")
            return (yield)


# Files that take long begin first, so that no worker is left with one at the end; of the others the order is pytest's.
LONG = [
    "test_narrow_vectors.py",
    "test_compiling.py",
    "test_gpu_sanitized.py",
    "*.ipynb",
    "test_gpu_compiles.py",
    "test_threads.py",
    "test_bench.py",
    "test_wheel.py",
    "test_resume.py",
]


def pytest_collection_modifyitems(items):
    def place(item):
        return next((number for number, pattern in enumerate(LONG) if item.path.match(pattern)), len(LONG))

    items.sort(key=place)


def pytest_xdist_auto_num_workers(config):
    """As many workers as processors; but none for a single file, where starting them takes longer than the tests."""
    paths = [Path(argument.partition("::")[0]) for argument in config.args]
    return 0 if len(set(paths)) == 1 and paths[0].is_file() else None


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder of the test's own, and a small CIFAR-10 to lay there."""
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    monkeypatch.setattr(cifar10, "DESCRIPTION", small_cifar.description())
    return tmp_path


@pytest.fixture
def python_handles_ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, whatever the process that started the tests made of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def stand_in_device():
    """A device that stands in for a GPU is known to the package."""
    with stand_in.registered():
        yield


@pytest.fixture
def gpu():
    """The device that stands in for a GPU is known as the GPU, and has a memory of its own, of a gigabyte."""
    with stand_in.registered("gpu", free_memory=lambda: 10**9):
        yield
