"""A launch: the threads of each block take turns from barrier to barrier, and everything is written down."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from scratchnet.blocks.arrays import Recorder, Watched
from scratchnet.blocks.faults import Divergent, KernelFault, OutOfRange, Race, Unwritten
from scratchnet.blocks.races import find_races
from scratchnet.blocks.run import Run

_RANKS = (Divergent, OutOfRange, Race, Unwritten)  # what tells most about a mistake comes first
MOST_THREADS = 1024  # of a block
SHARED_BYTES = 48 * 1024  # that a block has without asking for more
MOST_BARRIERS = 10_000  # of a block: more means a loop that does not end


class Place(NamedTuple):
    """A place in the grid or in a block, or their size: CUDA's dim3 without z."""

    x: int
    y: int


class Thread:
    """What a thread knows of itself. In CUDA C:

    | here | CUDA C |
    |---|---|
    | t.x, t.y | threadIdx.x, threadIdx.y |
    | t.block.x, t.block.y | blockIdx.x, blockIdx.y |
    | t.size.x, t.size.y | blockDim.x, blockDim.y |
    | t.grid.x, t.grid.y | gridDim.x, gridDim.y |
    | t.element | blockIdx.x * blockDim.x + threadIdx.x |
    | t.shared("tile", (4, 4)) | __shared__ float tile[4][4]; |
    """

    def __init__(self, place: Place, block: Place, size: Place, grid: Place, shared: Callable[..., Watched]):
        self.x, self.y = place
        self.block, self.size, self.grid = block, size, grid
        self._shared = shared

    @property
    def number(self) -> int:
        """Its number in the block, counted along x first. Each 32 that follow one another are a warp."""
        return self.y * self.size.x + self.x

    @property
    def element(self) -> int:
        """Its number along the x axis of the whole grid."""
        return self.block.x * self.size.x + self.x

    def shared(self, name: str, shape: int | tuple[int, ...], dtype: Any = np.float32) -> Watched:
        """An array that all threads of the block share. It holds nothing at first, and each block has its own.

        Raises:
            ValueError: the block has one of this name and another shape, or asks for more than 48 KB in all.
        """
        return self._shared(name, shape, dtype)


def _size(value: Any, name: str) -> Place:
    parts = value if isinstance(value, (tuple, list)) else (value,)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 0 for n in parts)
    if not whole or len(parts) not in (1, 2):
        raise ValueError(f"launch: expected {name} to be a positive whole number or two, (x, y), got {value!r}.")
    return Place(*map(int, (*parts, 1)[:2]))


class _Shared:
    """The shared memory of one block."""

    def __init__(self, recorder: Recorder, taken: Iterable[str]):
        self.recorder, self.taken = recorder, set(taken)
        self.arrays: dict[str, Watched] = {}

    def __call__(self, name: str, shape: int | tuple[int, ...], dtype: Any) -> Watched:
        shape = shape if isinstance(shape, tuple) else (shape,)
        if name in self.taken:
            raise ValueError(f"shared memory needs a name of its own: {name!r} is an argument of the kernel.")
        if name not in self.arrays:
            self.arrays[name] = Watched(name, np.full(shape, np.nan, dtype), self.recorder, shared=True)
            self.recorder.shapes[name] = shape
            bytes_used = sum(array.size * array.dtype.itemsize for array in self.arrays.values())
            if bytes_used > SHARED_BYTES:
                raise ValueError(
                    f"a block has {SHARED_BYTES:,} bytes of shared memory, the kernel asks for {bytes_used:,}."
                )
        if self.arrays[name].shape != shape:
            raise ValueError(
                f"{name} is shared: all threads give it one shape, not {self.arrays[name].shape} and {shape}."
            )
        return self.arrays[name]


_launches = 0


def launches() -> int:
    """How many launches there were in this process: whether a function launches a kernel is seen by it."""
    return _launches


