"""Launches where kernels run on the CPU: what a GPU would misread, or refuse, is an error that says so."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cuda_on_cpu import KernelError, cupy, missing
from small_kernels import various

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
INT, LONG, F = np.int32, np.int64, np.float32


@pytest.fixture
def x():
    return cupy.asarray(np.arange(8, dtype=np.float32))


def test_a_launch(x):
    y = cupy.empty(8, np.float32)
    various("scale")((2,), (4,), (x[1:], y, F(3), INT(7), LONG(0), True))
    np.testing.assert_array_equal(y.get(), [*(-3 * np.arange(1, 8)), np.nan])
    various("scale")((1, 1, 1), (8, 1, 1), (x, y, F(3), 8, 0, np.bool_(False)), shared_mem=0)
    np.testing.assert_array_equal(y.get(), 3 * np.arange(8))
    various("bytes")((1,), (1,), (cupy.zeros(3, bool), x, np.uint64(0), np.uint64(2**64 - 1)))


def test_a_kernel_alone():
    y = cupy.zeros(3, INT)
    cupy.RawKernel('extern "C" __global__ void one(int* y) { y[threadIdx.x] = 1; }', "one")((1,), (3,), (y,))
    assert y.tolist() == [1, 1, 1]


def test_threads_of_python_take_turns():
    counters = [cupy.zeros(64, INT) for _ in range(4)]

    def work(counter):
        for _ in range(200):
            various("increase")((1,), (64,), (counter,))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, counters))
    assert all((counter.get() == 200).all() for counter in counters)


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
        various("scale")((1,), (8,), tuple(arguments))


def test_wrong_numbers_of_arguments(x):
    with pytest.raises(TypeError, match="increase takes 1 arguments, got 2"):
        various("increase")((1,), (8,), (x, x))


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
        various("increase")(grid, block, (cupy.zeros(8, INT),))


def test_sizes_are_tuples():
    with pytest.raises(TypeError, match="increase: expected grid as a tuple of 1 to 3 sizes, got 1"):
        various("increase")(1, (8,), (cupy.zeros(8, INT),))


def test_shared_memory_is_limited(x):
    shared = various("shared")
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
    various("increase")((1,), (4,), (counter[4:],))
    assert counter.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    with pytest.raises(
        KernelError, match="increase: written to outside of argument 0: byte 32, where the array has 32"
    ):
        various("increase")((1,), (5,), (counter[4:],))
    various("increase")((1,), (4,), (counter[4:],))  # told once
