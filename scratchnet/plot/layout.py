"""Where the layers of a graph stand in a picture of it, and on which ways its arrows run.

    row      the longest way from an input: each layer stands below all that it takes something of
    column   below the middle of those that it takes something of; those of a fork stand beside each other
    lane     an arrow over several rows goes down beside the layers between, in a column that is free there

Columns are counted in widths of a box, rows from the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scratchnet.layers.base import Layer
from scratchnet.layers.symbolic import Node

Edge = tuple[Layer, Layer]
HALF = 0.5  # of a box's width
LANE = 0.14  # between two lanes, and between a lane and a box


class Layout(NamedTuple):
    """The picture of a graph.

    Attributes:
        places: {layer: (column, row)}; columns may be fractions.
        lanes: the column in which an arrow goes down; None for those to the next row, and for those back up.
    """

    places: dict[Layer, tuple[float, int]]
    lanes: dict[Edge, float | None]


def layout(nodes: Sequence[Node]) -> Layout:
    """Places for the layers of these calls, each of which stands behind those that it needs."""
    layers = list(dict.fromkeys(node.layer for node in nodes))
    within = {id(node) for node in nodes}
    edges: list[Edge] = []
    for node in nodes:
        sources = [tensor.node for tensor in node.inputs if tensor.node is not None and id(tensor.node) in within]
        edges += [(source.layer, node.layer) for source in sources if source is not node]
    edges = list(dict.fromkeys(edges))
    down = _without_circles(edges)
    rows = _rows(layers, down)
    columns = _columns(layers, rows, down)
    places = {layer: (columns[layer], rows[layer]) for layer in layers}
    return Layout(places, _lanes(places, edges, set(down)))


def _without_circles(edges: Sequence[Edge]) -> list[Edge]:
    """The edges but those that close a circle: a layer that is called on what came of it has one."""
    after: dict[Layer, list[Layer]] = {}

    def leads(start: Layer, end: Layer) -> bool:
        stack, seen = [start], {start}
        while stack:
            if (layer := stack.pop()) is end:
                return True
            fresh = [other for other in after.get(layer, ()) if other not in seen]
            seen.update(fresh)
            stack += fresh
        return False

    kept = []
    for source, target in edges:
        if not leads(target, source):
            kept.append((source, target))
            after.setdefault(source, []).append(target)
    return kept


def _rows(layers: Sequence[Layer], down: Sequence[Edge]) -> dict[Layer, int]:
    """The row of each layer; what takes nothing stands right above the first that takes something of it."""
    rows = dict.fromkeys(layers, 0)
    for _ in layers:  # at most as often as the longest way has layers
        before = dict(rows)
        for source, target in down:
            rows[target] = max(rows[target], rows[source] + 1)
        if rows == before:
            break
    targets = {target for _, target in down}
    for layer in layers:
        below = [rows[target] for source, target in down if source is layer]
        if layer not in targets and below:
            rows[layer] = min(below) - 1
    return rows


def _columns(layers: Sequence[Layer], rows: dict[Layer, int], down: Sequence[Edge]) -> dict[Layer, float]:
    columns: dict[Layer, float] = {}
    for row in range(max(rows.values()) + 1):
        here = [layer for layer in layers if rows[layer] == row]
        wanted = {}
        for layer in here:
            above = [columns[source] for source, target in down if target is layer]
            wanted[layer] = sum(above) / len(above) if above else 0.0
        taken: list[float] = []
        for want in sorted(set(wanted.values()), key=lambda want: (abs(want), want)):
            group = [layer for layer in here if wanted[layer] == want]
            for number, layer in enumerate(group):
                columns[layer] = _nearest_free(want + number - (len(group) - 1) / 2, taken, 1.0)
                taken.append(columns[layer])
    return columns


def _nearest_free(want: float, taken: Sequence[float], apart: float) -> float:
    """The column nearest to the one that is wanted which is that far apart from all that are taken."""
    candidates = [want, *(column + side * apart for column in taken for side in (1, -1))]
    free = [one for one in candidates if all(abs(one - column) > apart - 1e-9 for column in taken)]
    return min(free, key=lambda one: (abs(one - want), -one))


def _lanes(places: dict[Layer, tuple[float, int]], edges: Sequence[Edge], down: set[Edge]) -> dict[Edge, float | None]:
    """The shortest arrows choose first, so that of those that run around each other the inner ones stand inside."""
    lanes: dict[Edge, float | None] = dict.fromkeys(edges)
    used: list[tuple[float, int, int]] = []

    def length(edge: Edge) -> int:
        return places[edge[1]][1] - places[edge[0]][1]

    for edge in sorted((edge for edge in edges if edge in down and length(edge) > 1), key=length):
        (start, top), (end, bottom) = places[edge[0]], places[edge[1]]
        boxes = [column for column, row in places.values() if top < row < bottom]
        # Where one ends at the box in which another begins, a common column would look like one arrow through it.
        others = [column for column, first, last in used if first <= bottom and top <= last]
        sides = [side * (HALF + LANE) for side in (1, -1)]
        around = [column + side for column in (*boxes, start, end) for side in sides]
        around += [column + side * LANE for column in others for side in (1, -1)]

        candidates = [start, end, *around]
        free = [
            lane
            for lane in candidates
            if all(abs(lane - column) >= HALF for column in boxes)
            and all(abs(lane - column) >= LANE - 1e-9 for column in others)
            and _reached(lane, start, top, places)
            and _reached(lane, end, bottom, places)
        ] or [max(around)]
        lane = min((round(abs(lane - start) + abs(lane - end), 6), -lane, lane) for lane in free)[-1]
        lanes[edge] = lane
        used.append((lane, top, bottom))
    return lanes


def _reached(lane: float, column: float, row: int, places: dict[Layer, tuple[float, int]]) -> bool:
    """Whether nothing stands between a box and a lane beside it; a lane through the box's middle leaves it below."""
    if lane == column:
        return True
    if abs(lane - column) < HALF:
        return False
    low, high = min(lane, column), max(lane, column)
    return not any(low - HALF < other < high + HALF for other, r in places.values() if r == row and other != column)
