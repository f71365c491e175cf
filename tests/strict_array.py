"""Arrays as strict as CuPy's, and array functions on them, for the devices that stand in for a GPU in the tests.

An `Array` keeps its numbers in a NumPy array, but hands it to nobody: NumPy's functions refuse it, `np.asarray` raises
CuPy's own error, and arithmetic with a NumPy array raises. So code that forgets the device fails here as it would fail
on a GPU. Two devices are made of it: `stand_in.py`, whose kernels are the CPU's, and `cuda_on_cpu/arrays.py`.
"""

import operator

import numpy as np

_SCALARS = (bool, int, float, np.generic)


class Array:
    """What CuPy's arrays do, as far as a network needs it. Reductions give arrays without axes, not numbers."""

    __array_ufunc__ = None  # NumPy's functions and operators refuse it
    __hash__ = None

    def __init__(self, data):
        self._data = data

    # What a device does its own way.

    @classmethod
    def _computed(cls, function):
        """The result of function(), which computes with NumPy, on the device."""
        return cls.wrap(function())

    def _change(self, action):
        """Do what changes the array."""
        action()

    def _leaving(self):
        """Called before its numbers go to the CPU: whoever wants them waits for the device."""

    # From NumPy's arrays to the device's, and back.

    @classmethod
    def wrap(cls, value):
        """Arrays, and NumPy's scalars, as arrays of the device; in tuples and lists too; anything else as it is."""
        if isinstance(value, (np.ndarray, np.generic)):
            return cls(np.asarray(value))
        return type(value)(map(cls.wrap, value)) if type(value) in (tuple, list) else value

    @classmethod
    def unwrap(cls, value):
        """What lies in the device's arrays; a TypeError for an array that is not one of them."""
        if isinstance(value, cls):
            return value._data
        if isinstance(value, np.ndarray):
            raise TypeError(f"expected arrays of the stand-in device, got a NumPy array of shape {value.shape}")
        return type(value)(map(cls.unwrap, value)) if type(value) in (tuple, list) else value

    @classmethod
    def on_data(cls, function):
        """A function of NumPy's arrays as one of the device's."""

        def call(*args, **kwargs):
            inside = cls.unwrap(args)
            named = {name: cls.unwrap(value) for name, value in kwargs.items()}
            return cls._computed(lambda: function(*inside, **named))

        return call

    @classmethod
    def functions(cls):
        """The array functions of the device, by name."""
        return {name: cls.on_data(getattr(np, name)) for name in FUNCTIONS}

    @classmethod
    def _operand(cls, value):
        """The other side of an operator: an array of the device, or a number."""
        if not isinstance(value, (cls, *_SCALARS)):
            raise TypeError(f"Unsupported type {type(value)}")
        return cls.unwrap(value)

    def __array__(self, *_, **__):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(f"np.{function.__name__} got an array of the stand-in device. Take array_module(x).")

    def get(self):
        """A copy in the CPU's memory."""
        self._leaving()
        return self._data.copy()

    def tolist(self):
        self._leaving()
        return self._data.tolist()

    def __repr__(self):
        return f"Array({self._data!r})"

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        return iter([self.wrap(part) for part in self._data])

    def __getitem__(self, index):
        index = self._index(index)
        return self._computed(lambda: self._data[index])

    def __setitem__(self, index, value):
        index, value = self._index(index), self._operand(value)
        self._change(lambda: operator.setitem(self._data, index, value))

    def _index(self, index):
        """An index; CuPy, too, takes NumPy arrays of whole numbers there, and brings them to the device."""
        parts = index if isinstance(index, tuple) else (index,)
        parts = tuple(part._data if isinstance(part, Array) else part for part in parts)
        if any(isinstance(part, np.ndarray) and part.dtype == bool for part in parts):
            self._leaving()  # how many there are decides the result's shape
        # With an ellipsis, one element is an array without axes, a view, as in CuPy; NumPy would return a number.
        return parts if any(part is Ellipsis for part in parts) else (*parts, Ellipsis)

    def __deepcopy__(self, memo):
        return self.copy()

    # One element may become a number, as in CuPy: that waits for the device.

    def __float__(self):
        self._leaving()
        return float(self._data)

    def __int__(self):
        self._leaving()
        return int(self._data)

    def __bool__(self):
        self._leaving()
        return bool(self._data)

    def __index__(self):
        self._leaving()
        return operator.index(self._data)


def _operator(name):
    def method(self, *other):
        other = tuple(map(self._operand, other))
        return self._computed(lambda: getattr(self._data, name)(*other))

    return method


def _in_place(name):
    def method(self, other):
        other = self._operand(other)
        self._change(lambda: getattr(self._data, name)(other))
        return self

    return method


def _method(name):
    def method(self, *args, **kwargs):
        if unknown := kwargs.keys() - {"axis", "dtype", "keepdims", "copy"}:
            raise TypeError(f"CuPy's {name} does not take {unknown}")
        return self.on_data(getattr(self._data, name))(*args, **kwargs)

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
    *("squeeze", "sum", "transpose", "view"),
):
    setattr(Array, _name, _method(_name))
for _name in ("shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags"):
    setattr(Array, _name, _attribute(_name))


FUNCTIONS = (
    *("zeros", "zeros_like", "ones", "ones_like", "empty", "empty_like", "full", "full_like", "arange", "eye"),
    *("stack", "concatenate", "pad", "broadcast_to", "take_along_axis", "where", "tile", "may_share_memory"),
    *("maximum", "minimum", "clip", "abs", "sqrt", "square", "exp", "log", "log1p", "isfinite", "isnan", "sum"),
    *("ascontiguousarray", "floor", "hypot", "moveaxis", "sign", "tanh"),
)
