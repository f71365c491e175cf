"""Real pictures, checked, and brought to the range of the generator's pictures."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from scratchnet.training.checks import as_numbers, check_finite

_SLACK = 0.01  # how far outside of the range real pictures may be, through rounding or resizing


def scaling(limits: tuple[float, float]) -> str:
    """The formula, for error messages, that brings pixels x from 0 to 255 to a generator's range."""
    return "x / 127.5 - 1" if limits[0] < 0 else "x / 255"


def real_pictures(x: Any, gan: Any, method: str) -> np.ndarray:
    """x as an array that the GAN can be trained on.

    Raises:
        ValueError: not numbers, NaN or infinity, another shape than D takes, or another range than G's.
    """
    caller = f"{gan.full_name}: {method}"
    x = as_numbers(x, "x", caller)
    expected = gan.discriminator.input_shape[1:]
    if x.shape[1:] != expected:
        hint = ""
        if x.shape[1:] == expected[:-1] and expected[-1] == 1:
            hint = " Grey pictures need an axis for their one channel: x[..., None]."
        elif x.ndim == 4 and x.shape[1] == expected[-1]:
            hint = " Channels come last: x.transpose(0, 2, 3, 1)."
        raise ValueError(f"{caller}: expected real pictures of shape (N, {str(expected)[1:-1]}), got {x.shape}.{hint}")
    check_finite(x, "x", caller)
    limits = gan.picture_range
    if limits is None or x.dtype == np.uint8:
        return x
    low, high, (least, most) = float(x.min()), float(x.max()), limits
    if low < least - _SLACK or high > most + _SLACK:
        raise ValueError(
            f"{caller}: the real pictures go from {low:g} to {high:g}, and the generator ends in "
            f"{gan.generator.last_activation}, which gives {least:g} to {most:g}: the discriminator would tell them "
            f"apart by that alone. Scale them: {scaling(limits)} for pixels from 0 to 255, or hand them over as uint8."
        )
    if least < 0 <= low and len(x) > 1:
        warnings.warn(
            f"{caller}: no real picture has a number below 0 (they go from {low:g} to {high:g}), and the generator's "
            "tanh gives -1 to 1. If they are meant to go from 0 to 1, scale them: 2 * x - 1.",
            UserWarning,
            stacklevel=4,
        )
    return x


def to_range(x: np.ndarray, gan: Any) -> np.ndarray:
    """A batch in the GAN's dtype; uint8 from 0...255 to G's range, x / 127.5 - 1 (or x / 255 for a sigmoid)."""
    batch = x.astype(gan.compute_dtype, copy=False)
    return scale_bytes(batch, gan) if x.dtype == np.uint8 else batch


def scale_bytes(batch: np.ndarray, gan: Any) -> np.ndarray:
    """A batch of numbers from 0 to 255 brought to G's range, in place."""
    if (limits := gan.picture_range) is not None:
        batch *= gan.compute_dtype.type((limits[1] - limits[0]) / 255)
        batch += gan.compute_dtype.type(limits[0])
    return batch
