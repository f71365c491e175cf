"""Kernels as CuPy has them: compiled from a text, launched with a grid. What a GPU would let pass silently is an error.

A launch passes bytes: the driver knows neither types nor sizes. An array of the wrong dtype, a Python float (8 bytes)
where the kernel has a float, an array whose elements do not lie one after another: on a GPU these give wrong numbers,
here errors that name the kernel and the argument.
"""

import ctypes
import itertools
import weakref
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from cuda_on_cpu import compiler
from cuda_on_cpu.arrays import ndarray
from cuda_on_cpu.streams import submit

SHARED = 48 << 10  # bytes of shared memory that a block has without asking
MOST_SHARED = 163 << 10  # that it can ask for: of an A100, the smallest GPU (sm_80) that the kernels are compiled for
MOST_BLOCKS = (2**31 - 1, 65535, 65535)
MOST_DEEP = 64  # threads along z


class KernelError(RuntimeError):
    """What a kernel did wrong while it ran, or a launch that CUDA would refuse."""


class Schedule(NamedTuple):
    """In which order things happen that a GPU may do in any.

    Attributes:
        backward: the last thread of a block begins first.
        late: asynchronous copies land when somebody waits for them, not when they start.
    """

    backward: bool
    late: bool

    def __str__(self):
        return f"{'backward' if self.backward else 'forward'}, copies {'late' if self.late else 'early'}"


SCHEDULES = tuple(Schedule(backward, late) for backward, late in itertools.product((False, True), (False, True)))
_schedule = [Schedule(backward=False, late=True)]


@contextmanager
def scheduled(schedule):
    """Within it, kernels run by this schedule."""
    _schedule.append(schedule)
    try:
        yield
    finally:
        _schedule.pop()


class RawModule:
    """cupy.RawModule: all kernels of a text. Like CuPy's it is compiled when the first of them is asked for."""

    def __init__(self, *, code, options=(), backend="nvrtc", name_expressions=None):
        if backend != "nvrtc":
            raise ValueError(f"expected backend 'nvrtc', got {backend!r}")
        self._text = code, tuple(option for option in options if option.startswith("-D")), tuple(name_expressions or ())
        self._kernels = None

    def get_function(self, name):
        if self._kernels is None:
            self._kernels = compiler.build(*self._text)
        if name not in self._kernels:
            raise KernelError(f"CUDA_ERROR_NOT_FOUND: no kernel {name!r}. There are: {', '.join(self._kernels)}")
        return Kernel(name, self._kernels[name])


def RawKernel(code, name, options=(), backend="nvrtc"):
    """cupy.RawKernel: a text's one kernel."""
    return RawModule(code=code, options=options, backend=backend).get_function(name)


class Kernel:
    """What CuPy's get_function returns: called as kernel(grid, block, arguments, shared_mem=bytes)."""

    def __init__(self, name, compiled):
        self.name = name
        self.max_dynamic_shared_size_bytes = SHARED
        self._compiled = compiled

    def __call__(self, grid, block, args, *, shared_mem=0):
        grid, block = self._three("grid", grid), self._three("block", block)
        self._check_size(grid, block, shared_mem)
        signature = self._compiled.signature
        if len(args) != len(signature):
            raise TypeError(f"{self.name} takes {len(signature)} arguments, got {len(args)}")
        values = [
            _bytes(argument, kind, f"{self.name}: argument {number} ({kind})")
            for number, (argument, kind) in enumerate(zip(args, signature))
        ]
        buffers = {number: argument.buffer for number, argument in enumerate(args) if isinstance(argument, ndarray)}
        submit(self._action(grid, block, values, shared_mem, buffers), buffers.values())

    def _three(self, what, sizes):
        if not isinstance(sizes, tuple) or not 1 <= len(sizes) <= 3:
            raise TypeError(f"{self.name}: expected {what} as a tuple of 1 to 3 sizes, got {sizes!r}")
        return (*map(int, sizes), 1, 1)[:3]

    def _check_size(self, grid, block, shared_mem):
        limit = self._compiled.most_threads
        threads = block[0] * block[1] * block[2]
        if min(*grid, *block) < 1 or any(size > most for size, most in zip(grid, MOST_BLOCKS)):
            raise KernelError(f"{self.name}: invalid configuration: grid {grid}, block {block}")
        if threads > limit or block[2] > MOST_DEEP:
            raise KernelError(f"{self.name}: invalid configuration: block {block}, at most {limit} threads")
        if not 0 <= shared_mem <= self.max_dynamic_shared_size_bytes <= MOST_SHARED:
            raise KernelError(
                f"{self.name}: {shared_mem} bytes of dynamic shared memory, of {self.max_dynamic_shared_size_bytes} "
                f"allowed (max_dynamic_shared_size_bytes; a block can have {MOST_SHARED} at most)"
            )

    def _action(self, grid, block, values, shared_mem, buffers):
        """The launch, as a function without arguments that holds addresses, not arrays."""
        addresses = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
        sizes = (ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*block)
        references = {number: weakref.ref(buffer) for number, buffer in buffers.items()}
        limit = max(SHARED, self.max_dynamic_shared_size_bytes)
        launch, name = self._compiled.launch, self.name

        def action(values=values):  # the bytes live as long as this function
            backward, late = _schedule[-1]
            error = launch(addresses, *sizes, shared_mem, limit, backward, late)
            if error is not None:
                raise KernelError(f"{name}: {error.decode()}")
            for number, reference in references.items():
                if (damage := reference().damage()) is not None:
                    raise KernelError(f"{name}: written to outside of argument {number}: {damage}")

        return action


def _bytes(argument, kind, where):
    """The bytes that are passed for an argument, where they are what the kernel's parameter takes."""
    if kind[0] in "rw":
        value = _address(argument, kind[1:], where)
    elif isinstance(argument, (ndarray, np.ndarray)) or argument is None:
        raise TypeError(f"{where}: expected a number, got {type(argument).__name__}")
    else:
        value = _number(argument, np.dtype(kind), where)
    return ctypes.create_string_buffer(value.tobytes(), 8)


def _address(argument, element, where):
    if isinstance(argument, np.uint64) and argument == 0:
        return argument  # a null pointer
    if not isinstance(argument, ndarray):
        raise TypeError(f"{where}: expected an array of the device, got {type(argument).__name__}")
    if element != "V?" and argument.dtype != element and not (argument.dtype == bool and element == "u1"):
        raise TypeError(f"{where}: expected {np.dtype(element)}, got an array of {argument.dtype}")
    if not argument.flags.c_contiguous:
        raise ValueError(f"{where}: the array is not C-contiguous, but kernels get no strides")
    return np.uint64(argument.address)


def _number(argument, expected, where):
    if isinstance(argument, np.generic):
        if argument.dtype != expected:
            raise TypeError(f"{where}: expected {expected}, got {argument.dtype}")
        return argument
    if isinstance(argument, bool) and expected.itemsize == 1:
        return expected.type(argument)
    if isinstance(argument, int) and not isinstance(argument, bool) and expected.kind in "iu" and expected.itemsize > 2:
        try:
            return expected.type(argument)  # CuPy passes 8 bytes, of which the kernel takes the lower ones
        except OverflowError:
            raise OverflowError(f"{where}: {argument} does not fit") from None
    passed = {float: " (passed as float64)", bool: " (passed as one byte)"}.get(type(argument), "")
    raise TypeError(f"{where}: expected {expected}, got {type(argument).__name__}{passed}")
