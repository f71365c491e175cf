"""How far training is: one line an epoch, and a bar while it runs."""

from __future__ import annotations

import sys
import time
from typing import Any

from scratchnet.callbacks.base import Callback, Logs, log_text
from scratchnet.printing import say, usable


def timing_text(steps: int, seconds: float, done: int | None = None) -> str:
    """2s - 12ms/step, where that time went into `done` of the steps, or into all of them."""
    step = seconds / max(1, steps if done is None else done)
    each = f"{step * 1e3:.0f}ms" if step >= 1e-3 else f"{step * 1e6:.0f}us"
    return f"{seconds:.0f}s - {each}/step"


def progress_bar(total: int | None, title: str) -> Any:
    """A bar below its title, gone when it is full: a widget in a notebook, text in a terminal; else None.

    Where nobody knows the total, it is None, and the bar counts.
    """
    from tqdm.auto import tqdm

    if "notebook" not in tqdm.__mro__[1].__module__ and not (usable(sys.stderr) and sys.stderr.isatty()):
        return None
    say(title)
    return tqdm(total=total, desc=title, leave=False, unit="batch")


class ProgressLine(Callback):
    """One line an epoch on standard output, as Keras has it, and with bar=True a bar while the epoch runs.

        Epoch 1/10 - 2s - 12ms/step - accuracy: 0.7123 - loss: 0.8012

    With a bar the epoch's number stands on a line above it, and the values take the bar's place when it is gone.
    """

    def __init__(self, bar: bool = True) -> None:
        self.bar = bar
        self.progress: Any = None

    @property
    def every_batch(self) -> bool:
        """The bar may move by several batches."""
        return False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the bar and the clock."""
        self.on_epoch_resume(epoch, 0)

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Start the bar and the clock where some batches are done."""
        steps, self.title = self.params["steps"], f"Epoch {epoch + 1}/{self.params['epochs']}"
        self.progress = progress_bar(steps, self.title) if self.bar else None
        if self.progress is not None:
            self.progress.update(batch)
        self.begun_at, self.done, self.start = batch, batch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        self.done = batch + 1
        if self.progress is not None:
            self.progress.update(batch + 1 - self.progress.n)
            self.progress.set_postfix_str(log_text(logs or {}), refresh=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Take the bar away, print the line."""
        if self.progress is not None:
            self.progress.close()
            self.title = f"{self.done}/{self.done}"
        timing = timing_text(self.done, time.perf_counter() - self.start, self.done - self.begun_at)
        say(f"{self.title} - {timing} - {log_text(logs or {})}")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Take the bar away where an epoch was broken off."""
        if self.progress is not None:
            self.progress.close()
