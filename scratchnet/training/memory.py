"""A device's own memory: which data go there as a whole, and what is said of a batch that is too large for it."""

from __future__ import annotations

import contextlib
import math
import traceback
import warnings
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import numpy as np

from scratchnet import locks
from scratchnet.devices import Device, device_of, to_device
from scratchnet.layers import Chain, Layer
from scratchnet.layers.composite import Composite

SHARE = 0.5  # of the free memory that data may take; the rest is for weights, activations and gradients
PASSES = 2  # an activation is kept from forward to backward, and its gradient is as large


class BatchTooLarge(MemoryError):
    """The device's memory does not hold what a batch needs; the message says which batch_size would."""


def moved_if_they_fit(arrays: Iterable[Any], device: Device, caller: str) -> list[Any] | None:
    """The arrays on a device with memory of its own, in the dtypes they have; None where they are too large for it.

    Args:
        arrays: examples, labels, weights; None among them stays None.
        device: where to; arrays of a device without memory of its own stay where they are, and None is returned.
        caller: how the warning begins that batches are copied one by one.
    """
    arrays = list(arrays)
    if device.free_memory is None:
        return None
    needed = sum(array.nbytes for array in arrays if array is not None and device_of(array) is not device)
    free = device.free_memory()
    if needed <= SHARE * free:
        with contextlib.suppress(MemoryError):  # there is room, but not in one piece
            return [None if array is None else to_device(array, device) for array in arrays]
    warnings.warn(
        f"{caller}: the data have {needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free on {device.name!r}, half "
        "of them for data. Each batch is copied there by itself, which takes longer. Pictures as uint8 take the least.",
        stacklevel=5,
    )
    return None


def activation_numbers(layer: Layer) -> int:
    """How many numbers the layers' outputs have for one example, those within chains and branches included."""
    inner = sum(activation_numbers(part) for part in layer.layers) if isinstance(layer, Composite) else 0
    own = 0 if isinstance(layer, Chain) else math.prod(size or 1 for size in (layer.output_shape or ())[1:])
    return inner + own


class Room:
    """Within it, a batch that the device's memory does not hold is an error that says which batch would fit.

        room = Room(networks, batch_size, "Sequential 'model': fit")
        with room:
            a step

    Args:
        networks: that the step runs, all on one device, and built.
        batch_size: examples at once.
        caller: how the error begins.
    """

    def __init__(self, networks: Iterable[Any], batch_size: int, caller: str):
        self.networks, self.batch_size, self.caller = list(networks), batch_size, caller
        free_memory = self.networks[0].device.free_memory
        self.free = None if free_memory is None else free_memory()  # before the step: what it may take

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.free is not None and isinstance(error, MemoryError) and not isinstance(error, BatchTooLarge):
            self._let_go(error)
            raise BatchTooLarge(f"{self.caller}: {error} {self._advice()}") from error

    def _let_go(self, error: MemoryError) -> None:
        """Give back what the step has taken, so that the next one finds it free."""
        traceback.clear_frames(error.__traceback__)  # IPython keeps the last error, and with it these arrays
        for network in self.networks:
            # A forward of one example: its small arrays take the place of those that the layers have kept.
            with contextlib.suppress(Exception), locks.MODELS:  # the error that is being raised says more
                shape, xp = network.input_shape, network.device.module
                network.forward(xp.zeros((1, *shape[1:]), network.compute_dtype))

    def _advice(self) -> str:
        itemsize = np.dtype(self.networks[0].compute_dtype).itemsize
        example = PASSES * itemsize * sum(activation_numbers(network) for network in self.networks)
        fits = min((self.free or 0) // max(example, 1), self.batch_size // 2)  # this one did not
        if fits < 1:
            return f"One example's activations take about {example / 1e6:,.1f} MB: smaller pictures, or fewer filters."
        return (
            f"By the sizes of the layers' outputs, about {example / 1e6:,.1f} MB an example, "
            f"batch_size={1 << (fits.bit_length() - 1)} would fit; it was {self.batch_size}."
        )
