"""A board to draw on: a drawing is recognized at once, and shown beside generated pictures of the same class."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import generation, plot
from scratchnet.datasets.fashion_mnist_small import CLASS_NAMES
from scratchnet.generation.pictures import padded, scaled
from scratchnet.interact.interactive import Interactive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 14  # cells a side; a cell is 2 x 2 pixels
BRIGHT = 190  # of a cell that is drawn, from 0 to 255
SHOWN = 6  # generated pictures beside the drawing

STENCILS = {
    "T-shirt": (
        "....##..##....",
        "...########...",
        "..##########..",
        ".############.",
        ".############.",
        ".############.",
        "..#.######.#..",
        "....######....",
        "....######....",
        "....######....",
        "....######....",
        "....######....",
        "....######....",
        "....######....",
    ),
    "trousers": (
        "....######....",
        "....######....",
        "....######....",
        "....######....",
        "....######....",
        "....##..##....",
        "....##..##....",
        "....##..##....",
        "....##..##....",
        "....##..##....",
        "....##..##....",
        "....##..##....",
        "....##..##....",
        "....##..##....",
    ),
    "boot": (
        "..............",
        "......#####...",
        "......######..",
        "......######..",
        "......######..",
        "......######..",
        ".....#######..",
        "....########..",
        "..##########..",
        ".###########..",
        "############..",
        "############..",
        "######..####..",
        "..............",
    ),
    "face": (
        "....######....",
        "..##......##..",
        ".#..........#.",
        ".#..##..##..#.",
        "#...##..##...#",
        "#............#",
        "#............#",
        "#............#",
        "#..#......#..#",
        "#...#....#...#",
        ".#...####...#.",
        ".#..........#.",
        "..##......##..",
        "....######....",
    ),
    "empty": ("." * SIDE,) * SIDE,
}


def picture(cells: Sequence[str]) -> np.ndarray:
    """(28, 28), uint8: the picture of a drawing, SIDE lines of SIDE letters, "#" where a cell is drawn.

    Raises:
        ValueError: it has other lines than those.
    """
    if len(cells) != SIDE or any(len(line) != SIDE for line in cells):
        raise ValueError(f"picture: expected {SIDE} lines of {SIDE} letters, got {[len(line) for line in cells]}.")
    drawn = np.array([[letter == "#" for letter in line] for line in cells])
    return np.kron(drawn, np.ones((2, 2))).astype(np.uint8) * np.uint8(BRIGHT)


@functools.cache
def _recognizer() -> generation.FeatureClassifier:
    return generation.classifier("fashion_mnist")


def probabilities(x: np.ndarray) -> np.ndarray:
    """(N, 10): for each picture the probability of each class, by the classifier that comes with the package.

    Args:
        x: (N, 28, 28), uint8 from 0 to 255, or floats from -1 to 1.
    """
    x = np.asarray(x)
    limits = (0, 255) if x.dtype == np.uint8 else (-1, 1)
    return _recognizer().model.predict(padded(scaled(x[..., None], limits), 32))


def draw(cells: Sequence[str], made: np.ndarray) -> Figure:
    """The drawing, the probabilities of the ten classes, and generated pictures that are called the same.

    Args:
        cells: as `picture` takes them.
        made: generated pictures, (N, 28, 28), from -1 to 1.
    """
    x = picture(cells)
    p = probabilities(x[None])[0]
    best = int(p.argmax())
    same = made[probabilities(made).argmax(axis=1) == best][:SHOWN]
    plt = plot.pyplot()
    with plt.rc_context(plot.STYLE):
        figure = plt.figure(figsize=(plot.WIDTH, 3.2))
        plt.close(figure)
        grid = figure.add_gridspec(2, 5, width_ratios=[2.2, 1.9, 0.9, 0.9, 0.9])
        left, middle = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[:, 1])
        sheet = [figure.add_subplot(grid[i // 3, 2 + i % 3]) for i in range(SHOWN)]
    left.imshow(x, vmin=0, vmax=255, cmap="gray", interpolation="nearest")
    left.set_title(f"drawn: {CLASS_NAMES[best]}, says the network", fontsize=10)
    middle.barh(range(10), p, color=[plot.TRAIN if k == best else "#bbbbbb" for k in range(10)])
    middle.set_yticks(range(10), CLASS_NAMES, fontsize=8)
    middle.invert_yaxis()
    middle.set(xlim=(0, 1), xlabel="probability")
    for place, ax in enumerate(sheet):
        if place < len(same):
            ax.imshow(same[place], vmin=-1, vmax=1, cmap="gray", interpolation="nearest")
    sheet[1].set_title("generated, called the same" if len(same) else "none generated is called so", fontsize=10)
    for ax in (left, *sheet):
        ax.axis("off")
    return figure


def _grid_widget() -> Any:
    """Cells to click, and a menu of drawings to begin with; `value` is the drawing, as `picture` takes it."""
    import ipywidgets
    import traitlets

    class Grid(ipywidgets.VBox):
        value = traitlets.Tuple()

        def __init__(self) -> None:
            size = ipywidgets.Layout(width="20px", height="20px", padding="0", margin="0")
            self.cells = [[ipywidgets.ToggleButton(layout=size) for _ in range(SIDE)] for _ in range(SIDE)]
            self.menu = ipywidgets.Dropdown(options=list(STENCILS), value="T-shirt", description="begin with")
            self.ready = False
            super().__init__([self.menu, *(ipywidgets.HBox(line) for line in self.cells)])
            for line in self.cells:
                for cell in line:
                    cell.observe(self.look, "value")
            self.menu.observe(self.begin, "value")
            self.begin()

        def begin(self, change: Any = None) -> None:
            """Draw what the menu says."""
            self.ready = False
            for line, letters in zip(self.cells, STENCILS[self.menu.value]):
                for cell, letter in zip(line, letters):
                    cell.value = letter == "#"
                    cell.button_style = "info" if cell.value else ""
            self.ready = True
            self.look()

        def look(self, change: Any = None) -> None:
            """A cell was clicked: the drawing is another one."""
            if change is not None:
                change["owner"].button_style = "info" if change["new"] else ""
            if self.ready:
                self.value = tuple("".join(".#"[cell.value] for cell in line) for line in self.cells)

    return Grid()


def board(made: np.ndarray) -> Interactive:
    """The board: click cells, and see what the network says. Stored is the picture of a T-shirt, drawn in cells.

    Args:
        made: generated pictures, (N, 28, 28), from -1 to 1.
    """
    return Interactive(
        lambda cells: draw(cells, made),
        {"cells": STENCILS["T-shirt"]},
        lambda: {"cells": _grid_widget()},
        "left, a T-shirt drawn in large cells; in the middle, the network's probabilities of ten classes, the longest "
        "bar at T-shirt; right, six generated pictures that it also calls T-shirts",
    )
