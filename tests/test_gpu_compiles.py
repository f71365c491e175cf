"""Every CUDA file of the package is compiled by NVRTC, which needs no GPU: for an A100 (sm_80) and an H100 (sm_90), in
float and double, without a warning, and without spilling: registers that do not suffice go to memory and back.
"""

import ctypes
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

import scratchnet

GPU = Path(scratchnet.__file__).parent / "kernels" / "gpu"
SOURCES = sorted(GPU.rglob("*.cu"))


@cache
def nvrtc():
    """NVIDIA's compiler library out of its wheel; skips the test where it is not installed."""
    spec = importlib.util.find_spec("nvidia")
    folders = [] if spec is None else spec.submodule_search_locations
    found = [path for folder in folders for path in Path(folder).glob("*/lib/libnvrtc.so.*") if "alt" not in path.name]
    if not found:
        pytest.skip("NVRTC is not installed: pip install nvidia-cuda-nvrtc-cu12")
    return ctypes.CDLL(str(found[0]))


def compiled(text, *options):
    """NVRTC's status, 0 where it has compiled, and its log."""
    library = nvrtc()
    program = ctypes.c_void_p()
    library.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None)
    options = [option.encode() for option in ("--std=c++17", "--ptxas-options=-v", *options)]
    status = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return status, log.value.decode()


def complaints(text, arch, real):
    """What is wrong, as NVRTC says it; nothing where all is well."""
    status, log = compiled(text, f"--gpu-architecture=sm_{arch}", f"-DREAL={real}")
    if status != 0:
        return [f"status {status}", *log.splitlines()]
    properties = r"Function properties for \w+\n.* [1-9]\d* bytes spill.*"
    return re.findall(rf".*warning.*|{properties}", log)


def with_headers(path, included=None):
    """The text with that of the package's headers in the place of each first #include, as before a launch."""
    included = set() if included is None else included

    def header(match):
        name = match[1]
        if name in included:
            return ""
        included.add(name)
        return with_headers(GPU / name, included)

    return re.sub(r'^#include "([\w/]+\.cuh)"$', header, path.read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("real", ["float", "double"])
@pytest.mark.parametrize("arch", [80, 90])
@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(GPU)) for path in SOURCES])
def test_a_file_compiles_without_warnings_and_spills(path, arch, real):
    assert complaints(with_headers(path), arch, real) == []


# What this test is worth: it sees each of the things that it looks for.

RIGHT = 'extern "C" __global__ void k(const REAL* x, REAL* y) { y[threadIdx.x] = 2 * x[threadIdx.x]; }'
MANY_REGISTERS = """
extern "C" __global__ void __launch_bounds__(1024) k(const REAL* x, REAL* y, int n) {
    REAL sums[200] = {};
    for (int i = 0; i < n; ++i) {
        #pragma unroll
        for (int j = 0; j < 200; ++j) sums[j] += x[i * 200 + j] * x[i];
    }
    #pragma unroll
    for (int j = 0; j < 200; ++j) y[threadIdx.x * 200 + j] = sums[j];
}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RIGHT, []),
        (
            RIGHT.replace("2 *", "two *"),
            [r'kernels.cu\(1\): error: identifier "two" is undefined'],
        ),
        (RIGHT.replace("{", "{ int unused = 3;"), [r'warning #177-D: variable "unused" was declared but never']),
        (MANY_REGISTERS, ["bytes spill stores, [1-9][0-9]* bytes spill loads"]),
        (
            RIGHT.replace(
                "{", "{ __shared__ REAL s[20000]; s[threadIdx.x] = x[0]; __syncthreads(); y[1] = s[x[1] > 0];"
            ),
            ["status [1-9]"],
        ),
    ],
    ids=["right", "an error", "a warning", "spills", "shared memory"],
)
def test_it_finds_what_it_looks_for(text, said):
    found = complaints(text, 80, "float")
    assert bool(found) == bool(said)
    for pattern in said:
        assert re.search(pattern, "\n".join(found)), found
