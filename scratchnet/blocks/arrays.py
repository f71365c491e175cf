"""Arrays that write down who touches which cell, between which barriers, in which line of the kernel."""

from __future__ import annotations

import linecache
import sys
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from scratchnet.blocks.faults import KernelFault, OutOfRange, Unwritten

MOST_ACCESSES = 1_000_000  # of a launch: more means a loop that does not end


class Access(NamedTuple):
    """One thread reads or writes one cell."""

    block: int  # its number, counted along x first
    thread: int  # its number in the block, counted along x first
    interval: int  # barriers that the block has passed
    step: int  # accesses of this thread since the last barrier
    array: str
    cell: int  # its place in the array's memory
    writes: bool
    line: int  # of the kernel; its `def` is line 1


class Recorder:
    """What happens in a launch: whose turn it is, all accesses, and the faults that show at once."""

    def __init__(self, kernel: Any):
        while hasattr(kernel, "func"):  # of functools.partial
            kernel = kernel.func
        self.code: CodeType | None = getattr(kernel, "__code__", None)
        self.accesses: list[Access] = []
        self.faults: dict[tuple, KernelFault] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.block = self.thread = self.interval = self.step = 0
        self.who = ""  # the thread whose turn it is, in words

    def turn(self, block: int, thread: int, interval: int, who: str) -> None:
        """From here on it is this thread that reads and writes."""
        self.block, self.thread, self.interval, self.step, self.who = block, thread, interval, 0, who

    def line(self) -> int:
        """The line of the kernel that is being run; 0 where that cannot be known."""
        frame = sys._getframe(2)
        while frame is not None and frame.f_code is not self.code:
            frame = frame.f_back  # type: ignore[assignment]
        return 0 if frame is None or self.code is None else frame.f_lineno - self.code.co_firstlineno + 1

    def text_of(self, line: int) -> str:
        """A line of the kernel in words: its number and its text."""
        if self.code is None or line < 1:
            return "a line of the kernel"
        text = linecache.getline(self.code.co_filename, self.code.co_firstlineno + line - 1).strip()
        return f"line {line}" + (f", `{text[:60]}{'...' * (len(text) > 60)}`" if text else "")

    def access(self, array: str, cell: int, writes: bool) -> None:
        """Write an access down.

        Raises:
            KernelFault: there were too many.
        """
        if len(self.accesses) >= MOST_ACCESSES:
            raise KernelFault(f"{MOST_ACCESSES:,} accesses and no end: is there a loop that never ends?")
        line = self.line()
        self.accesses.append(Access(self.block, self.thread, self.interval, self.step, array, cell, writes, line))
        self.step += 1

    def fault(self, kind: type[KernelFault], array: str, text: str) -> None:
        """Keep a fault, or count it where the same line did the same before."""
        line = self.line()
        known = self.faults.get((kind, array, line))
        if known is None:
            self.faults[kind, array, line] = kind(f"{text}: {self.who}, {self.text_of(line)}")
        else:
            known.times += 1


class Watched:
    """An array as a kernel sees it: one cell at a time, `x[i]` or `x[i, j]`.

    A cell outside is a fault, negative indices included; what is read there is NaN, and what is written is lost. So is
    a cell of shared memory that nobody has written. On a GPU both would go unseen.
    """

    def __init__(self, name: str, values: np.ndarray, recorder: Recorder, shared: bool = False):
        self._name, self._values, self._recorder = name, values.reshape(-1), recorder
        self.shape: tuple[int, ...] = values.shape
        self.dtype = values.dtype
        self._written = np.zeros(values.size, bool) if shared else None

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        """How many cells it has."""
        return self._values.size

    def _cell(self, index: Any, verb: str) -> int | None:
        """The place in memory of an index; None outside."""
        indices = index if isinstance(index, tuple) else (index,)
        if len(indices) != len(self.shape):
            raise IndexError(
                f"{self._name} has {len(self.shape)} axes, {self._name}[...] got {len(indices)} indices: a thread "
                "reads or writes one cell at a time."
            )
        cell, inside = 0, True
        for i, size in zip(indices, self.shape):
            if isinstance(i, (bool, np.bool_)) or not isinstance(i, (int, np.integer)):
                raise IndexError(f"an index of {self._name} is a whole number, got {i!r}; use // to divide.")
            inside = inside and bool(0 <= i < size)
            cell = cell * size + int(i)
        if inside:
            return cell
        shown = ", ".join(str(int(i)) for i in indices)
        size_text = str(self.shape[0]) if len(self.shape) == 1 else " x ".join(map(str, self.shape))
        self._recorder.fault(
            OutOfRange, self._name, f"{self._name}[{shown}] is {verb}, but {self._name} has {size_text} cells"
        )
        return None

    def __getitem__(self, index: Any) -> Any:
        cell = self._cell(index, "read")
        if cell is None:
            return self.dtype.type(0 if self.dtype.kind in "iub" else np.nan)
        self._recorder.access(self._name, cell, False)
        if self._written is not None and not self._written[cell]:
            text = f"{place(self._name, cell, self.shape)} is read before any thread has written it"
            self._recorder.fault(Unwritten, self._name, text)
        return self._values[cell]

    def __setitem__(self, index: Any, value: Any) -> None:
        cell = self._cell(index, "written")
        if cell is None:
            return
        self._recorder.access(self._name, cell, True)
        self._values[cell] = value
        if self._written is not None:
            self._written[cell] = True


def place(name: str, cell: int, shape: tuple[int, ...]) -> str:
    """A cell in words: `tile[1, 0]`."""
    return f"{name}[{', '.join(str(int(i)) for i in np.unravel_index(cell, shape))}]"
