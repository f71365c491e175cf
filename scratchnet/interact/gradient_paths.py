"""See every path that a gradient takes: from the loss, or from one output, back to a pixel of the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.interact.interactive import Interactive
from scratchnet.interact.paths import Path, SmallNetwork
from scratchnet.interact.pixel_grid import pixel_grid
from scratchnet.plot import NEUTRAL, STYLE, WIDTH, _figure, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLUS, MINUS, STOPPED = "#B2182B", "#2166AC", "#AAAAAA"  # the ends of RdBu; a path that is stopped
_HEIGHT = 5.2  # inches, as WIDTH
_COLUMNS = {"picture": 0.25, "conv": 2.0, "relu": 3.7, "pool": 5.4, "output": 7.25, "loss": 8.55}  # left ends


class _Plane:
    """An array drawn as a plane that is turned to the right, as on a stage: cell (r, c) has its four corners."""

    def __init__(self, left: float, top: float, shape: Sequence[int], height: float):
        self.left, self.top, self.shape = left, top, shape
        self.down, self.across = height / shape[0], 0.5 * height / shape[1]

    def at(self, r: float, c: float) -> tuple[float, float]:
        """The point in row r, column c; the cell (0, 0) reaches from (0, 0) to (1, 1)."""
        return self.left + c * self.across, self.top - r * self.down - 0.55 * c * self.across

    def middle(self, r: int, c: int) -> tuple[float, float]:
        """The middle of a cell."""
        return self.at(r + 0.5, c + 0.5)

    def corners(self, r: int, c: int) -> list[tuple[float, float]]:
        """The corners of a cell."""
        return [self.at(r, c), self.at(r, c + 1), self.at(r + 1, c + 1), self.at(r + 1, c)]

    def draw(self, ax: Any, values: np.ndarray, colours: Callable[[np.ndarray], Any]) -> None:
        """All cells, coloured by their values."""
        from matplotlib.collections import PolyCollection

        cells = [self.corners(r, c) for r, c in np.ndindex(*self.shape)]
        shown = PolyCollection(cells, facecolors=colours(np.ravel(values)), edgecolors="white", lw=0.4, zorder=1)
        ax.add_collection(shown)

    def outline(self, ax: Any, r: int, c: int, colour: str, width: float = 1.4) -> None:
        """A frame round one cell."""
        ax.add_patch(pyplot().Polygon(self.corners(r, c), closed=True, fill=False, ec=colour, lw=width, zorder=6))


def _greys(values: np.ndarray) -> np.ndarray:
    """From white for the smallest to a middle grey for the largest value, so that lines can be seen on it."""
    low, high = values.min(), values.max()
    return pyplot().get_cmap("Greys")(0.05 + 0.5 * (values - low) / max(high - low, 1e-12))


def draw_gradient_paths(
    model: Any,
    picture: np.ndarray,
    row: int | None,
    column: int | None,
    output: int | None = None,
    label: int | None = None,
    names: Sequence[str] | None = None,
) -> Figure:
    """The network as arrays, and each path of the gradient as a line: its width is how much flows, its colour the sign.

    Red is positive, blue negative. A thin grey line is a path that is stopped, with a cross where: at a cell that ReLU
    made 0, or that is not the maximum of its window. Widths are scaled between each two arrays by themselves.

    Args:
        model, picture: as for `SmallNetwork`.
        row: of the pixel whose paths are shown; None for those of every pixel.
        column: likewise.
        output: the class where the gradient starts, with 1; None for the loss, whose gradient is p - onehot.
        label: the true class, for the loss.
        names: of the classes.

    Raises:
        ValueError: what `SmallNetwork` refuses, or a pixel outside of the picture.
    """
    net = SmallNetwork(model, picture)
    H, W = net.x.shape
    if row is None or column is None:
        pixels: list[tuple[int, int]] = [(h, v) for h in range(H) for v in range(W)]
    elif 0 <= row < H and 0 <= column < W:
        pixels = [(row, column)]
    else:
        raise ValueError(f"gradient paths: expected a pixel of a picture of {H} x {W}, got ({row}, {column}).")
    start = net.start(output, label)
    gradient = net.gradient(start)
    paths = [path for pixel in pixels for path in net.paths(pixel, start)]
    figure, axes = _figure(1, 1, (WIDTH, _HEIGHT))
    with pyplot().rc_context(STYLE):
        ax = axes[0, 0]
        ax.axis("off")
        ax.set(xlim=(0, WIDTH), ylim=(0, _HEIGHT), aspect="equal")
        planes = _stage(ax, net, gradient, with_loss=output is None)
        outputs = _outputs(ax, net, output, label, names)
        _lines(ax, paths, planes, outputs, start, alone=len(pixels) == 1)
        if len(pixels) == 1:
            planes["picture", 0].outline(ax, *pixels[0], "black", 2)
            planes["dx", 0].outline(ax, *pixels[0], "black", 2)
            ax.text(2.0, 0.42, _sum(paths, float(gradient[pixels[0]])), fontsize=9, va="center", color="#333333")
        ax.text(2.0, 0.12, _count(paths), fontsize=9, va="center", color=NEUTRAL)
    return figure


def _stage(ax: Any, net: SmallNetwork, gradient: np.ndarray, with_loss: bool) -> dict[tuple[str, int], _Plane]:
    """All arrays, drawn; by their name and filter."""
    from matplotlib.colors import Normalize

    planes = {("picture", 0): _Plane(_COLUMNS["picture"], 4.7, net.x.shape, 1.65)}
    planes["picture", 0].draw(ax, net.x, _greys)
    planes["dx", 0] = _Plane(_COLUMNS["picture"], 2.15, net.x.shape, 1.65)
    most = max(float(np.abs(gradient).max()), 1e-12)
    planes["dx", 0].draw(ax, gradient, lambda v: pyplot().get_cmap("RdBu_r")(Normalize(-most, most)(v)))
    filters = net.z.shape[2]
    height = min(1.75, 3.4 / filters)
    for name, values in (("conv", net.z), ("relu", net.a), ("pool", net.pooled)):
        for f in range(filters):
            top, size = 4.7 - 3.9 * f / filters, height
            if name == "pool":
                top, size = top - 0.15 * height, 0.7 * height
            planes[name, f] = _Plane(_COLUMNS[name], top, values.shape[:2], size)
            planes[name, f].draw(ax, values[..., f], _greys)
    (KH, KW, F), (OH, OW, _) = net.w.shape, net.z.shape
    titles = {
        "picture": f"picture {net.x.shape[0]}×{net.x.shape[1]}",
        "conv": f"convolution {KH}×{KW}\n{OH}×{OW}×{F}",
        "relu": "ReLU",
        "pool": f"max-pooling {net.size[0]}×{net.size[1]}",
        "output": "dense",
        "loss": "loss" if with_loss else "",
    }
    for name, text in titles.items():
        ax.text(
            _COLUMNS[name], 4.8, text, fontsize=9, va="bottom", ha="center" if name in ("output", "loss") else "left"
        )
    ax.text(_COLUMNS["picture"], 2.25, "its gradient dx", fontsize=9, va="bottom")
    return planes


def _outputs(
    ax: Any, net: SmallNetwork, output: int | None, label: int | None, names: Sequence[str] | None
) -> list[tuple[float, float]]:
    """The classes as circles, with score and probability; where they are. The loss last."""
    K = len(net.p)
    places = [(_COLUMNS["output"], 4.6 - 3.6 * (k + 0.3) / K) for k in range(K)]
    for k, (across, up) in enumerate(places):
        chosen = k in (output, label if output is None else None)
        ax.add_patch(pyplot().Circle((across, up), 0.12, fc="white", ec="black", lw=2.2 if chosen else 1, zorder=6))
        text = f"{names[k] if names else k}\nscore {net.scores[k]:.1f}".replace("-", "−")
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
        text += f"\np {net.p[k]:.3f}"
        ax.text(across, up - 0.19, text, fontsize=8, va="top", ha="center", zorder=7, bbox=box)
    places.append((_COLUMNS["loss"], 3.05))
    if output is None and label is not None:
        ax.add_patch(pyplot().Circle(places[-1], 0.12, fc="black", ec="black", zorder=6))
        text = f"−log p\n= {-np.log(net.p[label]):.3f}"
        ax.text(places[-1][0], 2.85, text, fontsize=8, va="top", ha="center", zorder=7)
    return places


def _lines(
    ax: Any,
    paths: list[Path],
    planes: dict[tuple[str, int], _Plane],
    outputs: list[tuple[float, float]],
    start: np.ndarray,
    alone: bool,
) -> None:
    """The paths, piece by piece. What two paths share is one line, and what flows on it is the sum of them."""
    pieces: dict[str, dict[Any, dict[int, float]]] = {name: {} for name in ("filter", "map", "dense", "loss")}
    dead = set()
    for path in paths:
        (i, j, f), (p, q, _), k = path.cell, path.pooled, path.output
        pixel, conv = planes["picture", 0].middle(*path.pixel), planes["conv", f].middle(i, j)
        relu, pool = planes["relu", f].middle(i, j), planes["pool", f].middle(p, q)
        if path.stop:
            dead.add((pixel, conv, relu, pool, path.stop))
            continue
        arrives = path.derivatives[0] * path.derivatives[1]
        pieces["filter"].setdefault((pixel, conv), {})[k] = path.flow
        pieces["map"].setdefault((conv, relu), {})[k] = arrives
        pieces["map"].setdefault((relu, pool), {})[k] = arrives
        pieces["dense"].setdefault((pool, outputs[k]), {})[k] = arrives
        if alone:
            for name, r, c in (("conv", i, j), ("relu", i, j), ("pool", p, q)):
                planes[name, f].outline(ax, r, c, "black")
    if np.count_nonzero(start) > 1:
        pieces["loss"] = {(place, outputs[-1]): {k: float(start[k])} for k, place in enumerate(outputs[:-1])}
    if alone:
        _draw_stopped(ax, dead)
    for flows in pieces.values():
        _draw_flows(ax, {ends: sum(parts.values()) for ends, parts in flows.items()}, alone)


def _draw_flows(ax: Any, flows: dict[tuple[Any, Any], float], alone: bool) -> None:
    """Lines between two arrays, the widest for the largest flow among them."""
    from matplotlib.collections import LineCollection

    if not flows:
        return
    size = np.array(list(flows.values()))
    widths = (0.5 + 4.5 * np.abs(size) / max(float(np.abs(size).max()), 1e-12)) * (1.0 if alone else 0.5)
    colours = [PLUS if flow > 0 else MINUS for flow in size]
    lines = LineCollection(list(flows), linewidths=widths, colors=colours, alpha=0.8 if alone else 0.35, zorder=4)
    ax.add_collection(lines)


def _draw_stopped(ax: Any, dead: set[Any]) -> None:
    """Thin lines up to where a path is stopped, with a cross there: before the map of ReLU, or the pooled one."""
    for pixel, conv, relu, pool, stop in dead:
        corners = [pixel, conv, relu, pool] if stop == "pool" else [pixel, conv, relu]
        (across, up), (to_across, to_up) = corners[-2:]
        corners[-1] = 0.55 * across + 0.45 * to_across, 0.55 * up + 0.45 * to_up
        ax.plot(*zip(*corners), color=STOPPED, lw=0.8, zorder=3)
        ax.plot(*corners[-1], "x", color="#555555", ms=5, mew=1.3, zorder=5)


def _sum(paths: list[Path], gradient: float) -> str:
    """What arrives from each cell of the maps, all classes together, as a sum."""
    arrives: dict[tuple[int, int, int], float] = {}
    for path in paths:
        if not path.stop:
            arrives[path.cell] = arrives.get(path.cell, 0.0) + path.flow
    if not arrives:
        return "no path is open: dx here is 0"
    numbers = list(arrives.values())
    digits = min(max(2 - int(np.floor(np.log10(max(map(abs, numbers)) or 1.0))), 2), 9)
    signed = [f"{number + 0.0:+.{digits}f}".replace("-", "−") for number in (*numbers[:9], gradient)]
    more = f" and {len(numbers) - 9} more" if len(numbers) > 9 else ""
    return f"dx here = {' '.join(signed[:-1])}{more} = {signed[-1]}"


def _count(paths: list[Path]) -> str:
    count = {stop: sum(path.stop == stop for path in paths) for stop in ("", "relu", "pool")}
    return (
        f"{len(paths)} paths: {count['']} open, {count['relu']} stopped by ReLU, "
        f"{count['pool']} by max-pooling (not the maximum)"
    )


def gradient_paths(
    model: Any,
    picture: np.ndarray,
    label: int,
    names: Sequence[str] | None = None,
    row: int | None = None,
    column: int | None = None,
) -> Interactive:
    """The figure of `draw_gradient_paths` with controls: click a pixel; where the gradient starts; one pixel or all.

    Args:
        model, picture: as for `SmallNetwork`.
        label: the true class of the picture.
        names: of the classes.
        row: of the first pixel; the middle if None.
        column: likewise.
    """
    net = SmallNetwork(model, picture)
    H, W = net.x.shape
    classes = [names[k] if names else str(k) for k in range(len(net.p))]
    row, column = H // 2 if row is None else row, W // 2 if column is None else column

    def draw(pixel: int, source: int, every: bool) -> Figure:
        place: tuple[int | None, int | None] = (None, None) if every else divmod(pixel, W)
        output = None if source < 0 else source
        return draw_gradient_paths(model, picture, place[0], place[1], output, label, names)

    def controls() -> Mapping[str, Any]:
        import ipywidgets

        wide = ipywidgets.Layout(width="420px")
        sources = [("the loss", -1), *((f"the score of {name}", k) for k, name in enumerate(classes))]
        return {
            "pixel": pixel_grid(net.x, row, column),
            "source": ipywidgets.Dropdown(options=sources, value=-1, description="gradient of"),
            "every": ipywidgets.Checkbox(False, description="the paths of every pixel at once", layout=wide),
        }

    paths = net.paths((row, column), net.start(None, label))
    alt = (
        "A picture, a convolution, ReLU, max-pooling, a dense layer and the loss as planes. Lines show every path from "
        f"the loss to the pixel in row {row}, column {column}: {_count(paths)}."
    )
    return Interactive(draw, {"pixel": row * W + column, "source": -1, "every": False}, controls, alt)
