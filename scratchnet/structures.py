"""One array or several: what models with several inputs or outputs take and give is a list, in the order of the names.

Where there is one, it is the array itself, so that all else reads as if there were never more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.devices import array_module

Structure = Any  # one thing, or a list, tuple or dict of them


def flat(structure: Structure) -> list[Any]:
    """The things in a structure, in its order; a dict's in the order of its keys' names, as in Keras."""
    if isinstance(structure, Mapping):
        return [thing for key in sorted(structure) for thing in flat(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [thing for part in structure for thing in flat(part)]
    return [structure]


def packed(structure: Structure, things: Sequence[Any]) -> Structure:
    """Things in the order of `flat`, put into a structure like this one."""
    return _filled(structure, iter(things))


def _filled(structure: Structure, rest: Iterator[Any]) -> Structure:
    if isinstance(structure, Mapping):
        filled = {key: _filled(structure[key], rest) for key in sorted(structure)}
        return {key: filled[key] for key in structure}
    return [_filled(part, rest) for part in structure] if isinstance(structure, (list, tuple)) else next(rest)


def each(function: Callable[..., Any], value: Any) -> Any:
    """function(value); of a list, the list of function(one); None stays None."""
    if isinstance(value, list):
        return [each(function, one) for one in value]
    return None if value is None else function(value)


def leaves(value: Any) -> list[Any]:
    """The arrays in a value, as `flat` has them; None is none."""
    return [one for one in flat(value) if one is not None]


def length(value: Any) -> int:
    """How many examples there are along the first axis, of which several arrays have equally many."""
    return len(leaves(value)[0])


def parts(value: Any) -> Any:
    """What a model gives, an array, list or dict, in the order of its names: one array, or a list of several."""
    values = [value[name] for name in sorted(value)] if isinstance(value, Mapping) else value
    return values[0] if isinstance(values, list) and len(values) == 1 else values


def joined(values: Sequence[Any]) -> Any:
    """Batches of arrays, or of lists or dicts of arrays, one after the other along the first axis."""
    if isinstance(values[0], Mapping):
        return {name: joined([value[name] for value in values]) for name in values[0]}
    if isinstance(values[0], list):
        return [joined([value[place] for value in values]) for place in range(len(values[0]))]
    return array_module(values[0]).concatenate(values)


def is_one_array(value: Any) -> bool:
    """Whether this is a list or tuple that holds nothing but one array, as Keras takes it for a single input."""
    return isinstance(value, (list, tuple)) and len(value) == 1 and hasattr(value[0], "shape")


def in_order(data: Any, names: Sequence[str], what: str, caller: str) -> Any:
    """Data for a model in the order of its inputs or outputs: an array where there is one name, else a list.

    Args:
        data: an array; or a list or tuple with one for each name; or a dict by name, which may hold others beside.
        names: of the inputs or outputs.
        what: how the data are called, for errors.
        caller: how errors begin.

    Raises:
        ValueError: one is missing, or there are too many.
    """
    if isinstance(data, Mapping):
        if missing := [name for name in names if name not in data]:
            raise ValueError(
                f"{caller}: {what} for {', '.join(map(repr, missing))} is missing: expected a dict with "
                f"{', '.join(map(repr, names))}, got one with {', '.join(map(repr, data)) or 'nothing'}."
            )
        found = [data[name] for name in names]
        return found[0] if len(names) == 1 else found
    if len(names) == 1:
        return data[0] if is_one_array(data) else data
    if isinstance(data, (list, tuple)) and len(data) == len(names):
        return list(data)
    came = f"a {type(data).__name__} of {len(data)}" if isinstance(data, (list, tuple)) else type(data).__name__
    if isinstance(data, np.ndarray) or hasattr(data, "shape"):
        came = f"one array of shape {tuple(data.shape)}"
    raise ValueError(
        f"{caller}: expected {what} as a list of {len(names)} arrays, or a dict with {', '.join(map(repr, names))}, "
        f"got {came}."
    )


def named(names: Sequence[str], what: str) -> list[str]:
    """How the arrays are called in errors: "x", or "x['left']" and "x['right']" where there are several."""
    return [what] if len(names) == 1 else [f"{what}[{name!r}]" for name in names]
