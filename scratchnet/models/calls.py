"""The calls of a graph as numbers, for files, and the graph made again of them.

layers    all layers, each once
calls     [layer, given, training] in their order; a tensor is [number of the call, number of its output]
inputs    tensors, in the structure that Model was given; those of the InputLayers are calls, too
outputs   in the same way
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scratchnet.fields import anything, count, optional, record, refuse, truth
from scratchnet.layers.base import Layer
from scratchnet.layers.input import InputLayer
from scratchnet.layers.symbolic import KerasTensor
from scratchnet.models.graph import Graph
from scratchnet.structures import Structure, flat

FIELDS = ("layers", "calls", "inputs", "outputs")
TENSOR = record(call=count(), output=count())


def described(graph: Graph, inputs: Structure, outputs: Structure) -> dict[str, Any]:
    """The fields above.

    Raises:
        TypeError: the graph begins with what a layer gives, where no file can begin.
    """
    for tensor in graph.inputs:
        if tensor.node is None or not isinstance(tensor.node.layer, InputLayer):
            raise TypeError(
                f"{graph.caller}: only a model that begins with Input can be written, this one begins with {tensor!r}."
            )
    number = {id(node): place for place, node in enumerate(graph.nodes)}
    place = {layer: place for place, layer in enumerate(graph.layers)}

    def of(tensor: KerasTensor) -> dict[str, int]:
        return {"call": number[id(tensor.node)], "output": tensor.index}

    calls = [
        {"layer": place[node.layer], "given": _mapped(of, node.given), "training": node.training}
        for node in graph.nodes
    ]
    return {
        "layers": list(graph.layers),
        "calls": calls,
        "inputs": _mapped(of, inputs),
        "outputs": _mapped(of, outputs),
    }


def made(config: Mapping[str, Any]) -> tuple[Structure, Structure]:
    """(inputs, outputs) of the graph that these fields describe; its layers are called anew.

    Raises:
        ValueError: a field that is missing or not as it should be.
    """
    for field in FIELDS:
        if field not in config:
            raise ValueError(f"{field} is missing.")
    layers, results = config["layers"], list[list[KerasTensor]]()
    if not isinstance(layers, list) or not all(isinstance(layer, Layer) for layer in layers):
        raise refuse("layers", "a list of layers", layers)

    def tensor(value: Any) -> KerasTensor:
        TENSOR(value, "a tensor")
        if value["call"] >= len(results) or value["output"] >= len(results[value["call"]]):
            raise refuse("a tensor", "a call before it, and one of its outputs", value)
        return results[value["call"]][value["output"]]

    for call in config["calls"]:
        record(layer=count(0, len(layers) - 1), given=anything, training=optional(truth))(call, "calls")
        layer = layers[call["layer"]]
        given = _mapped(tensor, call["given"])
        results.append(flat(layer.tensor if isinstance(layer, InputLayer) else layer(given, training=call["training"])))
    return _mapped(tensor, config["inputs"]), _mapped(tensor, config["outputs"])


def _mapped(function: Callable[[Any], Any], structure: Structure) -> Structure:
    """The structure with the function of each tensor, or of each {"call": , "output": }, in its place."""
    if isinstance(structure, (list, tuple)):
        return [_mapped(function, part) for part in structure]
    if isinstance(structure, Mapping) and structure.keys() != {"call", "output"}:
        return {key: _mapped(function, part) for key, part in structure.items()}
    return function(structure)
