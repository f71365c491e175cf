"""What an annotation asks of an argument: `filters: int` takes a whole number, and an error says so before the call.

    @checked
    def f(rate: float, seed: int | None = None, names: Sequence[str] = ()) -> ...

`checked` looks at each argument before the function runs. The constructors of layers, losses, optimizers, callbacks
and so on are checked without it: their base classes, `Configurable` and `Callback`, see to that, for those of others
too. Only the kind is looked at here; the range, from 0 to below 1 say, is the function's own affair.

| annotation | takes |
|---|---|
| bool | True, False, 1, 0 |
| int | whole numbers; not 2.0, not True |
| float | numbers; not True, not NaN |
| str, os.PathLike | text; text or a path |
| Callable | what can be called |
| Sequence[int], list[str], ... | lists and their like; the elements, where they are of a kind above |
| tuple[float, float] | as many numbers |
| Mapping, dict | dicts |
| np.ndarray | arrays of numbers on any device, and lists of them; no masked ones |
| a class | its objects |
| OnlyDefault | the default, see `scratchnet.signatures` |
| Any, and what is not in this table | anything |
"""

from __future__ import annotations

import collections.abc
import functools
import inspect
import math
import os
import re
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, NoReturn, TypeVar, cast

import numpy as np

from scratchnet import old_names
from scratchnet.arguments import ArgumentError, check_unmasked, is_array, is_flag, is_number, is_whole, shortened
from scratchnet.signatures import check_default, only_default_names

F = TypeVar("F", bound=Callable[..., Any])


class Kind(NamedTuple):
    """What an argument may be: in words for one and for several of them, and as a test."""

    one: str
    several: str
    fits: Callable[[Any], bool]
    is_class: bool = False  # an object of a class, or a function: another one is a TypeError
    by_type: bool = False  # whether the type of a value says it all


def _is_list(value: Any) -> bool:
    if isinstance(value, (str, bytes, collections.abc.Mapping, type)):
        return False
    sized = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    return isinstance(value, (list, tuple)) or (sized and getattr(value, "ndim", 1) != 0)


KINDS: dict[Any, Kind] = {
    None: Kind("None", "None", lambda value: value is None),
    type(None): Kind("None", "None", lambda value: value is None),
    bool: Kind("True or False", "True or False", is_flag),
    int: Kind("a whole number", "whole numbers", is_whole),
    float: Kind("a number", "numbers", lambda value: is_number(value) and not math.isnan(value)),
    str: Kind("text", "texts", lambda value: isinstance(value, str)),
    os.PathLike: Kind("a path", "paths", lambda value: isinstance(value, os.PathLike)),
    np.ndarray: Kind("an array of numbers", "arrays of numbers", is_array),
    collections.abc.Callable: Kind("a function", "functions", callable, is_class=True),
}