def launch(
    kernel: Callable[..., Any],
    grid: int | tuple[int, int],
    block: int | tuple[int, int],
    *arguments: Any,
    order: str | int = "forward",
    strict: bool = True,
) -> Run:
    """Run a kernel on a grid of blocks; arrays among the arguments are read and written as by a GPU.

    Args:
        kernel: a function of a `Thread` and of the arguments; `yield` in it is the barrier of the block.
        grid: the number of blocks, or (along x, along y).
        block: the number of threads of each, or (along x, along y); x runs fastest.
        arguments: NumPy arrays, whose cells the kernel reads and writes one by one, and numbers.
        order: in which the threads take their turns, and the blocks: "forward", "backward", or a whole number, the seed
            of an order at random, drawn anew after each barrier. A right kernel gives the same in every order.
        strict: raise a fault; otherwise all stand in the `faults` of what is returned.

    Returns:
        What happened: faults, counts, every access.

    Raises:
        KernelFault: `OutOfRange`, `Unwritten`, `Race` or `Divergent`, if strict.
        ValueError: there are no such grids, blocks or orders, or an array is not contiguous.
    """
    global _launches
    _launches += 1
    blocks, size = _size(grid, "grid"), _size(block, "block")
    if size.x * size.y > MOST_THREADS:
        raise ValueError(f"launch: a block has at most {MOST_THREADS} threads, got {size.x * size.y}.")
    recorder = Recorder(kernel)
    watched = _watched(kernel, arguments, recorder)
    turns = _turns(order)
    outer = set(recorder.shapes)
    itemsize = {array._name: array.dtype.itemsize for array in watched if isinstance(array, Watched)}
    barriers = 0

    def name_of(block: int, thread: int) -> str:
        who = f"thread {thread}" if size.y == 1 else f"thread ({thread % size.x}, {thread // size.x})"
        if blocks.x * blocks.y == 1:
            return who
        return f"{who} of block " + (f"{block}" if blocks.y == 1 else f"({block % blocks.x}, {block // blocks.x})")

    for number in turns(blocks.x * blocks.y):
        shared = _Shared(recorder, outer)
        here = Place(number % blocks.x, number // blocks.x)
        threads = [Thread(Place(n % size.x, n // size.x), here, size, blocks, shared) for n in range(size.x * size.y)]
        running = {thread.number: kernel for thread in threads}
        barriers = max(barriers, _run_block(running, threads, watched, recorder, number, turns, name_of))
        itemsize |= {name: array.dtype.itemsize for name, array in shared.arrays.items()}
    inner = set(itemsize) - outer
    faults = [*recorder.faults.values(), *find_races(recorder, inner, name_of)]
    faults.sort(key=lambda fault: _RANKS.index(type(fault)))
    if strict and faults:
        raise faults[0]
    name = getattr(kernel, "__name__", "kernel")
    return Run(name, blocks, size, barriers, faults, recorder, itemsize, inner)


def _watched(kernel: Callable[..., Any], arguments: tuple, recorder: Recorder) -> list[Any]:
    """The arguments, arrays among them as `Watched`, named after the kernel's parameters."""
    try:
        names = list(inspect.signature(kernel).parameters)[1:]
        inspect.signature(kernel).bind(None, *arguments)
    except TypeError as error:
        raise ValueError(f"launch: the kernel takes a thread and {len(arguments)} arguments: {error}.") from error
    watched: list[Any] = []
    for place, value in enumerate(arguments):
        name = names[place] if place < len(names) else f"argument {place + 1}"
        if isinstance(value, np.ndarray):
            if not value.flags.c_contiguous:
                raise ValueError(f"launch: {name} is not contiguous: pass np.ascontiguousarray({name}).")
            recorder.shapes[name] = value.shape
            value = Watched(name, value, recorder)
        watched.append(value)
    return watched


def _turns(order: str | int) -> Callable[[int], list[int]]:
    """In which order so many take their turns."""
    if order == "forward":
        return lambda count: list(range(count))
    if order == "backward":
        return lambda count: list(range(count))[::-1]
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)):
        raise ValueError(f'launch: expected order to be "forward", "backward" or a whole number, got {order!r}.')
    rng = np.random.default_rng(order)
    return lambda count: rng.permutation(count).tolist()


def _run_block(
    running: dict[int, Any],
    threads: list[Thread],
    arguments: list[Any],
    recorder: Recorder,
    block: int,
    turns: Callable[[int], list[int]],
    name_of: Callable[[int, int], str],
) -> int:
    """Run the threads of a block to their end; the number of barriers that it passed."""
    for interval in range(MOST_BARRIERS):
        waiting: dict[int, int] = {}  # thread -> the line of the barrier where it waits
        ended: list[int] = []
        there = sorted(running)
        for number in (there[k] for k in turns(len(there))):
            recorder.turn(block, number, interval, name_of(block, number))
            if interval == 0:
                running[number] = running[number](threads[number], *arguments)
                if inspect.isgenerator(running[number]):  # its lines are meant, not those of a lambda around it
                    recorder.code = running[number].gi_code
            if inspect.isgenerator(running[number]) and next(running[number], _END) is not _END:
                first = recorder.code.co_firstlineno if recorder.code else 0
                waiting[number] = running[number].gi_frame.f_lineno - first + 1
            else:
                ended.append(number)
        if not waiting:
            return interval
        if ended or len(set(waiting.values())) > 1:
            _diverged(waiting, ended, recorder, block, name_of)
            return interval
    raise KernelFault(f"{MOST_BARRIERS:,} barriers and no end: is there a loop that never ends?")


_END = object()


def _diverged(
    waiting: dict[int, int], ended: list[int], recorder: Recorder, block: int, name_of: Callable[[int, int], str]
) -> None:
    one = min(waiting)
    text = f"{name_of(block, one)} waits at the barrier in {recorder.text_of(waiting[one])}, "
    if ended:
        text += f"but {name_of(block, min(ended))} has come to its end without it"
    else:
        other = next(n for n in sorted(waiting) if waiting[n] != waiting[one])
        text += f"but {name_of(block, other)} at another one, in {recorder.text_of(waiting[other])}"
    key = (Divergent, waiting[one], bool(ended))
    if key in recorder.faults:
        recorder.faults[key].times += 1
    else:
        recorder.faults[key] = Divergent(text)
