"""What stands in for CuPy where kernels run on the CPU: as strict as CuPy, and stricter where a GPU says nothing."""

import copy
import gc
import sys

import cuda_on_cpu
import numpy as np
import pytest
from cuda_on_cpu import KernelError, compiler, cupy, memory_limit

pytestmark = pytest.mark.skipif(compiler.missing() is not None, reason=str(compiler.missing()))

CODE = """
extern "C" __global__ void scale(const float* x, float* y, float by, int n, long long offset, bool minus) {
    int e = blockIdx.x * blockDim.x + threadIdx.x;
    if (e < n) y[e] = (minus ? -by : by) * x[e + offset];
}
extern "C" __global__ void __launch_bounds__(64) increase(int* counter) { counter[threadIdx.x] += 1; }
extern "C" __global__ void bytes(const unsigned char* x, const float4* wide, const double* none, unsigned long long) {}
extern "C" __global__ void shared(float* y) {
    extern __shared__ float row[];
    __shared__ float more[1024];
    row[threadIdx.x] = more[threadIdx.x] = y[threadIdx.x];
}
"""
MODULE = cupy.RawModule(code=CODE, options=("--std=c++17",), backend="nvrtc")
INT, LONG, F = np.int32, np.int64, np.float32


def kernel(name):
    return MODULE.get_function(name)


@pytest.fixture
def x():
    return cupy.asarray(np.arange(8, dtype=np.float32))


@pytest.fixture
def stream():
    stream = cupy.cuda.Stream(non_blocking=True)
    yield stream
    cupy.cuda.Stream._capturing = None


def test_an_array_never_becomes_one_of_numpy_by_itself(x):
    for convert in (np.asarray, np.array, np.ascontiguousarray, memoryview, np.sum, np.exp, np.zeros_like):
        with pytest.raises(TypeError):
            convert(x)
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
        np.asarray(x)
    for mix in (lambda: x + x.get(), lambda: x.get() + x, lambda: cupy.stack([x, x.get()])):
        with pytest.raises(TypeError):
            mix()
    with pytest.raises(TypeError, match="Unsupported type"):
        x[...] = x.get()


def test_ways_to_the_device_and_back():
    here = np.arange(6.0).reshape(2, 3)
    there = cupy.asarray(here)
    here[0, 0] = 9
    assert there.get()[0, 0] == 0
    assert cupy.asarray(there) is there
    assert cupy.asarray(there, np.float32).dtype == np.float32
    assert isinstance(cupy.asnumpy(there), np.ndarray)
    assert there.sum().item() == 15
    there.set(here)
    np.testing.assert_array_equal(there.get(), here)
    with pytest.raises(ValueError, match=r"expected \(2, 3\) of float64, got \(2, 3\) of float32"):
        there.set(here.astype(np.float32))


def test_fresh_arrays():
    assert np.isnan(cupy.empty((2, 3), np.float32).get()).all()
    assert np.isnan(cupy.empty(3).get()).all()
    assert (cupy.empty((), np.int32).get() == -1).all()
    assert np.isnan(cupy.empty_like(cupy.ones((2, 2))).get()).all()
    assert (cupy.zeros((2, 3), np.uint8).get() == 0).all()
    assert cupy.ones((0, 3)).size == 0
    assert cupy.full((2,), 7).dtype == np.int64
    assert cupy.zeros(4).address % 512 == 0


def test_every_array_lies_between_canaries(x):
    """Results of array functions too. A view is one of the array that it is of."""
    for array in (x, x + 1, cupy.stack([x, x]), x.sum(), copy.deepcopy(x), cupy.exp(x), x[x > 3]):
        assert array.buffer is not None
    for view in (x[2:], x.reshape(2, 4)[1], x.reshape(2, 4).T, cupy.broadcast_to(x, (3, 8))):
        assert view.buffer is x.buffer
    x[0] += 5  # one element is a view, too
    assert x[0].buffer is x.buffer
    assert x[:1].get() == 5


def test_axes_keep_their_order_in_memory():
    """As in CuPy, so that a kernel gets the strides here that it would get there."""
    x = cupy.zeros((2, 3, 4)).transpose(2, 0, 1)
    assert not (x + 1).flags.c_contiguous
    assert (x + 1).strides == x.strides
    assert cupy.ascontiguousarray(x).flags.c_contiguous


