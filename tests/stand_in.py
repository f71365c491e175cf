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
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np

from scratchnet import devices
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
    return type(value)(map(_wrap, value)) if type(value) in (tuple, list) else value


def _unwrap(value):
    """What lies in the device's arrays; a TypeError for an array that is not one of them."""
    if isinstance(value, Array):
        return value._data
    if isinstance(value, np.ndarray):
        raise TypeError(f"expected arrays of the stand-in device, got a NumPy array of shape {value.shape}")
    return type(value)(map(_unwrap, value)) if type(value) in (tuple, list) else value


def _on_data(function):
    """A function of NumPy's arrays as one of the device's."""

    def call(*args, **kwargs):
        return _wrap(function(*_unwrap(args), **{name: _unwrap(value) for name, value in kwargs.items()}))

    return call


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


def _operator(name):
    return lambda self, *other: _wrap(getattr(self._data, name)(*map(_operand, other)))


def _in_place(name):
    def method(self, other):
        getattr(self._data, name)(_operand(other))
        return self

    return method


def _method(name):
    def method(self, *args, **kwargs):
        if unknown := kwargs.keys() - {"axis", "dtype", "keepdims", "copy"}:
            raise TypeError(f"CuPy's {name} does not take {unknown}")
        return _on_data(getattr(self._data, name))(*args, **kwargs)

    return method


def _attribute(name):
    return property(lambda self: getattr(self._data, name))


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(Array, f"__r{_name}__", _operator(f"__r{_name}__"))
    setattr(Array, f"__i{_name}__", _in_place(f"__i{_name}__"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "pos", "abs", "invert"):
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))
for _name in (
    *("all", "any", "argmax", "argmin", "astype", "clip", "copy", "max", "mean", "min", "ravel", "repeat", "reshape"),
    *("squeeze", "sum", "tolist", "transpose", "view"),
):
    setattr(Array, _name, _method(_name))
for _name in ("shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags"):
    setattr(Array, _name, _attribute(_name))


def put(x, dtype=None):
    """An array on the device; of what is not there yet a copy, as on a GPU."""
    if isinstance(x, Array):
        return x if dtype in (None, x.dtype) else x.astype(dtype)
    return Array(np.array(x, dtype))


FUNCTIONS = (
    *("zeros", "zeros_like", "ones", "ones_like", "empty", "empty_like", "full", "full_like", "arange", "eye"),
    *("stack", "concatenate", "pad", "broadcast_to", "take_along_axis", "where", "tile", "may_share_memory"),
    *("maximum", "minimum", "clip", "abs", "sqrt", "square", "exp", "log", "log1p", "isfinite", "isnan", "sum"),
    *("ascontiguousarray",),
)
module = SimpleNamespace(**{name: _on_data(getattr(np, name)) for name in FUNCTIONS}, asarray=put)

# Their tables (which examples, how far, how turned) are small and mostly come from the host; see kernels/interface.
TAKE_TABLES = ("augment", "gather", "translate")


def _kernel(name):
    function = _on_data(getattr(cpu, name))

    def kernel(*args, **kwargs):
        reached[name] += 1
        if name in TAKE_TABLES:
            args = (args[0], *(put(table) if isinstance(table, np.ndarray) else table for table in args[1:]))
        return function(*args, **kwargs)

    return kernel


kernels = SimpleNamespace(**{name: _kernel(name) for name in cpu.__all__})


@contextmanager
def registered(name=NAME, free_memory=None):
    """Within it the device is known to the package, by this name, and `reached` counts from nothing."""
    reached.clear()
    devices.register(devices.Device(name, Array, module, lambda: kernels, Array.get, free_memory))
    try:
        yield
    finally:
        devices.unregister(name)
