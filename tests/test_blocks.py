"""Kernels run thread by thread: right ones give the same in every order, and each kind of fault is found and named."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import blocks
from scratchnet.blocks import Divergent, KernelFault, OutOfRange, Race, Unwritten, launch
from scratchnet.blocks.grid import MOST_THREADS

T = 4
ORDERS = ["forward", "backward", 0, 1]


def product(t, x, w, y, without=None):
    """y = x w in tiles of T x T."""
    (N, C), F = x.shape, w.shape[1]
    a, b = t.shared("a", (T, T)), t.shared("b", (T, T))
    n, f = t.block.y * T + t.y, t.block.x * T + t.x
    total = 0.0
    for start in range(0, C, T):
        a[t.y, t.x] = x[n, start + t.x] if n < N and start + t.x < C else 0
        b[t.y, t.x] = w[start + t.y, f] if start + t.y < C and f < F else 0
        if without != "first":
            yield
        for c in range(T):
            total += a[t.y, c] * b[c, t.x]
        if without != "second":
            yield
    if n < N and f < F:
        y[n, f] = total


def run_product(N, C, F, **options):
    rng = np.random.default_rng(N * 100 + C * 10 + F)
    x, w = rng.normal(size=(N, C)), rng.normal(size=(C, F))
    y = np.full((N, F), np.nan)
    without = options.pop("without", None)
    run = launch(product, (-(-F // T), -(-N // T)), (T, T), x, w, y, without, **options)
    return run, y, x @ w


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.sampled_from(ORDERS))
def test_a_right_kernel_gives_the_same_in_every_order(N, C, F, order):
    run, y, expected = run_product(N, C, F, order=order)
    assert run.faults == []
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)  # shared memory is float32


@pytest.mark.parametrize("without", ["first", "second"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_missing_barrier_is_found_in_every_order(without, order):
    with pytest.raises(Race, match="no barrier between them"):
        run_product(5, 9, 4, without=without, order=order)


def test_the_missing_barrier_shows_in_results_too():
    found = [run_product(4, 9, 4, without="second", order=order, strict=False)[1] for order in ORDERS]
    assert not all(np.allclose(y, found[0], equal_nan=True) for y in found)


def test_a_race_is_found_where_the_result_is_right():
    """Thread 0 comes first and reads what only it has written; in the other order thread 1 would have been first."""

    def kernel(t, y):
        part = t.shared("part", 1)
        if t.x == 0:
            part[0] = 7
            y[0] = part[0]
        else:
            part[0] = 8

    y = np.zeros(1)
    run = launch(kernel, 1, 2, y, strict=False)
    assert y[0] == 7
    assert {type(fault) for fault in run.faults} == {Race}


def test_a_race_names_cell_threads_and_lines():
    def kernel(t, x, y):
        part = t.shared("part", (2, 2))
        part[t.y, t.x] = x[t.number]
        y[t.number] = part[t.x, t.y]

    run = launch(kernel, 1, (2, 2), np.arange(4.0), np.zeros(4), strict=False)
    race = next(fault for fault in run.faults if isinstance(fault, Race))
    assert str(race) == (
        "part[0, 1]: thread (1, 0) writes it in line 3, `part[t.y, t.x] = x[t.number]`; thread (0, 1) reads it in "
        "line 4, `y[t.number] = part[t.x, t.y]`; no barrier between them (and 1 more like it)"
    )
    assert race.cells == [(0, "part", 1), (0, "part", 2)]
    assert str(race).partition(" (and")[0] in " ".join(repr(run).split())


def test_blocks_that_write_one_cell_race():
    def kernel(t, x, y):
        y[0] += x[t.element]

    with pytest.raises(Race, match="blocks do not wait for each other"):
        launch(kernel, 3, 1, np.ones(3), np.zeros(1))
    launch(kernel, 1, 1, np.ones(1), np.zeros(1))


def test_threads_of_a_block_may_hand_on_in_global_memory_after_a_barrier():
    def kernel(t, y):
        y[t.x] = t.x
        yield
        right = y[(t.x + 1) % 4]
        yield
        y[t.x] = right

    y = np.zeros(4)
    launch(kernel, 1, 4, y)
    assert y.tolist() == [1, 2, 3, 0]


@pytest.mark.parametrize("place", [4, -1, 100])
def test_a_cell_outside_is_found(place):
    def read(t, x, y):
        y[t.x] = x[place]

    def write(t, x, y):
        y[place] = x[t.x]

    y = np.zeros(4)
    with pytest.raises(OutOfRange, match=rf"x\[{place}\] is read, but x has 4 cells: thread 0, line 2"):
        launch(read, 1, 1, np.arange(4.0), y)
    assert np.isnan(y[0])
    y = np.zeros(4)
    run = launch(write, 1, 4, np.arange(4.0), y, strict=False)
    assert str(run.faults[0]).endswith("(and 3 more like it)")
    assert not y.any()


def test_shared_memory_that_nobody_wrote_is_found():
    def kernel(t, y):
        y[t.x] = t.shared("part", 3)[t.x]

    y = np.zeros(3, np.float32)
    with pytest.raises(Unwritten, match=r"part\[0\] is read before any thread has written it"):
        launch(kernel, 1, 3, y)
    assert np.isnan(y).all()


def test_each_block_has_its_own_shared_memory():
    def kernel(t, y):
        part = t.shared("part", 1)
        if t.block.x == 0:
            part[0] = 1
        y[t.block.x] = part[0]

    with pytest.raises(Unwritten):
        launch(kernel, 2, 1, np.zeros(2))


def test_a_thread_that_leaves_before_the_barrier_is_found():
    def kernel(t, x):
        if t.x > 2:
            return
        yield
        x[t.x] = 1

    with pytest.raises(Divergent, match=r"thread 0 waits at the barrier in line 4, `yield`, but thread 3 has come"):
        launch(kernel, 1, 4, np.zeros(4))
    launch(kernel, 1, 3, np.zeros(4))


def test_threads_at_two_barriers_are_found():
    def kernel(t):
        if t.x == 0:
            yield
        else:
            yield

    with pytest.raises(Divergent, match="but thread 1 at another one, in line 5"):
        launch(kernel, 1, 2)


def test_lines_are_those_of_the_kernel_inside_a_wrapper():
    def kernel(t, x, place):
        yield
        x[place]

    for wrapped in (partial(kernel, place=5), lambda t, x: kernel(t, x, 5)):
        with pytest.raises(OutOfRange, match=r"line 3, `x\[place\]`"):
            launch(wrapped, 1, 1, np.zeros(2))


def test_what_a_thread_knows_of_itself():
    seen = []

    def kernel(t):
        seen.append((t.block.x, t.block.y, t.x, t.y, t.number, t.element, t.size.x, t.grid.y))

    launch(kernel, (2, 3), (4, 2))
    assert len(set(seen)) == 48
    assert seen[-1] == (1, 2, 3, 1, 7, 7, 4, 3)


def test_what_cannot_be_launched_is_refused():
    def kernel(t, x):
        t.shared("part", 20_000)

    for grid, block in ((0, 1), (1, 0), (1, (1, 1, 1)), (1.5, 1), (True, 1)):
        with pytest.raises(ValueError, match="positive whole number"):
            launch(kernel, grid, block, np.zeros(1))
    with pytest.raises(ValueError, match="at most 1024 threads, got 1025"):
        launch(kernel, 1, MOST_THREADS + 1, np.zeros(1))
    with pytest.raises(ValueError, match="takes a thread and 2 arguments"):
        launch(kernel, 1, 1, np.zeros(1), 3)
    with pytest.raises(ValueError, match=r"np\.ascontiguousarray"):
        launch(kernel, 1, 1, np.zeros((2, 2)).T)
    with pytest.raises(ValueError, match="49,152 bytes of shared memory, the kernel asks for 80,000"):
        launch(kernel, 1, 1, np.zeros(1))
    with pytest.raises(ValueError, match="order"):
        launch(kernel, 1, 1, np.zeros(1), order="sideways")
    with pytest.raises(ValueError, match="needs a name of its own"):
        launch(lambda t, x: t.shared("x", 1), 1, 1, np.zeros(1))
    with pytest.raises(ValueError, match="all threads give it one shape"):
        launch(lambda t: t.shared("part", 1 + t.x), 1, 2)


def test_indices_are_one_whole_number_for_each_axis():
    x = np.zeros((2, 2))
    for index in (0, (0, 0, 0), (slice(None), 0), (0.5, 0), (True, 0)):
        with pytest.raises(IndexError):
            launch(lambda t, x, index=index: x[index], 1, 1, x)


def test_loops_without_end_are_stopped(monkeypatch):
    monkeypatch.setattr("scratchnet.blocks.arrays.MOST_ACCESSES", 100)
    monkeypatch.setattr("scratchnet.blocks.grid.MOST_BARRIERS", 100)

    def reads(t, x):
        while True:
            x[0]

    def waits(t):
        while True:
            yield

    with pytest.raises(KernelFault, match="never ends"):
        launch(reads, 1, 1, np.zeros(1))
    with pytest.raises(KernelFault, match="never ends"):
        launch(waits, 1, 1)


# What is counted.


def test_reads_and_writes_of_tiles():
    run, *_ = run_product(8, 8, 8)
    assert run.barriers == 4
    assert run.reads("x") == run.reads("w") == 8 * 8 * 8 // T
    assert run.writes("y") == 64
    assert run.global_reads == 2 * 8 * 8 * 8 // T
    assert run.shared_reads == 2 * 8 * 8 * 8
    with pytest.raises(ValueError, match="has no array 'z'; it has x, w, y, a, b"):
        run.reads("z")


@pytest.mark.parametrize(("stride", "sectors"), [(0, 1), (1, 4), (2, 8), (8, 32), (100, 32)])
def test_sectors_of_a_stride(stride, sectors):
    def kernel(t, x, y):
        y[t.x] = x[stride * t.x]

    run = launch(kernel, 1, 32, np.zeros(stride * 32 + 1, np.float32), np.zeros(32, np.float32))
    assert run.sectors("x") == (1, sectors, 1 if stride == 0 else 4)
    assert run.sectors("y").of_each == 4


def test_sectors_know_the_size_of_a_number():
    def kernel(t, x, y):
        y[t.x] = x[t.x]

    run = launch(kernel, 1, 64, np.zeros(64), np.zeros(64, np.float32))
    assert run.sectors("x") == (2, 16, 16)  # two warps, float64
    assert run.sectors("y") == (2, 8, 8)


@pytest.mark.parametrize(("length", "turns"), [(32, 32), (33, 1), (34, 2), (36, 4), (40, 8)])
def test_turns_of_banks(length, turns):
    def kernel(t):
        tile = t.shared("tile", 32 * length)
        tile[length * t.x] = 0

    run = launch(kernel, 1, 32)
    assert run.banks("tile") == (1, turns)
    with pytest.raises(ValueError, match="banks, not sectors"):
        run.sectors("tile")


def test_one_word_for_all_takes_one_turn():
    def kernel(t, y):
        tile = t.shared("tile", 1)
        if t.x == 0:
            tile[0] = 5
        yield
        y[t.x] = tile[0]

    run = launch(kernel, 1, 32, np.zeros(32))
    assert run.banks("tile") == (2, 2)  # the write of one, the read of all
    with pytest.raises(ValueError, match="sectors, not banks"):
        run.banks("y")


def test_timeline_has_all_accesses_and_barriers_in_order():
    run, *_ = run_product(5, 5, 4)
    steps = blocks.timeline(run, 1)
    assert sum(len(step.accesses) for step in steps) == sum(access.block == 1 for access in run.accesses)
    assert sum(step.is_barrier for step in steps) == run.barriers
    assert [step.interval for step in steps] == sorted(step.interval for step in steps)
    for step in steps:
        assert len({access.thread for access in step.accesses}) == len(step.accesses)
    with pytest.raises(ValueError, match="a block from 0 to 1"):
        blocks.timeline(run, 2)


# The CUDA C that the notebook shows.


def test_text_of_a_kernel_and_of_a_line():
    text = blocks.cuda_text("activation.cu", "void relu(")
    assert text.startswith("// y = limit where x > limit")
    assert text.endswith("}")
    assert text.count("__global__") == 1
    assert blocks.cuda_text("activation.cu", "void relu(", comment=False).startswith("__global__ void relu(")
    assert blocks.cuda_text("common.cuh", "typedef REAL real;", comment=False) == "typedef REAL real;"
    assert max(map(len, text.splitlines())) <= 96
    with pytest.raises(ValueError, match="has no line with"):
        blocks.cuda_text("activation.cu", "void nothing(")
