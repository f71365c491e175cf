"""Which batches an epoch has: passes over the data, one after the other, cut into epochs.

An epoch is a pass, unless `steps_per_epoch` says how many batches it has. Then the next epoch goes on where this one
stopped, and an epoch ends early, with a warning, where the pass ends: as in Keras 3.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from scratchnet import random
from scratchnet.training.data import Feed
from scratchnet.training.recorded import Group
from scratchnet.training.streams import Stream, up_to


class Passes:
    """The batches of a run, in the order in which they are trained on.

    Args:
        feed: the data.
        batch_size, shuffle: as in fit; a stream has batches of its own.
        steps: batches an epoch; None for a pass.
        goes_on: whether an epoch goes on where the one before stopped; otherwise each begins a pass of its own.
        caller: how messages begin.

    Attributes:
        steps: batches an epoch; None where nobody knows before the first one ends.
        dry: whether the data have given out, and cannot be gone through again.
    """

    def __init__(
        self, feed: Feed | Stream, batch_size: int, shuffle: bool, steps: int | None, goes_on: bool, caller: str
    ) -> None:
        self.feed, self.batch_size, self.shuffle, self.caller = feed, batch_size, shuffle, caller
        self.goes_on, self.wanted, self.whole = goes_on, steps, feed.count(batch_size)
        self.dry = False
        self._left: Iterator[Any] | None = None  # of the pass; None where the next one has not begun
        self._passed = 0  # batches of the pass that were done before this epoch
        self._at_pass = random.get_state()  # when the pass began

    @property
    def steps(self) -> int | None:
        """Batches an epoch."""
        return self.whole if self.wanted is None else self.wanted

    def epoch(self, done: int = 0) -> Iterator[tuple[int, Any]]:
        """(number, what the feed's `take` makes the batch of) for the epoch's batches, but for those that are done.

        Raises:
            ValueError: the data give no batch at all.
        """
        number = done
        while number != self.steps:
            batch = self._next(done)
            if batch is None and number == 0:  # only now it shows that the epoch before had taken the pass's last one
                self._left, self._passed = None, 0
                batch = self._next(done)
            if batch is None:
                break
            yield number, batch
            number += 1
        if number == 0:
            raise ValueError(f"{self.caller}: {self.feed.text} gave no batch. At least one is needed.")
        if number != self.steps:  # the pass is over
            self._left = None
            if self.wanted is None:
                self.whole = number
            else:
                self._warn(number)

    def _next(self, done: int) -> Any:
        """The next batch; None where the pass is over."""
        if self._left is None:
            start = self._passed + done  # above 0 where a callback has taken the run to the middle of a pass
            if start == 0:
                self._at_pass = random.get_state()
                batches = self.feed.batches(self.batch_size, self.shuffle)
            else:
                with random.untouched():
                    random.set_state(self._at_pass)
                    batches = self.feed.batches(self.batch_size, self.shuffle, start)
            endless = self.feed.once and self.wanted is None
            self._left = up_to(batches, None, endless, self.caller, "steps_per_epoch")
        return next(self._left, None)

    def _warn(self, number: int) -> None:
        whole = "" if self.whole is None else f" A pass has {self.whole} batches."
        warnings.warn(
            f"{self.caller}: {self.feed.text} gave {number} batches more, and {self.wanted} were wanted: the epoch "
            f"ends early.{whole} Leave steps out, and an epoch is one pass over all data.",
            stacklevel=8,  # this, epoch, groups, the loop's two, fit, its decorator
        )

    def end_epoch(self, done: int, more: bool) -> None:
        """Called after an epoch of so many batches; `more` says whether another one is to come."""
        self._passed = 0 if self._left is None else self._passed + done
        if self._passed == self.whole or not self.goes_on:
            self._left, self._passed = None, 0
        if more and self.feed.exhausted():
            self.dry = True
            warnings.warn(
                f"{self.caller}: {self.feed.text} has no more batches, and more epochs were wanted: training ends "
                "here. A generator for several epochs goes round for ever, `while True:`, with steps_per_epoch=; an "
                "sn.utils.PyDataset can be gone through again and again.",
                stacklevel=6,
            )

    def groups(self, group: Group, done: int) -> Iterator[tuple[int, list[Any]]]:
        """(number of the first, batches) of those that are trained on at once, all of one length."""
        rest = self.epoch(done)
        while taken := list(itertools.islice(rest, group.size)):
            batches = [batch for _, batch in taken]
            if group.size > 1 and (len(batches) < group.size or len(batches[-1]) < len(batches[0])):
                yield from ((number, [batch]) for number, batch in taken)  # an epoch's last batch may be shorter
            else:
                yield taken[0][0], batches

    def get_state(self) -> dict[str, Any]:
        """Where the pass began, and how far the epochs before have come in it."""
        return {"random_at_pass": self._at_pass, "passed": self._passed}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._at_pass, self._passed, self._left = state["random_at_pass"], state["passed"], None
