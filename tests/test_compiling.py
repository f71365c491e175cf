"""How kernels are compiled: once a machine, and right for any width of vectors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

TRAIN = """
import numpy as np, scratchnet as sn
model = sn.Sequential([
    sn.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 3)), sn.MaxPooling2D(), sn.Flatten(),
    sn.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy")
model.train_on_batch(np.ones((2, 8, 8, 3)), np.array([1, 2]))
"""


def run(arguments, **environment):
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_second_process_compiles_nothing(tmp_path):
    def files():
        return {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in tmp_path.rglob("*") if file.is_file()}

    run(["-c", TRAIN], NUMBA_CACHE_DIR=str(tmp_path))
    before = files()
    assert any(file.suffix == ".nbc" for file in before)
    run(["-c", TRAIN], NUMBA_CACHE_DIR=str(tmp_path))
    assert files() == before


def test_the_process_that_compiles_gets_the_bits_of_those_that_find_it_compiled(tmp_path):
    """A run that is killed in the first process goes on in one that compiles nothing."""
    printed = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        program = str(TESTS / "resumed_run.py")
        printed.append(run([program, str(tmp_path / name), "2", "epoch"], NUMBA_CACHE_DIR=str(tmp_path / "cache")))
    first, second = (text.split()[-1] for text in printed)
    assert len(first) == 64
    assert first == second


def test_the_kernels_are_right_for_the_narrowest_vectors():
    """`generic` is the least processor of its kind: on a PC vectors of four floats, and no fused multiply-add."""
    width = "from scratchnet.kernels.cpu import simd; print(simd.vector_bytes())"
    if run(["-c", width], NUMBA_CPU_NAME="generic") == run(["-c", width]):
        pytest.skip("this machine has no other width")
    assert run(["-c", width], NUMBA_CPU_NAME="generic").strip() == "16"
    kernels = [str(TESTS / f"test_kernels_{room}.py") for room in ("conv", "winograd", "pooled", "dense")]
    printed = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", *kernels], NUMBA_CPU_NAME="generic")
    assert " passed" in printed
    assert "failed" not in printed
