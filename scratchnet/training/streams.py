"""Data that come batch by batch: a PyDataset, a generator, or another iterable of batches.

A batch is x, (x,), (x, y) or (x, y, sample_weight), each an array; where the model has several inputs or outputs, a
tuple, list or dict of arrays. Batches may have different sizes.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from scratchnet import random
from scratchnet.annotations import checked
from scratchnet.arguments import check_count, shortened
from scratchnet.devices import Device
from scratchnet.fields import record
from scratchnet.training.data import Batch, Feed, Flow

LONGEST = 10_000  # batches of an iterator of which nobody has said how many there are


class PyDataset:
    """A data set that gives its batches by their numbers: derive from it, and hand it to fit, evaluate, predict.

        class Pictures(sn.utils.PyDataset):
            def __len__(self):
                return 100                     # batches

            def __getitem__(self, index):
                return x, y                    # the batch of this number, also (x, y, sample_weight), or x

    `fit` takes the batches in a new order in each pass, unless shuffle=False. A set without an end defines
    `num_batches` as None instead of `__len__`, and fit needs steps_per_epoch.

    Args:
        workers: threads that fetch batches ahead, where more than one; the batches come in the same order.
        use_multiprocessing: fetch in `workers` threads, also where it is one. There are no other processes: NumPy and
            Pillow leave the other threads free while they compute.
        max_queue_size: batches that are fetched ahead at most.

    Source: https://keras.io/api/utils/python_utils/#pydataset-class
    """

    workers = 1  # a class of the reader's own may forget super().__init__()
    use_multiprocessing = False
    max_queue_size = 10

    @checked
    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        caller = type(self).__name__
        self.workers = check_count(workers, "workers", caller, smallest=0)
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = check_count(max_queue_size, "max_queue_size", caller)

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None for no end."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(f"{type(self).__name__}: define __len__, the number of batches, or num_batches.")
        return len(self)

    def __getitem__(self, index: int) -> Any:
        """The batch of this number."""
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__(self, index), which gives a batch.")

    def __iter__(self) -> Iterator[Any]:
        """The batches in their order, once."""
        count = self.num_batches
        return (self[index] for index in (itertools.count() if count is None else range(count)))

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch: the place to sort the examples into other batches."""


def is_stream(data: Any) -> bool:
    """Whether this hands out batches, and is no array, nor a list, tuple or dict of arrays.

    A Flow is none: it holds its pictures, and they are taken from there.
    """
    if isinstance(data, PyDataset):
        return True
    if (
        isinstance(data, (np.ndarray, Sequence, Mapping, Set, Flow))
        or hasattr(data, "__array__")
        or hasattr(data, "shape")
    ):
        return False
    return isinstance(data, Iterable)


