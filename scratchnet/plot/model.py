"""The picture of a model: its layers as boxes, what flows between them as arrows, with matplotlib alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scratchnet.annotations import checked
from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.layers.symbolic import Node
from scratchnet.models.graph import Graph
from scratchnet.models.model import Model
from scratchnet.plot.layout import HALF, LANE, Edge, Layout, layout
from scratchnet.plot.style import NEUTRAL, STYLE, TEST, TRAIN, pyplot
from scratchnet.structures import flat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE, LETTER, MARGIN = 0.165, 0.078, 0.14  # inches: a line of text, a letter, what is free around a box's text
GAP = 0.36  # inches between two rows
TURN = 0.42  # of that gap: how far above the next box an arrow turns aside, below the shapes
ACROSS = 0.43  # of a column: half of a box's width
TINTS = {True: "#DCEAF5", False: "#FFFFFF"}  # with weights, and without


@checked
def model(
    model: Model,
    show_shapes: bool = True,
    show_names: bool = True,
    show_activations: bool = False,
    show_trainable: bool = False,
    title: str | None = None,
) -> Figure:
    """The graph of a model, from its inputs at the top to its outputs: a box a layer, an arrow where something flows.

    A layer that is called several times is one box with several arrows; a model or a chain within the model is one box
    with a double edge. Boxes with weights are blue; their frames are orange where the weights are held fixed.

    Args:
        model: a Sequential that is built, or a Model of a graph.
        show_shapes: whether the shape of what a layer gives stands below it, without the batch.
        show_names: whether the layer's name stands under its kind.
        show_activations: whether the activation that it ends in stands behind its kind.
        show_trainable: whether a box with weights says "trained" or "held fixed".
        title: above all.

    Raises:
        TypeError: not a model.
        RuntimeError: it is not built, so that no shapes are known.
    """
    if not model.built:
        raise RuntimeError(
            f"plot.model: {model.full_name} is not built. Give the first layer input_shape, or call build."
        )
    graph = Graph(flat(model.input), flat(model.output), "plot.model")
    drawn = layout(graph.nodes)
    texts = {layer: _lines(layer, show_names, show_activations, show_trainable) for layer in drawn.places}
    figure, ax, half = _canvas(drawn, list(texts.values()), title)
    for edge, lane in drawn.lanes.items():
        _arrow(ax, _way(drawn, edge, lane, half))
    for layer, (column, row) in drawn.places.items():
        _box(ax, layer, (column, row), half, texts[layer])
        if show_shapes:
            text = "\n".join(_shapes(layer, graph.nodes))
            ax.text(column + 0.04, row + half + 0.04, text, fontsize=7, color=NEUTRAL, va="top")
    return figure


def _lines(layer: Layer, names: bool, activations: bool, trainable: bool) -> list[str]:
    """What stands in the box of a layer."""
    kind, ends_in = type(layer).__name__, layer.output_activation
    lines = [f"{kind}, {ends_in}" if activations and isinstance(ends_in, str) else kind]
    lines += [layer.name] * names
    if trainable and layer.params:
        lines.append("trained" if layer.trainable else "held fixed")
    return lines


def _shapes(layer: Layer, nodes: Sequence[Node]) -> list[str]:
    """The shapes of what a layer gives, each once, without the batch."""
    tensors = [tensor for node in nodes if node.layer is layer for tensor in node.outputs if tensor is not None]
    texts = [" x ".join("any" if size is None else str(size) for size in tensor.shape[1:]) for tensor in tensors]
    return list(dict.fromkeys(texts))


def _canvas(drawn: Layout, texts: Sequence[Sequence[str]], title: str | None) -> tuple[Figure, Axes, float]:
    """(figure, axes in columns and rows, half of a box's height in rows), as large as boxes of these texts ask."""
    high = max(map(len, texts)) * LINE + MARGIN
    wide = max(len(line) for lines in texts for line in lines) * LETTER + 2 * MARGIN
    across = [column for column, _ in drawn.places.values()]
    lanes = [lane for lane in drawn.lanes.values() if lane is not None]
    back = [_beside(drawn)] if any(_goes_back(drawn, edge) for edge in drawn.lanes) else []
    left = min([column - HALF for column in across] + [lane - LANE for lane in lanes])
    right = max([column + HALF for column in across] + [lane + LANE for lane in (*lanes, *back)])
    rows = 1 + max(row for _, row in drawn.places.values())
    pitch, column_width = high + GAP, wide / (2 * ACROSS)
    above = 0.4 if title else 0.1  # inches
    size = ((right - left) * column_width, rows * pitch + above)
    with pyplot().rc_context(STYLE):
        figure = pyplot().figure(figsize=size, layout="none")
        pyplot().close(figure)
        ax = figure.add_axes((0, 0, 1, rows * pitch / size[1]))
        if title:
            figure.text(0.5, 1 - 0.2 / size[1], title, ha="center", va="center", fontsize=11)
    half = high / pitch / 2
    ax.axis("off")
    ax.set(xlim=(left, right), ylim=(rows - 1 + half + (GAP - 0.02) / pitch, -half - 0.02 / pitch))
    return figure, ax, half


def _goes_back(drawn: Layout, edge: Edge) -> bool:
    """Whether it leads to the layer itself, or to one that stands no lower."""
    return drawn.places[edge[1]][1] <= drawn.places[edge[0]][1]


def _beside(drawn: Layout) -> float:
    """The column in which arrows go back up: right of all boxes and lanes."""
    lanes = [lane for lane in drawn.lanes.values() if lane is not None]
    return max([column + HALF for column, _ in drawn.places.values()] + lanes) + LANE


def _way(drawn: Layout, edge: Edge, lane: float | None, half: float) -> list[tuple[float, float]]:
    """The corners of an arrow: down to the next row; or out at a side, along the lane, and in at a side."""
    (start, top), (end, bottom) = drawn.places[edge[0]], drawn.places[edge[1]]
    if _goes_back(drawn, edge):
        lane, leave, enter = _beside(drawn), top + half / 2, bottom - half / 2
        return [(start + ACROSS, leave), (lane, leave), (lane, enter), (end + ACROSS, enter)]
    if lane is None:
        turn = bottom - half - TURN * (1 - 2 * half)
        return [(start, top + half), (start, turn), (end, turn), (end, bottom - half)]
    leave, enter = top + half / 3, bottom - half / 3  # apart, where a box has one of each on the same side
    out = [(start, top + half)] if lane == start else [(_side(start, lane), leave), (lane, leave)]
    into = [(end, bottom - half)] if lane == end else [(lane, enter), (_side(end, lane), enter)]
    return [*out, *into]


def _side(column: float, lane: float) -> float:
    """That side of a box at which a lane is."""
    return column + (ACROSS if lane > column else -ACROSS)


def _arrow(ax: Axes, corners: list[tuple[float, float]]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    arrow = FancyArrowPatch(path=Path(corners), arrowstyle="-|>", mutation_scale=9, fill=False, color=NEUTRAL)
    arrow.set(joinstyle="miter", linewidth=1.0)
    ax.add_patch(arrow)


def _box(ax: Axes, layer: Layer, place: tuple[float, float], half: float, lines: Sequence[str]) -> None:
    """Blue with weights, an orange frame where they are held fixed, a double one for what is made of layers."""
    from matplotlib.patches import Rectangle

    column, row = place
    learns = bool(layer.params)
    frame = NEUTRAL if not learns else TRAIN if layer.trainable else TEST
    corner = (column - ACROSS, row - half)
    ax.add_patch(Rectangle(corner, 2 * ACROSS, 2 * half, facecolor=TINTS[learns], edgecolor=frame, lw=1.2))
    if isinstance(layer, Composite):
        dx, dy = 0.02 * ACROSS * 2, 0.06 * half * 2
        inner = (corner[0] + dx, corner[1] + dy)
        ax.add_patch(Rectangle(inner, 2 * (ACROSS - dx), 2 * (half - dy), fill=False, edgecolor=frame, lw=0.6))
    for number, line in enumerate(lines):
        y = row + 2 * half * ((number + 0.5) / len(lines) - 0.5) * 0.8
        ax.text(column, y, line, ha="center", va="center", fontsize=9 if number == 0 else 7.5)
