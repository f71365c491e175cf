"""CUDA C on the CPU: the package's GPU kernels run, and are watched, where there is no GPU.

g++ compiles the same `.cu` files that a GPU's compiler gets, and a stand-in for CuPy launches them. So not only the
kernels are tested, but their launch code too: grids, argument types, shared memory, streams, graphs.

    with cuda_on_cpu.installed():
        from scratchnet.kernels import gpu       # its `import cupy` finds the stand-in
    for schedule in cuda_on_cpu.SCHEDULES:
        with cuda_on_cpu.scheduled(schedule):
            y = gpu.relu(cuda_on_cpu.cupy.asarray(x)).get()

How a block is played (cpp/block.cpp): blocks run one after another. In a block each thread is a function call on a
stack of its own (cpp/fibers.cpp); it runs until it comes to a barrier or a shuffle, where it stops and another goes on.
A thread that never waits needs no other stack, so kernels without barriers are as fast as a loop.

What is found:

- a missing barrier, or a wait for too few asynchronous copies: `SCHEDULES` has the extreme orders in which threads and
  copies can happen, and the kernel must be right in each; shared memory is full of NaN when a block begins
- barriers and shuffles that not all threads come to, wrong masks, deadlocks: errors, with the line
- elements that nobody has written (too few blocks): NaN
- writes outside of an array: canaries (memory.py); reads outside, with AddressSanitizer (sanitizer.py)
- arguments of the wrong type, too many threads, too much shared memory, strides: launching.py
- NumPy's arrays where the device's are due, and the reverse: strict_array.py
- copies, allocations and waiting while a graph is captured: streams.py

What is not: races between blocks, since these run one after another; and anything about speed.

The files: compiler.py makes a library of a `.cu`; cpp/cuda_cpu.h and what it includes is what kernels see, cpp/*.cpp
what plays them; memory.py, arrays.py, launching.py, streams.py and cuda.py are CuPy's parts, cupy_on_cpu.py the module.
"""

import sys
from contextlib import contextmanager

from cuda_on_cpu import cupy_on_cpu as cupy
from cuda_on_cpu.compiler import CompileError, missing
from cuda_on_cpu.launching import SCHEDULES, KernelError, Schedule, scheduled
from cuda_on_cpu.memory import memory_limit

__all__ = [
    "SCHEDULES",
    "CompileError",
    "KernelError",
    "Schedule",
    "cupy",
    "installed",
    "memory_limit",
    "missing",
    "scheduled",
]

_MODULES = {"cupy": cupy, "cupy.cuda": cupy.cuda}


@contextmanager
def installed():
    """Within it `import cupy` finds the stand-in; whoever has imported it keeps it."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "cupy"}
    for name in before:
        del sys.modules[name]
    sys.modules.update(_MODULES)
    try:
        yield cupy
    finally:
        for name in _MODULES:
            del sys.modules[name]
        sys.modules.update(before)
