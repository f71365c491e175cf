"""A plane folded by ReLUs: the pieces on which a small network is flat, and the creases between them.

A unit max(x . w + b, 0) is 0 on one side of a line and rises on the other: it folds the plane along that line. A sum of
units is a sheet with many creases, flat between them. A flat piece is told by its *pattern*: which units are above 0
there. n lines cut the plane into at most 1 + n + n (n - 1) / 2 pieces. A second layer folds the folded sheet again, so
that its creases break where they meet those of the first.

Sources: Zaslavsky, "Facing up to arrangements", 1975 (pieces); Montúfar et al., arXiv 1402.1869 (deep networks).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.interact.interactive import Interactive
from scratchnet.plot import STYLE, WIDTH, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 2.0  # the window is the square from -SIDE to SIDE
MOST_UNITS = 32
Weights = list[tuple[np.ndarray, np.ndarray]]


@checked
def most_regions(units: int) -> int:
    """Into how many pieces so many lines cut the plane at most: 1 + n + n (n - 1) / 2."""
    return 1 + units + units * (units - 1) // 2


@checked
def folds(units: int, layers: int = 1, seed: int = 0) -> Weights:
    """Weights w (C, F) and biases b (F,) of each layer; the crease of every unit passes through the window.

    Unit i of the first layer is the same whatever the number of units, so that one more unit adds one more fold.

    Raises:
        ValueError: units is not from 1 to 32, or layers not from 1 to 4.
    """
    check_count(units, "units", "folds", 1, MOST_UNITS)
    check_count(layers, "layers", "folds", 1, 4)
    rng = np.random.default_rng(seed)
    angle = np.pi * (np.arange(MOST_UNITS) * 0.618034 + rng.random())  # spread evenly, however many are used
    through = rng.normal(0, 0.45, (layers, MOST_UNITS, 2))  # the point of the plane that each crease passes through
    mixed = rng.normal(size=(layers, MOST_UNITS, MOST_UNITS))
    weights: Weights = []
    for place in range(layers):
        w = np.stack([np.cos(angle), np.sin(angle)])[:, :units] if place == 0 else mixed[place, :units, :units]
        points = through[place, :units]
        below = values(weights, points)[-1] if weights else points  # what this layer is given there
        weights.append((w, -np.einsum("fc,cf->f", below, w)))
    return weights


def values(weights: Weights, x: np.ndarray) -> list[np.ndarray]:
    """What each layer gives for the points x (N, 2): max(x w + b, 0), each (N, F)."""
    found = []
    for w, b in weights:
        x = np.maximum(x @ w + b, 0)
        found.append(x)
    return found


def patterns(weights: Weights, x: np.ndarray) -> np.ndarray:
    """Which units are above 0 at the points x (N, 2): booleans (N, units of all layers)."""
    return np.concatenate([y > 0 for y in values(weights, x)], axis=1)


@checked
def count_regions(w: np.ndarray, b: np.ndarray) -> int:
    """How many pieces the lines x . w[:, i] + b[i] = 0 cut the whole plane into, by their corners; w (2, F), b (F,).

    At a corner two lines cross, and four pieces meet there: each combination of their sides. All pieces have a corner,
    if there are two lines or more, no two of them parallel and no three through one point.
    """
    units = w.shape[1]
    if units < 2:
        return 1 + units
    found = set()
    for i in range(units):
        for j in range(i):
            corner = np.linalg.solve(w[:, [i, j]].T, -b[[i, j]])
            above = corner @ w + b > 0
            for above[i] in (False, True):
                for above[j] in (False, True):
                    found.add(above.tobytes())
    return len(found)


def _grid(points: int) -> tuple[np.ndarray, np.ndarray]:
    """A line of so many numbers across the window, and all points of the square, (points * points, 2)."""
    line = np.linspace(-SIDE, SIDE, points)
    return line, np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


@checked
def seen_regions(weights: Sequence[Any], points: int = 400) -> int:
    """How many pieces are met on a grid of points x points over the window; the smallest may slip through it."""
    return len(np.unique(np.packbits(patterns(list(weights), _grid(points)[1]), axis=1), axis=0))


def _pieces(ax: Any, weights: Weights) -> Any:
    """The window from above: shaded by how many units are above 0, with the creases as lines."""
    line, x = _grid(240)
    active = patterns(weights, x)
    shape = (len(line), len(line))
    shown = ax.imshow(
        active.sum(axis=1).reshape(shape), origin="lower", extent=(-SIDE, SIDE) * 2, cmap="Blues", vmin=0, alpha=0.85
    )
    for unit in active.T:
        if unit.any() and not unit.all():
            ax.contour(line, line, unit.reshape(shape), levels=[0.5], colors="black", linewidths=0.7)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    return shown


def _sheet(ax: Any, weights: Weights) -> None:
    """The sum of the last layer's units, each times +1 or -1, as a folded sheet in the light of one lamp."""
    line, x = _grid(121)
    last = values(weights, x)[-1]
    signs = np.where(np.arange(MOST_UNITS) % 3 == 1, -1.0, 1.0)[: last.shape[1]]
    height = (last @ signs).reshape(len(line), -1)
    height = SIDE * (height - height.mean()) / max(np.ptp(height) / 2, 1e-12)
    ax.plot_surface(*np.meshgrid(line, line), height, color="#8fbbe0", rcount=60, ccount=60, lw=0, antialiased=False)
    ax.set_box_aspect((1, 1, 0.7), zoom=1.2)
    ax.set(xticks=[], yticks=[], zticks=[])
    ax.set_xlabel("$x_1$", labelpad=-14)
    ax.set_ylabel("$x_2$", labelpad=-14)
    ax.view_init(elev=42, azim=-60)


