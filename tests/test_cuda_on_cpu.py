"""The harness that runs CUDA C on the CPU: right kernels pass in all schedules, and each planted bug is found in one.

A bug is planted by a replacement in the text of a right kernel (small_kernels.py). What stands in for CuPy:
test_cupy_on_cpu.py. How kernels are built, and the sanitizers: test_cuda_on_cpu_building.py.
"""

import re

import pytest
from cuda_on_cpu import SCHEDULES, KernelError, missing, scheduled
from small_kernels import (
    BLOCK_SUM,
    COPIES,
    ELEMENTWISE,
    PREVIOUS,
    RIGHT,
    TENSOR_CORE,
    TRANSPOSE,
    WARP_SUM,
    block_sum,
    copies,
    elementwise,
    previous,
    tensor_core,
    transpose,
    warp_sum,
)

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(params=SCHEDULES, ids=str)
def schedule(request):
    with scheduled(request.param):
        yield request.param


def findings(run, code):
    """What is wrong, by the schedules that show it: the harness's error, or how the result differs."""
    found = {}
    for schedule in SCHEDULES:
        with scheduled(schedule):
            try:
                run(code)
            except (KernelError, AssertionError) as error:
                found[schedule] = str(error)
    return found


@pytest.mark.parametrize("name", RIGHT)
def test_right_kernels_pass(name):
    assert findings(*RIGHT[name]) == {}


BUGS = {
    "a missing barrier": (transpose, TRANSPOSE, "    __syncthreads();\n", "", "nan"),
    "a missing barrier in a loop": (block_sum, BLOCK_SUM, "        __syncthreads();\n", "", "Mismatched"),
    "a missing barrier after a copy": (copies, COPIES, "(0);\n        __syncthreads();", "(0);", "nan"),
    "a missing barrier before a copy": (copies, COPIES, "[i];\n        __syncthreads();", "[i];", "Mismatched"),
    "a too lax wait": (copies, COPIES, "if (tile < 2) shim::cp_wait(1)", "if (tile < 2) shim::cp_wait(2)", "nan"),
    "no wait for the last group": (copies, COPIES, "shim::cp_wait(0)", "shim::cp_wait(1)", "Mismatched"),
    "a copy to an odd place": (copies, COPIES, "&stage[tile % 2][t][0]", "&stage[tile % 2][t][1]", "multiple of 16"),
    "swapped axes": (transpose, TRANSPOSE, "x[row * columns + column]", "x[column * rows + row]", "Mismatched"),
    "no check of the last row": (
        *(transpose, TRANSPOSE, "row < columns && column < rows", "column < rows"),
        "k: written to outside of argument 1: byte 280[0-3], where the array has 2800",  # a byte may be the canary's
    ),
    "a write before the first element": (
        *(elementwise, ELEMENTWISE, "y[e] =", "y[e - 1] ="),
        "k: written to outside of argument 1: byte -[1-4], where the array has 4000",
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
    assert re.search(said, list(found.values())[-1], re.IGNORECASE), found


def test_too_few_blocks_are_found(schedule):
    with pytest.raises(AssertionError, match="nan"):
        elementwise(ELEMENTWISE, blocks=7)
    with pytest.raises(AssertionError, match="nan"):
        transpose(TRANSPOSE, grid=(2, 3))


def test_no_schedule_shows_everything():
    """Why there are four."""
    bugs = {name: (run, code.replace(right, wrong)) for name, (run, code, right, wrong, _) in BUGS.items()}
    bugs["a missing barrier where order hides it"] = (previous, PREVIOUS)
    for name, shows in (
        ("a missing barrier in a loop", lambda schedule: not schedule.backward),
        ("a missing barrier where order hides it", lambda schedule: schedule.backward),
        ("a missing barrier before a copy", lambda schedule: not schedule.late),
        ("a too lax wait", lambda schedule: schedule.late),
    ):
        assert list(findings(*bugs[name])) == [schedule for schedule in SCHEDULES if shows(schedule)], name


def test_after_an_error_kernels_run_as_before(schedule):
    with pytest.raises(KernelError):
        block_sum(BLOCK_SUM.replace("    part[t] =", "    if (t >= n) return;\n    part[t] ="))
    block_sum(BLOCK_SUM)
