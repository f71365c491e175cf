"""Steps that a device records and then repeats as a whole, without Python; and what in them is new each time.

A GPU runs the kernels of a small network faster than Python asks for them. So `fit` lets it record several steps of
training (a CUDA graph) and launches them as one. While a device records, nothing is computed: Python runs once through
the step, and each kernel that it asks for is noted down with its arrays. Then three things are not as usual, and
whoever writes a layer, a loss or an optimizer finds them here:

- Numbers from the host that change from step to step, such as a learning rate or a seed: `fresh(make)`. What a step
  does on the host beside that: `also(action)`.
- Numbers that Python would look at, such as the loss: none is there yet. `finite(loss)`.
- Checks of numbers that lie on the device: `unchecked()` says to leave them out; the steps before were checked.

Outside of a recording `fresh(make)` is `make()`, `finite` is `math.isfinite`, and `unchecked()` is False.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Recording(Protocol):
    """What a device offers to those who record on it; the GPU's is `kernels/gpu/runtime/graph.py`."""

    def fresh(self, make: Callable[[], Any]) -> Any:
        """See the function of this name."""

    def watch(self, loss: Any) -> None:
        """From a loss on that is not finite, no optimizer of the recording moves a weight."""


class _Active(threading.local):
    recording: Recording | None = None


_active = _Active()  # each thread records its own steps


class NotRecorded(RuntimeError):
    """Something in a step cannot be recorded; the message says what."""


def recording() -> Recording | None:
    """The recording that this thread is in."""
    return _active.recording


@contextmanager
def into(recording: Recording) -> Iterator[None]:
    """Within it this thread records."""
    if _active.recording is not None:
        raise NotRecorded("a recording within a recording")
    _active.recording = recording
    try:
        yield
    finally:
        _active.recording = None


def fresh(make: Callable[[], Any]) -> Any:
    """The host's numbers for a step: what make() gives, an array, a number or a tuple of them.

    In a recording it is an array on the device (without axes for a number) whose numbers are made anew before each
    replay: make is called once for each step, in the order of the steps, as without a recording. What it changes beside
    that, such as a counter, then changes in each step, too.
    """
    active = _active.recording
    return make() if active is None else active.fresh(make)


def also(action: Callable[[], None]) -> None:
    """Do something on the host that belongs to a step, such as counting it; each replay does it again."""

    def nothing() -> tuple[()]:
        action()
        return ()

    fresh(nothing)


def finite(loss: Any) -> bool:
    """Whether a loss is finite, so that the weights may move. In a recording that is found out on the device."""
    active = _active.recording
    if active is None:
        return math.isfinite(loss)
    active.watch(loss)
    return True


def unchecked() -> bool:
    """Whether to leave out checks that would look at numbers on the device."""
    return _active.recording is not None


def number(value: Any) -> Any:
    """A loss or another sum, an array without axes, as a Python float; in a recording as it is."""
    return float(value) if _active.recording is None else value
