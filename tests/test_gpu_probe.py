"""The probe of the GPU: each thing that can be missing has a message of its own, with the way out.

What stands in for CuPy here has no kernels: only what the probe asks. `sn.device` and the doctor say the same.
"""

import importlib.metadata
import importlib.util
import sys
from types import SimpleNamespace

import cuda_on_cpu
import pytest

import scratchnet as sn
from scratchnet import devices, doctor
from scratchnet.kernels import gpu_probe

GPU_MEMORY = (5 * 10**6, 80 * 10**9)  # free, and in all
PROPERTIES = {"name": b"Playing Card", "major": 9, "minor": 0, "totalGlobalMem": GPU_MEMORY[1]}


class Fails:
    """A function that raises, as a library does that is not there."""

    def __init__(self, error):
        self.error = error

    def __call__(self, *_, **__):
        raise self.error


class FullMemory(MemoryError):
    """cupy.cuda.memory.OutOfMemoryError, which is one."""


class Kernel:
    """Writes `writes`, if it can be compiled."""

    writes = 42

    def __init__(self, code, name):
        assert f"void {name}(" in code

    def __call__(self, grid, block, arguments):
        arguments[0][0] = self.writes


def working(**changed):
    """A CuPy with which all is well, but for what is changed."""
    runtime = {
        "driverGetVersion": lambda: 13000,
        "runtimeGetVersion": lambda: 13000,
        "getDeviceCount": lambda: 1,
        "memGetInfo": lambda: GPU_MEMORY,
        "getDevice": lambda: 0,
        "getDeviceProperties": lambda device: PROPERTIES,
    }
    parts = {"getVersion": lambda: (13, 0), "zeros": lambda size, dtype: [0] * size, "RawKernel": Kernel, **changed}
    runtime |= {name: parts.pop(name) for name in list(parts) if name in runtime}
    cuda = SimpleNamespace(
        runtime=SimpleNamespace(**runtime), nvrtc=SimpleNamespace(getVersion=parts.pop("getVersion"))
    )
    return SimpleNamespace(cuda=cuda, **parts)


@pytest.fixture
def machine(monkeypatch):
    """Sets what is installed: machine(cupy, packages); None for no CuPy."""

    def install(cupy, packages=("cupy-cuda13x",)):
        names = [SimpleNamespace(metadata={"Name": name}) for name in ("numpy", *packages)]
        monkeypatch.setattr(importlib.metadata, "distributions", lambda: iter(names))
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: find(name) if name != "cupy" else None if cupy is None else cupy
        )
        if cupy is not None:
            monkeypatch.setitem(sys.modules, "cupy", cupy)
        gpu_probe.missing.cache_clear()

    registered = [device for device in devices._devices if device.name == "gpu"]
    devices.unregister("gpu")
    yield install
    gpu_probe.missing.cache_clear()
    for device in registered:
        devices.register(device)