def unpacked(batch: Any, caller: str) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch, None for what it has not; a ValueError for what is no batch."""
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(f"{caller}: expected a batch as (x, y) or (x, y, sample_weight), got {shortened(batch)}.")
    x, y, weight = (*parts, None, None)[:3]
    return x, y, weight


def up_to(batches: Iterator[Any], steps: int | None, once: bool, caller: str, name: str = "steps") -> Iterator[Any]:
    """The first batches, `steps` of them; with None all.

    Args:
        once: whether they come from an iterator, which may have no end.
        caller: how errors begin.
        name: of the argument that says how many.

    Raises:
        ValueError: nobody said how many, and an iterator has given LONGEST and goes on: most likely it has no end.
    """
    for number, batch in enumerate(itertools.islice(batches, steps)):
        if number == LONGEST and once and steps is None:
            raise ValueError(
                f"{caller}: the generator has given {LONGEST:,} batches and goes on. Nobody knows where it ends: say "
                f"by {name}= how many batches are to be taken. What was learnt so far is in the model."
            )
        yield batch


class Stream:
    """Batches that come one after the other, with the methods that a `Feed` has for arrays.

    Args:
        data: a PyDataset, an iterator or an iterable.
        read: read(x, y, sample_weight, caller) gives the Feed of a batch, checked.
        caller: how errors begin.
    """

    device: Device | None = None
    in_groups = False

    def __init__(self, data: Any, read: Callable[[Any, Any, Any, str], Feed], caller: str) -> None:
        self.data, self.read, self.caller = data, read, caller
        self.resumable = isinstance(data, PyDataset)
        # A PyDataset may be an iterator without end, too: that of flow_from_directory is, as in Keras.
        self.once = isinstance(data, Iterator) and not isinstance(data, PyDataset)
        self._rest: Iterator[Any] = enumerate(data) if self.once else iter(())  # what is left of an iterator

    @property
    def text(self) -> str:
        """What it is, for messages."""
        return f"the {type(self.data).__name__}"

    def count(self, batch_size: int) -> int | None:
        """The batches of a pass, which have sizes of their own; None where nobody knows."""
        if isinstance(self.data, PyDataset):
            return self.data.num_batches
        try:
            return len(self.data)
        except TypeError:  # as a PyTorch loader of an endless set says
            return None

    def batches(self, batch_size: int, shuffle: bool, start: int = 0) -> Iterator[Any]:
        """(number, batch as it came) of a pass, from `start` on; `take` takes them. An iterator goes on where it is."""
        if self.once:
            return iter(lambda: next(self._rest, None), None)
        if not isinstance(self.data, PyDataset):
            return itertools.islice(enumerate(self.data), start, None)
        count = self.data.num_batches
        if count is None:
            return self._fetched(itertools.count(start))
        order = random.generator().permutation(count) if shuffle else np.arange(count)
        return self._fetched(order[start:].tolist())

    def _fetched(self, numbers: Iterable[int]) -> Iterator[tuple[int, Any]]:
        """The batches of these numbers, in their order; with workers, some are fetched ahead."""
        data = self.data
        if data.workers < 2 and not (data.workers and data.use_multiprocessing):
            yield from ((number, data[number]) for number in numbers)
            return
        waiting: deque[tuple[int, Any]] = deque()
        with ThreadPoolExecutor(data.workers) as pool:
            for number in numbers:
                waiting.append((number, pool.submit(data.__getitem__, number)))
                if len(waiting) >= data.max_queue_size:
                    first, batch = waiting.popleft()
                    yield first, batch.result()
            yield from ((number, batch.result()) for number, batch in waiting)

    def exhausted(self) -> bool:
        """Whether there is nothing left, and it cannot be gone through again."""
        return self.once and not self._ahead()

    def _ahead(self) -> list[tuple[int, Any]]:
        """What an iterator gives next, if anything; it stays there."""
        ahead = list(itertools.islice(self._rest, 1))
        self._rest = itertools.chain(ahead, self._rest)
        return ahead

    def first(self) -> Feed:
        """Its first batch, which is trained on nevertheless: a model is built for its shape.

        Raises:
            ValueError: there is none.
        """
        if self.once:
            ahead = self._ahead()
        else:
            ahead = list(itertools.islice(self.batches(1, False), 1))
        if not ahead:
            raise ValueError(f"{self.caller}: {self.text} gave no batch. At least one is needed.")
        return self._feed(ahead[0])

    def on_epoch_begin(self) -> None:
        """Tell the data set."""
        if isinstance(self.data, PyDataset):
            self.data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the data set."""
        if isinstance(self.data, PyDataset):
            self.data.on_epoch_end()

    def bring(self, device: Device, caller: str) -> None:
        """Have each batch on a device, once it comes."""
        self.device = device

    def take(self, batch: tuple[int, Any], step: int = 0) -> Batch:
        """A batch that `batches` gave, checked, in the model's dtype, on the device."""
        feed = self._feed(batch)
        feed.device = self.device
        return feed.take(np.arange(len(feed)))

    def _feed(self, batch: tuple[int, Any]) -> Feed:
        caller = f"{self.caller}: batch {batch[0]} of {self.text}"
        return self.read(*unpacked(batch[1], caller), caller)

    def identity(self) -> dict[str, str]:
        """What must be the same in a run that goes on with this one's state."""
        return {"data": f"{type(self.data).__name__} of {self.count(1)} batches", "augmentation": "its own"}

    def get_state(self) -> dict[str, Any]:
        """Nothing: what a data set remembers is its own affair."""
        return {}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        record()(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Nothing is taken over."""
