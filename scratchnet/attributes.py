"""A misspelt attribute is an error: `optimizer.rate = 1e-5` is refused; Python would keep it unread."""

from __future__ import annotations

import difflib
import sys
from types import FrameType
from typing import Any

from scratchnet.signatures import ADVICE

# Names that other programs, or Keras in earlier versions, have for what is here.
OTHER_NAMES = {
    "alpha": "learning_rate",
    "betas": "beta_1",
    "decay": "weight_decay",
    "eps": "epsilon",
    "eta": "learning_rate",
    "kernel": "params",
    "loss_fn": "loss",
    "lr": "learning_rate",
    "rate": "learning_rate",
    "w": "params",
    "weight": "params",
    "weights": "params",
}
PACKAGE = __name__.partition(".")[0]


class Attributes:
    """Optimizers, layers, models, callbacks, ...: from outside, only attributes that they have can be set.

        optimizer.rate = 1e-5   AttributeError: Adam has no attribute 'rate'. Did you mean 'learning_rate'?

    An object's own methods may set what they like, as in any class, so a layer or a callback of one's own is written as
    ever: `self.x = x` in `__init__`, `call` or any other method whose first argument is called self. What is set from
    anywhere else must be there already, in the object or in its class. A class that is not the package's own is not
    held to that so strictly: it refuses only what looks like a misspelt name, or another program's name, for something
    that it has.

    Raises:
        AttributeError: there is no such attribute; the nearest is named.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if name in own:  # each step of training sets some again: this is their way
            own[name] = value
            return
        if self._keeps(name, value):
            return
        if not hasattr(type(self), name) and not _is_method_of(self, sys._getframe(1)):
            _refuse_unless_new(self, name)
        super().__setattr__(name, value)

    def _keeps(self, name: str, value: Any) -> bool:
        """Whether the object keeps this in a way of its own."""
        return False


def _is_method_of(instance: object, frame: FrameType) -> bool:
    """Whether this code runs in a method of the instance, or in a function within one: whether it is self there."""
    return "self" in frame.f_code.co_varnames[:1] + frame.f_code.co_freevars and frame.f_locals.get("self") is instance


def _refuse_unless_new(instance: object, name: str) -> None:
    kind = type(instance)
    known = [one for one in dir(instance) if not one.startswith("_")]
    own = kind.__module__.partition(".")[0] == PACKAGE
    other = OTHER_NAMES.get(name)
    # 0.6 takes "remark" for "prepare": good enough for a hint, but not for a reason to refuse.
    close = [other] if other in known else difflib.get_close_matches(name, known, n=1, cutoff=0.6 if own else 0.8)
    if not close and name not in ADVICE and not own:
        return
    if name in ADVICE:
        hint = f" {ADVICE[name]}"
    elif close:
        hint = f" Did you mean {close[0]!r}?"
    else:
        hint = f" It has {', '.join(one for one in known if not callable(getattr(kind, one, None)))}."
    raise AttributeError(f"{kind.__name__} has no attribute {name!r}.{hint}")
