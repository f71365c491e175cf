"""Figures of data, of training and of measurements. Each function returns the figure; see `scratchnet.plot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.devices import to_device, to_numpy
from scratchnet.plot.style import NEUTRAL, RIGHT, STYLE, TEST, TRAIN, WIDTH, WRONG, _figure, _picture, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checked
def images(
    x: np.ndarray,
    labels: Sequence[int] | np.ndarray | None = None,
    predictions: Sequence[int] | np.ndarray | None = None,
    names: Sequence[str] | None = None,
    columns: int = 10,
    title: str | None = None,
) -> Figure:
    """A sheet of pictures with the class above each; where predictions are given, right ones green, wrong ones red.

    Args:
        x: (N, H, W), (N, H, W, 1) or (N, H, W, 3), uint8 or float in [0, 1] or [-1, 1].
        labels: true classes, (N,) or (N, 1).
        predictions: predicted classes, (N,); a wrong one is written "predicted (true)".
        names: the classes' names.
        columns: pictures in a row.

    Raises:
        ValueError: there is no picture, x is not a stack of pictures, or columns is below 1.
    """
    x = to_numpy(x)
    if x.ndim not in (3, 4) or len(x) == 0:
        raise ValueError(f"plot.images: expected pictures of shape (N, H, W) or (N, H, W, C), got {x.shape}.")
    labels = None if labels is None else to_numpy(labels).reshape(-1)
    columns = min(check_count(columns, "columns", "plot.images"), len(x))
    rows = -(-len(x) // columns)
    side = WIDTH / max(columns, 5)
    figure, axes = _figure(rows, columns, (side * columns, rows * (side + (0.25 if labels is not None else 0))))
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i >= len(x):
            continue
        ax.imshow(_picture(x[i]), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        if labels is None:
            continue
        text, colour = _name(labels[i], names), "black"
        if predictions is not None:
            right = int(predictions[i]) == int(labels[i])
            colour = RIGHT if right else WRONG
            text = text if right else f"{_name(predictions[i], names)}\n({text})"
        ax.set_title(text, fontsize=8, color=colour, pad=2)
    if title:
        figure.suptitle(title)
    return figure


def _name(label: int, names: Sequence[str] | None) -> str:
    return str(int(label)) if names is None else names[int(label)]


def history(record: Any, title: str | None = None) -> Figure:
    """Loss and metrics against the epoch, training and validation in their own colours. Takes what `fit` returns."""
    curves = getattr(record, "history", record)
    names = [name for name in curves if not name.startswith("val_")]
    if not names:
        raise ValueError("plot.history: the history is empty; fit at least one epoch first.")
    names.sort(key=lambda name: name != "loss")
    figure, axes = _figure(1, len(names), (WIDTH, 3.0))
    for ax, name in zip(axes[0], names):
        for key, colour, label in ((name, TRAIN, "training"), (f"val_{name}", TEST, "validation")):
            if key in curves:
                ax.plot(np.arange(1, len(curves[key]) + 1), curves[key], "o-", color=colour, label=label, ms=4)
        ax.set(xlabel="epoch", ylabel="loss (nats)" if name == "loss" else name)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(alpha=0.25)
        ax.legend(frameon=False)
    if title:
        figure.suptitle(title)
    return figure


@checked
def confusion_matrix(matrix: np.ndarray, names: Sequence[str] | None = None) -> Figure:
    """Counts of (true class, predicted class), rows true; the colour is the share of the row. Shape (K, K)."""
    matrix = to_numpy(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"plot.confusion_matrix: expected a square matrix, got shape {matrix.shape}.")
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(1, 1, (6.2, 5.4))
    ax = axes[0, 0]
    shown = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), count in np.ndenumerate(matrix):
        ax.text(j, i, str(count), ha="center", va="center", fontsize=8, color="white" if share[i, j] > 0.5 else "black")
    ticks = [_name(k, names) for k in range(len(matrix))]
    ax.set_xticks(range(len(matrix)), ticks, rotation=45, ha="right")
    ax.set_yticks(range(len(matrix)), ticks)
    ax.set(xlabel="predicted class", ylabel="true class")
    figure.colorbar(shown, ax=ax, label="share of the true class", shrink=0.8)
    return figure


@checked
def filters(w: np.ndarray, columns: int = 16) -> Figure:
    """The filters of a first convolution, (KH, KW, C, F): C = 3 as colours on grey; C = 1 in red for +, blue for -."""
    w = to_numpy(w)
    if w.ndim != 4 or w.shape[2] not in (1, 3):
        raise ValueError(f"plot.filters: expected w of shape (KH, KW, 1 or 3, F), got {w.shape}.")
    scale = np.abs(w).max() or 1.0
    columns = min(columns, w.shape[3])
    rows = -(-w.shape[3] // columns)
    figure, axes = _figure(rows, columns, (WIDTH, rows * WIDTH / columns))
    for f, ax in enumerate(axes.flat):
        ax.axis("off")
        if f < w.shape[3]:
            if w.shape[2] == 1:
                ax.imshow(w[..., 0, f], cmap="RdBu_r", vmin=-scale, vmax=scale)
            else:
                ax.imshow(0.5 + w[..., f] / (2 * scale))
    return figure


@checked
def through_network(model: Any, x: np.ndarray, names: Sequence[str] | None = None, maps: int = 10) -> Figure:
    """One picture on its way through a network: `maps` feature maps after each layer, then the answer.

    Shown are a layer's maps that differ most from each other; the colours of each go from its least to its most.

    Args:
        model: a built Sequential that ends in class probabilities.
        x: one picture, (H, W, C), as the model was trained on.
    """
    x, maps = to_numpy(x), check_count(maps, "maps", "plot.through_network")
    stages, value = [("input", x[None])], to_device(x[None].astype(np.float32), model.device)
    for layer in model.layers:
        if (value := layer.forward(value)).ndim == 4:
            stages.append((layer.name, to_numpy(value)))
    side, title, bars = WIDTH / maps * 0.92, 0.3, 1.3  # inches: a map, the line above it, the answer below all
    height = len(stages) * (side + title) + bars
    figure = pyplot().figure(figsize=(WIDTH, height), dpi=STYLE["figure.dpi"], layout="none")
    pyplot().close(figure)
    for r, (name, value) in enumerate(stages, 1):
        for m, channel in enumerate([0] if name == "input" else most_different(value[0], maps)):
            ax = figure.add_axes((0.06 + m * 0.94 / maps, 1 - r * (side + title) / height, side / WIDTH, side / height))
            ax.axis("off")
            if name == "input":
                ax.imshow(_picture(value[0]), cmap="gray", vmin=0, vmax=1)
            else:
                ax.imshow(value[0, ..., channel], cmap="viridis")
            if m == 0:
                size = f"{value.shape[1]} x {value.shape[2]} x {value.shape[3]}"
                ax.set_title(f"{name}  {size}", fontsize=9, loc="left", pad=3)
    last = figure.add_axes((0.06, 0.42 / height, 0.94, (bars - 0.62) / height))
    answer = model.predict(x[None])[0]
    last.bar(range(len(answer)), answer, color=[RIGHT if p == answer.max() else NEUTRAL for p in answer])
    last.set_xticks(range(len(answer)), [_name(k, names) for k in range(len(answer))], fontsize=7, rotation=20)
    last.set_ylabel("probability", fontsize=8)
    last.set_ylim(0, 1)
    last.spines[["top", "right"]].set_visible(False)
    return figure


@checked
def most_different(maps: np.ndarray, count: int) -> np.ndarray:
    """The channels of maps (H, W, C) that differ most from each other, in their order; `count` of them, or all.

    First the map that varies most; then each time the one whose largest correlation with a chosen one is least: copies
    come last, whatever their scale. A map that varies less than 1/20 of the first is not chosen before all others.
    """
    rows = (maps - maps.mean(axis=(0, 1), dtype=np.float64)).reshape(-1, maps.shape[-1]).T
    size = np.linalg.norm(rows, axis=1)
    alike = rows @ rows.T / np.maximum(np.outer(size, size), np.finfo(float).tiny) + 2.0 * (size < size.max() / 20)
    chosen = [int(size.argmax())]
    while len(chosen) < min(count, len(rows)):
        nearest = alike[chosen].max(axis=0)
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
    return np.sort(chosen)


def times(tasks: Mapping[str, Mapping[str, Mapping[str, float]]], unit: str = "milliseconds") -> Figure:
    """What `python -m scratchnet.bench` found: for each task a bar for each contestant, with its quartiles.

    Args:
        tasks: {task: {contestant: {"median": ms, "low": ms, "high": ms}}}.
        unit: what the times are in.
    """
    figure, axes = _figure(len(tasks), 1, (WIDTH, sum(0.7 + 0.22 * len(found) for found in tasks.values())))
    for ax, (task, found) in zip(axes[:, 0], tasks.items()):
        for place, (name, t) in enumerate(found.items()):
            quartiles = [[t["median"] - t["low"]], [t["high"] - t["median"]]]  # below and above the median
            ax.barh(place, t["median"], xerr=quartiles, color=RIGHT if name.startswith("scratchnet") else NEUTRAL)
        ax.set_yticks(range(len(found)), list(found), fontsize=8)
        ax.set(title=task, xlabel=unit, ylim=(len(found) - 0.5, -0.5))
    return figure


def speeds(kernels: Mapping[str, Mapping[str, float]]) -> Figure:
    """What `python -m scratchnet.bench --kernels` found: GFLOP/s of each kernel, and of a @ b beside it as a line.

    Args:
        kernels: {kernel: {"GFLOP/s": of the kernel, "a @ b": of NumPy's matrix product in the same turns}}.
    """
    figure, axes = _figure(1, 1, (WIDTH, 0.6 + 0.24 * len(kernels)))
    ax = axes[0, 0]
    for place, found in enumerate(kernels.values()):
        ax.barh(place, found["GFLOP/s"], color=TRAIN)
        ax.plot([found["a @ b"]] * 2, [place - 0.4, place + 0.4], color=TEST, label="" if place else "a @ b")
    ax.set_yticks(range(len(kernels)), list(kernels), fontsize=8)
    ax.invert_yaxis()
    ax.set_xlabel("GFLOP/s")
    ax.legend()
    return figure


def roofline(peak: float, bandwidth: float, points: Mapping[str, tuple[float, float]]) -> Figure:
    """The roofline of a machine, and points below it: speed over arithmetic intensity, the work for each byte moved.

    Args:
        peak: GFLOP/s that the processor can do: the flat roof.
        bandwidth: GB/s that the memory can move: the slope.
        points: {name: (FLOP per byte, GFLOP/s)}; drawn in their order, numbered.
    """
    figure, axes = _figure(1, 1, (WIDTH, max(4.2, 0.2 * len(points))))
    ax = axes[0, 0]
    work = np.geomspace(0.05, 1000, 200)
    ax.loglog(work, np.minimum(peak, bandwidth * work), color=NEUTRAL, lw=2)
    ax.text(950, peak * 0.8, f"processor:\n{peak:,.0f} GFLOP/s", ha="right", va="top", color=NEUTRAL)
    ax.text(0.06, bandwidth * 0.06 * 2.2, f"memory: {bandwidth:,.0f} GB/s", color=NEUTRAL, rotation=24)
    colours = [TRAIN, TEST, RIGHT, WRONG, "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
    for number, (name, (x, y)) in enumerate(points.items(), 1):
        label = f"{number}  {name}: {y:,.0f} GFLOP/s" if y > 1000 else f"{number}  {name}: {y:.3g} GFLOP/s"
        ax.plot(x, y, "o", ms=9, color=colours[(number - 1) % len(colours)], label=label)
        side = (8, -14, 20)[(number - 1) % 3]  # right, left and farther right, since points may be close to each other
        ax.annotate(str(number), (x, y), xytext=(side, -4), textcoords="offset points")
    ax.set(xlabel="work for each byte of x, w and y (FLOP/byte)", ylabel="speed (GFLOP/s)")
    ax.set_ylim(top=peak * 2.5)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return figure
