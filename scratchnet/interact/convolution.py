"""A convolution that one can point at: patch x kernel -> products -> sum -> one cell of the output.

Shown for one picture of one channel and one kernel:

    y[i,j] = sum over k, l of x~[sh*i + k - p, sw*j + l - p] * w[k,l],   x~ is x with p rows of zeros around it
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count, pair
from scratchnet.interact.interactive import Interactive
from scratchnet.kernels import cpu
from scratchnet.plot import STYLE, TEST, WIDTH, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT, _GAP = 2.85, 0.29  # inches: of the figure, and between two of its panels
_PANELS = (2.1, 1.28, 1.28, 1.28, 1.7)  # inches: sides of picture, patch, kernel, products, output
_MOST = 12  # as many columns can have their numbers written in


@checked
def correlate(x: np.ndarray, w: np.ndarray, strides: int | Sequence[int] = 1, padding: int = 0) -> np.ndarray:
    """The convolution of one picture with one kernel, y[i,j] = sum of x~[sh*i+k-p, sw*j+l-p] * w[k,l].

    Args:
        x: (H, W).
        w: (KH, KW).
        strides: step of the window, one number or (sh, sw).
        padding: p, rows and columns of zeros on each side.

    Returns:
        (OH, OW), float64, with OH = (H + 2p - KH) // sh + 1.

    Raises:
        ValueError: x or w is no matrix, the kernel does not fit, or a number is out of its range.
    """
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    for name, array in (("x", x), ("w", w)):
        if array.ndim != 2 or array.size == 0:
            raise ValueError(
                f"interact.convolution: expected {name} of two axes, (rows, columns), got shape {array.shape}; "
                "take one channel, x[..., 0]."
            )
    sh, sw = pair(strides, "strides", "interact.convolution")
    p = check_count(padding, "padding", "interact.convolution", 0)
    if w.shape[0] > x.shape[0] + 2 * p or w.shape[1] > x.shape[1] + 2 * p:
        raise ValueError(
            f"interact.convolution: a kernel of {w.shape} does not fit into a picture of {x.shape} with {p} zeros "
            "on each side; take a smaller kernel or more padding."
        )
    return cpu.conv2d(x[None, ..., None], w[..., None, None], None, (sh, sw), ((p, p), (p, p)))[0, ..., 0]


def _number(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:g}".replace("-", "−")


def _write(ax: Axes, values: np.ndarray, shade: np.ndarray, side: float) -> None:
    """Each number into its cell, white where the cell is dark (shade from 0, dark, to 1)."""
    if values.shape[1] > _MOST:
        return
    longest = max(len(_number(v)) for v in values[np.isfinite(values)]) if np.isfinite(values).any() else 1
    size = min(13, side * 72 / max(values.shape) * min(0.5, 1.3 / longest))
    for (r, c), value in np.ndenumerate(values):
        if np.isfinite(value):
            ax.text(c, r, _number(value), ha="center", va="center", fontsize=size, color="wk"[int(shade[r, c] > 0.5)])


def _grid(ax: Axes, shape: tuple[int, int]) -> None:
    """No ticks, a thin line on all four sides, and lines between the cells where there are few."""
    for side in ax.spines.values():
        side.set(visible=True, color="#bbbbbb", linewidth=0.8)
    ax.set_xticks([])
    ax.set_yticks([])
    if shape[1] <= _MOST:
        for r in range(1, shape[0]):
            ax.axhline(r - 0.5, color="#bbbbbb", lw=0.5)
        for c in range(1, shape[1]):
            ax.axvline(c - 0.5, color="#bbbbbb", lw=0.5)


def _grey(ax: Axes, values: np.ndarray, low: float, high: float, side: float) -> None:
    ax.imshow(values, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    _grid(ax, values.shape)
    _write(ax, values, (values - low) / (high - low), side)


def signed(ax: Axes, values: np.ndarray, most: float, side: float = 1.3) -> None:
    """Numbers of either sign: red above 0, blue below, white at 0; a number that is NaN leaves its cell grey."""
    ax.set_facecolor("#eeeeee")
    ax.imshow(values, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
    _grid(ax, values.shape)
    _write(ax, values, 1 - np.abs(np.nan_to_num(values)) / most * 0.8, side)


def _frame(ax: Axes, row: float, column: float, height: int, width: int) -> None:
    """A thick border round some cells."""
    patch = pyplot().Rectangle((column - 0.5, row - 0.5), width, height, fill=False, ec=TEST, lw=2.5, clip_on=False)
    ax.add_patch(patch)


def draw_convolution(
    x: np.ndarray,
    w: np.ndarray,
    strides: int | Sequence[int] = 1,
    padding: int = 0,
    i: int = 0,
    j: int = 0,
    so_far: bool = False,
) -> Figure:
    """The five pictures of one cell of the output: picture with its window, patch, kernel, products, output.

    Args:
        x, w, strides, padding: as for `correlate`.
        i, j: row and column of the output cell.
        so_far: leave the output empty behind this cell, as in the midst of the work.

    Raises:
        ValueError: as `correlate`, or there is no output cell (i, j).
    """
    y = correlate(x, w, strides, padding)
    x, w = np.pad(np.asarray(x, np.float64), padding), np.asarray(w, np.float64)
    (KH, KW), (OH, OW), (sh, sw) = w.shape, y.shape, pair(strides, "strides", "interact.convolution")
    if not (0 <= i < OH and 0 <= j < OW):
        raise ValueError(f"interact.convolution: the output has {OH} x {OW} cells, none is [{i}, {j}].")
    patch = x[sh * i : sh * i + KH, sw * j : sw * j + KW]
    products = patch * w
    low, high = x.min(), max(x.max(), x.min() + 1e-9)
    figure = pyplot().figure(figsize=(WIDTH, _HEIGHT), dpi=STYLE["figure.dpi"], layout="none")
    pyplot().close(figure)
    axes: list[Axes] = []
    left = _GAP / 3
    for side, title in zip(_PANELS, ("picture x", "patch", "kernel w", "products", "output y: the sums")):
        bottom = 0.42 + (_PANELS[0] - side) / 2
        axes.append(figure.add_axes((left / WIDTH, bottom / _HEIGHT, side / WIDTH, side / _HEIGHT)))
        axes[-1].set_title(title, fontsize=10, pad=4)
        left += side + _GAP
    for ax, sign in zip(axes[1:], ("", "×", "=", "Σ")):
        place = ax.get_position().x0 - _GAP / 2 / WIDTH
        figure.text(place, (0.42 + _PANELS[0] / 2) / _HEIGHT, sign, ha="center", va="center", fontsize=12)
    _grey(axes[0], x, low, high, _PANELS[0])
    _frame(axes[0], sh * i, sw * j, KH, KW)
    _grey(axes[1], patch, low, high, _PANELS[1])
    signed(axes[2], w, np.abs(w).max() or 1.0)
    signed(axes[3], products, np.abs(products).max() or 1.0)
    shown = np.where(np.arange(y.size).reshape(y.shape) > i * OW + j, np.nan, y) if so_far else y
    signed(axes[4], shown, np.abs(y).max() or 1.0, _PANELS[4])
    _frame(axes[4], i, j, 1, 1)
    if products.size <= 16:
        sum_of = " + ".join(_number(v) if v >= 0 else f"({_number(v)})" for v in products.ravel())
    else:
        sum_of = f"sum of {products.size} products"
    figure.text(0.5, 0.14 / _HEIGHT, f"y[{i}, {j}] = {sum_of} = {_number(y[i, j])}", ha="center", fontsize=10)
    return figure


@checked
def convolution(x: np.ndarray, w: np.ndarray, strides: int | Sequence[int] = 1, padding: int = 0) -> Interactive:
    """Point at a cell of the output with two sliders, and see where its number comes from.

    Args:
        x: (H, W), one picture of one channel.
        w: (KH, KW).
        strides: step of the window, one number or (sh, sw).
        padding: rows and columns of zeros on each side.

    Raises:
        ValueError: x or w is no matrix, the kernel does not fit, or a number is out of its range.
    """
    OH, OW = correlate(x, w, strides, padding).shape
    start = {"i": OH // 2, "j": OW // 2}

    def draw(i: int, j: int) -> Figure:
        return draw_convolution(x, w, strides, padding, i, j)

    def controls() -> Mapping[str, Any]:
        import ipywidgets

        return {
            "i": ipywidgets.IntSlider(start["i"], min=0, max=OH - 1, description="row i"),
            "j": ipywidgets.IntSlider(start["j"], min=0, max=OW - 1, description="column j"),
        }

    alt = (
        "The window in the picture, its patch, the kernel, the nine products, and the output cell that holds their sum."
    )
    return Interactive(draw, start, controls, alt if np.size(w) == 9 else alt.replace("nine ", ""))


class Film:
    """Figures one after the other, as a moving picture (PNG, which all browsers play). Still, it shows the first.

    Args:
        figures: of one size.
        seconds: how long each is seen.
        alt: what is seen, in words.
    """

    def __init__(self, figures: Sequence[Figure], seconds: float, alt: str):
        self.figures, self.seconds, self.alt = list(figures), seconds, alt

    def png(self) -> bytes:
        """The film as an animated PNG, in 64 colours to keep it small."""
        from PIL import Image  # matplotlib needs it as well, so it is there

        frames = []
        for figure in self.figures:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=STYLE["figure.dpi"])
            frames.append(Image.open(buffer).convert("RGB").quantize(64))
        first, rest = frames[0], frames[1:]
        buffer = io.BytesIO()
        first.save(buffer, "PNG", save_all=True, append_images=rest, duration=int(1000 * self.seconds), loop=0)
        return buffer.getvalue()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"text/plain": f"<{self.alt}>", "image/png": self.png()}, {"image/png": {"alt": self.alt}}


@checked
def convolution_film(
    x: np.ndarray, w: np.ndarray, strides: int | Sequence[int] = 1, padding: int = 0, seconds: float = 1.2
) -> Film:
    """The window goes over the picture, and the output fills cell by cell. Arguments as for `convolution`.

    Raises:
        ValueError: as `convolution`.
    """
    cells = np.ndindex(*correlate(x, w, strides, padding).shape)
    figures = [draw_convolution(x, w, strides, padding, i, j, so_far=True) for i, j in cells]
    alt = "A film: the window moves over the picture, and each patch times the kernel, added up, fills one output cell."
    return Film(figures, seconds, alt)
