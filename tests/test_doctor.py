"""The doctor of the installation: says what is there, and what to do about what is not."""

import os
import subprocess
import sys

import numba
import pytest

from scratchnet import doctor
from scratchnet.kernels.cpu.gemm import simd
from scratchnet.kernels.cpu.machine import processors
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.threads import layer


def facts():
    return {line.subject: line for line in doctor.examine()}


def test_the_report_of_this_machine():
    found = facts()
    assert f"numba {numba.__version__}" in found["scratchnet"].fact
    assert f"{simd.VECTOR_BYTES // 4} float32 numbers" in found["vectors"].fact
    assert f"first level {CACHES.first >> 10} KB" in found["caches"].fact
    assert ("scratchnet's own" in found["threads"].fact) == (layer.why_not() is None)
    assert "fashion_mnist_small" in found["embedded data"].fact


def test_it_runs_as_a_program_and_shows_its_advice(tmp_path):
    environment = {**os.environ, "SCRATCHNET_DATA": str(tmp_path / "missing")}
    done = subprocess.run([sys.executable, "-m", "scratchnet.doctor"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "-> There is no such folder" in done.stdout
    assert "can be mended, see the arrows" in done.stdout


def test_the_data_folder(monkeypatch, tmp_path):
    (tmp_path / "cifar-10").mkdir()
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    assert facts()["data folder"].fact.endswith(": cifar-10")
    assert facts()["cifar10"].fact.startswith("not here yet")
    (tmp_path / "cifar-10-batches-bin").mkdir()
    (tmp_path / "cifar-10-batches-bin" / "test_batch.bin").touch()
    assert facts()["cifar10"].fact == f"found in {tmp_path / 'cifar-10-batches-bin'}"


def test_a_cache_folder_of_one_s_own(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new"))
    (cache,) = doctor.cache()
    assert cache.fact.startswith(f"0 in {tmp_path / 'new'}")
    assert not cache.advice


def test_fewer_threads_than_processors():
    before = numba.get_num_threads()
    if processors.processors().usable < 2:
        pytest.skip("needs two processors")
    try:
        numba.set_num_threads(1)
        assert "Some processors idle" in doctor.threads()[0].advice
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize(
    ("printed", "advice"),
    [
        ("| NVIDIA-SMI 580.65  Driver Version: 580.65  CUDA Version: 13.0 |", "scratchnet[cuda13]"),
        ("| NVIDIA-SMI 535.10  Driver Version: 535.10  CUDA Version: 12.2 |", "scratchnet[cuda12]"),
        ("| NVIDIA-SMI 450.80  Driver Version: 450.80  CUDA Version: 11.0 |", "Too old"),
        ("NVIDIA-SMI has failed", "Mend the driver"),
    ],
)
def test_a_gpu_without_cupy(monkeypatch, tmp_path, printed, advice):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{printed}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: str(program))
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    assert advice in doctor.gpu()[0].advice


def test_no_gpu(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor.gpu()[0].fact.startswith("no NVIDIA driver found")
