"""Training steps recorded as a CUDA graph and launched as one.

A launch costs the CPU some microseconds, and a step of a small network has thirty: Python asks for kernels more slowly
than the GPU runs them. A graph of several steps is one launch. See `scratchnet.replay` for what that asks of layers.

    graph = Graph()
    losses = graph.record(steps)      # Python runs through steps() once; nothing is computed
    graph.replay()                    # computes it, with the numbers that were fresh in `record`
    graph.replay()                    # ... with new ones

Everything that happens in a recording has its arrays from a pool of the graph's own: replays write there, long after
Python has let go of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cupy
import numpy as np

from scratchnet import replay
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)
_PAGE = 1 << 16  # bytes of small inputs that go to the device in one copy
_SMALL = 1 << 12  # bytes of an input that is put into a page


class _Page:
    """Inputs side by side, in the CPU's memory and on the device."""

    def __init__(self, size: int) -> None:
        self.here, self.there, self.used = np.zeros(size, np.uint8), cupy.empty(size, np.uint8), 0

    def room(self, shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.ndarray, Any] | None:
        """Room for an array, in both memories; None where there is not enough left."""
        start = -(-self.used // 16) * 16  # aligned for every dtype
        stop = start + int(np.prod(shape)) * dtype.itemsize
        if stop > len(self.here):
            return None
        self.used = stop
        return tuple(part[start:stop].view(dtype).reshape(shape) for part in (self.here, self.there))  # type: ignore


class _Input(NamedTuple):
    """Numbers that each replay brings anew, and where they lie in the CPU's memory, in the order of `make`'s."""

    make: Callable[[], Any]
    places: list[np.ndarray]


def _arrays(value: Any) -> list[np.ndarray]:
    """What `make` gave, as arrays."""
    parts = value if isinstance(value, tuple) else (value,)
    return [np.asarray(part) for part in parts]


class Graph:
    """A recording of steps, and its replays. One for each thread; a graph is launched on a stream of its own.

    Attributes:
        bad: on the device, whether a loss was not finite; the optimizers' kernels look at it.
    """

    def __init__(self) -> None:
        self.stream = cupy.cuda.Stream(non_blocking=True)  # CUDA records no other kind
        self._pool = cupy.cuda.MemoryPool()
        self._inputs: list[_Input] = []
        self._pages: list[_Page] = []
        self._graph: Any = None
        self._used = False  # whether the fresh numbers have been
        self.bad = cupy.zeros(1, np.int32)

    def fresh(self, make: Callable[[], Any]) -> Any:
        """See `scratchnet.replay.fresh`."""
        value = make()
        places, there = [], []
        for array in _arrays(value):
            here, on_device = self._room(array.shape, array.dtype)
            here[...] = array
            places.append(here)
            there.append(on_device)
        self._inputs.append(_Input(make, places))
        return tuple(there) if isinstance(value, tuple) else there[0]

    def _room(self, shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.ndarray, Any]:
        size = int(np.prod(shape)) * dtype.itemsize
        if size <= _SMALL:
            for page in self._pages:
                if (room := page.room(shape, dtype)) is not None:
                    return room
        self._pages.append(_Page(max(size, 1) if size > _SMALL else _PAGE))
        room = self._pages[-1].room(shape, dtype)
        assert room is not None  # the page was made for it
        return room

    def watch(self, loss: Any) -> None:
        """See `scratchnet.replay.finite`."""
        _source.launch("watch", np.dtype(np.float64), (1,), (1,), loss, self.bad)

    def record(self, steps: Callable[[], Any]) -> Any:
        """Run through steps() once, noting down what it asks of the device; what it returns is filled by each replay.

        Raises:
            NotRecorded: something in it cannot be recorded, such as a number that Python looks at.
        """
        self.stream.synchronize()
        with replay.into(self), cupy.cuda.using_allocator(self._pool.malloc), self.stream:
            self.stream.begin_capture()
            try:
                result = steps()
            except Exception as error:
                self._end_capture()
                raise replay.NotRecorded(f"{type(error).__name__}: {error}") from error
            graph = self._end_capture()
        if graph is None:
            raise replay.NotRecorded("CUDA gave no graph")
        self._graph = graph
        return result

    def _end_capture(self) -> Any:
        """The graph; None where the recording has become invalid."""
        try:
            return self.stream.end_capture()
        except Exception:  # CUDA's own error, whose name is another in each version
            return None

    def replay(self) -> None:
        """Compute what was recorded, and wait for it."""
        if self._used:
            for make, places in self._inputs:
                for place, array in zip(places, _arrays(make())):
                    place[...] = array
        self._used = True
        cupy.cuda.get_current_stream().synchronize()  # a batch may still be on its way: streams do not wait
        with self.stream:
            for page in self._pages:
                page.there.set(page.here, stream=self.stream)
            self._graph.launch(self.stream)
        self.stream.synchronize()
