"""Optimizers: how weights move against their gradients. Formulas and defaults are Keras 3's."""

from __future__ import annotations

from collections.abc import Callable

from scratchnet.arguments import check_choice
from scratchnet.optimizers import schedules
from scratchnet.optimizers.adagrad import Adadelta, Adagrad
from scratchnet.optimizers.adam import Adam, AdamW
from scratchnet.optimizers.adamax import Adamax, Nadam
from scratchnet.optimizers.base import Optimizer
from scratchnet.optimizers.lion import Lion
from scratchnet.optimizers.rmsprop import RMSprop
from scratchnet.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "get",
    "schedules",
]

OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "adadelta": Adadelta,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamax": Adamax,
    "adamw": AdamW,
    "lion": Lion,
    "nadam": Nadam,
    "rmsprop": RMSprop,
    "sgd": SGD,
}


def get(identifier: str | Optimizer) -> Optimizer:
    """An optimizer with its default arguments from its name, or the object itself.

    Raises:
        ValueError: no optimizer has that name; the nearest is named.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    return OPTIMIZERS[check_choice(identifier, OPTIMIZERS, "optimizer")]()
