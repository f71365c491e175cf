"""`split_dataset`: arrays in two parts."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

from scratchnet import random
from scratchnet.annotations import checked
from scratchnet.arguments import check_seed, is_array, is_number, is_whole, shortened
from scratchnet.devices import as_array
from scratchnet.signatures import OnlyDefault


@checked
def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: OnlyDefault = None,
) -> tuple[Any, Any]:
    """An array, or a list or tuple of arrays of one length, in two parts along the first axis.

    Args:
        dataset: x, or (x, y).
        left_size, right_size: of the parts: a share of the examples, or how many; None for what the other leaves.
        shuffle: whether the examples are put into random order before.
        seed: of that order, which is Keras's; None for numbers from `sn.set_random_seed`.

    Returns:
        (left, right), each as dataset is: (x, y) gives ((x, y), (x, y)).

    Raises:
        ValueError: arrays of different lengths, no sizes, or sizes that do not fit.
    """
    check_seed(seed, "split_dataset")
    given = list(dataset) if isinstance(dataset, (list, tuple)) else [dataset]
    if not given or not all(is_array(one) for one in given) or len({len(one) for one in given}) > 1:
        came = ", ".join(map(shortened, given)) if given else "none"
        raise ValueError(
            f"split_dataset: expected dataset to be an array, or a list of arrays of one length, got {came}. Batches "
            "of an ImageDataset are parted by its take and skip."
        )
    arrays = [as_array(one) for one in given]
    count = len(arrays[0])
    left, right = _sizes(left_size, right_size, count)
    order = np.arange(count)
    if shuffle and seed is None:
        order = random.generator().permutation(count)
    elif shuffle:
        numbers = list(range(count))
        python_random.Random(seed).shuffle(numbers)
        order = np.array(numbers)
    parts = [[array[index] for array in arrays] for index in (order[:left], order[count - right :])]
    if not isinstance(dataset, (list, tuple)):
        return parts[0][0], parts[1][0]
    as_given = list if isinstance(dataset, list) else tuple
    return as_given(parts[0]), as_given(parts[1])


def _sizes(left_size: float | None, right_size: float | None, count: int) -> tuple[int, int]:
    """How many examples each part has."""
    sizes = []
    for name, size in (("left_size", left_size), ("right_size", right_size)):
        fits = size is None or (0 < size < count if is_whole(size) else is_number(size) and 0 < size < 1)
        if not fits:
            raise ValueError(
                f"split_dataset: expected {name} to be a share above 0 and below 1, or a whole number above 0 and "
                f"below {count}, got {shortened(size)}."
            )
        sizes.append(None if size is None else int(size) if is_whole(size) else round(size * count))
    left, right = sizes
    if left is None:
        if right is None:
            raise ValueError(
                "split_dataset: expected left_size or right_size, such as left_size=0.8, got None for both."
            )
        left = count - right
    right = count - left if right is None else right
    if left + right > count or not left or not right:
        raise ValueError(
            f"split_dataset: expected left_size and right_size to give two parts of {count} examples, got {left} and "
            f"{right}."
        )
    return left, right
