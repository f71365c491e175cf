"""Streams and graphs where kernels run on the CPU: what is captured, and what cannot be."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cuda_on_cpu import cupy, missing
from small_kernels import various

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
INT, LONG, F = np.int32, np.int64, np.float32


@pytest.fixture
def x():
    return cupy.asarray(np.arange(8, dtype=np.float32))


@pytest.fixture
def stream():
    stream = cupy.cuda.Stream(non_blocking=True)
    yield stream
    if stream.is_capturing():
        stream.end_capture()


def test_a_graph_runs_when_it_is_launched(stream):
    counter = cupy.zeros(8, INT)
    with stream:
        stream.begin_capture()
        various("increase")((1,), (8,), (counter,))
        counter += 1
        counter[0] = 0
        graph = stream.end_capture()
    assert counter.tolist() == [0] * 8
    for _ in range(3):
        graph.launch(stream)
    stream.synchronize()
    assert counter.tolist() == [0] + [6] * 7


def test_arguments_are_those_of_the_capture(stream, x):
    y = cupy.empty(8, F)
    with stream:
        stream.begin_capture()
        by = F(2)
        various("scale")((1,), (8,), (x, y, by, INT(8), LONG(0), np.bool_(False)))
        graph = stream.end_capture()
    x += 1
    graph.launch()
    np.testing.assert_array_equal(y.get(), 2 * np.arange(1, 9))


def test_what_cannot_be_captured(stream, x):
    more = x > 3
    with stream:
        stream.begin_capture()
        for action in (
            lambda: cupy.empty(3),
            lambda: cupy.zeros(3),
            lambda: cupy.asarray(np.zeros(3)),
            lambda: x + 1,
            lambda: x.get(),
            lambda: cupy.asnumpy(x),
            lambda: float(x[0]),
            lambda: x.tolist(),
            lambda: x.set(np.zeros(8, F)),
            lambda: bool(x[0]),
            lambda: x[more],
            stream.synchronize,
        ):
            with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="not permitted when stream is capturing"):
                action()
        with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="due to a previous error during capture"):
            stream.end_capture()
    cupy.empty(3)


def test_a_graph_with_a_pool_of_its_own(stream, x):
    """What is allocated and computed while capturing: with the numbers that are there when the graph is launched."""
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc), stream:
        stream.begin_capture()
        doubled = x * 2
        various("scale")((1,), (8,), (doubled, y := cupy.zeros(9, F), F(10), INT(8), LONG(0), np.bool_(False)))
        del doubled
        total, last = y.sum(), y[7]
        graph = stream.end_capture()
    for add in (0, 1):
        x += add
        graph.launch()
        np.testing.assert_array_equal(y.get(), [*(20 * x.get()), 0])
        assert total.item() == 20 * x.get().sum()
        assert last.item() == 20 * (7 + add)


def test_launches_on_another_stream_are_not_captured(stream):
    counter = cupy.zeros(8, INT)
    stream.begin_capture()
    with ThreadPoolExecutor(1) as pool:  # another thread of Python's has nothing to do with it
        pool.submit(various("increase"), (1,), (8,), (counter,)).result()
        assert pool.submit(counter.tolist).result() == [1] * 8
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="runs on another"):
        various("increase")((1,), (8,), (counter,))
    with pytest.raises(RuntimeError, match="capturing already"):
        cupy.cuda.Stream(non_blocking=True).begin_capture()
    stream.end_capture()
    with pytest.raises(RuntimeError, match="not capturing"):
        stream.end_capture()
    with pytest.raises(RuntimeError, match="not non_blocking"):
        cupy.cuda.Stream().begin_capture()


def test_a_graph_keeps_no_array_alive(stream):
    counter = cupy.zeros(8, INT)
    with stream:
        stream.begin_capture()
        various("increase")((1,), (8,), (counter,))
        graph = stream.end_capture()
    graph.launch()
    del counter
    gc.collect()
    with pytest.raises(RuntimeError, match="uses an array that is freed"):
        graph.launch()
