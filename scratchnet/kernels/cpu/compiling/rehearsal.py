"""A rehearsal: which kernels a program needs, found out by running it without running any of them.

Which kernels are called, and with which types, follows from the shapes of arrays, hardly ever from the numbers in them.
So all arrays are zeros, and each launch is noted only. `scratchnet.compile` compiles what was noted.

It is for a process that does nothing else: what is computed is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

_Call = tuple[Any, tuple[Any, ...]]  # a kernel, as Numba makes it, and the types of its arguments

planned: dict[_Call, None] | None = None  # in the order of their calls; None where kernels run


def begin() -> None:
    """From now on kernels do not run in this process, and arrays that would be empty are zeros."""
    global planned
    planned = {}
    # What a kernel would have written decides now and then: whether a picture has a NaN, whether a variance fits.
    numpy: Any = np
    numpy.empty, numpy.empty_like = np.zeros, np.zeros_like


def note(kernel: Any, args: tuple[Any, ...]) -> None:
    """In place of a launch."""
    assert planned is not None  # it is asked before
    planned[kernel, tuple(kernel.typeof_pyval(value) for value in args)] = None


def compile_planned(backwards: bool, skip: Any) -> Iterator[Any]:
    """Compile what was noted and is not on disk, from the end if backwards, but not where `skip(kernel)`.

    Yields each kernel that it is through with.
    """
    calls = list(planned or {})
    for kernel, types in reversed(calls) if backwards else calls:
        if types not in kernel.overloads and not skip(kernel):
            kernel.compile(types)
        yield kernel