def kinds_of(annotation: Any) -> tuple[Kind, ...] | None:
    """The kinds that an annotation names, one of which will do; None where anything will."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        found = [kinds_of(one) for one in inner]
        return None if None in found else tuple(kind for kinds in found for kind in kinds or ())
    if origin is typing.Annotated:
        return kinds_of(inner[0])
    known = annotation if origin is None else origin
    if known in (None, Callable, collections.abc.Callable):
        return (KINDS[known],)
    return None if known is Any or not isinstance(known, type) else _kinds_of_class(known, inner)


def _kinds_of_class(known: type, inner: tuple[Any, ...]) -> tuple[Kind, ...] | None:
    if known in KINDS:
        return (KINDS[known],)
    if known is tuple and inner and Ellipsis not in inner:
        return (_tuple_of(inner),)
    if issubclass(known, collections.abc.Mapping):
        return (Kind("a dict", "dicts", lambda value: isinstance(value, collections.abc.Mapping), by_type=True),)
    if known in (list, tuple, collections.abc.Sequence, collections.abc.Iterable):
        return (_list_of(inner[0] if inner else Any, known is collections.abc.Iterable),)
    if known in (object, type) or getattr(known, "_is_protocol", False) or hasattr(known, "__required_keys__"):
        return None  # of protocols and typed dicts, nobody can ask whether an object is one
    article = "an" if known.__name__[0] in "AEIOU" else "a"
    one, several = f"{article} {known.__name__}", f"{known.__name__}s"
    return (Kind(one, several, lambda value: isinstance(value, known), is_class=True, by_type=True),)


def _list_of(element: Any, any_iterable: bool) -> Kind:
    kinds = kinds_of(element)

    def fits(value: Any) -> bool:
        if not _is_list(value):
            return any_iterable and hasattr(value, "__iter__") and not isinstance(value, (str, bytes))
        if kinds is None or not isinstance(value, (list, tuple, np.ndarray)):
            return True
        elements = value.tolist() if isinstance(value, np.ndarray) else value
        return all(any(kind.fits(one) for kind in kinds) for one in elements)

    of = f" of {' or '.join(kind.several for kind in kinds)}" if kinds else ""
    return Kind(f"a list{of}", f"lists{of}", fits, bool(kinds) and all(kind.is_class for kind in kinds or ()))


def _tuple_of(inner: tuple[Any, ...]) -> Kind:
    kinds = [kinds_of(one) for one in inner]

    def fits(value: Any) -> bool:
        if not _is_list(value) or len(value) != len(kinds):
            return False
        elements = value.tolist() if isinstance(value, np.ndarray) else value
        return all(choice is None or any(kind.fits(one) for kind in choice) for choice, one in zip(kinds, elements))

    what = kinds[0][0].several if kinds[0] else "elements"
    return Kind(f"{len(inner)} {what} in brackets", f"lists of {len(inner)} {what}", fits)


def _annotation(function: Callable[..., Any], annotation: Any) -> Any:
    """An annotation that may be written as text, as what it stands for; Any for what cannot be worked out here.

    That is a name which only type checkers see, or which belongs to another function.
    """
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, function.__globals__)  # as typing.get_type_hints does, but one by one
    except (NameError, AttributeError, SyntaxError, TypeError):
        return Any


class _Plan(NamedTuple):
    """What is looked at before a function runs."""

    places: list[str]  # arguments that may be given by their place
    defaults: dict[str, Any]
    fixed: frozenset[str]  # those that are there with their default only
    kinds: dict[str, tuple[Kind, ...]]
    known: set[tuple[Any, ...]]  # what `_types` says of calls that were right, and right by their types alone


def _plan(function: Callable[..., Any]) -> _Plan:
    parameters = inspect.signature(function).parameters.values()
    fixed = frozenset(only_default_names(function))
    kinds = {}
    for p in parameters:
        named = p.annotation is not p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        found = kinds_of(_annotation(function, p.annotation)) if named and p.name not in fixed else None
        if found is not None:
            kinds[p.name] = found
    places = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return _Plan(places, {p.name: p.default for p in parameters}, fixed, kinds, set())


def checked(function: F) -> F:
    """A decorator: looks at the kinds of all arguments before the function runs; see the module.

    Raises:
        ValueError: a number, text, list and so on of another kind; another value than the default, where only that is.
        TypeError: the same where an object of a class, or a function, belongs.
    """
    plan: _Plan | None = None

    @functools.wraps(function)
    def first(*args: Any, **kwargs: Any) -> Any:
        nonlocal plan
        if plan is None:  # at the first call: annotations may name what stands further down in the file
            plan = _plan(function)
        types = _types(args), *kwargs, _types(kwargs.values())
        if types not in plan.known:
            given = kwargs
            args, kwargs = old_names.renamed(function, args, kwargs)
            if _check(plan, function, args, kwargs) and kwargs is given:
                plan.known.add(types)
        try:
            return function(*args, **kwargs)
        except ArgumentError as error:
            if not error.named:
                error.named, error.args = True, (f"{caller_of(function, args)}: {error}",)
            raise

    return cast(F, first)


def _types(values: Iterable[Any]) -> tuple[Any, ...]:
    """The type of each; of NumPy's arrays also what kind of array."""
    return tuple([(v.dtype, v.ndim) if v.__class__ is np.ndarray else v.__class__ for v in values])