FAULTS = {
    "no CuPy": (None, (), ["CuPy is not installed", "pip install 'scratchnet[cuda13]'", "[cuda12]"]),
    "two CuPy packages": (
        working(),
        ("cupy-cuda12x", "cupy-cuda13x"),
        ["2 CuPy packages are installed (cupy-cuda12x, cupy-cuda13x)", "pip uninstall cupy-cuda12x cupy-cuda13x"],
    ),
    "no driver": (working(driverGetVersion=lambda: 0), None, ["no NVIDIA driver was found", "Install one", "the CPU"]),
    "a driver that does not answer": (
        working(driverGetVersion=Fails(RuntimeError("cudaErrorSystemDriverMismatch"))),
        None,
        ["cudaErrorSystemDriverMismatch", "Install NVIDIA's driver anew"],
    ),
    "another CUDA version": (
        working(driverGetVersion=lambda: 12040, getDeviceCount=Fails(RuntimeError("cudaErrorInsufficientDriver"))),
        None,
        ["CuPy was built for CUDA 13, the driver supports 12.4", "scratchnet[cuda12]", "or a newer driver"],
    ),
    "no GPU": (working(getDeviceCount=lambda: 0), None, ["no CUDA device is visible", "CUDA_VISIBLE_DEVICES"]),
    "no compiler library": (
        working(getVersion=Fails(RuntimeError("CuPy failed to load libnvrtc.so.13"))),
        None,
        ["compiler library, NVRTC, cannot be loaded", "libnvrtc.so.13", "pip install 'scratchnet[cuda13]'"],
    ),
    "no memory": (
        working(zeros=Fails(FullMemory("out of memory"))),
        None,
        ["its memory is full: 5 MB of 80,000 MB are free", "nvidia-smi says which programs"],
    ),
    "a GPU that fails": (
        working(zeros=Fails(RuntimeError("cudaErrorECCUncorrectable"))),
        None,
        ["no array can be made on it (RuntimeError: cudaErrorECCUncorrectable)", "nvidia-smi"],
    ),
    "no headers": (
        working(RawKernel=Fails(RuntimeError("cannot open source file cuda_fp16.h"))),
        None,
        ["a kernel of one line cannot be compiled and run", "cuda_fp16.h", "headers are missing", "pip install"],
    ),
    "a kernel that computes something else": (
        working(RawKernel=type("Wrong", (Kernel,), {"writes": 7})),
        None,
        ["a kernel of one line that writes 42 gave 7"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_message_and_the_way_out(fault, machine):
    cupy, packages, words = FAULTS[fault]
    machine(cupy, *(() if packages is None else (packages,)))
    said = gpu_probe.missing()
    for word in words:
        assert word in said
    assert said.endswith(".")
    for ask in (lambda: sn.device("gpu"), lambda: sn.Dense(3).to("gpu"), gpu_probe.require_gpu):
        with pytest.raises(sn.GPUNotAvailable) as caught:
            ask()
        assert str(caught.value) == f"the GPU cannot be used: {said}"
    with sn.device("auto") as chosen:
        assert chosen.name == "cpu"


def test_the_messages_are_all_different(machine):
    said = set()
    for cupy, packages, _ in FAULTS.values():
        machine(cupy, *(() if packages is None else (packages,)))
        said.add(gpu_probe.missing())
    assert len(said) == len(FAULTS)


def test_a_cupy_that_cannot_be_imported(machine, monkeypatch):
    machine(working())
    monkeypatch.setattr(importlib, "import_module", Fails(ImportError("libcudart.so.13")))
    said = gpu_probe.missing()
    assert "CuPy is installed but cannot be imported (ImportError: libcudart.so.13)" in said
    assert "pip install 'scratchnet[cuda13]'" in said


def test_nothing_is_missing_where_a_kernel_runs(machine):
    machine(working())
    assert gpu_probe.missing() == ""
    gpu_probe.require_gpu()


def test_the_answer_is_kept(machine):
    machine(None)
    before = gpu_probe.missing()
    assert before
    assert gpu_probe.missing() is before


@pytest.mark.parametrize("fault", FAULTS)
def test_the_doctor_says_it_too(fault, machine, monkeypatch, tmp_path):
    """Where the driver's own program sees a GPU."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'CUDA Version: 13.0'\n")
    program.chmod(0o755)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: str(program))
    cupy, packages, _ = FAULTS[fault]
    machine(cupy, *(() if packages is None else (packages,)))
    (line,) = doctor.gpu()
    assert line.fact.startswith("driver for CUDA 13.0")
    if cupy is None:  # it knows which of both
        assert line.advice == "For the GPU: pip install 'scratchnet[cuda13]'"
    else:
        said = gpu_probe.missing()
        assert line.advice == said[0].upper() + said[1:]
        assert line.fact.endswith("but it cannot be used")


def test_the_doctor_says_that_all_is_well(machine, monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'CUDA Version: 12.8'\n")
    program.chmod(0o755)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: str(program))
    monkeypatch.setattr(doctor, "_version", lambda package: "14.2.0")
    machine(working(), ["cupy-cuda12x"])
    (line,) = doctor.gpu()
    assert line.fact == (
        "Playing Card (sm_90), 80.0 GB, driver for CUDA 12.8, cupy-cuda12x 14.2.0; a kernel was compiled and run"
    )
    assert line.advice == ""


def test_the_probe_finds_nothing_missing_in_what_plays_the_gpu(machine, monkeypatch):
    """Its kernel is compiled and run there."""
    if cuda_on_cpu.missing():
        pytest.skip(cuda_on_cpu.missing())
    machine(cuda_on_cpu.cupy)
    assert gpu_probe.missing() == ""
