"""The installation: what this machine offers and what is missing. `python -m scratchnet.doctor` prints it.

It prints versions, processor and vectors, threads, the folder of compiled kernels, the data found and the state of the
GPU, and for each thing that is wrong a line that says what to do.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding
import numba
import numpy as np

from scratchnet.datasets import cifar10, cifar100, collection, fashion_mnist, mnist
from scratchnet.datasets.download import data_folder
from scratchnet.kernels import cpu, gpu_probe
from scratchnet.kernels.cpu.compiling import cache as kernel_cache
from scratchnet.kernels.cpu.gemm import micro_kernel, simd
from scratchnet.kernels.cpu.machine import caches
from scratchnet.kernels.cpu.machine import processors as kernel_processors
from scratchnet.kernels.cpu.threads import layer as kernel_threads
from scratchnet.printing import say

_VARIABLE = "NUMBA_NUM_THREADS"


class ReportLine(NamedTuple):
    """One line of the report; `advice` is empty where nothing is wrong."""

    subject: str
    fact: str
    advice: str = ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def versions() -> list[ReportLine]:
    """Python, ourselves, what we stand on, and what we are compared with."""
    needed = ", ".join(f"{p} {_version(p)}" for p in ("numpy", "numba", "llvmlite"))
    extras = ", ".join(f"{p} {_version(p)}" for p in ("matplotlib", "jupyterlab", "torch", "keras"))
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    return [
        ReportLine("Python", f"{platform.python_version()} on {system}"),
        ReportLine("scratchnet", f"{_version('scratchnet')}, with {needed}"),
        ReportLine("extras", extras),
    ]


def processor_name() -> str:
    """LLVM's name of the processor that kernels are compiled for."""
    return os.environ.get("NUMBA_CPU_NAME") or llvmlite.binding.get_host_cpu_name()


def processor() -> list[ReportLine]:
    """The processor, its vectors, the register tile of the micro-kernel, and the caches that products are cut for."""
    lanes, kind = simd.VECTOR_BYTES // 4, {64: "AVX-512", 32: "AVX2"}.get(simd.VECTOR_BYTES, "SSE or NEON")
    tiles = f"tiles of {', '.join(map(str, micro_kernel.HEIGHTS))} x {micro_kernel.Q}"
    advice = "" if simd.has_fma() else "No fused multiply-add: kernels run at a fraction of their speed, and are right."
    forced = " (set by NUMBA_CPU_NAME)" if os.environ.get("NUMBA_CPU_NAME") else ""
    return [
        ReportLine("processor", f"{processor_name()}{forced}"),
        ReportLine(
            "vectors",
            f"{kind}: {lanes} float32 numbers, {simd.vector_registers()} registers; {tiles}",
            advice,
        ),
        ReportLine("caches", _sizes_of_caches(caches.CACHES)),
    ]


def _sizes_of_caches(sizes: caches.Caches) -> str:
    found = "" if sizes != caches.USUAL else " (usual sizes, also where a system does not tell them)"
    first, second, shared = (f"{size >> 10} KB" if size < 1 << 20 else f"{size / (1 << 20):g} MB" for size in sizes)
    return f"first level {first}, second {second} a core, shared {shared}{found}"


def threads() -> list[ReportLine]:
    """How many threads the kernels use and why, and what runs them."""
    cpu.relu(np.zeros(1 << 14, np.float32))  # Numba chooses its threading layer when the first kernel runs
    count, there = numba.get_num_threads(), kernel_processors.processors()
    why = f"{_VARIABLE} says so; {there.described()}" if kernel_processors.chosen_by_user() else there.described()
    advice = ""
    if count > there.usable:
        advice = f"More threads than processors slow each other: set {_VARIABLE}={there.usable}."
    elif count < there.usable:
        advice = f"Some processors idle: {_VARIABLE} or numba.set_num_threads limits the number."
    instead = kernel_threads.why_not()
    run_by = "scratchnet's own" if instead is None else f"Numba's layer {numba.threading_layer()}, for {instead}"
    return [ReportLine("threads", f"{count}: {why}; {run_by}", advice)]


def cache() -> list[ReportLine]:
    """Where compiled kernels are kept."""
    wanted = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(wanted) if wanted else kernel_cache.folder() or Path(cpu.__file__).parent
    sizes = _sizes(folder)
    fact = f"{len(sizes)} in {folder}, {sum(sizes) / 1e6:.1f} MB"
    advice = "Set NUMBA_CACHE_DIR to a folder of yours with free space, or kernels are compiled at every start."
    problem = kernel_cache.trouble or _not_writable(folder)
    if problem is not None:
        return [ReportLine("compiled kernels", f"{fact}: {problem}", advice)]
    return [ReportLine("compiled kernels", fact)]


