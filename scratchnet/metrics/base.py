"""What all metrics share: update_state with each batch, result, reset_state; and means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scratchnet import initializers
from scratchnet.annotations import checked
from scratchnet.arguments import check_choice
from scratchnet.config import Configurable
from scratchnet.devices import as_array, like, to_numpy
from scratchnet.losses import OF_FUNCTION, Loss, check_weights
from scratchnet.losses.base import same_rank
from scratchnet.metrics.variable import Variable
from scratchnet.signatures import OnlyDefault


class Metric(Configurable):
    """What people want to know and no gradient can use. It adds up over batches.

        metric.update_state(y_true, y_pred)     for each batch
        metric.result()                         of all of them
        metric.reset_state()                    and again

    A metric of one's own defines these three, and begins with nothing seen: its `__init__` ends in
    `self.reset_state()`, or sets the same attributes. What `self.add_variable(shape=(), initializer="zeros")` made in
    `__init__` is reset without a method of one's own. Where a metric is the mean of one number an example, a function
    f(y_true, y_pred) that gives these numbers is enough: metrics=[f].

    Args:
        name: of its values in logs and history, and behind "val_" of those of validation.

    Attributes:
        direction: "up" if larger values are better, "down" if smaller ones are; None if nobody knows, and callbacks
            that watch it must be told.

    Source: https://keras.io/api/metrics/
    """

    name = "metric"
    direction: str | None = None
    _variables: Sequence[tuple[Variable, np.ndarray]] = ()  # each with its first value

    def __init__(self, dtype: OnlyDefault = None, name: str | None = None) -> None:
        if name is not None:
            self.name = name

    def add_variable(
        self,
        shape: int | Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: OnlyDefault = None,
        aggregation: OnlyDefault = "sum",
        name: str | None = None,
    ) -> Variable:
        """An array of float64 that `reset_state` sets back to what the initializer gives; see `Variable`."""
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        make = initializers.get("zeros" if initializer is None else initializer)
        variable = np.empty(sizes).view(Variable).assign(make(sizes or (1,)).reshape(sizes))
        self._variables = [*self._variables, (variable, variable.value)]
        return variable

    def add_weight(
        self,
        shape: int | Sequence[int] = (),
        initializer: Any = None,
        dtype: OnlyDefault = None,
        name: str | None = None,
    ) -> Variable:
        """`add_variable` under its other name."""
        return self.add_variable(shape, initializer, name=name)

    def reset_state(self) -> None:
        """Forget what was seen: variables are as they were at first."""
        if not self._variables:
            raise NotImplementedError(f"{type(self).__name__}: define reset_state(self), which forgets what was seen.")
        for variable, first in self._variables:
            variable.assign(first)

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Take in a batch; in `fit`, without weights."""
        raise NotImplementedError(
            f"{type(self).__name__}: define update_state(self, y_true, y_pred), which takes a batch."
        )

    def result(self) -> Any:
        """The value for all that was seen since the last reset."""
        raise NotImplementedError(f"{type(self).__name__}: define result(self), the value for all that was seen.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """update_state with these arguments, then result."""
        self.update_state(*args, **kwargs)
        return self.result()


class Averaging(Metric):
    """A weighted mean of numbers that `add` takes in: sum of weight * value / sum of weight."""

    def __init__(self, name: str | None) -> None:
        super().__init__(name=name)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was seen."""
        self.total, self.count = 0.0, 0.0

    def add(self, values: Any, sample_weight: Any) -> None:
        """Take in numbers, (N, ...) or one alone, and their weights, (N,), None for 1."""
        values = np.atleast_1d(to_numpy(values)).astype(np.float64)
        values = values.reshape(len(values), -1).mean(axis=1)
        weight = np.ones(len(values)) if sample_weight is None else weights(sample_weight, len(values), self)
        self.total += float((weight * values).sum())
        self.count += float(weight.sum())

    def result(self) -> float:
        """The mean of what was seen; NaN if there was nothing."""
        return self.total / self.count if self.count else float("nan")


class Mean(Averaging):
    """The mean of numbers: metric.update_state(values), each with a weight if there are such.

    Values of more than one axis count as their mean over all but the first.
    """

    def __init__(self, name: str | None = "mean", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]  # as in Keras
        """Take in numbers, (N, ...) or one alone, and their weights, (N,)."""
        self.add(values, sample_weight)


class ExampleMean(Averaging):
    """A mean over examples; those who inherit define `score`, a number an example."""

    @checked
    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Take in a batch; the labels are brought to the device of y_pred.

        Args:
            y_true, y_pred: labels and outputs, see each metric.
            sample_weight: (N,), how much each example counts; None for all alike.
        """
        self.add(self.scores(y_true, y_pred), sample_weight)

    def scores(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """`score` of arrays that are checked and brought together."""
        y_true, y_pred = arrays(y_true, y_pred, type(self).__name__)
        with np.errstate(under="ignore"):
            return self.score(y_true, y_pred)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """One number an example; what each metric defines."""
        raise NotImplementedError


class MeanMetricWrapper(ExampleMean):
    """A function as a metric: the mean of f(y_true, y_pred), one number an example or one for the batch.

    Labels (N,) for outputs (N, 1) come as (N, 1).

    Args:
        fn: f, or the name of a function of `losses`.
        name: None for the function's name.
        kwargs: further arguments of the function.
    """

    def __init__(
        self, fn: str | Callable[..., Any], name: str | None = None, dtype: OnlyDefault = None, **kwargs: Any
    ) -> None:
        known = {function.__name__: function for function in OF_FUNCTION}
        self._fn = known[check_choice(fn, known, "function")] if isinstance(fn, str) else fn
        self._kwargs = kwargs
        super().__init__(getattr(self._fn, "__name__", "metric") if name is None else name)
        if self._fn in OF_FUNCTION or isinstance(self._fn, Loss):
            self.direction = "down"

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """What the function gives."""
        values = self._fn(same_rank(y_true, y_pred), y_pred, **self._kwargs)
        return values if getattr(values, "ndim", 0) else np.full(len(y_pred), float(values))

    def get_config(self) -> dict[str, Any]:
        """The function by itself, or by its name where it is the package's own."""
        fn = self._fn.__name__ if self._fn in OF_FUNCTION else self._fn
        return {"fn": fn, "name": self.name, **self._kwargs}


def arrays(y_true: Any, y_pred: Any, caller: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels and outputs on the device of the outputs; a ValueError unless there are as many of both."""
    y_pred = as_array(y_pred)
    y_true = like(y_true, y_pred)
    if len(y_true) != len(y_pred):
        raise ValueError(f"{caller}: expected as many y_true as y_pred, got shapes {y_true.shape} and {y_pred.shape}.")
    return y_true, y_pred


def weights(sample_weight: Any, count: int, metric: Metric) -> np.ndarray:
    """Weights (N,) of float64 in the CPU's memory, checked."""
    return to_numpy(check_weights(sample_weight, count, type(metric).__name__)).astype(np.float64)