def test_a_launch(x):
    y = cupy.empty(8, np.float32)
    kernel("scale")((2,), (4,), (x[1:], y, F(3), INT(7), LONG(0), True))
    np.testing.assert_array_equal(y.get(), [*(-3 * np.arange(1, 8)), np.nan])
    kernel("scale")((1, 1, 1), (8, 1, 1), (x, y, F(3), 8, 0, np.bool_(False)), shared_mem=0)
    np.testing.assert_array_equal(y.get(), 3 * np.arange(8))
    kernel("bytes")((1,), (1,), (cupy.zeros(3, bool), x, None, np.uint64(2**64 - 1)))


WRONG = {
    "a python float": (
        {2: 3.0},
        TypeError,
        r"scale: argument 2 \(f4\): expected float32, got float \(passed as float64",
    ),
    "a double": ({2: np.float64(3)}, TypeError, r"argument 2 \(f4\): expected float32, got float64"),
    "a long": ({3: np.int64(3)}, TypeError, r"argument 3 \(i4\): expected int32, got int64"),
    "an int": ({4: np.int32(3)}, TypeError, r"argument 4 \(i8\): expected int64, got int32"),
    "a large int": ({3: 2**31}, OverflowError, r"argument 3 \(i4\): 2147483648 does not fit"),
    "a bool for an int": ({3: True}, TypeError, r"argument 3 \(i4\): expected int32, got bool \(passed as one byte\)"),
    "an int for a bool": ({5: 1}, TypeError, r"argument 5 \(b1\): expected bool, got int"),
    "an array of another dtype": (
        {0: cupy.zeros(8)},
        TypeError,
        r"argument 0 \(rf4\): expected float32, got an array of",
    ),
    "an array of NumPy": ({0: np.zeros(8, F)}, TypeError, r"\(rf4\): expected an array of the device, got ndarray"),
    "an array for a number": ({3: cupy.zeros(1, INT)}, TypeError, r"\(i4\): expected a number, got ndarray"),
    "a number for an array": (
        {1: F(1)},
        TypeError,
        r"argument 1 \(wf4\): expected an array of the device, got float32",
    ),
    "no number": ({3: None}, TypeError, r"expected a number, got NoneType"),
    "strides": ({0: cupy.zeros((8, 2), F)[:, 0]}, ValueError, r"argument 0 \(rf4\): the array is not C-contiguous"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name, x):
    changes, error, said = WRONG[name]
    arguments = [x, cupy.empty(8, F), F(3), INT(8), LONG(0), np.bool_(True)]
    for number, value in changes.items():
        arguments[number] = value
    with pytest.raises(error, match=said):
        kernel("scale")((1,), (8,), tuple(arguments))


def test_wrong_numbers_of_arguments(x):
    with pytest.raises(TypeError, match="increase takes 1 arguments, got 2"):
        kernel("increase")((1,), (8,), (x, x))


@pytest.mark.parametrize(
    ("grid", "block", "said"),
    [
        ((0,), (8,), "invalid configuration"),
        ((1,), (8, 0), "invalid configuration"),
        ((1,), (65,), "at most 64 threads"),
        ((1,), (8, 3, 3), "at most 64 threads"),
        ((1, 65536), (8,), "invalid configuration"),
    ],
)
def test_wrong_sizes(grid, block, said):
    with pytest.raises(KernelError, match=f"increase: .*{said}"):
        kernel("increase")(grid, block, (cupy.zeros(8, INT),))


def test_sizes_are_tuples():
    with pytest.raises(TypeError, match="increase: expected grid as a tuple of 1 to 3 sizes, got 1"):
        kernel("increase")(1, (8,), (cupy.zeros(8, INT),))


def test_shared_memory_is_limited(x):
    shared = kernel("shared")
    shared((1,), (8,), (x,), shared_mem=32)
    with pytest.raises(KernelError, match="uses dynamic shared memory, but the launch gives none"):
        shared((1,), (8,), (x,))
    with pytest.raises(KernelError, match="53248 bytes of shared memory, of 49152 that a block may have"):
        shared((1,), (8,), (x,), shared_mem=48 << 10)
    with pytest.raises(KernelError, match="50000 bytes of dynamic shared memory, of 49152 allowed"):
        shared((1,), (8,), (x,), shared_mem=50000)
    shared.max_dynamic_shared_size_bytes = 60000
    shared((1,), (8,), (x,), shared_mem=50000)
    shared.max_dynamic_shared_size_bytes = 200000
    with pytest.raises(KernelError, match="a block can have 166912 at most"):
        shared((1,), (8,), (x,), shared_mem=50000)


def test_a_view_is_guarded_by_the_canaries_of_its_array():
    counter = cupy.zeros(8, INT)
    kernel("increase")((1,), (4,), (counter[4:],))
    assert counter.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    with pytest.raises(
        KernelError, match="increase: written to outside of argument 0: byte 32, where the array has 32"
    ):
        kernel("increase")((1,), (5,), (counter[4:],))
    kernel("increase")((1,), (4,), (counter[4:],))  # told once


# Streams and graphs.


def test_a_graph_runs_when_it_is_launched(stream):
    counter = cupy.zeros(8, INT)
    with stream:
        stream.begin_capture()
        kernel("increase")((1,), (8,), (counter,))
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
        kernel("scale")((1,), (8,), (x, y, by, INT(8), LONG(0), np.bool_(False)))
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
        kernel("scale")((1,), (8,), (doubled, y := cupy.zeros(9, F), F(10), INT(8), LONG(0), np.bool_(False)))
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
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="runs on another"):
        kernel("increase")((1,), (8,), (counter,))
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
        kernel("increase")((1,), (8,), (counter,))
        graph = stream.end_capture()
    graph.launch()
    del counter
    gc.collect()
    with pytest.raises(RuntimeError, match="uses an array that is freed"):
        graph.launch()


