"""A device that stands in for a GPU: arrays as strict as CuPy's, their array module, and kernels that are counted.

An `Array` keeps its numbers in a NumPy array, but hands it to nobody: NumPy's functions refuse it, `np.asarray` raises
CuPy's own error, and arithmetic with a NumPy array raises. So code that forgets the device fails here as it would fail
on a GPU. Its kernels are those of the CPU, so results must be the CPU's to the last bit.

    with stand_in.registered():
        y = layer.forward(stand_in.put(x))
    assert stand_in.reached["conv2d"] == 1
"""

import operator
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np

from scratchnet import device
from scratchnet.kernels import cpu

NAME = "stand_in"
reached: Counter[str] = Counter()  # how often each kernel was called
_SCALARS = (bool, int, float, np.generic)


class Array:
    """What CuPy's arrays do, as far as a network needs it. Reductions give arrays without axes, not numbers."""

    __array_ufunc__ = None  # NumPy's functions and operators refuse it
    __hash__ = None

    def __init__(self, data):
        self._data = data

    def __array__(self, *_, **__):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(f"np.{function.__name__} got an array of the stand-in device. Take array_module(x).")

    def get(self):
        """A copy in the CPU's memory."""
        return self._data.copy()

    def __repr__(self):
        return f"Array({self._data!r})"

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        return iter([_wrap(part) for part in self._data])

    def __getitem__(self, index):
        return _wrap(self._data[_index(index)])

    def __setitem__(self, index, value):
        self._data[_index(index)] = _operand(value)

    def __deepcopy__(self, memo):
        return self.copy()

    # One element may become a number, as in CuPy: that waits for the device.

    def __float__(self):
        return float(self._data)

    def __int__(self):
        return int(self._data)

    def __bool__(self):
        return bool(self._data)

    def __index__(self):
        return operator.index(self._data)


def _wrap(value):
    """Arrays, and NumPy's scalars, as arrays of the device; in tuples and lists too; anything else as it is."""
    if isinstance(value, (np.ndarray, np.generic)):
        return Array(np.asarray(value))
    if isinstance(value, (tuple, list)):
        return type(value)(map(_wrap, value)) if type(value) in (tuple, list) else type(value)(*map(_wrap, value))
    return value


def _unwrap(value):
    """What lies in the device's arrays; a TypeError for an array that is not one of them."""
    if isinstance(value, Array):
        return value._data
    if isinstance(value, np.ndarray):
        raise TypeError(f"expected arrays of the stand-in device, got a NumPy array of shape {value.shape}")
    if isinstance(value, (tuple, list)):
        return type(value)(map(_unwrap, value)) if type(value) in (tuple, list) else type(value)(*map(_unwrap, value))
    return value


def _operand(value):
    """The other side of an operator: an array of the device, or a number."""
    if not isinstance(value, (Array, *_SCALARS)):
        raise TypeError(f"Unsupported type {type(value)}")
    return _unwrap(value)


def _index(index):
    """An index; CuPy, too, takes NumPy arrays of whole numbers there, and brings them to the device."""
    parts = index if isinstance(index, tuple) else (index,)
    parts = tuple(part._data if isinstance(part, Array) else part for part in parts)
    return parts if isinstance(index, tuple) else parts[0]


def _add_operators():
    def binary(name):
        return lambda self, other: _wrap(getattr(self._data, name)(_operand(other)))

    def unary(name):
        return lambda self: _wrap(getattr(self._data, name)())

    def in_place(name):
        def method(self, other):
            getattr(self._data, name)(_operand(other))
            return self

        return method

    arithmetic = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor")
    for name in arithmetic:
        setattr(Array, f"__{name}__", binary(f"__{name}__"))
        setattr(Array, f"__r{name}__", binary(f"__r{name}__"))
        setattr(Array, f"__i{name}__", in_place(f"__i{name}__"))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(Array, f"__{name}__", binary(f"__{name}__"))
    for name in ("neg", "pos", "abs", "invert"):
        setattr(Array, f"__{name}__", unary(f"__{name}__"))


def _add_methods():
    def method(name):
        return lambda self, *args, **kwargs: _wrap(getattr(self._data, name)(*_unwrap(args), **_unwrap_values(kwargs)))

    for name in (
        *("all", "any", "argmax", "argmin", "astype", "clip", "copy", "fill", "item", "max", "mean", "min", "ravel"),
        *("repeat", "reshape", "squeeze", "sum", "tolist", "transpose", "view"),
    ):
        setattr(Array, name, method(name))
    Array.item = lambda self: self._data.item()
    for name in ("shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags", "T"):
        setattr(Array, name, property(lambda self, name=name: _wrap_attribute(getattr(self._data, name))))


def _wrap_attribute(value):
    return Array(value) if isinstance(value, np.ndarray) else value


def _unwrap_values(kwargs: Mapping):
    return {name: _unwrap(value) for name, value in kwargs.items()}


_add_operators()
_add_methods()


def _function(name):
    function = getattr(np, name)
    return lambda *args, **kwargs: _wrap(function(*_unwrap(args), **_unwrap_values(kwargs)))


def put(x, dtype=None):
    """An array on the device: a copy, as it is on a GPU."""
    return x if isinstance(x, Array) and dtype in (None, x.dtype) else Array(np.array(_raw(x), dtype))


def _raw(x):
    return x._data if isinstance(x, Array) else x


FUNCTIONS = (
    *("zeros", "zeros_like", "ones", "ones_like", "empty", "empty_like", "full", "full_like", "arange", "eye"),
    *("stack", "concatenate", "pad", "broadcast_to", "take_along_axis", "where", "tile", "may_share_memory"),
    *("maximum", "minimum", "clip", "abs", "sqrt", "square", "exp", "log", "log1p", "isfinite", "isnan", "sum"),
    *("ascontiguousarray",),
)
module = SimpleNamespace(**{name: _function(name) for name in FUNCTIONS}, asarray=put, array=put, ndarray=Array)

# Small tables that the host draws and a launch brings to the device: which examples, how far, how turned.
FROM_HOST = {"gather": ("index",), "translate": ("offsets",), "augment": ("index", "matrix", "colour", "hole")}


def _kernel(name):
    function = getattr(cpu, name)

    def kernel(*args, **kwargs):
        reached[name] += 1
        if name in FROM_HOST:
            args = (args[0], *(put(a) if isinstance(a, np.ndarray) else a for a in args[1:]))
        return _wrap(function(*_unwrap(args), **_unwrap_values(kwargs)))

    return kernel


kernels = SimpleNamespace(**{name: _kernel(name) for name in cpu.__all__})


@contextmanager
def registered():
    """Within it the device is known to the package, and `reached` counts from nothing."""
    reached.clear()
    device.register(device.Device(NAME, Array, module, kernels=lambda: kernels, to_numpy=Array.get))
    try:
        yield
    finally:
        device.unregister(NAME)