def _check(plan: _Plan, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Check the call's arguments. Returns whether every call with values of the same types is right, too."""
    named, by_type = (*zip(plan.places, args), *kwargs.items()), True
    for name, value in named:
        if name in plan.fixed:
            check_default(function, args, name, value, plan.defaults[name])
            by_type = False
    for name, value in named:
        if name in plan.kinds:
            kinds, kind = plan.kinds[name], type(value)
            fitting = [one for one in kinds if one.fits(value)]
            if not fitting and value is not plan.defaults[name]:
                _refuse(kinds, value, name, function, args)
            known = kind in (bool, str) or (kind is np.ndarray and KINDS[np.ndarray] in fitting)
            says_it_all = (known and bool(fitting)) or value is None or any(one.by_type for one in fitting)
            by_type = by_type and says_it_all
    return by_type


def _refuse(
    kinds: tuple[Kind, ...], value: Any, name: str, function: Callable[..., Any], args: tuple[Any, ...]
) -> NoReturn:
    wanted = [kind.one for kind in kinds]
    text = wanted[0] if len(wanted) == 1 else f"{', '.join(wanted[:-1])} or {wanted[-1]}"
    classes = [one for one in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(one, type)]
    hint = f" A class needs its brackets: {classes[0].__name__}()." if classes else ""
    if KINDS[np.ndarray] in kinds or name == "validation_data":
        refuse_streams(value, name, caller_of(function, args))
    if KINDS[np.ndarray] in kinds:
        check_unmasked(value, name, caller_of(function, args))
        hint = " Give all rows the same length." if isinstance(value, (list, tuple)) else hint
    if explained := _docstring(function, args, name):
        hint += f" {name}: {explained}"
    error = TypeError if all(kind.is_class for kind in kinds if kind.one != "None") else ValueError
    raise error(f"{caller_of(function, args)}: expected {name} to be {text}, got {shortened(value)}.{hint}")


def refuse_streams(data: Any, name: str, caller: str) -> None:
    """Raise a TypeError that names what came, where that is no array but something that hands out batches.

    That is a generator or another iterator, a Dataset or DataLoader: what is gone through, or has a length and places,
    and is no array, list, tuple or range.
    """
    if isinstance(data, (np.ndarray, collections.abc.Sequence, collections.abc.Mapping)) or hasattr(data, "__array__"):
        return
    if hasattr(data, "shape") or not (hasattr(data, "__iter__") or hasattr(data, "__getitem__")):
        return
    kind = type(data)
    origin = "" if kind.__module__ == "builtins" else f" of {kind.__module__.partition('.')[0]}"
    raise TypeError(
        f"{caller}: expected {name} as an array, examples along the first axis, got a {kind.__name__}{origin}. "
        "Put all its batches together, np.concatenate([x for x, y in batches]), and the labels likewise. As x of a "
        "model's fit, evaluate and predict, a generator of batches (x, y) is taken, too, and an sn.utils.PyDataset, "
        "whose items are batches. A loop of one's own over batches calls model.train_on_batch(x, y)."
    )


def _docstring(function: Callable[..., Any], args: tuple[Any, ...], name: str) -> str:
    """What the docstring of the function, or of the class that is made, says about an argument; "" for nothing."""
    classes = type(args[0]).__mro__ if function.__name__ == "__init__" and args else ()
    for text in (*(cls.__dict__.get("__doc__") for cls in classes), function.__doc__):
        text = re.sub(r"^ *Attributes:\n(?:.*\S.*\n?)*", "", text or "", flags=re.MULTILINE)
        found = re.search(rf"^( +)(?:\w+, )*{name}(?:, \w+)*: (.+(?:\n\1 +.+)*)", text, re.MULTILINE)
        if found:
            return " ".join(found[2].split())
    return ""


def caller_of(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """How errors begin: the class, the object's name and the method, or the function."""
    if not args or "." not in function.__qualname__.rpartition("<locals>.")[2]:
        return function.__name__
    if function.__name__ == "__init__":
        return type(args[0]).__name__
    built = "name" in vars(args[0]) if hasattr(args[0], "__dict__") else True
    full_name = getattr(args[0], "full_name", None) if built else None
    return f"{full_name or type(args[0]).__name__}: {function.__name__}"
