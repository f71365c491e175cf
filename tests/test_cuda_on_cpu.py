"""The harness that runs CUDA C on the CPU: right kernels pass in all schedules, and each planted bug is found in one.

A bug is planted by a replacement in the text of a right kernel. What stands in for CuPy: test_cupy_on_cpu.py.
"""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cuda_on_cpu import SCHEDULES, CompileError, KernelError, compiler, cupy, sanitizer, scheduled

pytestmark = pytest.mark.skipif(compiler.missing() is not None, reason=str(compiler.missing()))


def launch(code, grid, block, *arguments, **more):
    cupy.RawModule(code=code, options=("-DREAL=float",)).get_function("k")(grid, block, arguments, **more)


@pytest.fixture(params=SCHEDULES, ids=str)
def schedule(request):
    with scheduled(request.param):
        yield request.param


def findings(run, code):
    """What each schedule shows to be wrong: the harness's error, or how the result differs from the expected one."""
    found = []
    for schedule in SCHEDULES:
        with scheduled(schedule):
            try:
                run(code)
            except (KernelError, AssertionError) as error:
                found.append(str(error))
    return found


# Each kernel: its text, and a function that launches it and compares.

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
    assert out.get()[0] == x.sum()


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


RIGHT = {
    "transpose": (transpose, TRANSPOSE),
    "block_sum": (block_sum, BLOCK_SUM),
    "warp_sum": (warp_sum, WARP_SUM),
    "copies": (copies, COPIES),
    "elementwise": (elementwise, ELEMENTWISE),
    "tensor_core": (tensor_core, TENSOR_CORE),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_kernels_pass(name, schedule):
    run, code = RIGHT[name]
    run(code)


BUGS = {
    "a missing barrier": (transpose, TRANSPOSE, "    __syncthreads();\n", "", "nan"),
    "a missing barrier in a loop": (block_sum, BLOCK_SUM, "        __syncthreads();\n", "", "assert"),
    "a missing barrier after a copy": (copies, COPIES, "(0);\n        __syncthreads();", "(0);", "nan"),
    "a missing barrier before a copy": (copies, COPIES, "[i];\n        __syncthreads();", "[i];", "Mismatched"),
    "a too lax wait": (copies, COPIES, "if (tile < 2) shim::cp_wait(1)", "if (tile < 2) shim::cp_wait(2)", "nan"),
    "no wait for the last group": (copies, COPIES, "shim::cp_wait(0)", "shim::cp_wait(1)", "Mismatched"),
    "a copy to an odd place": (copies, COPIES, "&stage[tile % 2][t][0]", "&stage[tile % 2][t][1]", "multiple of 16"),
    "swapped axes": (transpose, TRANSPOSE, "x[row * columns + column]", "x[column * rows + row]", "Mismatched"),
    "no check of the last row": (
        *(transpose, TRANSPOSE, "row < columns && column < rows", "column < rows"),
        "k: written to outside of argument 1: byte 2800, where the array has 2800",
    ),
    "a write before the first element": (
        *(elementwise, ELEMENTWISE, "y[e] =", "y[e - 1] ="),
        "k: written to outside of argument 1: byte -1, where the array has 4000",
    ),
    "no check of the end": (elementwise, ELEMENTWISE, "    if (e >= n) return;\n", "", "argument 1: byte 400[0-3],"),
    "no check of the end, in place": (
        *(elementwise, ELEMENTWISE, "    if (e >= n) return;\n    y[e] =", "    y[e] = x[e] * 2; x[e] ="),
        "argument 0: byte 400[0-3],",
    ),
    "unwritten shared memory": (block_sum, BLOCK_SUM, "part[t] = t < n ? x[t] : 0", "if (t < n) part[t] = x[t]", "nan"),
    "a barrier that half the threads come to": (
        *(block_sum, BLOCK_SUM, "    __syncthreads();\n    for", "    if (t < 64) __syncthreads();\n    for"),
        r"wait at kernels.cu:6: __syncthreads\(\), others at kernels.cu:9: __syncthreads\(\) \(block 0, 0, 0\)",
    ),
    "a barrier after a return": (
        *(block_sum, BLOCK_SUM, "    part[t] =", "    if (t >= n) return;\n    part[t] ="),
        r"kernels.cu:7: __syncthreads\(\) is reached by the others after 28 threads have returned",
    ),
    "a barrier against a shuffle": (
        *(warp_sum, WARP_SUM, "    sum = ", "    if (threadIdx.x == 40) __syncthreads();\n    sum = "),
        r"deadlock: kernels.cu:5: __syncthreads\(\) is never reached by some threads",
    ),
    "a mask without the caller": (
        *(warp_sum, WARP_SUM, "__shfl_sync(0xffffffffu", "__shfl_sync(0x0000ffffu"),
        "kernels.cu:5: __shfl_sync: lane 31 is not in its own mask 0x0000ffff",
    ),
    "a mask with others than the callers": (
        *(warp_sum, WARP_SUM, "    sum = ", "    if (threadIdx.x < 48) sum = "),
        r"lanes of one warp are at kernels.cu:\d: __shfl_\w+ \(mask .* and at kernels.cu:\d: __shfl",
    ),
    "a shuffle that others never come to": (
        *(warp_sum, WARP_SUM, "    out[threadIdx.x] = sum + ", "    if (threadIdx.x < 48) out[threadIdx.x] = sum + "),
        r"nan",
    ),
    "a lane that has returned": (
        *(warp_sum, WARP_SUM, "    sum = ", "    if (threadIdx.x % 32 == 0) return;\n    sum = "),
        "nan",
    ),
    "a wrong lane": (warp_sum, WARP_SUM, "step /= 2", "step /= 4", "Mismatched"),
    "a wrong element": (tensor_core, TENSOR_CORE, "b[(q + 4) * 8 + g]", "b[g * 8 + q + 4]", "Mismatched"),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name):
    run, code, right, wrong, said = BUGS[name]
    assert code.count(right) == 1
    found = findings(run, code.replace(right, wrong))
    assert found
    assert re.search(said, found[-1], re.IGNORECASE), found[-1]


def test_too_few_blocks_are_found(schedule):
    with pytest.raises(AssertionError, match="nan"):
        elementwise(ELEMENTWISE, blocks=7)
    with pytest.raises(AssertionError, match="nan"):
        transpose(TRANSPOSE, grid=(2, 3))


def test_after_an_error_kernels_run_as_before(schedule):
    with pytest.raises(KernelError):
        block_sum(BLOCK_SUM.replace("    part[t] =", "    if (t >= n) return;\n    part[t] ="))
    block_sum(BLOCK_SUM)


# The compiler's side.

MORE = """
#define EACH(name, formula) \\
    extern "C" __global__ void name(REAL* y) { y[threadIdx.x] = formula; }
EACH(double_it, 2 * y[threadIdx.x])
EACH(square, y[threadIdx.x] * y[threadIdx.x])

// __shared__ float no_declaration, since this is a comment; nor __global__ void no_kernel(
template <int N> __device__ REAL turned(REAL v) {
    __shared__ REAL row[N];
    row[threadIdx.x] = v;
    __syncthreads();
    return row[(threadIdx.x + 1) % N];
}
template <int N> __global__ void turn(REAL* y) { y[threadIdx.x] = turned<N>(y[threadIdx.x]); }

extern "C" __global__ void two(REAL* y) {
    __shared__ REAL a[4], b[4];
    __shared__ unsigned long long total;
    a[threadIdx.x] = y[threadIdx.x], b[threadIdx.x] = 10 * y[threadIdx.x];
    if (threadIdx.x == 0) total = 100;
    __syncthreads();
    y[threadIdx.x] = a[3 - threadIdx.x] + b[3 - threadIdx.x] + total;
}
extern "C" __global__ void unwritten(REAL* y) {
    __shared__ REAL row[4];
    y[threadIdx.x] = row[threadIdx.x];
    row[threadIdx.x] = 1;  // which the next block must not find
}
"""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernels_made_by_macros_and_templates(dtype, schedule):
    real = {np.float32: "float", np.float64: "double"}[dtype]
    module = cupy.RawModule(code=MORE, options=(f"-DREAL={real}", "--std=c++17"), name_expressions=("turn<4>",))
    for name, expected in (
        ("double_it", [0, 2, 4, 6]),
        ("square", [0, 1, 4, 9]),
        ("turn<4>", [1, 2, 3, 0]),
        ("two", [133, 122, 111, 100]),
        ("unwritten", [np.nan] * 4),
    ):
        y = cupy.asarray(np.arange(4, dtype=dtype))
        module.get_function(name)((2 if name == "unwritten" else 1,), (4,), (y,))
        np.testing.assert_array_equal(y.get(), np.array(expected, dtype))
    with pytest.raises(
        KernelError, match=r"no kernel 'no_kernel'\. There are: double_it, square, two, unwritten, turn<4>"
    ):
        module.get_function("no_kernel")


def test_an_error_of_the_compiler_names_the_line():
    with pytest.raises(CompileError, match=r"kernels.cu:3:\d+: error: .*unknown"):
        launch('extern "C" __global__ void k(float* y) {\n    y[0] = 1;\n    y[1] = unknown;\n}', (1,), (1,))


def test_a_library_is_built_once(tmp_path, monkeypatch):
    code = 'extern "C" __global__ void k(float* y) { y[0] = 1; }'
    monkeypatch.setattr(compiler, "_folder", lambda: tmp_path)
    compiler.build(code)
    libraries = set(tmp_path.iterdir())
    assert {path.suffix for path in libraries} == {".so"}
    monkeypatch.setattr(compiler, "_run", lambda command, text: text if "-E" in command else pytest.fail("built again"))
    with pytest.raises(pytest.fail.Exception, match="built again"):
        compiler.build(code.replace("1;", "2;"))


# AddressSanitizer and UBSan, in a process of their own.

SANITIZED = """
import sys
import numpy as np
from cuda_on_cpu import SCHEDULES, cupy, scheduled

x = cupy.asarray(np.arange(32, dtype=np.float32))
kernel = cupy.RawModule(code=sys.stdin.read()).get_function("k")
for schedule in SCHEDULES:
    with scheduled(schedule):
        y = cupy.empty(32, np.float32)
        kernel((2,), (32,), (x, y))
        assert (y.get() == np.roll(np.arange(32), -1) * 2).all()
print("right")
"""
TURN = """
extern "C" __global__ void k(const float* x, float* y) {
    __shared__ float row[32];
    int t = threadIdx.x;
    row[t] = x[t];
    __syncthreads();
    float v = row[(t + 1) % 32];
    y[t] = v + __shfl_sync(0xffffffffu, v, t);
}
"""


@pytest.mark.skipif(sanitizer.missing() is not None, reason=str(sanitizer.missing()))
@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("", "", ""),
        ("= x[t];", "= x[t + 1] * 0 + x[t];", r"use-after-poison.*\n.*READ of size 4"),
        ("= x[t];", "= x[t - 1] * 0 + x[t];", r"use-after-poison.*\n.*READ of size 4"),
        ("(t + 1) % 32", "t + 1", r"kernels\.cu:7.*index 32 out of bounds for type 'float \[32\]'"),
        ("= row[(t + 1) % 32]", "= *(row + t + 1)", "heap-buffer-overflow"),
        ("= x[t];", "= ((const float2*)(x + 1))->x * 0 + x[t];", "misaligned address"),
    ],
    ids=["right", "read beyond the end", "read before the beginning", "index", "shared memory", "alignment"],
)
def test_sanitizers_see_what_canaries_cannot(right, wrong, said):
    done = subprocess.run(
        [sys.executable, "-c", SANITIZED],
        input=TURN.replace(right, wrong),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        env=sanitizer.environment(),
    )
    assert (done.returncode == 0) == (done.stdout == "right\n") == (said == ""), done.stderr
    assert re.search(said, done.stderr)
