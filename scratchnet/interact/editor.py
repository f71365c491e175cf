"""A picture under a 3 x 3 kernel whose nine numbers the reader writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.interact.convolution import correlate, signed
from scratchnet.interact.interactive import Interactive
from scratchnet.plot import WIDTH, _figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KERNELS: dict[str, np.ndarray] = {
    "identity": np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "blur": np.full((3, 3), 1 / 9),
    "sharpen": np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "Sobel, vertical edges": np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "Sobel, horizontal edges": np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "Laplacian": np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
}
_NAMES = [f"w{row}{column}" for row in range(3) for column in range(3)]
_OWN = "your own"


def _frame(ax: Axes) -> None:
    """No ticks, and a thin line on all four sides."""
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set(visible=True, color="#bbbbbb")


@checked
def draw_response(ax: Axes, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Draw what a kernel answers to a picture, and return it: (H - KH + 1, W - KW + 1).

    Weights that add up to 0 answer 0 to a plain area: drawn in red above 0, blue below, white at 0. Other kernels give
    a picture again: drawn in grey, 0 black, and white where a white area would lie.

    Args:
        ax: where to draw.
        x: (H, W), from 0 to 1.
        w: (KH, KW).
    """
    y = correlate(x, w)
    total = float(np.sum(w))
    if abs(total) < 1e-6:
        signed(ax, y, float(np.abs(y).max()) or 1.0)
    else:
        low, high = min(0.0, total), max(0.0, total)
        ax.imshow(y, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    _frame(ax)
    return y


@checked
def draw_kernel(x: np.ndarray, w: np.ndarray, name: str = "") -> Figure:
    """Picture, kernel with its numbers, and response, side by side."""
    figure, axes = _figure(1, 3, (WIDTH, 3.5), width_ratios=[1, 0.62, 1])
    picture, kernel, response = axes[0]
    picture.imshow(x, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    picture.set_title("picture x")
    signed(kernel, np.asarray(w, float), float(np.abs(w).max()) or 1.0, 1.9)
    total = round(float(np.sum(w)), 2) + 0.0
    kernel.set_title(f"kernel w{': ' if name else ''}{name}\nthe weights add up to {total:g}")
    y = draw_response(response, x, w)
    for ax in (picture, kernel):
        _frame(ax)
    response.set_title(f"response y\nfrom {y.min():.2f} to {y.max():.2f}".replace("-", "−"))
    return figure


class KernelEditor(Interactive):
    """The controls of `kernel_editor`: a list of kernels, nine fields in a square, and the figure below."""

    def arranged(self, ipywidgets: Any, controls: dict[str, Any]) -> Any:
        """The list, the square, the figure. A choice fills the square; a number that is written ends the choice."""
        famous, fields = controls["famous"], [controls[name] for name in _NAMES]
        output = ipywidgets.Output()
        busy: list[bool] = []

        def show() -> None:
            output.clear_output(wait=True)
            with output:
                self.draw_and_show(**{name: control.value for name, control in controls.items()})

        def choose(change: Any) -> None:
            if change["new"] == _OWN or busy:
                return
            busy.append(True)  # nine numbers change, and one figure is drawn
            for field, value in zip(fields, KERNELS[change["new"]].ravel()):
                field.value = round(float(value), 4)
            busy.clear()
            show()

        def write(change: Any) -> None:
            if not busy:
                busy.append(True)
                famous.value = _OWN
                busy.clear()
                show()

        famous.observe(choose, "value")
        for field in fields:
            field.observe(write, "value")
        show()
        square = ipywidgets.GridBox(fields, layout=ipywidgets.Layout(grid_template_columns="repeat(3, 80px)"))
        return ipywidgets.VBox([famous, square, output])


@checked
def kernel_editor(x: np.ndarray, start: str = "Sobel, vertical edges") -> KernelEditor:
    """Write nine numbers, or choose a well-known kernel, and see what it answers to a picture.

    Args:
        x: (H, W), from 0 to 1.
        start: the kernel at the beginning, one of `KERNELS`.

    Raises:
        ValueError: x is no matrix of at least 3 x 3, or there is no kernel of that name.
    """
    x = np.asarray(x)
    if x.ndim != 2 or min(x.shape) < 3:
        raise ValueError(
            f"interact.kernel_editor: expected a picture of shape (H, W), at least 3 x 3, got shape {x.shape}; "
            "take one channel, x[..., 0], or the mean of all, x.mean(axis=-1)."
        )
    if start not in KERNELS:
        raise ValueError(f"interact.kernel_editor: expected start to be one of {', '.join(KERNELS)}; got {start!r}.")

    def draw(famous: str, **weights: float) -> Figure:
        w = np.array([weights[name] for name in _NAMES]).reshape(3, 3)
        return draw_kernel(x, w, famous)

    def controls() -> Mapping[str, Any]:
        import ipywidgets

        width = ipywidgets.Layout(width="76px")
        shown: dict[str, Any] = {
            "famous": ipywidgets.Dropdown(options=[*KERNELS, _OWN], value=start, description="kernel")
        }
        for name, value in zip(_NAMES, KERNELS[start].ravel()):
            shown[name] = ipywidgets.FloatText(round(float(value), 4), step=0.5, layout=width)
        return shown

    first = {"famous": start, **dict(zip(_NAMES, KERNELS[start].ravel()))}
    return KernelEditor(draw, first, controls, f"A picture, the kernel '{start}', and its response to the picture.")
