"""Settings of all tests: the same examples in every run, and no limit on an example that has to compile first."""

import signal

import pytest
import small_cifar
import stand_in
from devices import device  # noqa: F401 - a fixture of all tests
from hypothesis import settings

from scratchnet.datasets import cifar10

settings.register_profile("scratchnet", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("scratchnet")


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
