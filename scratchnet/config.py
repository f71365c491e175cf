"""Objects that remember what they were made with, so that they can be written into a file as JSON and made again."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, ClassVar

import numpy as np

from scratchnet import old_names
from scratchnet.annotations import checked
from scratchnet.attributes import Attributes
from scratchnet.fields import join, refuse, shown
from scratchnet.signatures import only_default_names

LONGEST = 1000  # layers in one list, from a file
MOST = 5000  # objects in one file
BITS = 62  # of a whole number but a seed: sizes that are added to each other must fit into 64


def _remembering(init: Callable[..., None]) -> Callable[..., None]:
    """An __init__ that keeps its arguments; where one class's __init__ calls another's, those of the first.

    They are checked first, see `scratchnet.annotations`.
    """
    looked_at = checked(init)

    @functools.wraps(init)
    def __init__(self: Configurable, *args: Any, **kwargs: Any) -> None:
        if "_made_with" not in vars(self):
            given, kwargs = old_names.renamed(init, (self, *args), kwargs)
            self._made_with = (args, kwargs) = (given[1:], kwargs)
        looked_at(self, *args, **kwargs)

    return __init__


class Configurable(Attributes):
    """Layers, initializers, losses, metrics, optimizers and schedules: `get_config()` are the arguments to make one.

    An object of a kind with `_described_once`, such as a layer at two places of a network, is written into a file once;
    `make` then makes one of it, too.
    """

    _described_once: ClassVar[bool] = False
    _made_with: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _remembering(cls.__init__)  # type: ignore[method-assign]  # that is what it is for

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The object that these arguments make: `type(x).from_config(x.get_config())` is another one like x."""
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this object again, type(self)(**config); those left out have their defaults.

        Those of Keras that are there with their default only are left out.

        Raises:
            TypeError: __init__ takes *args, whose names nobody knows; such a class defines get_config itself.
        """
        if type(self).__init__ is object.__init__:
            return {}
        args, kwargs = self._made_with
        bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs)
        bound.apply_defaults()
        config: dict[str, Any] = {}
        fixed = only_default_names(type(self).__init__)
        for name, parameter in list(bound.signature.parameters.items())[1:]:  # without self
            if name in fixed:
                continue
            if parameter.kind == parameter.VAR_POSITIONAL:
                raise TypeError(f"{type(self).__name__}: get_config cannot name *{name}; define it in the class.")
            if parameter.kind == parameter.VAR_KEYWORD:
                config |= bound.arguments[name]
            else:
                config[name] = bound.arguments[name]
        return {name: plain(value) for name, value in config.items()}


def plain(value: Any) -> Any:
    """NumPy's numbers, and arrays of them, as Python's numbers and lists, also within lists; others as they are.

    A function of the package that has a `name_in_files`, such as an activation, is that name.
    """
    if isinstance(value, FunctionType):
        return getattr(value, "name_in_files", value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return value.tolist()
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    return value.item() if isinstance(value, (np.bool_, np.integer, np.floating)) else value


def class_name(cls: type) -> str:
    """How a class is written into files: "layers.Conv2D" for the package's own, the bare name for others."""
    rooms = cls.__module__.split(".")
    return f"{rooms[1]}.{cls.__name__}" if rooms[0] == __name__.split(".")[0] else cls.__name__


def describe(value: Any, where: str, known: dict[int, int] | None = None) -> Any:
    """A value as JSON can hold it; an object as {"class": its name, "config": its arguments}.

    An object that is to be described once comes as {"same": number} from the second time on, the number counted over
    those objects as they are met.

    Args:
        value: None, numbers, text, arrays of numbers, lists, tuples and dicts of such, Configurable objects, and
            functions with a name, of which that is kept.
        where: what is described, for the error.
        known: numbers of the objects that were met, by id.

    Raises:
        TypeError: anything else, such as a lambda.
    """
    known = {} if known is None else known
    if isinstance(value, Configurable):
        if value._described_once:
            if id(value) in known:
                return {"same": known[id(value)]}
            known[id(value)] = len(known)
        name = class_name(type(value))
        config = {k: describe(v, f"{where}: {k}", known) for k, v in value.get_config().items()}
        return {"class": name, "config": config}
    value = plain(value)
    if inspect.isfunction(value) and value.__name__.isidentifier():
        return {"function": value.__name__}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [describe(v, where, known) for v in value]
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {k: describe(v, where, known) for k, v in value.items()}
    raise TypeError(
        f"{where}: {value!r} of type {type(value).__name__} cannot be written into a file. Numbers, text, lists and "
        "objects of the package's classes can."
    )


