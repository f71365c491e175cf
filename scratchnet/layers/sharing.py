"""Layers at several places of a network: which they are, and a memory for each of their calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from scratchnet.arguments import is_array
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.layers.naming import snake_case

ITSELF = "the network itself"
Places = Iterable[tuple[str, object]]  # a place, such as "layers[0]", and what is there
T = TypeVar("T")


def prefix(place: int, layer: Layer) -> str:
    """How the names of a layer's arrays begin in the network it is a part of: "0_conv2d/"."""
    return f"{place}_{snake_case(type(layer).__name__)}/"


def parts(layer: Layer) -> Iterator[tuple[str, object]]:
    """The layers that this one is made of, each with its place, such as "layers[0]"."""
    for number, part in enumerate(vars(layer).get("layers", ())):
        yield f"layers[{number}]", part
    if isinstance(wrapped := vars(layer).get("layer"), Layer):
        yield "layer", wrapped


def all_parts(layer: Layer, around: tuple[Layer, ...] = ()) -> Iterator[Layer]:
    """This layer and all that it is made of, at whatever depth; one that is at several places comes several times."""
    yield layer
    for _, part in parts(layer):
        if isinstance(part, Layer) and part not in around:  # one that is a part of itself is refused elsewhere
            yield from all_parts(part, (*around, layer))


def named_leaves(layers: Sequence[Layer], trainable: bool = False) -> Iterator[tuple[str, Layer]]:
    """(how its names begin, layer) of each layer in these that is not made of a list of layers, at its first place.

    With trainable=True, what is held fixed, and all that is in it, is left out.
    """
    yield from _leaves(layers, trainable, "", set())


def _leaves(layers: Sequence[Layer], trainable: bool, start: str, seen: set[int]) -> Iterator[tuple[str, Layer]]:
    for place, layer in enumerate(layers):
        if id(layer) in seen or (trainable and not layer.trainable):
            continue
        seen.add(id(layer))
        inner = vars(layer).get("layers")  # straight: it is asked for at each step of training
        if inner is None:
            yield start + prefix(place, layer), layer
        else:
            yield from _leaves(inner, trainable, start + prefix(place, layer), seen)


def check_places(caller: str, places: Places, apart: bool = False) -> None:
    """Raise a ValueError that names both places of a network that is a part of itself, and of a layer that is wrapped.

    A layer may be at several places: it keeps of each call what its backward needs, see `Calls`. But a layer within
    another, such as SpectralNormalization, lends that one its weights, which would be trained twice.

    Args:
        caller: how errors begin.
        places: what to look through.
        apart: whether these must have no layer in common at all, as a generator and a discriminator.
    """
    seen: dict[int, tuple[str, int, int | None]] = {}

    def visit(place: str, layer: object, around: tuple[int, ...], number: int, wrapper: int | None) -> None:
        if not isinstance(layer, Layer):  # the network itself says what is wrong with it
            return
        before, first, lent_to = seen.setdefault(id(layer), (place, number, wrapper))
        if id(layer) in around or wrapper != lent_to or (apart and number != first):
            raise ValueError(
                f"{caller}: {layer.full_name} is at two places, {before} and {place}. Make a new layer for one of them."
            )
        for name, part in parts(layer):
            inner = f"{place}.{name}" if place != ITSELF else name
            visit(inner, part, (*around, id(layer)), number, id(layer) if name == "layer" else None)

    for number, (place, layer) in enumerate(places):
        visit(place, layer, (), number, None)


class Calls:
    """The memory of one call among several of the same layers: what they keep of a forward for its backward.

        calls.keep()              after its forward: the layers' attributes are noted down
        with calls.recalled():    around its backward: they are as they were then; afterwards as they are now

    The weights and gradients are not copied: they are in dicts, which stay the same.
    """

    def __init__(self, layers: Sequence[Layer]):
        self.layers = layers
        self._then: list[tuple[Any, dict[str, Any]]] = []

    def keep(self) -> None:
        """Note what the layers, and their activations, remember now."""
        self._then = [(one, dict(vars(one))) for one in self._rememberers()]

    def _rememberers(self) -> Iterator[Any]:
        for layer in self.layers:
            for part in all_parts(layer):
                yield part
                if part.activation is not None:
                    yield part.activation

    @contextmanager
    def recalled(self) -> Iterator[None]:
        """Within it the layers remember what they did at `keep`."""
        now = [(one, dict(vars(one))) for one, _ in self._then]
        self._put(self._then)
        try:
            yield
        finally:
            self._put(now)

    def unshare(self, y: np.ndarray) -> None:
        """Let nothing that was noted share memory with y, which is about to be given to someone who may change it."""
        for _, attributes in self._then:
            for name, value in attributes.items():
                if is_array(value) and array_module(y).may_share_memory(value, y):
                    attributes[name] = value.copy()

    @staticmethod
    def _put(memories: list[tuple[Any, dict[str, Any]]]) -> None:
        for one, attributes in memories:
            vars(one).clear()
            vars(one).update(attributes)


def repeated(groups: Sequence[Sequence[Layer]]) -> list[bool]:
    """Of each group of layers, whether one of them, or of their parts, is in another group, too."""
    inside = [{id(part) for layer in group for part in all_parts(layer)} for group in groups]
    count = Counter(number for numbers in inside for number in numbers)
    return [any(count[number] > 1 for number in numbers) for numbers in inside]
