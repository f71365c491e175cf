"""What all augmentations share: how they are called, and what must hold for the pictures."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count, check_dtype, check_index
from scratchnet.augment.parameters import key_of
from scratchnet.config import Configurable, describe
from scratchnet.devices import as_array, to_numpy


def check_pictures(x: np.ndarray, caller: str) -> None:
    """Raise a ValueError unless x is (N, H, W, C)."""
    if x.ndim != 4 or 0 in x.shape:
        hint = " Grey pictures need a channel axis: x[..., None]." if x.ndim == 3 else ""
        raise ValueError(f"{caller}: expected x, pictures of shape (N, H, W, C), got {x.shape}.{hint}")


class Augmentation(Configurable):
    """What changes pictures at random while they are trained on: Augment, ImageDataGenerator, or a class of yours.

    A class of yours has `change(x, index, step, key, dtype)`, which gets what `__call__` has checked and filled in.
    """

    seed: int | None = None

    @checked
    def __call__(
        self,
        x: np.ndarray,
        index: np.ndarray | None = None,
        step: int = 0,
        key: int | None = None,
        dtype: Any = np.float32,
    ) -> np.ndarray:
        """The augmented pictures x[index], fresh.

        Args:
            x: all pictures, (M, H, W, C), bytes or floats.
            index: (N,), the numbers of those that are wanted, None for all.
            step: the number of the pass over the data: another one, other changes.
            key: 64 bits; None for the seed, or where there is none, for newly drawn ones.
            dtype: float32 or float64.

        Raises:
            ValueError: x is not (M, H, W, C).
            IndexError: an index out of range.
        """
        x = as_array(x)
        check_pictures(x, type(self).__name__)
        step = check_count(step, "step", type(self).__name__, 0, 2**32 - 1)
        if key is not None:
            check_count(key, "key", type(self).__name__, 0, 2**64 - 1)
        dtype = check_dtype(dtype, "dtype", type(self).__name__)
        index = np.arange(len(x)) if index is None else check_index(to_numpy(index), len(x))
        return self.change(x, index, step, key_of(self.seed) if key is None else key, dtype)

    def change(self, x: np.ndarray, index: np.ndarray, step: int, key: int, dtype: Any) -> np.ndarray:
        """The pictures x[index], each changed by random numbers of (key, step, its index); fresh."""
        raise NotImplementedError

    def identity(self) -> str:
        """What must be the same in a run that goes on with another's state."""
        return f"{type(self).__name__} with {json.dumps(describe(self, type(self).__name__)['config'])}"
