"""Batches of pictures that are read from their files when they are asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.training.streams import PyDataset
from scratchnet.utils.reading import pass_order, read_all

# What of tf.data is not here, and what to do instead.
ADVICE = {
    "apply": "map(function) changes batches.",
    "batch": "It has batches already: say batch_size=... where it is made.",
    "concatenate": "Put the pictures into one folder, or call fit once for each.",
    "enumerate": "enumerate(dataset) does it.",
    "filter": "Take the files that you do not want out of the folder.",
    "interleave": "Files are read in the order of file_paths, shuffled where shuffle=True.",
    "ragged_batch": "Pictures of a batch have one size: image_size=....",
    "reduce": "Loop over it: for x, y in dataset.",
    "repeat": "fit goes over it once an epoch: epochs=....",
    "save": "np.savez writes arrays.",
    "unbatch": "Say batch_size=None where it is made: single pictures.",
    "with_options": "There are no options.",
    "zip": "zip(dataset, other) goes through both.",
}


class ImageDataset(PyDataset):
    """Pictures in files as batches (x, y), or x alone: x float32 (N, H, W, C) from 0 to 255; see Keras's function.

    `len(dataset)` is the number of batches, `dataset[i]` is batch i of this pass, and `for x, y in dataset` goes once
    over all of them. After each pass the order is another where it shuffles. `fit`, `evaluate` and `predict` take it.

    Of tf.data's methods there are `map`, `cache`, `prefetch`, `shuffle`, `take`, `skip`, `cardinality` and
    `as_numpy_iterator`; each of the first six gives a new data set and leaves this one as it is.

    Attributes:
        class_names: list of str, by label; None where there are no labels.
        file_paths: list of str, of the files in the order before it shuffles.

    Args:
        file_paths: the files.
        labels: (N,) or (N, K), what y has a row of for each; None for no y.
        read: from a file's path to its picture, (H, W, C).
        batch_size: pictures a batch; None for single pictures without the batch's axis.
        shuffle: whether each pass has an order of its own.
        seed: of the order; None for numbers from `sn.set_random_seed`.
        class_names: by label.
    """

    def __init__(
        self,
        file_paths: Sequence[str],
        labels: np.ndarray | None,
        read: Callable[[str], np.ndarray],
        batch_size: int | None = 32,
        shuffle: bool = True,
        seed: int | None = None,
        class_names: list[str] | None = None,
    ):
        super().__init__()
        self.file_paths, self.class_names = list(file_paths), class_names
        self.batch_size, self.seed, self.passes = batch_size, seed, 0
        self._labels, self._read, self._shuffles = labels, read, shuffle
        self._kept: dict[int, np.ndarray] | None = None  # pictures by their files' numbers; None: nothing is kept
        self._functions: tuple[Callable[..., Any], ...] = ()
        self._batches = range(-(-len(self.file_paths) // (batch_size or 1)))
        self._order = self._new_order()

    def _new_order(self) -> np.ndarray:
        return pass_order(len(self.file_paths), self._shuffles, self.seed, self.passes)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"{type(self).__name__}: expected a batch from 0 to {len(self) - 1}, got {index}.")
        size, number = self.batch_size or 1, self._batches[index]
        chosen = self._order[number * size : (number + 1) * size]
        x = self._pictures(chosen.tolist())
        parts = (x,) if self._labels is None else (x, self._labels[chosen])
        if self.batch_size is None:
            parts = tuple(part[0] for part in parts)
        for function in self._functions:
            parts = _called(function, parts)
        return parts[0] if len(parts) == 1 else parts

    def _pictures(self, chosen: list[int]) -> np.ndarray:
        if self._kept is None:
            return read_all(self._read, [self.file_paths[i] for i in chosen])
        missing = [i for i in chosen if i not in self._kept]
        if missing:
            self._kept.update(zip(missing, read_all(self._read, [self.file_paths[i] for i in missing])))
        return np.stack([self._kept[i] for i in chosen])

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Begin another pass, in a new order where it shuffles."""
        self.passes += 1
        self._order = self._new_order()

    def _with(self, **attributes: Any) -> ImageDataset:
        other = copy.copy(self)
        for name, value in attributes.items():
            setattr(other, name, value)
        return other

    @checked
    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None) -> ImageDataset:
        """A data set of what the function makes of each batch: of (x, y), or of x where there are no labels.

        It is called each time a batch is taken, with NumPy's arrays, and returns arrays: lambda x, y: (x / 255, y).
        """
        return self._with(_functions=(*self._functions, map_func))

    def cache(self, filename: str = "") -> ImageDataset:
        """A data set that reads each file once, and keeps the picture in memory: N H W C 4 bytes.

        Functions of `map` are called on what is kept, each time.
        """
        return self._with(_kept={} if self._kept is None else self._kept)

    def prefetch(self, buffer_size: int | None = None) -> ImageDataset:
        """The data set as it is: the files of a batch are read by several threads anyway."""
        return self._with()

    @checked
    def shuffle(
        self, buffer_size: int | None = None, seed: int | None = None, reshuffle_each_iteration: bool = True
    ) -> ImageDataset:
        """A data set whose passes have an order of their own, of single pictures, whatever the size of a buffer."""
        other = self._with(_shuffles=True, seed=self.seed if seed is None else seed)
        other._order = other._new_order()
        return other

    @checked
    def take(self, count: int) -> ImageDataset:
        """A data set of the first batches of each pass."""
        count = len(self) if count == -1 else check_count(count, "count", "take", 0)
        return self._with(_batches=self._batches[:count])

    @checked
    def skip(self, count: int) -> ImageDataset:
        """A data set of all but the first batches of each pass."""
        return self._with(_batches=self._batches[check_count(count, "count", "skip", 0) :])

    def cardinality(self) -> int:
        """The number of batches."""
        return len(self)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """One pass over the batches, which are NumPy's arrays anyway."""
        return iter(self)

    def __getattr__(self, name: str) -> NoReturn:
        if name in ADVICE:
            raise AttributeError(f"{type(self).__name__} has no {name}, as tf.data has. {ADVICE[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _called(function: Callable[..., Any], parts: tuple[Any, ...]) -> tuple[Any, ...]:
    result = function(*parts)
    if result is None:
        raise ValueError(
            "map: expected the function to return arrays, such as lambda x, y: (x / 255, y), and it returned None."
        )
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)
