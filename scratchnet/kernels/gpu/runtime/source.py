"""CUDA C beside the Python file that launches it: read, compiled by NVRTC when it is first used, launched.

`activation.py` has `activation.cu` beside it, and launches its kernels by

    _source = Source(__file__)
    _source.each("relu", x.dtype, x.size, x, y)                      # one thread for each of x.size elements
    _source.launch("softmax", x.dtype, (rows,), (128,), x, y, K)     # the grid and the block by hand

A file is compiled once for each dtype: in its text `real` is float or double. CuPy keeps what it compiled on the disk.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import cupy
import numpy as np

_FOLDER = Path(__file__).parent.parent  # where the headers are
_THREADS = 256  # of a block, where each thread has an element of its own
_NULL = np.uint64(0)  # eight bytes of zeros, whatever CuPy makes of None
_MOST_BLOCKS = 2**31 - 1  # along the first axis of a grid
_REAL = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}


def cuda_text(path: Path) -> str:
    """The text of a .cu file, with each header that it includes in the place of the #include.

    CuPy finds a compiled kernel by its text: a header that is part of it cannot change unseen. The #line directives
    keep the compiler's messages true.
    """
    included: set[str] = set()

    def header(match: re.Match[str]) -> str:
        name = match[1]
        if name in included:
            return ""
        included.add(name)
        return f'#line 1 "{name}"\n{expand(_FOLDER / name)}\n'

    def expand(file: Path) -> str:
        return re.sub(r'^#include "([\w/]+\.cuh)"$', header, file.read_text(encoding="utf-8"), flags=re.MULTILINE)

    lines = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = re.fullmatch(r'#include "([\w/]+\.cuh)"', line)
        lines.append(f'{header(match)}#line {number + 1} "{path.name}"' if match else line)
    return "\n".join(lines) + "\n"


def _argument(value: Any, real: type[np.floating]) -> Any:
    """As a kernel gets it: Python's numbers as `int` and `real`, None as a null pointer; all others as they are."""
    if value is None:
        return _NULL
    if isinstance(value, (bool, int)):
        return np.int32(value)  # an OverflowError where it does not fit
    return real(value) if type(value) is float else value  # np.float64 is a float, too, and stays a double


class Source:
    """The kernels of one .cu file."""

    def __init__(self, python_file: str) -> None:
        self.path = Path(python_file).with_suffix(".cu")
        self.kernel = functools.cache(self._kernel)
        self._module = functools.cache(self._compiled)

    def _compiled(self, dtype: np.dtype) -> Any:
        # A fused multiply-add, a*b + c rounded once, is what the compiler makes of sums of products by itself.
        options = ("--std=c++17", f"-DREAL={_REAL[dtype]}")
        return cupy.RawModule(code=cuda_text(self.path), options=options, backend="nvrtc")

    def _kernel(self, name: str, dtype: np.dtype) -> Any:
        return self._module(dtype).get_function(name)

    def launch(
        self,
        name: str,
        dtype: np.dtype,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        *arguments: Any,
        shared: int = 0,
    ) -> None:
        """Run a kernel on a grid of blocks; nothing where the grid has none.

        Args:
            name: the kernel's, in the file.
            dtype: what `real` is.
            grid, block: how many blocks, and threads in each.
            arguments: contiguous CuPy arrays, None where there is none; Python's int and bool become `int`, its float
                `real`; whatever else the kernel takes comes as NumPy's number: np.int64 for `long long`, np.float64 for
                `double`.
            shared: bytes of dynamic shared memory for each block.
        """
        if 0 in grid:
            return
        kernel = self.kernel(name, dtype)
        if shared > 48 * 1024:  # what a kernel may have without asking
            kernel.max_dynamic_shared_size_bytes = shared
        kernel(grid, block, tuple(_argument(a, dtype.type) for a in arguments), shared_mem=shared)

    def each(self, name: str, dtype: np.dtype, count: int, *arguments: Any) -> None:
        """Run a kernel with one thread for each of `count` elements. Its last parameter is the count, `long long n`.

        Raises:
            ValueError: more elements than a grid has threads, 5e11.
        """
        blocks = -(-count // _THREADS)
        if blocks > _MOST_BLOCKS:
            raise ValueError(f"{name}: expected at most {_MOST_BLOCKS * _THREADS} elements, got {count}.")
        self.launch(name, dtype, (blocks,), (_THREADS,), *arguments, np.int64(count))
