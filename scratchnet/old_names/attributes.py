"""Attributes, methods and values of Keras 1 and 2, for the classes that had them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet.old_names.warning import tell

VALUES = {"acc": "accuracy", "val_acc": "val_accuracy", "lr": "learning_rate"}


class Values(dict[str, Any]):
    """Values by name, of an epoch or of all; those of Keras 2, values["acc"], are found as well."""

    def __missing__(self, name: str) -> Any:
        if VALUES.get(name) not in self:
            raise KeyError(name)
        tell(f"the value {name!r}", f"write {VALUES[name]!r}.")
        return self[VALUES[name]]


class Rate:
    """For optimizers: the rate under its old name."""

    learning_rate: Any

    @property
    def lr(self) -> float:
        """`learning_rate`."""
        tell("optimizer.lr", "write optimizer.learning_rate.")
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        tell("optimizer.lr", "write optimizer.learning_rate.")
        self.learning_rate = value


class Methods:
    """For models: the methods that `fit`, `evaluate` and `predict` stand for today."""

    fit: Any
    evaluate: Any
    predict: Any

    def fit_generator(
        self, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1, *args: Any, **kwargs: Any
    ) -> Any:
        """`fit`; Keras 1 counted examples, samples_per_epoch and nb_val_samples, for steps."""
        tell("model.fit_generator", "write model.fit(generator, ...).")
        names = ("verbose", "callbacks", "validation_data", "validation_steps", "class_weight")
        kwargs = {"epochs": kwargs.pop("nb_epoch", epochs), **dict(zip(names, args)), **kwargs}
        if (count := kwargs.pop("samples_per_epoch", None)) is not None:
            generator, steps_per_epoch = _steps(generator, count)
        if (count := kwargs.pop("nb_val_samples", None)) is not None and not isinstance(
            kwargs["validation_data"], tuple
        ):
            kwargs["validation_data"], kwargs["validation_steps"] = _steps(kwargs["validation_data"], count)
        return self.fit(generator, steps_per_epoch=steps_per_epoch, **kwargs)

    def evaluate_generator(self, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
        """`evaluate`."""
        tell("model.evaluate_generator", "write model.evaluate(generator, ...).")
        return self._measured(self.evaluate, generator, steps, kwargs)

    def predict_generator(self, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
        """`predict`."""
        tell("model.predict_generator", "write model.predict(generator, ...).")
        return self._measured(self.predict, generator, steps, kwargs)

    def _measured(self, measure: Callable[..., Any], generator: Any, steps: int | None, kwargs: dict[str, Any]) -> Any:
        if (count := kwargs.pop("val_samples", None)) is not None:
            generator, steps = _steps(generator, count)
        return measure(generator, **{"verbose": 0, "steps": steps, **kwargs})

    def predict_classes(self, x: Any, batch_size: int | None = 32, verbose: int = 0) -> np.ndarray:
        """Of several outputs the number of the largest, of one whether it is above a half: (N,), or (N, 1)."""
        tell("model.predict_classes", "write model.predict(x).argmax(axis=-1), with one output model.predict(x) > 0.5.")
        p = self.predict(x, batch_size=batch_size, verbose=verbose)
        return p.argmax(axis=-1) if p.shape[-1] > 1 else (p > 0.5).astype(np.int32)

    def predict_proba(self, x: Any, batch_size: int | None = 32, verbose: int = 0) -> np.ndarray:
        """`predict`."""
        tell("model.predict_proba", "write model.predict(x).")
        return self.predict(x, batch_size=batch_size, verbose=verbose)


def _steps(generator: Any, count: int) -> tuple[Any, int]:
    """A generator, and how many of its batches have `count` examples; to know that, the first one is looked at."""
    size = getattr(generator, "batch_size", None)
    if size is None:
        first = next(generator)
        size, generator = len(first[0] if isinstance(first, tuple) else first), itertools.chain([first], generator)
    return generator, math.ceil(count / size)