def _sizes(folder: Path) -> list[int]:
    """The bytes of each compiled kernel's file."""
    sizes = []
    for file in folder.rglob("*.nbc"):
        with contextlib.suppress(FileNotFoundError):  # another process has just removed it
            sizes.append(file.stat().st_size)
    return sizes


def _not_writable(folder: Path) -> str | None:
    """Why no file can be made in a folder, or in the one that it would be made in; None if one can."""
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=nearest):
            return None
    except OSError as error:
        return f"not writable ({error})"


def data() -> list[ReportLine]:
    """Which data sets are found."""
    embedded = sorted(file.stem for file in (Path(__file__).parent / "datasets" / "data").glob("*.npz"))
    folder = os.environ.get("SCRATCHNET_DATA")
    found = [ReportLine("embedded data", ", ".join(embedded))]
    for module in (cifar10, cifar100, fashion_mnist, mnist):
        found.append(ReportLine(module.DESCRIPTION.name, collection.state(module.DESCRIPTION, module.find)))
    if not folder:
        found.append(ReportLine("data folder", f"{data_folder()}: SCRATCHNET_DATA is not set"))
    elif not Path(folder).is_dir():
        found.append(
            ReportLine("data folder", folder, "There is no such folder: set SCRATCHNET_DATA to one, or unset it.")
        )
    else:
        names = sorted(entry.name for entry in Path(folder).iterdir())
        found.append(ReportLine("data folder", f"{folder}: {', '.join(names) or 'empty'}"))
    return found


def driver_cuda(text: str) -> tuple[int, int] | None:
    """The newest CUDA version that a driver runs, from what nvidia-smi prints; None where it does not say."""
    match = re.search(r"CUDA Version:\s*(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def gpu() -> list[ReportLine]:
    """Whether there is an NVIDIA GPU, and whether its kernels can be compiled and run."""
    program = shutil.which("nvidia-smi")
    if program is None:
        library = ctypes.util.find_library("cuda")
        return [ReportLine("GPU", "no NVIDIA driver found" + (f", but {library} is there" if library else ""))]
    done = subprocess.run([program], capture_output=True, text=True, timeout=30, check=False)
    version = driver_cuda(done.stdout)
    if done.returncode != 0 or version is None:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        return [
            ReportLine("GPU", f"nvidia-smi fails: {' '.join(last)}", "Mend the driver first; the CPU works without.")
        ]
    fact = f"driver for CUDA {version[0]}.{version[1]}"
    if version < (12, 0):
        return [ReportLine("GPU", fact, "Too old for today's CuPy: install a driver for CUDA 12 or newer.")]
    extra = "cuda13" if version >= (13, 0) else "cuda12"
    if importlib.util.find_spec("cupy") is None:
        return [ReportLine("GPU", f"{fact}, no CuPy", f"For the GPU: pip install 'scratchnet[{extra}]'")]
    fact += "".join(f", {name} {_version(name)}" for name in gpu_probe.cupy_packages())
    if missing := gpu_probe.missing():
        return [ReportLine("GPU", f"{fact}, but it cannot be used", f"{missing[0].upper()}{missing[1:]}")]
    return [ReportLine("GPU", f"{gpu_probe.described()}, {fact}; a kernel was compiled and run")]


def temporary_folder() -> list[ReportLine]:
    """Whether temporary files can be written."""
    try:
        with tempfile.TemporaryFile():
            return []
    except OSError as error:
        return [ReportLine("temporary files", str(error), "Set TMPDIR to a folder that can be written.")]


def examine() -> list[ReportLine]:
    """All lines, in the order of the report. A part that fails is a line of its own, and the others follow."""
    lines = []
    for part in (versions, processor, threads, cache, temporary_folder, data, gpu):
        try:
            lines += part()
        except Exception as error:  # whatever is wrong with a machine is what the report is for
            fact = f"cannot be examined: {type(error).__name__}: {error}"
            lines.append(ReportLine(part.__name__.replace("_", " "), fact, "See what the error says."))
    return lines


def main() -> None:
    """Print the report."""
    lines = examine()
    for line in lines:
        say(f"{line.subject:<18} {line.fact}")
        if line.advice:
            say(f"{'':<18} -> {line.advice}")
    count = sum(bool(line.advice) for line in lines)
    say("\nall is well" if count == 0 else f"\n{count} of these can be mended, see the arrows")


if __name__ == "__main__":
    main()
