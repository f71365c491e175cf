"""How CUDA C becomes a library for the CPU: macros, templates, errors, several processes; and the sanitizers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cuda_on_cpu import SCHEDULES, CompileError, KernelError, compiler, cupy, sanitizer, scheduled
from small_kernels import launch

pytestmark = pytest.mark.skipif(compiler.missing() is not None, reason=str(compiler.missing()))


@pytest.fixture(params=SCHEDULES, ids=str)
def schedule(request):
    with scheduled(request.param):
        yield request.param


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


def test_processes_build_the_same_file_at_once(tmp_path):
    program = """
from cuda_on_cpu import cupy
code = 'extern "C" __global__ void k(float* y) { y[threadIdx.x] = 1; }'
y = cupy.zeros(32, "f4")
cupy.RawKernel(code, "k")((1,), (32,), (y,))
print(y.sum().item())
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parent,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.communicate()[0] for process in started] == ["32.0\n"] * 2
    assert len(list(tmp_path.glob("*/*.so"))) == len(list(tmp_path.glob("*/*"))) == 2  # the engine and the kernel


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
