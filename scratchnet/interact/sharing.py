"""From a dense layer to a convolution in five stops: what each costs in weights, and what it gives in accuracy.

`python -m scratchnet.interact.sharing FOLDER` measures anew what the figure shows, in about half an hour on one core,
and writes FOLDER/sharing.json.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scratchnet import plot
from scratchnet.datasets import fashion_mnist_small, shapes10
from scratchnet.divergence import DivergedError
from scratchnet.interact.interactive import Interactive
from scratchnet.interact.patches import Patches
from scratchnet.layers import Dense, Flatten, MaxPooling2D
from scratchnet.losses import SparseCategoricalCrossentropy
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.random import set_random_seed
from scratchnet.recipes.record import write_result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = 16  # pixels a side
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
SEEDS = (0, 1, 2)
STEPS = 600
BATCH = 50
VALIDATION = 1000  # pictures by which the rate is chosen


class Stop(NamedTuple):
    """A first layer: its name, the pixels a side of what a unit sees, the places a side of a block that shares."""

    name: str
    size: int
    block: int


STOPS = (
    Stop("dense", 16, 1),
    Stop("9 x 9", 9, 1),
    Stop("local", 5, 1),
    Stop("9 blocks", 5, 4),
    Stop("shared", 5, 12),
)


class Pictures(NamedTuple):
    """What is learnt: its name in words, and how many pictures there are to learn from."""

    name: str
    learnt: int


PICTURES = {
    "shapes": Pictures("shapes, anywhere in the picture; 3,000 to learn from", 3000),
    "few shapes": Pictures("shapes, anywhere in the picture; 600 to learn from", 600),
    "clothes": Pictures("clothes, always in the middle; 3,000 to learn from", 3000),
}

Split = tuple[np.ndarray, np.ndarray]


def pictures(which: str) -> tuple[Split, Split, Split]:
    """(training, validation, test) of one of PICTURES: grey, 16 x 16, x (N, 16, 16, 1) of mean 0, y (N,).

    Each 2 x 2 pixels of the original become one, their mean. Clothes get a margin of a pixel.
    """
    if which == "clothes":
        (x, y), (x_test, y_test) = fashion_mnist_small.load_data()
        x, x_test = (np.pad(a, ((0, 0), (2, 2), (2, 2)))[..., None] for a in (x, x_test))
    else:
        (x, y), (x_test, y_test) = shapes10.load_data(3000 + VALIDATION, 1000)
    count = PICTURES[which].learnt
    x = np.concatenate([x[:count], x[3000 : 3000 + VALIDATION], x_test])
    halves = x.reshape(len(x), SIZE, 2, SIZE, 2, -1).mean(axis=(2, 4, 5), dtype=np.float32)[..., None] / 255
    halves -= halves[:count].mean()
    parts = np.split(halves, [count, count + VALIDATION])
    labels = y[:count], y[3000 : 3000 + VALIDATION], y_test
    train, validation, test = zip(parts, labels)
    return train, validation, test


def network(stop: Stop) -> Sequential:
    """The network at a stop: 12 x 12 x 8 units, the strongest of each 2 x 2, ten scores; the first layer differs."""
    first = Patches(8, stop.size, stop.block, activation="relu", input_shape=(SIZE, SIZE, 1))
    return Sequential([first, MaxPooling2D(), Flatten(), Dense(10)])


def train(stop: Stop, rate: float, seed: int, data: Sequence[Split]) -> list[float]:
    """Accuracies on training, validation and test pictures after STEPS steps of Adam; one tenth where it diverges."""
    set_random_seed(seed)
    model, (x, y) = network(stop), data[0]
    model.compile(Adam(rate), SparseCategoricalCrossentropy(from_logits=True))
    try:
        model.fit(x, y, epochs=STEPS * BATCH // len(x), batch_size=BATCH, verbose=0)
    except DivergedError:
        return [0.1, 0.1, 0.1]
    return [float(np.mean(model.predict(x).argmax(axis=1) == y)) for x, y in data]


def measure(which: Sequence[str] = tuple(PICTURES)) -> dict[str, Any]:
    """{pictures: {stop: {rate: [[training, validation, test] of each seed]}}}."""
    found: dict[str, Any] = {}
    for name in which:
        data, found[name] = pictures(name), {}
        for stop in STOPS:
            found[name][stop.name] = {str(rate): [train(stop, rate, seed, data) for seed in SEEDS] for rate in RATES}
            print(name, *best(found[name][stop.name]), stop, flush=True)
    return found


def best(runs: Mapping[str, Sequence[Sequence[float]]]) -> tuple[float, np.ndarray]:
    """The rate with the best mean validation accuracy, and the test accuracy of each seed with it."""
    rate = max(runs, key=lambda rate: float(np.mean([run[1] for run in runs[rate]])))
    return float(rate), np.array([run[2] for run in runs[rate]])


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
        accuracies: what `measure` found.
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
        accuracies: what `measure` found.
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


if __name__ == "__main__":
    write_result(Path(sys.argv[1]) / "sharing", {"steps": STEPS, "batch": BATCH, "accuracies": measure()})
