"""The ranges that ImageDataGenerator takes, as Keras has them: factors, and moves as shares or as pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.arguments import is_number


def as_factors(value: Any, name: str, came: Any) -> tuple[float, float]:
    """(lowest, highest), or a ValueError that says what came for it."""
    if not are_numbers(value, 2) or not 0 <= value[0] <= value[1]:
        raise ValueError(f"ImageDataGenerator: expected {name} as (lowest, highest), not below 0, got {came!r}.")
    return value[0], value[1]


def are_numbers(value: Any, count: int | None = None) -> bool:
    """Whether this is a list, tuple or array of numbers, at least one, or as many as are wanted."""
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) == 0 or count not in (None, len(value)):
        return False
    return all(is_number(v) for v in value)


def shift(limits: Any, u: np.ndarray, size: int) -> np.ndarray:
    """Moves in pixels for a shift range as Keras takes it."""
    sided = 2 * u - 1  # from -1 to 1: the sign, and how far
    if np.ndim(limits) or isinstance(limits, (int, np.integer)):
        choices = np.asarray(limits) if np.ndim(limits) else np.arange(max(abs(int(limits)), 1))
        pixels = choices[np.minimum((np.abs(sided) * len(choices)).astype(np.int64), len(choices) - 1)]
        moved = np.where(sided < 0, -pixels, pixels).astype(np.float64)
    else:
        moved = sided * limits
    return moved * size if np.max(limits) < 1 else moved
