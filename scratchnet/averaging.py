"""A moving average of a model's weights: steadier than the weights themselves, which each step throws about."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from scratchnet import kernels, locks
from scratchnet.annotations import checked
from scratchnet.arguments import check_number
from scratchnet.devices import Device, like, to_device
from scratchnet.replay import fresh


class MovingAverage:
    """After each step `update()`: average = m * average + (1 - m) * weights, for all weights and statistics.

    m = min(momentum, (1 + t) / (10 + t)) at update t, counted from 0: a short run, too, soon forgets where it began.

    Args:
        model: what is averaged, built; its params and its state, such as the statistics of batch normalization.
        momentum: nearer to 1 is slower; 0.999 looks back over a thousand steps.

    Raises:
        ValueError: the model is not built yet, or momentum is not from 0 to below 1.

    Source: Polyak and Juditsky, 1992; the start as TensorFlow's ExponentialMovingAverage has it.
    """

    @checked
    def __init__(self, model: Any, momentum: float = 0.999):
        check_momentum(momentum, "MovingAverage")
        if not hasattr(model, "built"):
            raise TypeError(f"MovingAverage: expected model to be a model, such as a Sequential, got {model!r}.")
        if not model.built:
            raise ValueError("MovingAverage: expected a model that is built. Call model.build(input_shape) first.")
        self.model, self.momentum = model, momentum
        self.updates = 0
        self._copy: Any = None  # what `copied_model` gives
        self.average = {name: array.copy() for name, array in _weights(model).items()}

    def update(self) -> None:
        """Take in the weights as they are now."""
        momentum = fresh(self._next_momentum)
        pairs: dict[np.dtype, list[tuple[np.ndarray, np.ndarray]]] = {}
        for name, array in _weights(self.model).items():
            average = self.average[name]
            if average.dtype != array.dtype or type(average) is not type(array):  # such as from a file
                self.average[name] = like(average, array).astype(array.dtype, copy=False)
            pairs.setdefault(array.dtype, []).append((self.average[name], array))
        for some in pairs.values():
            with np.errstate(under="ignore"):
                kernels.of(some[0][0]).moving_average(some, momentum)

    def _next_momentum(self) -> float:
        momentum = min(self.momentum, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        return momentum

    def put(self) -> None:
        """Give the model the average as its weights; those it had are lost."""
        with locks.MODELS:
            for name, array in _weights(self.model).items():
                array[...] = like(self.average[name], array)

    def swap(self) -> None:
        """Exchange the model's weights and the average; once more brings both back."""
        with locks.MODELS:
            for name, array in _weights(self.model).items():
                own = array.copy()
                array[...] = like(self.average[name], array)
                self.average[name][...] = like(own, self.average[name])

    def bring(self, device: Device) -> None:
        """Have the average on a device."""
        self.average = {name: to_device(array, device) for name, array in self.average.items()}
        self._copy = None

    def copied_model(self) -> Any:
        """A copy of the model whose weights are the average: always the same one, and nothing else changes.

        Other threads may ask for it, too: use it within `locks.MODELS`.
        """
        if self._copy is None or _kinds(self._copy) != _kinds(self.model):
            self._copy = copy.deepcopy(self.model)
        for name, array in _weights(self._copy).items():
            array[...] = like(self.average[name], array)
        return self._copy

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within it the model has the average as its weights."""
        self.swap()
        try:
            yield
        finally:
            self.swap()


def _weights(model: Any) -> dict[str, np.ndarray]:
    return {**model.params, **model.state}


def _kinds(model: Any) -> dict[str, tuple[Any, ...]]:
    return {name: (type(array), array.dtype, array.shape) for name, array in _weights(model).items()}


def check_momentum(momentum: float, caller: str) -> None:
    """Raise a ValueError unless it is from 0 to below 1."""
    check_number(momentum, "momentum", caller, 0, 1, below=True)
