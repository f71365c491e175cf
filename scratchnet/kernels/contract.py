"""What a kernel takes, written above it, and checked before compiled code reads and writes by addresses.

Each device makes its own `takes` from here, by `takes_for`: what an array is differs, what fits together does not.

    @takes(x="N H W C", dy="N OH OW F", dw="KH KW C F, added, or None", db="F, added, or None")
    def conv2d_weight_grad(x, dy, kernel_size, strides, pads, dw=None, db=None): ...

For each array its axes:
- A letter is a size: the same letter, the same size throughout the call. At least 1, but for the batch N.
- `C*M` is a product of sizes. `...` stands for any number of axes, the same wherever it stands.

After a comma, what else holds. Without it, an array is float32 or float64, and all of a call are of one dtype.
- `added`: written to, so it must be contiguous and writeable.
- `or None`: may be left out.
- `int32`, `whole`: of that dtype, or of any dtype of whole numbers. `or float64`: may be float64 beside float32.

Sizes also come from arguments called kernel_size, pool_size (KH, KW), input_hw, output_hw (H, W) and size (SH, SW).
Where there are strides and pads, too, OH and OW must be the window's: OH = (H + top + bottom - KH) // sh + 1.

What was found right once is looked up from then on, by shapes, dtypes and flags: about a microsecond a call.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import numpy as np

from scratchnet.kernels.checks import Sizes, check_output, check_pads, check_pair
from scratchnet.shapes import FLOATS

_PAIRS = {
    "kernel_size": ("KH", "KW"),
    "pool_size": ("KH", "KW"),
    "input_hw": ("H", "W"),
    "output_hw": ("H", "W"),
    "size": ("SH", "SW"),
    "strides": ("sh", "sw"),
}
_MOST_KNOWN = 4096  # calls that are remembered for each kernel


class Arrays(NamedTuple):
    """What the arrays of a device are, for its kernels.

    Attributes:
        name: as messages name them, "NumPy".
        seen: the attributes, beside shape and dtype, that tell whether a kernel can take an array.
        is_array: whether this is one of them.
        is_plain: whether kernels can read it as it is.
        plain: it, or an array with its numbers, as kernels can read it.
        fault: what stands against writing to it, for a message; None if nothing.
    """

    name: str
    seen: tuple[str, ...]
    is_array: Callable[[Any], bool]
    is_plain: Callable[[Any], bool]
    plain: Callable[[Any], Any]
    fault: Callable[[Any], str | None]


class _Array:
    """What the contract says about one array."""

    def __init__(self, name: str, text: str):
        axes, *rest = (part.strip() for part in text.split(","))
        self.name, self.axes, self.rest = name, axes.split(), rest
        self.optional, self.added = "or None" in rest, "added" in rest

    def shape(self, sizes: Sizes, rest: tuple[int, ...] | None) -> str:
        """As messages write it: what is known as numbers, the others as letters."""
        parts = [str(self.size(axis, sizes) or axis) for axis in self.axes if axis != "..."]
        if self.axes[:1] == ["..."]:
            parts = [*(["..."] if rest is None else map(str, rest)), *parts]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    @staticmethod
    def size(axis: str, sizes: Sizes) -> int | None:
        """The size of an axis; None where a letter of it is not known yet."""
        known = [sizes.get(letter) for letter in axis.split("*")]
        return None if None in known else math.prod(known)  # type: ignore[arg-type]


class _Contract:
    def __init__(
        self, kernel: Callable[..., Any], arrays: dict[str, str], rule: Callable[..., None] | None, device: Arrays
    ):
        self.caller, self.rule, self.device = kernel.__name__, rule, device
        self.parameters = list(inspect.signature(kernel).parameters.values())
        self.names = [parameter.name for parameter in self.parameters]
        self.arrays = {self.names.index(name): _Array(name, text) for name, text in arrays.items()}
        settings = [i for i, name in enumerate(self.names) if name in {*_PAIRS, "pads", "pooling"}]
        self.first, self.stop = (settings[0], settings[-1] + 1) if settings else (0, 0)
        assert len(settings) == self.stop - self.first, f"{self.caller}: the settings must follow one another"

    def key(self) -> Callable[..., tuple[Any, ...]]:
        """key(*arguments): all that `check` looks at.

        It is written out and compiled, as `namedtuple` does it: a loop over the arrays would take twice as long, and
        this runs at each call of a kernel.
        """
        parts = self.names[self.first : self.stop]
        for array in self.arrays.values():
            seen = ", ".join(f"{array.name}.{part}" for part in ("__class__", "shape", "dtype", *self.device.seen))
            parts.append(f"None if {array.name} is None else ({seen})" if array.optional else seen)
        arguments = ", ".join(p.name if p.default is p.empty else f"{p.name}=None" for p in self.parameters)
        key = eval(f"lambda {arguments}: ({', '.join(parts)},)")
        key.__defaults__ = tuple(p.default for p in self.parameters if p.default is not p.empty)
        return key

    def whole(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | None:
        """All arguments by their places; None where the call itself is wrong, which Python then says."""
        if len(args) > len(self.names) or not kwargs.keys() <= set(self.names[len(args) :]):
            return None
        rest = [kwargs.get(p.name, p.default) for p in self.parameters[len(args) :]]
        return None if any(value is inspect.Parameter.empty for value in rest) else (*args, *rest)

    def check(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The settings as tuples of ints. Raises a TypeError or ValueError for what does not fit."""
        sizes: Sizes = {}
        settings = zip(self.names[self.first : self.stop], args[self.first : self.stop])
        given = {name: self._setting(name, value, sizes) for name, value in settings}
        rest: tuple[int, ...] | None = None
        dtype: np.dtype | None = None
        later = []
        for i, array in self.arrays.items():
            value = args[i]
            if value is None and array.optional:
                continue
            if not self.device.is_array(value):
                expected = f"a {self.device.name} array as {array.name}"
                raise TypeError(f"{self.caller}: expected {expected}, got {type(value).__name__}.")
            dtype = self._check_dtype(array, value, dtype)
            fault = self.device.fault(value) if array.added else None
            if fault is not None:
                raise ValueError(
                    f"{self.caller}: {array.name} is written to, and must be {fault}. Make a copy, "
                    "np.array(a, order='C'), and keep it."
                )
            shape = value.shape
            if array.axes[:1] == ["..."]:
                cut = len(shape) - len(array.axes) + 1
                if cut < 0 or (rest is not None and shape[:cut] != rest):
                    self._refuse(array, value, sizes, rest)
                rest, shape = shape[:cut], shape[cut:]
            axes = [axis for axis in array.axes if axis != "..."]
            if len(shape) != len(axes):
                self._refuse(array, value, sizes, rest)
            for axis, size in zip(axes, shape):
                if axis.isdigit():
                    sizes[axis] = int(axis)
                if "*" in axis:
                    later.append((array, value, axis, size))
                elif (size == 0 and axis != "N") or sizes.setdefault(axis, size) != size:
                    self._refuse(array, value, sizes, rest)
        for array, value, axis, size in later:
            unknown = [letter for letter in axis.split("*") if letter not in sizes]
            known = math.prod(sizes[letter] for letter in axis.split("*") if letter in sizes)
            if len(unknown) == 1 and size and size % known == 0:
                sizes[unknown[0]] = size // known
            elif unknown or size != known:
                self._refuse(array, value, sizes, rest)
        if "strides" in given and {"H", "W", "KH", "KW"} <= sizes.keys():
            hw, kernel_size = (sizes["H"], sizes["W"]), (sizes["KH"], sizes["KW"])
            check_output(hw, kernel_size, given["strides"], given["pads"], sizes, self.caller)
        if self.rule is not None:
            self.rule(self.caller, given, sizes)
        return tuple(given.values())

    def _check_dtype(self, array: _Array, value: np.ndarray, dtype: np.dtype | None) -> np.dtype | None:
        """The dtype of the call's floats, once one of them was seen."""
        if "int32" in array.rest or "whole" in array.rest:
            right = value.dtype == np.int32 if "int32" in array.rest else value.dtype.kind in "iu"
            expected = "int32" if "int32" in array.rest else "whole numbers"
        elif dtype is None:
            right, expected, dtype = value.dtype in FLOATS, "float32 or float64", value.dtype
        else:
            right = value.dtype == dtype or ("or float64" in array.rest and value.dtype == np.float64)
            expected = f"{dtype}, as the arrays before it"
        if not right:
            raise ValueError(f"{self.caller}: expected {array.name} as {expected}, got {value.dtype}. Use astype.")
        return dtype

    def _refuse(self, array: _Array, value: np.ndarray, sizes: Sizes, rest: tuple[int, ...] | None) -> NoReturn:
        raise ValueError(
            f"{self.caller}: expected {array.name} of shape {array.shape(sizes, rest)}, to fit the other arguments, "
            f"got {value.shape}."
        )

    def _setting(self, name: str, value: Any, sizes: Sizes) -> Any:
        """A pair of whole numbers, or pads or a pooling, as tuples of ints."""
        if name == "pads":
            return check_pads(value, self.caller)
        if name == "pooling":
            if not isinstance(value, (tuple, list)) or len(value) != 3:
                raise ValueError(f"{self.caller}: expected pooling as (pool_size, strides, pads), got {value!r}.")
            size, strides, pads = value
            return (
                check_pair(size, "pool_size", self.caller),
                check_pair(strides, "strides", self.caller),
                check_pads(pads, self.caller),
            )
        pair = check_pair(value, name, self.caller)
        sizes.update(zip(_PAIRS[name], pair))
        return pair


