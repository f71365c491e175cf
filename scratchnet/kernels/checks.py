"""Checks of what kernels take besides arrays: windows, pads, settings, dtypes, labels, words of random numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from scratchnet.shapes import FLOATS, output_hw

Sizes = dict[str, int]


def check_output(
    hw: tuple[int, int], window: tuple[int, int], strides: tuple[int, int], pads: Any, sizes: Sizes, caller: str
) -> None:
    """OH and OW among the sizes are the window's; put there where they are not yet known."""
    out = output_hw(hw, window, strides, pads)
    if min(out) < 1:
        raise ValueError(f"{caller}: a window of {window} does not fit into {hw} with pads {pads}.")
    known = sizes.setdefault("OH", out[0]), sizes.setdefault("OW", out[1])
    if known != out:
        raise ValueError(
            f"{caller}: expected an output of {out} for an input of {hw}, a window of {window}, strides {strides} and "
            f"pads {pads}, got {known}."
        )


def _is_count(value: Any, smallest: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and smallest <= int(value) < 2**31


def check_pair(value: Any, name: str, caller: str, smallest: int = 1) -> tuple[int, int]:
    """Two whole numbers as a tuple of ints."""
    if not isinstance(value, (tuple, list)) or len(value) != 2 or not all(_is_count(v, smallest) for v in value):
        raise ValueError(f"{caller}: expected {name} as two whole numbers of at least {smallest}, got {value!r}.")
    return int(value[0]), int(value[1])


def check_pads(pads: Any, caller: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pads as two pairs of ints."""
    if not isinstance(pads, (tuple, list)) or len(pads) != 2:
        raise ValueError(f"{caller}: expected pads as ((top, bottom), (left, right)), got {pads!r}.")
    return check_pair(pads[0], "pads[0]", caller, 0), check_pair(pads[1], "pads[1]", caller, 0)


def check_local_response(radius: Any, bias: float, alpha: float, beta: float, caller: str) -> None:
    """The settings of local response normalization: those with which bias + alpha * squares is above 0."""
    if not _is_count(radius, 0):
        raise ValueError(f"{caller}: expected depth_radius as a whole number of at least 0, got {radius!r}.")
    if not (0 < bias < math.inf and 0 <= alpha < math.inf and 0 <= beta < math.inf):
        raise ValueError(
            f"{caller}: expected a bias above 0, and alpha and beta of at least 0, got {bias!r}, {alpha!r}, {beta!r}."
        )


def check_pictures(x: Any, mode: str, modes: Iterable[str]) -> None:
    """Pictures (N, H, W, C) to be moved, and a fill mode that there is."""
    if mode not in modes:
        raise ValueError(f"augment: expected a mode of {', '.join(modes)}, got {mode!r}.")
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ValueError(
            f"expected pictures x of shape (N, H, W, C), got {x.shape}. Grey ones need an axis: x[..., None]."
        )


def check_groups(channels: int, of_a_group: int, filters: int, caller: str) -> int:
    """How many groups there are: channels / of_a_group, and they divide the filters."""
    groups, rest = divmod(channels, of_a_group)
    if groups < 1 or rest or filters % groups:
        raise ValueError(
            f"{caller}: expected channels in groups of {of_a_group}, and filters in as many groups, got {channels} "
            f"channels and {filters} filters."
        )
    return groups


def check_float(dtype: Any, caller: str) -> np.dtype:
    """A dtype that kernels compute in."""
    if np.dtype(dtype) not in FLOATS:
        raise ValueError(f"{caller}: expected dtype float32 or float64, got {np.dtype(dtype)}.")
    return np.dtype(dtype)


def check_word(value: Any, name: str, caller: str, bits: int = 64) -> np.uint64:
    """A whole number from 0 on of so many bits, such as a key of random numbers."""
    if not isinstance(value, (int, np.integer)) or not 0 <= value < 2**bits:
        raise ValueError(f"{caller}: expected {name} to be a whole number from 0 to below 2**{bits}, got {value!r}.")
    return np.uint64(value)


def check_labels(labels: np.ndarray, classes: int, caller: str) -> np.ndarray:
    """Labels as int64 that a kernel can trust: from 0 to classes - 1, contiguous."""
    whole = np.ascontiguousarray(labels, np.int64)
    # Seen as unsigned, a negative number is a very large one: one comparison finds both.
    if whole.size and whole.view(np.uint64).max() >= classes:
        raise ValueError(f"{caller}: expected labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}.")
    return whole
