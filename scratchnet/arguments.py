"""Checks of arguments: each says what came, what was expected and what to do.

`caller` is how the one that was called names itself in the message: "Conv2D 'conv2d_1'", "fit", "dcgan".
"""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from scratchnet.shapes import Pads, output_hw, pads_2d

LARGEST = 2**31 - 1  # of what is counted: filters, pixels, examples
SHOWN = 80  # characters of a value that a message repeats


class ArgumentError(ValueError):
    """A wrong argument, found where nobody knows who was called; `annotations.checked` puts that before the message."""

    named = False  # whether the message says who was called


def shortened(value: Any) -> str:
    """A value as messages repeat it: of arrays shape and dtype, of long lists and texts the beginning."""
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, int) and abs(value) > 10**SHOWN:  # Python refuses to write very long ones
        return f"a number of {value.bit_length()} bits"
    text = repr(value[:SHOWN] if isinstance(value, (str, bytes, list, tuple)) else value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def is_number(value: Any) -> bool:
    """Whether this is a real number, NaN and infinity among them; text, arrays and True are none."""
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def is_whole(value: Any) -> bool:
    """Whether this is a whole number by its type: 2.0 is none, and neither is True."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_flag(value: Any) -> bool:
    """Whether this is True or False, or 1 or 0, which some programs write for it."""
    return isinstance(value, (bool, np.bool_)) or (is_whole(value) and value in (0, 1))


def is_array(value: Any) -> bool:
    """Whether this is an array of real numbers, on any device, or what NumPy can make one of.

    A number by itself is none, and neither is a masked array.
    """
    is_one = isinstance(getattr(value, "dtype", None), np.dtype) and hasattr(value, "ndim")
    becomes_one = isinstance(value, (list, tuple, range)) or (
        hasattr(value, "__array__") and not isinstance(value, type)
    )
    if isinstance(value, np.ma.MaskedArray) or not (is_one or becomes_one):
        return False
    try:
        array = value if is_one else np.asarray(value)
    except (TypeError, ValueError):  # rows of different lengths
        return False
    return array.dtype.kind in "biuf" and array.ndim > 0


def check_unmasked(array: Any, name: str, caller: str) -> None:
    """Raise a ValueError for a masked array: kernels see its numbers only, the hidden ones too."""
    if isinstance(array, np.ma.MaskedArray):
        raise ValueError(
            f"{caller}: expected {name} without a mask, got a masked array of shape {array.shape} with "
            f"{int(np.ma.count_masked(array))} numbers hidden. Say what they are, {name}.filled(0), or leave those "
            "examples out."
        )


def check_array(x: Any, name: str, caller: str) -> None:
    """Raise a ValueError for what is no array of numbers, and no number, or for a masked array."""
    check_unmasked(x, name, caller)
    if not is_array(x) and not is_number(x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x):
        raise ValueError(f"{caller}: expected {name} to be an array of numbers, got {shortened(x)}.")


def check_number(
    value: Any,
    name: str,
    caller: str,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
) -> float:
    """A finite number from `low` to `high`; with `above` not low itself, with `below` not high itself.

    Raises:
        ValueError: text, None, a list, True, NaN, infinity, or a number beyond.
    """
    inside = is_number(value) and low <= value <= high and math.isfinite(value)
    if not inside or (above and value == low) or (below and value == high):
        first = "" if low == -math.inf else f" above {low:g}" if above else f" of at least {low:g}"
        if high < math.inf:
            first = first.replace("of at least", "from")
            first += (" up" if above else "") + (f" to below {high:g}" if below else f" to {high:g}")
        raise ValueError(f"{caller}: expected {name} to be a finite number{first}, got {shortened(value)}.")
    return value


def check_sizes(value: Any, name: str, caller: str, smallest: int = 1) -> tuple[int, ...]:
    """Whole numbers of at least `smallest`, such as a shape; else a ValueError."""
    numbers = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(numbers, (list, tuple)) or not all(is_whole(n) and smallest <= n <= LARGEST for n in numbers):
        raise ValueError(
            f"{caller}: expected {name} to be whole numbers of at least {smallest}, such as {name}=(32, 32, 3), got "
            f"{shortened(value)}."
        )
    return tuple(int(n) for n in numbers)


def check_batch_shape(shape: Any, caller: str) -> tuple[int | None, ...]:
    """An input shape as whole numbers and None, such as (None, 32, 32, 3); else a ValueError."""
    numbers = shape.tolist() if isinstance(shape, np.ndarray) else shape
    if not isinstance(numbers, (list, tuple)) or not all(n is None or is_whole(n) for n in numbers):
        raise ValueError(
            f"{caller}: expected input_shape to be whole numbers, the batch's size None, such as (None, 32, 32, 3), "
            f"got {shortened(shape)}."
        )
    return tuple(None if n is None else int(n) for n in numbers)


def check_dtype(dtype: Any, name: str, caller: str) -> np.dtype:
    """float32 or float64, by name or as NumPy has them; else a ValueError."""
    known = {"float32": np.float32, "float64": np.float64}
    for text, cls in known.items():
        if isinstance(dtype, (str, type, np.dtype)) and dtype in (text, cls):
            return np.dtype(cls)
    raise ValueError(f"{caller}: expected {name} float32 or float64, got {shortened(dtype)}.")


def check_seed(seed: Any, caller: str) -> None:
    """Raise a ValueError unless it is None or 64 bits."""
    if seed is not None and (not is_whole(seed) or not 0 <= seed < 2**64):
        raise ValueError(
            f"{caller}: expected seed to be a whole number from 0 to below 2**64, or None, got {shortened(seed)}."
        )


def pair(value: int | Sequence[int], name: str, caller: str, smallest: int = 1) -> tuple[int, int]:
    """An argument that holds for both axes (3) or for each (3, 5), as a pair of ints, none below `smallest`.

    Raises:
        ValueError: not one or two whole numbers, or one of them too small.
    """
    listed = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value
    numbers = (value, value) if is_whole(value) else listed if isinstance(listed, (list, tuple)) else ()
    if len(numbers) != 2 or not all(is_whole(v) and smallest <= v <= LARGEST for v in numbers):
        raise ValueError(
            f"{caller}: expected {name} to be one or two whole numbers of at least {smallest}, such as {name}=3 or "
            f"{name}=(3, 3), got {shortened(value)}."
        )
    return int(numbers[0]), int(numbers[1])


def check_count(value: Any, name: str, caller: str, smallest: int = 1, largest: int | None = LARGEST) -> int:
    """A whole number of at least `smallest`, such as a number of filters; else a ValueError. True is no number."""
    if not is_whole(value) or value < smallest or (largest is not None and value > largest):
        limit = f" and at most {largest}" if is_whole(value) and value > smallest else ""
        raise ValueError(
            f"{caller}: expected {name} to be a whole number of at least {smallest}{limit}, got {shortened(value)}."
        )
    return int(value)


def check_padding(padding: str, caller: str) -> str:
    """`padding` if it is "valid" or "same", in lower case; else a ValueError."""
    if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
        raise ValueError(
            f'{caller}: expected padding="valid" (none) or padding="same" (zeros around), got {shortened(padding)}.'
        )
    return padding.lower()


def shape_text(shape: Sequence[int | None]) -> str:
    """A shape as the messages write it: (N, 32, 32, 3), with N for an axis of any size."""
    names = ["N" if size is None else str(size) for size in shape]
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def check_input(x: np.ndarray, expected: Sequence[int | None], caller: str) -> None:
    """Raise a ValueError unless x has the expected shape, None standing for any size of at least one.

    Pictures with the channels first, a picture without its batch axis and empty batches are recognized and said.
    """
    shape = x.shape
    if len(shape) == len(expected) and all(e is None or e == s for s, e in zip(shape, expected)):
        if 0 in shape:
            raise ValueError(f"{caller}: got an empty array of shape {shape}. A batch needs at least one element.")
        return
    wanted: list[int | str | None] = [*expected]
    hint = ""
    if len(wanted) == 4:
        wanted, channels = [w if w is not None else letter for w, letter in zip(expected, "NHWC")], expected[3]
        if len(shape) == 4 and channels is not None and shape[1] == channels:
            hint = " Channels come last: x.transpose(0, 2, 3, 1)."
        elif len(shape) == 3 and shape[-1] == channels:
            hint = " One picture alone needs a batch axis: x[None]."
        elif len(shape) == 3 and channels in (1, None):
            hint = " Grey pictures need a channel axis: x[..., None]."
        elif len(shape) == 2:
            hint = " Flat pictures need their shape back: x.reshape(-1, H, W, C)."
        elif len(shape) == 4:
            hint = f" The weights are made for {channels} channels; build a new layer for other pictures."
    elif len(wanted) == 2 and len(shape) > 2 and np.prod(shape[1:]) == expected[1]:
        hint = " Put a Flatten() before it, or x.reshape(len(x), -1)."
    elif len(wanted) == 2 and shape == (expected[1],):
        hint = " One example alone needs a batch axis: x[None]."
    text = ", ".join("N" if w is None else str(w) for w in wanted)
    raise ValueError(f"{caller}: expected x of shape ({text}{',' if len(wanted) == 1 else ''}), got {shape}.{hint}")


@functools.lru_cache(maxsize=1024)
def check_kernel_fits(
    hw: tuple[int, int], kernel_size: tuple[int, int], strides: tuple[int, int], padding: str, caller: str
) -> tuple[Pads, tuple[int, int]]:
    """(pads, (OH, OW)), or a ValueError if the kernel is larger than the padded picture."""
    pads = pads_2d(hw, kernel_size, strides, padding)
    oh, ow = output_hw(hw, kernel_size, strides, pads)
    if oh < 1 or ow < 1:
        raise ValueError(
            f"{caller}: a kernel of {kernel_size[0]} x {kernel_size[1]} does not fit into pictures of {hw[0]} x "
            f"{hw[1]} "
            'pixels. Use a smaller kernel, padding="same", or fewer pooling layers before this one.'
        )
    return pads, (oh, ow)


def check_choice(name: object, known: Iterable[str], what: str) -> str:
    """`name` if it is known; else a ValueError that names the nearest one: "unknown optimizer 'adm'. Did you mean...".

    Args:
        name: what came; upper and lower case are the same.
        known: the names there are.
        what: what is named, such as "activation".
    """
    known = sorted(known)
    if isinstance(name, type):
        raise ArgumentError(
            f"expected an object or a name as {what}, got the class {name.__name__}: write {name.__name__}()."
        )
    if isinstance(name, str) and name.lower() in known:
        return name.lower()
    close = difflib.get_close_matches(name[:SHOWN].lower(), known, n=1, cutoff=0.5) if isinstance(name, str) else []
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ArgumentError(f"unknown {what} {shortened(name)}.{hint} Known: {', '.join(known)}.")


def as_floats(value: Any) -> float | list[float] | None:
    """A number, or numbers in a list, tuple or array, as Python's floats; None for anything else."""
    try:
        return np.asarray(value, np.float64).tolist()
    except (TypeError, ValueError):
        return None


def check_index(index: Any, count: int) -> np.ndarray:
    """The numbers of examples as whole numbers that a kernel can trust.

    Raises:
        ValueError: not whole numbers along one axis.
        IndexError: one of them is not from 0 to below count.
    """
    index = np.asarray(index)
    if index.ndim != 1 or (index.dtype.kind not in "iu" and index.size):
        raise ArgumentError(
            f"expected index to be whole numbers along one axis, such as np.arange(32), got an array of shape "
            f"{index.shape} and dtype {index.dtype}."
        )
    # Seen as unsigned, a negative number is a very large one: one comparison finds both.
    index = index.astype(np.int64, copy=False)
    if index.size and index.view(np.uint64).max() >= count:
        wrong = index[(index < 0) | (index >= count)][0]
        raise IndexError(
            f"expected numbers of examples from 0 to {count - 1}, got {wrong}. Negative ones do not count."
        )
    return index
