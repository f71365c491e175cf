"""A GPU's blocks of threads, in slow motion and in Python: for kernels that are read, drawn and checked without a GPU.

A kernel is a function of a thread and of arrays. Every thread of the grid runs it; where it says `yield`, it waits
until all threads of its block are there: CUDA's `__syncthreads()`.

    def reverse(t, x, y):
        part = t.shared("part", 4)  # 4 numbers that the threads of a block share
        part[t.x] = x[t.element]
        yield
        y[t.element] = part[3 - t.x]

    x, y = np.arange(8.0, dtype=np.float32), np.zeros(8, np.float32)
    run = launch(reverse, 2, 4, x, y)  # 2 blocks of 4 threads; y is 3 2 1 0 7 6 5 4

A launch raises `Race`, `OutOfRange`, `Unwritten` or `Divergent` where the kernel is wrong, whatever order the threads
happened to run in. What it returns counts what a GPU pays for: reads and writes, sectors of memory, bank conflicts.

From the outside in:

    grid          launch: threads take turns from barrier to barrier; what a thread knows of itself
    run           what a launch was: its faults, and the counts of its accesses
    counting      a warp's accesses: sectors of global memory, turns of the shared memory's banks
    timeline      a block step by step, all its threads at once: what the notebooks draw
    races         two threads at one cell with no barrier between
    arrays        arrays that write down who touches which cell
    faults        what can be wrong, in words
    tensor_cores  mma.m16n8k8 lane by lane; TF32, and three products of it for one
    cuda_text     the text of a function of the package's .cu files
"""

from scratchnet.blocks.cuda_text import cuda_text
from scratchnet.blocks.faults import Divergent, KernelFault, OutOfRange, Race, Unwritten
from scratchnet.blocks.grid import Thread, launch
from scratchnet.blocks.run import Run
from scratchnet.blocks.tensor_cores import fragment_a, fragment_b, fragment_c, mma, split, tf32, tf32_product
from scratchnet.blocks.timeline import Step, timeline

__all__ = [
    "Divergent",
    "KernelFault",
    "OutOfRange",
    "Race",
    "Run",
    "Step",
    "Thread",
    "Unwritten",
    "cuda_text",
    "fragment_a",
    "fragment_b",
    "fragment_c",
    "launch",
    "mma",
    "split",
    "tf32",
    "tf32_product",
    "timeline",
]
