"""Keras's signatures: what Keras takes and scratchnet has not is taken where it asks for Keras's default.

    def __init__(self, filters: int, kernel_size: Size, ..., dilation_rate: OnlyDefault = (1, 1), ...)

`OnlyDefault` marks such an argument. It stands where Keras has it, so that positions and names agree, and any other
value than its default is refused before the function runs: `scratchnet.annotations` sees to that. `SAME` has other ways
to ask for a default, `ADVICE` what to do for those who want something else. tests/test_signatures.py compares all with
Keras's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NoReturn

import numpy as np

OnlyDefault = Annotated[Any, "Keras takes this; here only its default is there"]

# Other ways to ask for the default.
SAME: dict[str, tuple[Any, ...]] = {
    "data_format": ("channels_last",),
    "dilation_rate": (1,),
    "dtype": (np.dtype(np.float32),),
}

_CHANNELS = "Channels come last: x.transpose(0, 2, 3, 1)."
_FOLLOWS = "All follows the dtype of the model, sn.Sequential(layers, dtype='float64'), or of the array that comes in."
_AVERAGE = "A callback keeps the average of the weights: sn.ExponentialMovingAverage(0.999)."

# What to do instead.
ADVICE = {
    "antialias": "Pictures that become much smaller: an AveragePooling2D before it.",
    "axis": "Classes and channels are the last axis: np.moveaxis(y, 1, -1).",
    "data_format": _CHANNELS,
    "dilation_rate": "A larger kernel_size, or strides, look further as well.",
    "double_checkpoint": "The file is written whole or not at all: one is enough.",
    "dtype": _FOLLOWS,
    "ema_momentum": _AVERAGE,
    "ema_overwrite_frequency": _AVERAGE,
    "gradient_accumulation_steps": "Take a larger batch_size.",
    "ignore_class": "Give those examples the weight 0: sample_weight=(y != ignored).",
    "ignore_class_split": "Whether all classes are in a subset is never checked.",
    "interpolation_order": "Pictures are interpolated bilinearly.",
    "invert": "Undo it by hand: y * np.sqrt(variance) + mean.",
    "output_padding": "Choose kernel_size, strides and padding, or put a ZeroPadding2D behind.",
    "overwrite": "Look first: pathlib.Path(filepath).exists().",
    "mask_zero": "Nothing is left out: a row of its own stands for what is not there.",
    "pad_to_aspect_ratio": "Put a ZeroPadding2D before it, or take crop_to_aspect_ratio=True.",
    "safe_mode": "A file holds no code, so that loading it is always safe.",
    "save_to_dir": "Write pictures of a batch by hand: sn.utils.save_img('a.png', x[0]).",
    "skip_mismatch": "The layers must be the same; a single layer takes weights by layer.set_weights.",
    "use_ema": _AVERAGE,
}


def only_default_names(function: Callable[..., Any]) -> list[str]:
    """The arguments of a function that are there with their default only."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.annotation in (OnlyDefault, "OnlyDefault")]


def refuse_unknown(kind: type, name: str, more: Sequence[str]) -> NoReturn:
    """Raise a TypeError for an argument that a class does not take; it takes those of its __init__, and `more`."""
    init = kind.__init__  # type: ignore[misc]  # it is looked at only
    parameters = inspect.signature(init).parameters.values()
    known = {p.name for p in parameters if p.kind != p.VAR_KEYWORD} - {"self", *only_default_names(init)}
    raise TypeError(f"{kind.__name__}: unknown argument {name!r}. Known: {', '.join(sorted(known.union(more)))}.")


def check_default(function: Callable[..., Any], args: tuple[Any, ...], name: str, value: Any, default: Any) -> None:
    """Raise a ValueError unless the value is the default or asks for it in another way."""
    if any(_equal(value, one) for one in (default, *SAME.get(name, ()))):
        return
    first = args[0] if args else None
    caller = function.__name__
    if caller == "__init__":
        caller = type(first).__name__
    elif full_name := getattr(first, "full_name", None):
        caller = f"{full_name}: {caller}"
    advice = ADVICE.get(name) or ADVICE.get(name.rsplit("_", 1)[-1]) or "Leave it out."
    raise ValueError(f"{caller}: {name}={value!r} is not there, only Keras's default, {name}={default!r}. {advice}")


def _equal(value: Any, default: Any) -> bool:
    if default is None or isinstance(default, bool):
        return value is default
    if isinstance(value, (list, np.ndarray)):
        value = tuple(np.ravel(np.asarray(value, object)).tolist())
    return not isinstance(value, bool) and bool(value == default)
