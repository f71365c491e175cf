"""Callbacks: what happens beside training. `fit` calls their methods at fixed moments."""

from __future__ import annotations

import sys
import time
from typing import Any

Logs = dict[str, float]


class Callback:
    """Override what is needed. `model` is set before training starts."""

    model: Any = None

    def on_train_begin(self, params: dict[str, int]) -> None:
        """Once, with params of epochs, steps (batches an epoch) and samples."""

    def on_train_end(self) -> None:
        """Once, after the last epoch."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After each epoch, with the means of loss and metrics, those of validation as val_NAME."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """After each batch, counted from 0, with the means so far in this epoch."""


class History(Callback):
    """What `fit` returns: `history`, a list of values for each name, and `epoch`, the epochs' numbers."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def __repr__(self) -> str:
        if not self.epoch:
            return "<History: no epoch yet>"
        return (
            f"<History of {len(self.epoch)} epochs, the last: {log_text({k: v[-1] for k, v in self.history.items()})}>"
        )

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Append every value."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)


def log_text(logs: Logs) -> str:
    """accuracy: 0.7123 - loss: 0.8012, in the alphabet's order as Keras has it."""
    return " - ".join(
        f"{name}: {value:.4f}" if value >= 1e-3 else f"{name}: {value:.4e}" for name, value in sorted(logs.items())
    )


def timing_text(steps: int, seconds: float) -> str:
    """188/188 - 2s - 12ms/step."""
    step = seconds / max(1, steps)
    each = f"{step * 1e3:.0f}ms" if step >= 1e-3 else f"{step * 1e6:.0f}us"
    return f"{steps}/{steps} - {seconds:.0f}s - {each}/step"


def progress_bar(total: int, title: str) -> Any:
    """A bar that vanishes when it is full: a widget in a notebook, text in a terminal, nothing in a file or pipe."""
    from tqdm.auto import tqdm

    hidden = False if "notebook" in tqdm.__mro__[1].__module__ else not sys.stderr.isatty()
    return tqdm(total=total, desc=title, leave=False, disable=hidden, unit="batch")


class ProgressLine(Callback):
    """One line an epoch on standard output, as Keras prints it, and with bar=True a bar while the epoch runs."""

    def __init__(self, bar: bool = True) -> None:
        self.bar = bar

    def on_train_begin(self, params: dict[str, int]) -> None:
        """Remember how much there is to do."""
        self.epochs, self.steps = params["epochs"], params["steps"]

    def on_epoch_begin(self, epoch: int) -> None:
        """Start the bar and the clock."""
        title = f"Epoch {epoch + 1}/{self.epochs}"
        print(title)
        self.progress = progress_bar(self.steps, title) if self.bar else None
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Move the bar."""
        if self.progress is not None:
            self.progress.update(1)
            self.progress.set_postfix_str(log_text(logs), refresh=False)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Take the bar away, print the line."""
        if self.progress is not None:
            self.progress.close()
        print(f"{timing_text(self.steps, time.perf_counter() - self.start)} - {log_text(logs)}", flush=True)