def _function(name: Any, custom_objects: Mapping[str, Any], where: str) -> Any:
    """The function of that name among the custom_objects; a ValueError if there is none."""
    if not isinstance(name, str) or not inspect.isfunction(custom_objects.get(name)):
        own = name if isinstance(name, str) and name.isidentifier() else "my_function"
        raise ValueError(
            f"{where}: the file needs a function {shown(name)} of yours. Hand it over: "
            f"custom_objects={{{own!r}: {own}}}."
        )
    return custom_objects[name]


def _own_classes(cls: type = Configurable) -> dict[str, type]:
    """All of the package's configurable classes that are imported, by name."""
    found = {}
    subclasses: list[type] = cls.__subclasses__()
    for sub in subclasses:
        if (name := class_name(sub)) != sub.__name__:
            found[name] = sub
        found |= _own_classes(sub)
    return found


def make(data: Any, custom_objects: Mapping[str, Any] | None = None, where: str = "") -> Any:
    """What `describe` wrote down, made again. Only the package's own classes and custom_objects are ever called.

    Args:
        data: what `describe` gave.
        custom_objects: classes beside the package's own, and functions, by name.
        where: the place of data in its file, for errors.

    Raises:
        ValueError: a class that is neither, arguments that it does not take, or more parts than any network has.
    """
    theirs = {name: one for name, one in (custom_objects or {}).items() if not inspect.isfunction(one)}
    known: dict[str, Any] = {**_own_classes(), **theirs}
    parts, once = itertools.count(1), list[Any]()

    def build(part: Any, where: str) -> Any:
        if isinstance(part, list):
            if len(part) > LONGEST and any(isinstance(p, dict) for p in part):
                raise ValueError(f"{where}: expected at most {LONGEST} parts, got {len(part)}.")
            return [build(p, f"{where}[{i}]") for i, p in enumerate(part)]
        if isinstance(part, int) and part.bit_length() > BITS and not where.endswith(".seed"):
            raise refuse(where, f"a whole number of at most {BITS} bits", part)
        if not isinstance(part, dict):
            return part
        if part.keys() == {"function"}:
            return _function(part["function"], custom_objects or {}, where)
        if part.keys() == {"same"}:
            return again(part["same"], join(where, "same"))
        if part.keys() != {"class", "config"}:
            return {k: build(v, join(where, k)) for k, v in part.items()}
        if next(parts) > MOST:
            raise ValueError(f"{where}: expected at most {MOST} objects, found more.")
        name, config = part["class"], part["config"]
        if not isinstance(name, str) or name not in known:
            own = name if isinstance(name, str) and name.isidentifier() else "MyLayer"
            raise ValueError(
                f"{where}: the file needs a class {shown(name)} that scratchnet does not have. If it is yours, hand it "
                f"over: custom_objects={{{own!r}: {own}}}."
            )
        if not isinstance(config, dict):
            raise refuse(f"{where}.config", "the arguments by name", config)
        number = len(once)
        if known[name]._described_once:
            once.append(None)  # its place in the count, until it is made
        arguments = {k: build(v, f"{where}.config.{k}") for k, v in config.items()}
        try:
            made = known[name].from_config(arguments)
        except MemoryError:
            raise
        except Exception as error:  # whatever a class makes of arguments that it was never written for
            raise ValueError(f"{where}.config: the file's arguments for {name} do not fit: {error}") from error
        if known[name]._described_once:
            once[number] = made
        return made

    def again(number: Any, where: str) -> Any:
        if not isinstance(number, int) or not 0 <= number < len(once) or once[number] is None:
            raise refuse(where, "the number of an object before it", number)
        return once[number]

    return build(data, where)
