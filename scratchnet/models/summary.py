"""The table that `model.summary()` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from scratchnet.arguments import shape_text
from scratchnet.layers.base import Layer
from scratchnet.layers.input import InputLayer
from scratchnet.layers.symbolic import Node

Row = tuple[str, ...]


def table(model: Any, show_trainable: bool = False) -> str:
    """A line for each layer: its name and kind, output shape, parameters, multiply-adds; in a graph where from.

    Args:
        model: a built one.
        show_trainable: whether a column says which layers are trained.
    """
    graph = getattr(model, "graph", None)
    within = set() if graph is None else {id(node) for node in graph.nodes}
    head = ["layer (type)", "output shape", "parameters", "multiply-adds"]
    rows = [_row(layer, model) for layer in _once(model.layers)]
    total = ["total", "", f"{model.count_params():,}", f"{model.multiply_adds():,}"]
    if graph is not None:
        head.append("from")
        total.append("")
        rows = [[*row, _sources(layer, within)] for row, layer in zip(rows, model.layers)]
    if show_trainable:
        head.append("trained")
        total.append("")
        rows = [[*row, "yes" if layer.trainable else "no"] for row, layer in zip(rows, _once(model.layers))]
    widths = [max(len(row[c]) for row in (head, total, *rows)) for c in range(len(head))]

    def line(row: Sequence[str]) -> str:
        return "  ".join(f"{text:{'>' if c in (2, 3) else '<'}{widths[c]}}" for c, text in enumerate(row))

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [f"Model {model.name!r}", line(head), rule, *map(line, rows), rule, line(total)]
    return "\n".join([*lines, *_notes(model)])


def _once(layers: Sequence[Layer]) -> list[Layer]:
    return list(dict.fromkeys(layers))


def _row(layer: Layer, model: Any) -> list[str]:
    shape = layer.output_shape or ()
    return [
        f"{layer.name} ({type(layer).__name__})",
        ", ".join(map(shape_text, shape)) if isinstance(shape, list) else shape_text(shape),
        f"{layer.count_params():,}",
        f"{layer.multiply_adds():,}",
    ]


def _sources(layer: Layer, within: set[int]) -> str:
    """The layers whose outputs this one takes, in each of its calls in the graph."""
    if isinstance(layer, InputLayer):
        return ""
    calls: list[Node] = [node for node in layer.nodes if id(node) in within]
    names = [tensor.node.layer.name for node in calls for tensor in node.inputs if tensor.node is not None]
    return ", ".join(names)


def _notes(model: Any) -> list[str]:
    """What of the parameters is not trained, and why."""
    params = sum(math.prod(p.shape) for p in model.params.values())
    trained = sum(math.prod(p.shape) for p in model.trained()[0].values())
    kept = model.count_params() - params
    parts = [f"{trained:,} parameters are trained"] if trained != model.count_params() else []
    parts += [f"{params - trained:,} are held fixed"] if trained != params else []
    parts += [f"{kept:,} are moving averages"] if kept else []
    return [", ".join(parts)] if parts else []
