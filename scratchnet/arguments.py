"""Checks of arguments: each says what came, what was expected and what to do.

`caller` is how the one that was called names itself in the message: "Conv2D 'conv2d_1'", "fit", "dcgan".
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from scratchnet.shapes import Pads, output_hw, pads_2d


def pair(value: int | Sequence[int], name: str, caller: str, smallest: int = 1) -> tuple[int, int]:
    """An argument that holds for both axes (3) or for each (3, 5), as a pair of ints, none below `smallest`.

    Raises:
        ValueError: not one or two whole numbers, or one of them too small.
    """
    numbers = (value, value) if isinstance(value, (int, np.integer)) else tuple(np.ravel(value).tolist())
    if len(numbers) != 2 or not all(isinstance(v, (int, np.integer)) and v >= smallest for v in numbers):
        raise ValueError(
            f"{caller}: expected {name} to be one or two whole numbers of at least {smallest}, such as {name}=3 or "
            f"{name}=(3, 3), got {value!r}."
        )
    return int(numbers[0]), int(numbers[1])


def check_count(value: Any, name: str, caller: str, smallest: int = 1) -> int:
    """A whole number of at least `smallest`, such as a number of filters; else a ValueError. True is no number."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < smallest:
        raise ValueError(f"{caller}: expected {name} to be a whole number of at least {smallest}, got {value!r}.")
    return int(value)


def is_number(value: Any) -> bool:
    """Whether this is a real number, NaN and infinity among them; text, arrays and True are none."""
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def check_padding(padding: str, caller: str) -> str:
    """`padding` if it is "valid" or "same", in lower case; else a ValueError."""
    if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
        raise ValueError(
            f'{caller}: expected padding="valid" (none) or padding="same" (zeros around), got {padding!r}.'
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
        raise ValueError(
            f"expected an object or a name as {what}, got the class {name.__name__}: write {name.__name__}()."
        )
    if isinstance(name, str) and name.lower() in known:
        return name.lower()
    close = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"unknown {what} {name!r}.{hint} Known: {', '.join(known)}.")


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
        raise ValueError(
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
