"""What comes from a file, checked field by field before anything is made of it: kinds, ranges, and no field too few.

A check is a function of a value and of its place in the file, for the error. Small ones make large ones:

    OPTIMIZER = record(iterations=count(), learning_rate=optional(number(0)), memory=mapping(mapping(array)))
    OPTIMIZER(state, "training.optimizer_state")

    ValueError: training.optimizer_state.iterations: expected a whole number from 0 to ..., got 'ten'.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Check = Callable[[Any, str], None]
LARGEST_COUNT = 2**63 - 1

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60


def shown(value: Any) -> str:
    """A value as messages show it, however long it is."""
    if hasattr(value, "shape"):
        return f"an array of {value.dtype} of shape {value.shape}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**60:
        return f"a whole number of {value.bit_length()} bits"
    return _short.repr(value)


def refuse(where: str, expected: str, value: Any) -> ValueError:
    """The error for a field that is not what it should be."""
    return ValueError(f"{where}: expected {expected}, got {shown(value)}.")


def anything(value: Any, where: str) -> None:
    """Whatever it is: what uses it checks it."""


def array(value: Any, where: str) -> None:
    """An array of floats, on any device: a weight, or what an optimizer remembers of one."""
    if not hasattr(value, "shape") or value.dtype not in (np.float32, np.float64):
        raise refuse(where, "an array of float32 or float64", value)


def text(value: Any, where: str) -> None:
    """Text."""
    if not isinstance(value, str):
        raise refuse(where, "text", value)


def truth(value: Any, where: str) -> None:
    """True or False."""
    if not isinstance(value, bool):
        raise refuse(where, "true or false", value)


def count(low: int = 0, high: int = LARGEST_COUNT) -> Check:
    """A whole number from `low` to `high`. True is none."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise refuse(where, f"a whole number from {low} to {high}", value)

    return check


def number(low: float = -math.inf, high: float = math.inf, finite: bool = True) -> Check:
    """A number from `low` to `high`; with finite=False NaN and infinity, too, are numbers. True is none."""

    def check(value: Any, where: str) -> None:
        kind = "a finite number" if finite else "a number"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise refuse(where, kind, value)
        if isinstance(value, int) and value.bit_length() > 1000:  # beyond what a float can hold
            raise refuse(where, kind, value)
        if (finite and not math.isfinite(value)) or (not math.isnan(value) and not low <= value <= high):
            limits = f" of at least {low:g}" if high == math.inf else f" from {low:g} to {high:g}"
            raise refuse(where, kind + (limits if (low, high) != (-math.inf, math.inf) else ""), value)

    return check


def measured(value: Any, where: str) -> None:
    """A number, NaN and infinity, too, or an array of them, as of a metric with a number a class."""
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f":
        return
    number(finite=False)(value, where)


def optional(check: Check) -> Check:
    """None, or what `check` wants."""
    return lambda value, where: None if value is None else check(value, where)


def list_of(check: Check) -> Check:
    """A list, each part of which is what `check` wants."""

    def check_all(value: Any, where: str) -> None:
        if not isinstance(value, (list, tuple)):
            raise refuse(where, "a list", value)
        for place, part in enumerate(value):
            check(part, f"{where}[{place}]")

    return check_all


def mapping(check: Check) -> Check:
    """Fields of any names, each of which is what `check` wants."""

    def check_all(value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise refuse(where, "fields with names", value)
        for name, part in value.items():
            check(part, join(where, name))

    return check_all


def record(**fields: Check) -> Check:
    """These fields and no others, each of which is what its check wants."""

    def check_all(value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise refuse(where, f"the fields {', '.join(fields)}", value)
        check_names(value, fields, where)
        for name, check in fields.items():
            check(value[name], join(where, name))

    return check_all


def like_arrays(value: Mapping[str, Any], own: Mapping[str, Any], where: str) -> None:
    """Raise a ValueError unless these are arrays with the names and shapes of `own`."""
    mapping(array)(value, where)
    check_names(value, own, where)
    for name, part in value.items():
        if part.shape != own[name].shape:
            raise ValueError(f"{join(where, name)}: expected the shape {own[name].shape}, got {part.shape}.")


def check_names(value: Mapping[str, Any], wanted: Mapping[str, Any] | Sequence[str], where: str) -> None:
    """Raise a ValueError unless these are the names of the fields."""
    for name in wanted:
        if name not in value:
            raise ValueError(f"{join(where, name)}: this field is missing.")
    for name in value:
        if name not in wanted:
            raise ValueError(f"{join(where, shown(name)[1:-1])}: there is no such field.")


def join(where: str, name: str) -> str:
    """The place of a field."""
    return f"{where}.{name}" if where else name
