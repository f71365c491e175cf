"""Callbacks: what happens beside training. `fit` calls their methods at fixed moments."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

Logs = dict[str, float]


class Callback:
    """Override what is needed; the methods are called as in Keras.

    Attributes:
        model: the model that is trained, set before training starts.
        params: epochs, steps (batches an epoch) and verbose (0, 1 or 2), set before training starts.
    """

    model: Any = None
    params: dict[str, int] | None = None

    def set_model(self, model: Any) -> None:
        """Called first of all."""
        self.model = model

    def set_params(self, params: dict[str, int]) -> None:
        """Called before training starts."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Once; logs are empty."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Once, after the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before each epoch, counted from 0; logs are empty."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After each epoch, with the means of loss and metrics, those of validation as val_NAME."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch, counted from 0; logs are empty."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch, counted from 0, with the means so far in this epoch."""


class CallbackList:
    """Callbacks as one: each call goes to all of them, in their order."""

    def __init__(self, callbacks: Sequence[Callback], model: Any, params: dict[str, int]) -> None:
        for callback in callbacks:
            if not isinstance(callback, Callback):
                hint = f" A class needs its brackets: {callback.__name__}()." if isinstance(callback, type) else ""
                raise TypeError(f"expected callbacks, objects of classes made from Callback, got {callback!r}.{hint}")
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(dict(params))

    def call(self, hook: str, *arguments: Any) -> None:
        """callback.HOOK(*arguments) for each."""
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)


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

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append every value."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
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
        self.progress: Any = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the bar and the clock."""
        title = f"Epoch {epoch + 1}/{self.params['epochs']}"
        print(title)
        self.progress = progress_bar(self.params["steps"], title) if self.bar else None
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        if self.progress is not None:
            self.progress.update(1)
            self.progress.set_postfix_str(log_text(logs or {}), refresh=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Take the bar away, print the line."""
        if self.progress is not None:
            self.progress.close()
        timing = timing_text(self.params["steps"], time.perf_counter() - self.start)
        print(f"{timing} - {log_text(logs or {})}", flush=True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Take the bar away where an epoch was broken off."""
        if self.progress is not None:
            self.progress.close()
