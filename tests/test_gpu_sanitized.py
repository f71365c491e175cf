"""The tests of the GPU's kernels once more, with few examples, under AddressSanitizer and UBSan.

A process of its own: see cuda_on_cpu/sanitizer.py. It finds what canaries do not: reads outside of an array, indices
beyond a row of shared memory, addresses that a wide load cannot take.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from cuda_on_cpu import sanitizer

TESTS = Path(__file__).parent
SMALL = "gpu and not bits and not sums and not many"  # those have arrays that take long here


@pytest.mark.skipif(sanitizer.missing() is not None, reason=str(sanitizer.missing()))
@pytest.mark.parametrize(
    "names",
    [
        "kernels_pool kernels_dropout kernels_activation kernels_linear_units",
        "kernels_conv kernels_dense",
        "kernels_norm kernels_loss kernels_local_response",
        "kernels_update gather augment",
        "kernels_gather_backward kernels_noise kernels_resize",
    ],
)
def test_kernels_touch_no_memory_that_is_not_theirs(names):
    files = [str(TESTS / f"test_{name}.py") for name in names.split()]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *files, "-k", SMALL, "-x", "-q", "-n0", "-p", "no:cacheprovider"),
            "--hypothesis-profile=few",
        ],
        cwd=TESTS.parent,
        env={**sanitizer.environment(), "CUDA_VISIBLE_DEVICES": ""},  # none is seen: the kernels run here
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