@checked
def growing(units: Sequence[int] = (1, 2, 4, 16), seed: int = 0) -> Figure:
    """One layer with more and more units: the pieces from above, the sheet below, a column for each number."""
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(WIDTH, 4.8))
        plt.close(figure)
        for place, n in enumerate(units, 1):
            weights = folds(n, 1, seed)
            ax = figure.add_subplot(2, len(units), place)
            _pieces(ax, weights)
            ax.set_title(f"{n} unit{'s' * (n > 1)}: {count_regions(*weights[0])} pieces")
            _sheet(figure.add_subplot(2, len(units), len(units) + place, projection="3d"), weights)
    return figure


@checked
def folded(units: int = 8, layers: int = 2, seed: int = 0) -> Figure:
    """The window from above and as a folded sheet, for a network of so many layers with so many units each."""
    plt, weights = pyplot(), folds(units, layers, seed)
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(WIDTH, 4.2))
        plt.close(figure)
        ax = figure.add_subplot(1, 2, 1)
        shown = _pieces(ax, weights)
        text = f"{layers} layer{'s' * (layers > 1)} of {units}: {seen_regions(weights)} pieces in the square"
        ax.set_title(text)
        figure.colorbar(shown, ax=ax, label="units above 0", shrink=0.8)
        _sheet(figure.add_subplot(1, 2, 2, projection="3d"), weights)
    return figure


def _controls() -> dict[str, Any]:
    import ipywidgets

    def slider(value: int, least: int, most: int, text: str) -> Any:
        return ipywidgets.IntSlider(value, least, most, description=text, continuous_update=False)

    return {
        "units": slider(8, 1, MOST_UNITS, "units a layer"),
        "layers": slider(2, 1, 3, "layers"),
        "seed": slider(0, 0, 20, "other folds"),
    }


def folded_plane() -> Interactive:
    """The plane under a network whose units and layers the reader sets."""
    alt = (
        "Left: a square cut into flat pieces by eight straight creases of a first layer and by those of a second, "
        "which bend where they cross the first. Right: the network's output as a folded sheet over that square."
    )
    return Interactive(folded, {"units": 8, "layers": 2, "seed": 0}, _controls, alt)
