"""The kernels are right where the processor's vectors are narrower than this one's."""

from pathlib import Path

import pytest
from processes import python

TESTS = Path(__file__).parent


def test_the_kernels_are_right_for_the_narrowest_vectors():
    """`generic` is the least processor of its kind: on a PC vectors of four floats, and no fused multiply-add."""
    width = "from scratchnet.kernels.cpu.gemm import simd; print(simd.VECTOR_BYTES)"
    narrowest = python("-c", width, NUMBA_CPU_NAME="generic")
    if narrowest == python("-c", width):
        pytest.skip("this machine has no other width")
    assert narrowest == "16"
    kernels = [TESTS / f"test_kernels_{room}.py" for room in ("conv", "winograd", "pooled", "dense")]
    printed = python(
        "-m", "pytest", "-q", "--numprocesses=0", "-p", "no:cacheprovider", *kernels, NUMBA_CPU_NAME="generic"
    )
    assert " passed" in printed
    assert "failed" not in printed
