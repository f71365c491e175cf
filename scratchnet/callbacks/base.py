"""What a callback is: `fit` calls its methods at fixed moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.attributes import Attributes
from scratchnet.fields import anything, count, join, list_of, mapping, measured, record
from scratchnet.old_names import Values

Logs = dict[str, float]
_BATCH_METHODS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


class Callback(Attributes):
    """Override what is needed; the methods are called as in Keras.

    Attributes:
        model: the model that is trained, set before training starts.
        params: epochs, steps (batches an epoch, None where nobody knows) and verbose (0, 1 or 2), set before training,
            evaluating or predicting starts.
        runs_first: whether its methods are called before those of callbacks without this, wherever it stands in the
            list: what it adds to an epoch's logs, the history and all others find there.
        runs_last: whether they are called after those of all others.

    A callback that remembers something from one call to the next says so in `get_state` and `set_state`, so that a run
    that is resumed goes on as if it had never stopped.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = checked(cls.__init__)  # type: ignore[method-assign]  # as Configurable does

    model: Any = None
    params: Any = None
    runs_first = False
    runs_last = False

    @property
    def every_batch(self) -> bool:
        """Whether on_train_batch_begin or _end must be called for each batch.

        A GPU runs several steps of training as one launch. A callback that looks into each batch makes it run them one
        by one; the others are then called once for several batches, with the number of the last. True where one of the
        methods is defined; a class that can do with less says so here.
        """
        return any(getattr(type(self), name) is not getattr(Callback, name) for name in _BATCH_METHODS)

    def get_state(self) -> dict[str, Any]:
        """What it remembers: dicts and lists of numbers, text and arrays."""
        return {}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `get_state` can have given this: it may be from a file that someone has changed.

        Args:
            state: fields by name.
            where: their place in the file, for the error; see `scratchnet.fields`.
        """

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `get_state` gave."""

    def set_model(self, model: Any) -> None:
        """Called first of all."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
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

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """In place of on_epoch_begin, where a run goes on in the middle of an epoch: so many batches are done."""

    def on_interrupt(self) -> None:
        """After Ctrl-C, once the step that ran is whole, before on_train_end."""

    def on_diverged(self, error: ArithmeticError) -> bool:
        """After a loss that is NaN or infinite, once the weights are back where they were good.

        Where a callback returns True, training ends without an error.
        """
        return False

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before `evaluate` measures, and before the validation data are measured; logs are empty."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch that is measured, counted from 0; logs are empty."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch that is measured, with the means so far."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After that, with what was measured; as in Keras, "loss" is its name here, and "val_loss" in on_epoch_end."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before `predict`; logs are empty."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch, counted from 0; logs are empty."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After each batch; logs["outputs"] are its outputs."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After the last batch; logs are empty."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch, counted from 0; logs are empty."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch, counted from 0, with the means so far in this epoch."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """An older name of on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """An older name of on_train_batch_end."""


class CallbackList:
    """Callbacks as one: each call goes to all of them, in their order, but for those that run first or last.

    They are handed the same dict of logs: what one adds is there for the next.
    """

    @checked
    def __init__(self, callbacks: Sequence[Callback], model: Any, params: dict[str, Any]) -> None:
        for callback in callbacks:
            if not isinstance(callback, Callback):
                hint = f" A class needs its brackets: {callback.__name__}()." if isinstance(callback, type) else ""
                raise TypeError(
                    f"callbacks: expected callbacks, objects of classes made from Callback, got {callback!r}.{hint}"
                )
        self.callbacks = sorted(callbacks, key=lambda callback: callback.runs_last - callback.runs_first)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(dict(params))

    def call(self, hook: str, *arguments: Any) -> None:
        """callback.HOOK(*arguments) for each."""
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)

    def any(self, hook: str, *arguments: Any) -> bool:
        """Whether callback.HOOK(*arguments) is True for one of them; all are called."""
        return any([bool(getattr(callback, hook)(*arguments)) for callback in self.callbacks])

    def get_state(self) -> dict[str, Any]:
        """The states of those that remember something, by the name of their class."""
        states: dict[str, Any] = {}
        count: Counter[str] = Counter()
        for callback in self.callbacks:
            name = type(callback).__name__
            count[name] += 1
            if state := callback.get_state():
                states[name if count[name] == 1 else f"{name} {count[name]}"] = state
        return states

    def set_state(self, states: Mapping[str, Any]) -> None:
        """Give each its state.

        Raises:
            ValueError: these are other callbacks than those whose states these are, or one cannot take its state.
        """
        for name, callback, state in self._pairs(states, "callbacks"):
            try:
                callback.set_state(state)
            except (LookupError, TypeError, AttributeError, ArithmeticError) as error:  # one without a check_state
                raise ValueError(f"callbacks.{name}: it cannot take this state: {error!r}.") from error

    def check_state(self, states: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless each callback can take its state, and none is missing."""
        mapping(mapping(anything))(states, where)
        for name, callback, state in self._pairs(states, where):
            callback.check_state(state, join(where, name))

    def _pairs(self, states: Mapping[str, Any], where: str) -> Iterator[tuple[str, Callback, Any]]:
        """Names, callbacks and their states."""
        rest, seen = dict(states), Counter[str]()
        for callback in self.callbacks:
            kind = type(callback).__name__
            seen[kind] += 1
            name = kind if seen[kind] == 1 else f"{kind} {seen[kind]}"
            if name in rest:
                yield name, callback, rest.pop(name)
            elif callback.get_state():
                raise ValueError(f"{where}: {name} was not among those of the run. Resume with the same callbacks.")
        if rest:
            raise ValueError(f"{where}: {', '.join(rest)} of the run are missing. Resume with the same callbacks.")


class History(Callback):
    """What `fit` returns: `history`, a list of values for each name, and `epoch`, the epochs' numbers."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = Values()
        self.epoch: list[int] = []

    def __repr__(self) -> str:
        if not self.epoch:
            return "<History: no epoch yet>"
        return (
            f"<History of {len(self.epoch)} epochs, the last: {log_text({k: v[-1] for k, v in self.history.items()})}>"
        )

    def get_state(self) -> dict[str, Any]:
        """All of it."""
        return {"history": self.history, "epoch": self.epoch}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(history=mapping(list_of(measured)), epoch=list_of(count()))(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the lists; the epochs that follow are appended."""
        self.history, self.epoch = Values(state["history"]), state["epoch"]

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append every value."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


def log_text(logs: Logs) -> str:
    """accuracy: 0.7123 - loss: 0.8012, in the alphabet's order as Keras has it."""
    return " - ".join(f"{name}: {_value_text(value)}" for name, value in sorted(logs.items()))


def _value_text(value: Any) -> str:
    if np.ndim(value):  # a metric with a number a class
        return f"[{', '.join(map(_value_text, value))}]"
    return f"{value:.4f}" if value >= 1e-3 else f"{value:.4e}"
