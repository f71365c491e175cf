"""Small kernels in CUDA C, each with a function that launches it, with whatever text, and compares what it computes."""

import numpy as np
from cuda_on_cpu import cupy


def launch(code, grid, block, *arguments, **more):
    cupy.RawModule(code=code, options=("-DREAL=float",)).get_function("k")(grid, block, arguments, **more)


TRANSPOSE = """
#define TILE 16
extern "C" __global__ void k(const REAL* __restrict__ x, REAL* __restrict__ y, int rows, int columns) {
    __shared__ REAL tile[TILE][TILE + 1];
    int column = blockIdx.x * TILE + threadIdx.x, row = blockIdx.y * TILE + threadIdx.y;
    if (row < rows && column < columns) tile[threadIdx.y][threadIdx.x] = x[row * columns + column];
    __syncthreads();
    row = blockIdx.x * TILE + threadIdx.y, column = blockIdx.y * TILE + threadIdx.x;
    if (row < columns && column < rows) y[row * rows + column] = tile[threadIdx.x][threadIdx.y];
}
"""
X = np.arange(20 * 35, dtype=np.float32).reshape(20, 35)


def transpose(code, x=X, grid=(3, 2)):
    there = cupy.asarray(x)
    y = cupy.empty(x.shape[::-1], np.float32)
    launch(code, grid, (16, 16), there, y, np.int32(x.shape[0]), np.int32(x.shape[1]))
    np.testing.assert_array_equal(y.get(), x.T)


BLOCK_SUM = """
extern "C" __global__ void k(const REAL* x, REAL* out, int n) {
    extern __shared__ REAL part[];
    int t = threadIdx.x;
    part[t] = t < n ? x[t] : 0;
    __syncthreads();
    for (int step = blockDim.x / 2; step > 0; step /= 2) {
        if (t < step) part[t] += part[t + step];
        __syncthreads();
    }
    if (t == 0) out[0] = part[0];
}
"""


def block_sum(code):
    x = np.arange(100, dtype=np.float32)
    out = cupy.empty(1, np.float32)
    launch(code, (1,), (128,), cupy.asarray(x), out, np.int32(x.size), shared_mem=4 * 128)
    np.testing.assert_array_equal(out.get(), [x.sum()])


WARP_SUM = """
extern "C" __global__ void k(const REAL* x, REAL* out) {
    REAL sum = x[threadIdx.x];
    for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
    sum = __shfl_sync(0xffffffffu, sum, 0);
    out[threadIdx.x] = sum + __shfl_xor_sync(0xffffffffu, REAL(threadIdx.x % 32), 1);
}
"""


def warp_sum(code):
    x = np.arange(64, dtype=np.float32)
    out = cupy.empty(64, np.float32)
    launch(code, (1,), (64,), cupy.asarray(x), out)
    expected = np.repeat(x.reshape(2, 32).sum(1), 32) + np.tile(np.arange(32) ^ 1, 2)
    np.testing.assert_array_equal(out.get(), expected)


# Three tiles of 4 numbers a thread come by asynchronous copies; two are under way at a time.
COPIES = """
extern "C" __global__ void k(const float* x, float* y, int n) {
    __shared__ __align__(16) float stage[2][32][4];
    int t = threadIdx.x, next = (t + 1) % 32;
    auto load = [&](int tile) {
        int e = (tile * 32 + t) * 4;
        shim::cp_async(&stage[tile % 2][t][0], x + (e < n ? e : 0), e < n);
        shim::cp_commit();
    };
    load(0);
    for (int tile = 0; tile < 3; ++tile) {
        if (tile < 2) load(tile + 1);
        if (tile < 2) shim::cp_wait(1);
        else shim::cp_wait(0);
        __syncthreads();
        for (int i = 0; i < 4; ++i) y[(tile * 32 + t) * 4 + i] = stage[tile % 2][next][i];
        __syncthreads();
    }
}
"""


def copies(code):
    x = np.arange(3 * 32 * 4, dtype=np.float32).reshape(3, 32, 4)
    x[2, 16:] = 0  # beyond the array that the kernel gets
    y = cupy.empty(x.shape, np.float32)
    n = x.size - 16 * 4
    launch(code, (1,), (32,), cupy.asarray(x.reshape(-1)[:n]), y, np.int32(n))
    np.testing.assert_array_equal(y.get(), np.roll(x, -1, axis=1))


ELEMENTWISE = """
extern "C" __global__ void __launch_bounds__(64 * 2, 4) k(REAL* x, REAL* y, long long n) {
    long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (e >= n) return;
    y[e] = x[e] * 2;
}
"""


def elementwise(code, blocks=8):
    x = np.arange(1000, dtype=np.float32)
    y = cupy.empty(1000, np.float32)
    launch(code, (blocks,), (128,), cupy.asarray(x), y, np.int64(1000))
    np.testing.assert_array_equal(y.get(), 2 * x)


TENSOR_CORE = """
extern "C" __global__ void k(const float* a, const float* b, float* c) {
    int g = threadIdx.x / 4, q = threadIdx.x % 4;
    float sum[4] = {0, 0, 0, 0};
    unsigned left[4] = {
        __float_as_uint(a[g * 8 + q]), __float_as_uint(a[(g + 8) * 8 + q]),
        __float_as_uint(a[g * 8 + q + 4]), __float_as_uint(a[(g + 8) * 8 + q + 4])
    };
    unsigned right[2] = {__float_as_uint(b[q * 8 + g]), __float_as_uint(b[(q + 4) * 8 + g])};
    shim::mma_m16n8k8(sum, left, right);
    for (int i = 0; i < 4; ++i) c[(g + i / 2 * 8) * 8 + 2 * q + i % 2] = sum[i];
}
"""


def tensor_core(code):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-4, 5, shape).astype(np.float32) for shape in ((16, 8), (8, 8)))
    c = cupy.empty((16, 8), np.float32)
    launch(code, (1,), (32,), cupy.asarray(a), cupy.asarray(b), c)
    np.testing.assert_array_equal(c.get(), a @ b)


# Thread t takes what thread t - 1 has left, with no barrier between.
PREVIOUS = """
extern "C" __global__ void k(const REAL* x, REAL* y) {
    __shared__ REAL row[33];
    int t = threadIdx.x;
    row[0] = 0;
    row[t + 1] = x[t];
    y[t] = row[t];
}
"""


def previous(code):
    x = np.arange(32, dtype=np.float32)
    y = cupy.empty(32, np.float32)
    launch(code, (1,), (32,), cupy.asarray(x), y)
    np.testing.assert_array_equal(y.get(), [0, *x[:-1]])


# By name: the function, and the text.
RIGHT = {
    "transpose": (transpose, TRANSPOSE),
    "block_sum": (block_sum, BLOCK_SUM),
    "warp_sum": (warp_sum, WARP_SUM),
    "copies": (copies, COPIES),
    "elementwise": (elementwise, ELEMENTWISE),
    "tensor_core": (tensor_core, TENSOR_CORE),
}

# For the tests of launches, whatever they compute.
VARIOUS = """
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
_various = cupy.RawModule(code=VARIOUS, options=("--std=c++17",), backend="nvrtc")


def various(name):
    """One of these kernels."""
    return _various.get_function(name)
