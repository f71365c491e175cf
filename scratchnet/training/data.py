"""Where batches come from: examples by their numbers, in the model's dtype, augmented where that is wanted."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

import numpy as np

from scratchnet import kernels, random
from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.augment import Augmentation, key_of
from scratchnet.devices import Device, to_device, to_numpy
from scratchnet.fields import count, join, optional, record, refuse
from scratchnet.structures import each, leaves, length
from scratchnet.training.checks import as_numbers, example_weights, kept_for_training
from scratchnet.training.memory import moved_if_they_fit

SAMPLES = 64  # examples whose numbers tell one data set from another
Batch = tuple[Any, Any, Any]  # x, y (None where there are no labels), weights: arrays, or lists of them


def check_lengths(count: int, y: Any, sample_weight: Any) -> None:
    """Raise a ValueError unless there are as many labels, and as many weights, as pictures; None is for none."""
    for array_name, name, array in (("y", "label", y), ("sample_weight", "weight", sample_weight)):
        if array is not None and len(array) != count:
            raise ValueError(
                f"flow: expected {array_name} with a {name} for each of {count} pictures, got {len(array)}."
            )


class Flow:
    """Pictures with their labels, to be taken in batches, each picture augmented: what `ImageDataGenerator.flow` gives.

    `model.fit(flow)` trains on it; `evaluate`, `predict` and `validation_data` take it too. By hand, `flow[i]` is batch
    i of the pass, (x, y) or (x, y, sample_weight) or, without labels, x; `for x, y in flow` goes round for ever, as in
    Keras: break out of it after len(flow) batches.

    Args:
        x: pictures (N, H, W, C), kept as they are.
        y: labels, or None.
        augment: an Augmentation.
        batch_size, shuffle, sample_weight: as in fit.
        seed: 64 bits for order and augmentation; None for newly drawn ones. In `fit`, the order of the batches comes
            from `sn.set_random_seed`, as ever.
        dtype: float32 or float64, by hand; in `fit` it is the model's.

    Raises:
        ValueError: not as many labels or weights as pictures, or a bad batch_size.
    """

    @checked
    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray | None,
        augment: Augmentation,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: np.ndarray | None = None,
        seed: int | None = None,
        dtype: Any = np.float32,
    ):
        self.x, self.augment = as_numbers(x, "x", "flow"), augment
        self.y = None if y is None else as_numbers(y, "y", "flow")
        self.sample_weight = None if sample_weight is None else as_numbers(sample_weight, "sample_weight", "flow")
        check_lengths(len(self.x), self.y, self.sample_weight)
        self.batch_size, self.shuffle, self.seed = check_count(batch_size, "batch_size", "flow"), shuffle, seed
        self.dtype = np.dtype(dtype)
        self.key, self.passes = key_of(seed), 0
        self._place, self._order = 0, self._new_order()

    def _new_order(self) -> np.ndarray:
        if not self.shuffle:
            return np.arange(len(self.x))
        generator = random.generator() if self.seed is None else np.random.default_rng([self.seed, self.passes])
        return generator.permutation(len(self.x))

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, number: int) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(f"flow: expected the number of a batch from 0 to {len(self) - 1}, got {number}.")
        index = self._order[number * self.batch_size :][: self.batch_size]
        batch = [self.augment(self.x, index, self.passes, self.key, self.dtype)]
        batch += [array[index] for array in (self.y, self.sample_weight) if array is not None]
        return tuple(batch) if len(batch) > 1 else batch[0]

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        batch = self[self._place]
        self._place += 1
        if self._place == len(self):
            self.on_epoch_end()
        return batch

    def on_epoch_end(self) -> None:
        """Begin another pass: a new order, other changes."""
        self._place, self.passes = 0, self.passes + 1
        self._order = self._new_order()


class Feed:
    """The examples of a run, all of them in memory, and how a batch of them is taken.

    Attributes:
        x, y, weight: all of them; lists of arrays where the model has several inputs or outputs; y is None where no
            labels are needed, weight where all count alike.
        augment: what is done to a batch, or None.
        key: of its random numbers.
        device: where batches are brought; None leaves them where the examples are.
    """

    device: Device | None = None
    resumable = True  # the same batches can be had again
    in_groups = True  # several batches may be taken as one, see `scratchnet.training.recorded`
    once = False  # whether it can be gone through once only

    def __init__(
        self,
        x: Any,
        y: Any,
        weight: Any,
        dtype: np.dtype,
        augment: Augmentation | None = None,
        seed: int | None = None,
    ):
        self.x, self.y, self.weight, self.dtype, self.augment = x, y, weight, dtype, augment
        self.key = None if augment is None else key_of(augment.seed if seed is None else seed)

    def __len__(self) -> int:
        return length(self.x)

    def count(self, batch_size: int) -> int:
        """The batches of a pass over all examples."""
        return -(-len(self) // batch_size)

    def batches(self, batch_size: int, shuffle: bool, start: int = 0) -> Iterator[np.ndarray]:
        """The numbers of the examples of each batch of a pass, from the batch `start` on; `take` takes them."""
        return iter(list(batches(len(self), batch_size, shuffle))[start:])

    @property
    def text(self) -> str:
        """What it is, for messages."""
        return f"x of {len(self)} examples"

    def exhausted(self) -> bool:
        """Whether there is nothing left: arrays can be gone through again and again."""
        return False

    def on_epoch_begin(self) -> None:
        """Examples in memory need not know."""

    def on_epoch_end(self) -> None:
        """Examples in memory need not know."""

    def bring(self, device: Device, caller: str) -> None:
        """Have batches on a device. One with memory of its own gets all examples now, if they take half of it at most.

        They go there once, in the dtypes they have: bytes stay bytes, and batches are gathered and augmented there. If
        they are too many, batches are brought one by one, with a warning that begins with `caller`.
        """
        self.device = device
        arrays = leaves((self.x, self.y, self.weight))
        moved = moved_if_they_fit(arrays, device, caller)
        if moved is not None:
            left = iter(moved)
            self.x, self.y, self.weight = (each(lambda _: next(left), value) for value in (self.x, self.y, self.weight))

    def take(self, index: np.ndarray, step: int = 0) -> Batch:
        """The examples of these numbers; `step` is the number of the pass over them."""
        if self.augment is None:
            x = each(lambda array: kernels.of(array).gather(array, index, self.dtype), self.x)
        else:
            x = self.augment(self.x, index, step, self.key, self.dtype)
        y, weight = (each(itemgetter(index), value) for value in (self.y, self.weight))
        if self.device is None:
            return x, y, weight
        device = self.device
        x, y, weight = (each(lambda array: to_device(array, device), value) for value in (x, y, weight))
        return x, y, weight

    def split(self, validation_split: float) -> tuple[Feed, Feed]:
        """All but the last share of the examples, and those, which are not augmented."""
        kept = kept_for_training(len(self), validation_split)
        training, validation = self._part(slice(kept)), self._part(slice(kept, None))
        training.augment, training.key = self.augment, self.key
        return training, validation

    def _part(self, part: slice) -> Feed:
        x, y, weight = (each(itemgetter(part), value) for value in (self.x, self.y, self.weight))
        return Feed(x, y, weight, self.dtype)

    def weigh(self, class_weight: Mapping[int, float] | None, caller: str) -> None:
        """Multiply the weights of the examples by those of their classes."""
        if class_weight is not None and isinstance(self.y, list):
            raise ValueError(
                f"{caller}: class_weight goes with one output, as in Keras, and the model has {len(self.y)}. Give "
                "sample_weight, a list with an array of weights for each output."
            )
        if class_weight is not None:
            self.weight = example_weights(self.weight, class_weight, self.y, caller)

    def identity(self) -> dict[str, str]:
        """What must be the same in a run that goes on with this one's state."""
        values = (self.x, self.y, self.weight)
        return {
            "data": ", ".join("none" if value is None else " and ".join(map(_text, leaves(value))) for value in values),
            "augmentation": "none" if self.augment is None else self.augment.identity(),
        }

    def get_state(self) -> dict[str, Any]:
        """The key; all else is given anew when a run goes on."""
        return {"key": self.key}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        record(key=optional(count(-(2**63), 2**64 - 1)))(state, where)
        if (state["key"] is None) != (self.key is None):
            raise refuse(join(where, "key"), "none" if self.key is None else "the augmentation's key", state["key"])

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the key: the augmentations that follow are those of the run it comes from."""
        self.key = state["key"]


def batches(count: int, batch_size: int, shuffle: bool) -> Iterator[np.ndarray]:
    """Index arrays that together hold 0 ... count - 1 once; the last may be shorter."""
    order = random.generator().permutation(count) if shuffle else np.arange(count)
    for start in range(0, count, batch_size):
        yield order[start : start + batch_size]


def _text(array: np.ndarray) -> str:
    """Shape, dtype and a checksum of some of an array: enough to notice that it is another."""
    rows = array[np.linspace(0, len(array) - 1, min(len(array), SAMPLES)).astype(np.int64)]
    return f"{array.shape} {array.dtype} {zlib.crc32(to_numpy(rows).tobytes()):08x}"
