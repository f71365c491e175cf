"""Small callbacks of Keras: functions as a callback, an end at NaN, and the one that is not here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scratchnet.callbacks.base import Callback
from scratchnet.printing import say


class LambdaCallback(Callback):
    """Functions that are called as the methods of a callback are.

        LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))

    Args:
        on_epoch_begin, on_epoch_end: called with (epoch, logs).
        on_train_begin, on_train_end: called with (logs).
        on_train_batch_begin, on_train_batch_end: called with (batch, logs).
        hooks: the other methods of a Callback, by name, such as on_test_end.

    Raises:
        ValueError: something that cannot be called.
        TypeError: a name that no method of a Callback has.

    Source: https://keras.io/api/callbacks/lambda_callback/
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **hooks: Any,
    ):
        hooks |= {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name, hook in hooks.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                raise TypeError(f"LambdaCallback: a Callback has no method {name!r}.")
            if hook is not None and not callable(hook):
                raise TypeError(f"LambdaCallback: expected {name} to be a function, got {hook!r}.")
        self.hooks = {name: hook for name, hook in hooks.items() if hook is not None}
        for name, hook in self.hooks.items():
            setattr(self, name, hook)

    @property
    def every_batch(self) -> bool:
        """Where a function of a batch of training is given."""
        return any("_batch_" in name and "test" not in name and "predict" not in name for name in self.hooks)


class TerminateOnNaN(Callback):
    """Where the loss becomes NaN or infinite, training ends, and `fit` returns the history so far.

    Without it `fit` raises a DivergedError. Either way the weights are those of the last copy whose loss was finite;
    Keras keeps the spoilt ones. What was wrong is printed.

    Args:
        raise_error: whether `fit` raises the DivergedError nevertheless.

    Source: https://keras.io/api/callbacks/terminate_on_nan/
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_diverged(self, error: ArithmeticError) -> bool:
        """Print what was wrong; True ends training without an error."""
        if self.raise_error:
            return False
        say(f"\nTerminateOnNaN ends training. {error}")
        return True


class TensorBoard(Callback):
    """Not here, and says so: there are no event files.

    `CSVLogger("log.csv")` writes loss and metrics into a table, `LiveCurve()` draws them while the run goes on.

    Raises:
        NotImplementedError: always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "TensorBoard: there are no event files here. Take scratchnet.CSVLogger('log.csv') for a table of loss and "
            "metrics by epoch, scratchnet.LiveCurve() for curves that are drawn while it trains, or plot "
            "history.history afterwards."
        )
