"""Batches that come one by one: the base class of data sets that are read while a model is trained on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class PyDataset:
    """A data set of batches, to be subclassed: `__len__` is how many there are, `self[i]` is one of them.

    A batch is x, (x, y) or (x, y, sample_weight). `on_epoch_begin` and `on_epoch_end` are called around each pass.

    Args:
        workers, use_multiprocessing, max_queue_size: how many threads, or processes, prepare batches, and how many
            batches wait at most.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: a PyDataset needs __getitem__(self, index): batch `index`.")

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        index = 0
        while count is None or index < count:
            yield self[index]
            index += 1

    @property
    def num_batches(self) -> int | None:
        """How many batches a pass has; None for no end."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(
                f"{type(self).__name__}: a PyDataset needs __len__(self): the number of batches; or, for one without "
                "end, a property num_batches that is None."
            )
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before each pass."""

    def on_epoch_end(self) -> None:
        """Called after each pass."""
