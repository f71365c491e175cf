"""From a dense layer to a convolution in five stops: what each costs in weights, and what it gives in accuracy.

What is drawn was measured by `python -m scratchnet.recipes layer_sharing`, see `scratchnet.recipes.sharing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import plot
from scratchnet.interact.interactive import Interactive
from scratchnet.recipes.patches import Patches
from scratchnet.recipes.sharing import PICTURES, STOPS, Stop, best, network

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weight_table(stop: Stop) -> np.ndarray:
    """(16, 36): the weight with which each of 4 x 4 units sees each of 6 x 6 pixels; nan where it does not see it.

    A small copy of the layer at that stop, one filter: patches of 3, 4 or 6 pixels, blocks of 1, 2 or 4 places.
    """
    size, block = {16: 6, 9: 4, 5: 3}[stop.size], {1: 1, 4: 2, 12: 4}[stop.block]
    layer = Patches(1, size, block, places=4)
    pixels = np.eye(36).reshape(36, 6, 6, 1)  # one picture for each pixel, which is 1 in it
    layer.build((None, 6, 6, 1))
    layer.params["kernel"][:] = 1
    seen = layer.forward(pixels).reshape(36, 16).T > 0
    layer.params["kernel"][:] = np.random.default_rng(0).uniform(-1, 1, layer.params["kernel"].shape)
    return np.where(seen, layer.forward(pixels).reshape(36, 16).T, np.nan)


def _draw_table(ax: Any, stop: Stop) -> None:
    ax.set_facecolor("#e8e8e8")
    ax.imshow(weight_table(stop), cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    ax.set(xlabel="pixel, 0 to 35", ylabel="unit, 0 to 15", xticks=(), yticks=())


def tables() -> Figure:
    """The weights of the small copy as tables: dense, locally connected, shared."""
    figure, axes = plot._figure(3, 1, (plot.WIDTH, 6.6))
    for ax, place in zip(axes[:, 0], (0, 2, 4)):
        _draw_table(ax, STOPS[place])
        found = weight_table(STOPS[place])
        different = len(np.unique(found[np.isfinite(found)]))
        ax.set_title(f"{STOPS[place].name}: {np.isfinite(found).sum()} connections, {different} different weights")
    return figure


def draw(accuracies: Mapping[str, Any], which: str, stop: str) -> Figure:
    """Where the weights of a stop are, how many, and how accurate the network is; the other stops beside it in grey.

    Args:
        accuracies: what `scratchnet.recipes.sharing.together` makes of the results.
        which: one of PICTURES.
        stop: the name of one of STOPS.
    """
    plt, here = plot.pyplot(), [s.name for s in STOPS].index(stop)
    weights = np.array([network(s).layers[0].count_params() for s in STOPS])
    with plt.rc_context(plot.STYLE):
        figure = plt.figure(figsize=(plot.WIDTH, 5.6))
        plt.close(figure)
        grid = figure.add_gridspec(2, 2, height_ratios=[1.25, 1])
        table, bars, points = (figure.add_subplot(grid[place]) for place in ((0, slice(0, 2)), (1, 0), (1, 1)))
    _draw_table(table, STOPS[here])
    rate, now = best(accuracies[which][stop])
    table.set_title(
        f"{stop}: {weights[here]:,} parameters in the first layer\n{PICTURES[which].name}: {now.mean():.3f} right"
    )
    names = [s.name for s in STOPS]
    colours = [plot.TRAIN if i == here else "#bbbbbb" for i in range(len(STOPS))]
    bars.bar(range(len(STOPS)), weights, color=colours, log=True)
    for i, count in enumerate(weights):
        bars.text(i, count * 1.2, f"{count:,}", ha="center", fontsize=8)
    bars.set(ylabel="parameters, first layer", ylim=(50, weights.max() * 4), xlabel="first layer")
    for i, s in enumerate(STOPS):
        _, tests = best(accuracies[which][s.name])
        colour = plot.TEST if i == here else "#999999"
        points.plot([i - 0.25, i + 0.25], [tests.mean()] * 2, color=colour, lw=2)
        points.plot(np.full(len(tests), i), tests, "o", ms=5, color=colour, mfc="none")
    points.set(ylabel="share of test pictures right", xlabel=f"first layer (here: rate {rate:g})")
    points.set_ylim(0.5, 0.95)
    points.grid(axis="y", alpha=0.25)
    for ax in (bars, points):
        ax.set_xticks(range(len(STOPS)), names, fontsize=8)
    return figure


def slider(accuracies: Mapping[str, Any]) -> Interactive:
    """The figure with its two controls: a slider from dense to shared, and the pictures.

    Args:
        accuracies: what `scratchnet.recipes.sharing.together` makes of the results.
    """

    def controls() -> dict[str, Any]:
        import ipywidgets

        names = [s.name for s in STOPS]
        return {
            "which": ipywidgets.Dropdown(options=list(PICTURES), value="few shapes", description="pictures"),
            "stop": ipywidgets.SelectionSlider(options=names, value="shared", description="first layer"),
        }

    return Interactive(
        lambda which, stop: draw(accuracies, which, stop),
        {"which": "few shapes", "stop": "shared"},
        controls,
        "above, the weights of the first layer as a table of units and pixels, nine colours that repeat along "
        "diagonals; below, its parameters at five stops, falling from 296,064 to 208, and the test accuracies",
    )