def takes_for(device: Arrays) -> Callable[..., Callable[[Callable[..., Any]], Any]]:
    """The decorator `takes` of a device's kernels, see above.

    `takes(rule=None, **arrays)`: `rule(caller, settings, sizes)` adds to the contract what needs a formula.
    """

    def takes(*, rule: Callable[..., None] | None = None, **arrays: str) -> Callable[[Callable[..., Any]], Any]:
        return lambda kernel: _checked(kernel, _Contract(kernel, arrays, rule, device))

    return takes


def _checked(kernel: Callable[..., Any], contract: _Contract) -> Callable[..., Any]:
    """The kernel, each call of which is first held to its contract."""

    key_of, places, first, stop = contract.key(), tuple(contract.arrays), contract.first, contract.stop
    known: dict[Any, tuple[tuple[Any, ...], tuple[int, ...]]] = {}

    @functools.wraps(kernel)
    def checked(*args: Any, **kwargs: Any) -> Any:
        key: tuple[Any, ...] | None
        try:
            key = key_of(*args, **kwargs)
            found = known.get(key)
        except (AttributeError, TypeError):  # something else than an array; a list, which has no hash
            key = found = None
        if found is None or found[1] or kwargs or len(args) < stop:
            whole = contract.whole(args, kwargs)
            if whole is None:
                return kernel(*args, **kwargs)  # a TypeError that says which argument is missing or unknown
            args = whole
            if found is None:
                given = [(i, args[i]) for i in places if args[i] is not None]
                found = contract.check(args), tuple(i for i, array in given if not contract.device.is_plain(array))
                if key is not None and len(known) < _MOST_KNOWN:
                    known[key] = found
            args = tuple(contract.device.plain(a) if i in found[1] else a for i, a in enumerate(args))
        return kernel(*args[:first], *found[0], *args[stop:])

    return checked
