"""A process in which kernels run under AddressSanitizer and UBSan, which see what canaries cannot.

A read outside of an array changes nothing, and an index beyond a row may stay within the array. g++ adds a check to
every access of a kernel; the array's canaries are memory that must not be touched (memory.py), and shared arrays lie in
pieces of the heap, with forbidden memory between them. AddressSanitizer must be in a process from its beginning, and
Python is not linked to it: so it is a process of its own, in which the loader takes its library first.

    subprocess.run([sys.executable, "-m", "pytest", "-n0", "tests/test_gpu_conv.py"], env=sanitizer.environment())

The process ends with an error at the first finding, which names the line of the kernel.
"""

import os
import subprocess
from pathlib import Path

from cuda_on_cpu import compiler


def missing() -> str | None:
    """Why there can be no such process here, or None."""
    if (why := compiler.missing()) is not None:
        return why
    for name in ("libasan.so", "libubsan.so"):
        if _library(name) is None:
            return f"g++ has no {name}"
    return None


def environment() -> dict[str, str]:
    """The environment of such a process."""
    library = _library("libasan.so")
    if library is None:
        raise RuntimeError("g++ has no libasan.so")
    return {
        **os.environ,
        compiler.SANITIZED: "1",
        "LD_PRELOAD": str(library),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python frees little when it ends
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def _library(name: str) -> Path | None:
    done = subprocess.run(("g++", f"-print-file-name={name}"), capture_output=True, text=True)
    path = Path(done.stdout.strip())
    return path.resolve() if path.is_absolute() and path.exists() else None  # only the name where there is none
