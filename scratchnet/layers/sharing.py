"""Whether a layer object is at two places of a network, where its gradients would be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scratchnet.layers.base import Layer

ITSELF = "the network itself"
Places = Iterable[tuple[str, object]]  # a place, such as "layers[0]", and what is there


def parts(layer: Layer) -> Iterator[tuple[str, object]]:
    """The layers that this one is made of, each with its place, such as "layers[0]"."""
    for number, part in enumerate(getattr(layer, "layers", ())):
        yield f"layers[{number}]", part
    if isinstance(wrapped := getattr(layer, "layer", None), Layer):
        yield "layer", wrapped


def check_places(caller: str, places: Places) -> None:
    """Raise a ValueError that names both places, if one layer object is at two, at whatever depth.

    A layer keeps of its last forward what its backward needs. At two places the second forward replaces what the first
    has kept, and both backwards would go back from the second. Layers that belong to two models are right, as long as
    only one of the two runs between a forward and its backward.
    """
    seen: dict[int, str] = {}

    def visit(place: str, layer: object) -> None:
        if not isinstance(layer, Layer):  # the network itself says what is wrong with it
            return
        if id(layer) in seen:
            raise ValueError(
                f"{caller}: {layer.full_name} is at two places, {seen[id(layer)]} and {place}. A layer keeps the "
                "values of one forward for its backward, so its gradients would be wrong. Make a new layer for one of "
                "the places."
            )
        seen[id(layer)] = place
        for name, part in parts(layer):
            visit(f"{place}.{name}" if place != ITSELF else name, part)

    for place, layer in places:
        visit(place, layer)
