"""What stands in for CuPy where kernels run on the CPU: its arrays, as strict as CuPy's, and its memory.

Launches: test_cuda_on_cpu_launching.py. Streams and graphs: test_cuda_on_cpu_graphs.py.
"""

import copy
import gc
import sys

import cuda_on_cpu
import numpy as np
import pytest
from cuda_on_cpu import compiler, cupy, memory_limit


@pytest.fixture
def x():
    return cupy.asarray(np.arange(8, dtype=np.float32))


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
            cupy.zeros(1000, np.float32)
        del there
        cupy.zeros(1000, np.float32)
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