# The device.


def test_memory_runs_out_and_comes_back():
    gc.collect()
    free, total = cupy.cuda.runtime.memGetInfo()
    kept = cupy.empty(1000, np.uint8)
    assert cupy.cuda.runtime.memGetInfo() == (free - 1000, total)
    with memory_limit(5000):
        assert cupy.cuda.runtime.memGetInfo()[0] == 5000
        there = cupy.empty(4000, np.uint8)
        with pytest.raises(
            cupy.cuda.memory.OutOfMemoryError, match=r"Out of memory allocating 4,000 bytes \(allocated so"
        ):
            cupy.zeros(1000, F)
        del there
        cupy.zeros(1000, F)
    with pytest.raises(MemoryError):
        cupy.empty((1 << 20, 1 << 20))
    del kept
    assert cupy.cuda.runtime.memGetInfo() == (free, total)


def test_the_device():
    assert cupy.cuda.is_available()
    runtime = cupy.cuda.runtime
    assert runtime.driverGetVersion() >= runtime.runtimeGetVersion() >= 12000
    assert runtime.getDeviceCount() == 1
    properties = runtime.getDeviceProperties(0)
    assert (properties["major"], properties["minor"], properties["name"]) == (8, 0, b"CUDA on the CPU")
    with pytest.raises(runtime.CUDARuntimeError, match="invalid device ordinal"):
        runtime.getDeviceProperties(1)


def test_it_stands_in_only_where_it_is_asked_to(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "cupy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cupy.before", sys)
    with cuda_on_cpu.installed():
        import cupy as installed
        from cupy.cuda import Stream

        assert installed is cupy
        assert Stream is cupy.cuda.Stream
        assert "cupy.before" not in sys.modules
    assert {name for name in sys.modules if name.partition(".")[0] == "cupy"} == {"cupy.before"}


def test_without_a_compiler_it_says_so(monkeypatch):
    monkeypatch.setattr(compiler.shutil, "which", lambda name: None)
    assert cuda_on_cpu.missing() == "g++ is missing, which compiles CUDA C for the CPU"
    monkeypatch.setattr(compiler.platform, "system", lambda: "Windows")
    assert cuda_on_cpu.missing() == "CUDA C runs on the CPU on Linux only, not on Windows"
