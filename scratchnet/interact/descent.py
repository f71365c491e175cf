"""Gradient descent in a valley, under the reader's hand: learning rate, momentum, and how the valley lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import plot
from scratchnet.interact.interactive import Interactive
from scratchnet.optimizers import SGD, Optimizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEEP = 30.0  # curvature across the valley; along it, it is 1
START = (-4.0, 1.0)  # along and across
STEPS = 60
FAR = 1e6  # a loss beyond which nobody comes back


def curvature(angle: float = 0.0) -> np.ndarray:
    """The matrix A of L(w) = w'Aw / 2, a valley 30 times as steep across as along, turned by so many degrees."""
    turn = rotation(angle)
    return turn @ np.diag([1.0, STEEP]) @ turn.T


def rotation(angle: float) -> np.ndarray:
    """(2, 2), which turns a column by so many degrees, counter-clockwise."""
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    return np.array([[c, -s], [s, c]])


def loss(w: np.ndarray, angle: float = 0.0) -> np.ndarray:
    """L(w) = w'Aw / 2 for places (..., 2)."""
    return 0.5 * np.einsum("...i,ij,...j->...", w, curvature(angle), w)


def walk(optimizer: Optimizer, angle: float = 0.0, steps: int = STEPS) -> np.ndarray:
    """(steps + 1, 2), the places that an optimizer visits from START on; it ends early where it flies away."""
    params, bend = {"w": rotation(angle) @ np.array(START)}, curvature(angle)
    path = [params["w"].copy()]
    for _ in range(steps):
        optimizer.update(params, {"w": bend @ params["w"]})
        path.append(params["w"].copy())
        if not loss(path[-1], angle) < FAR:
            break
    return np.array(path)


def largest_rate(momentum: float) -> float:
    """The learning rate up to which SGD stays in the valley: 2 (1 + momentum) / curvature, by the steepest one.

    Source: for the eigenvalue c, w and its velocity are multiplied in each step by a matrix whose eigenvalues are the
    roots of x^2 - (1 + momentum - rate c) x + momentum; both are within the unit circle up to this rate.
    """
    return 2 * (1 + momentum) / STEEP


def contours(axes: Any, angle: float = 0.0) -> None:
    """The valley's lines of equal loss, in grey."""
    place = np.linspace(-4.6, 4.6, 200)
    heights = loss(np.stack(np.meshgrid(place, place), axis=-1), angle)
    axes.contour(place, place, heights, levels=np.geomspace(0.05, 300, 12), colors="#bbbbbb", linewidths=0.8)
    axes.set(xlabel="w₁", ylabel="w₂", xlim=(-4.6, 4.6), ylim=(-4.6, 4.6), aspect="equal")


def descent(rate: float = 0.02, momentum: float = 0.8, angle: float = 0.0) -> Figure:
    """Sixty steps of SGD: the path in the valley, and the loss after each step.

    Args:
        rate: learning rate.
        momentum: the share of the last step that is kept, from 0 to 1.
        angle: of the valley, in degrees.
    """
    path = walk(SGD(rate, momentum=momentum), angle)
    losses = loss(path, angle)
    lost = bool(not losses[-1] < FAR)
    colour = plot.WRONG if lost else plot.TRAIN
    figure, ((left, right),) = plot._figure(1, 2, (8.5, 3.6))
    contours(left, angle)
    left.plot(*path.T, "o-", color=colour, ms=3, lw=1)
    left.plot(*path[0], "s", color=plot.NEUTRAL, ms=6, label="start")
    left.plot(0, 0, "*", color=plot.RIGHT, ms=11, label="lowest point")
    left.legend(loc="lower right", fontsize=8)
    right.semilogy(losses, color=colour)
    right.set(xlabel="step", ylabel="loss", xlim=(0, STEPS), ylim=(1e-6, 1e4))
    right.grid(alpha=0.25)
    end = f"it leaves the valley in step {len(path) - 1}" if lost else f"loss {losses[-1]:.1e} after {STEPS} steps"
    left.set_title(f"rate {rate:.3f}, momentum {momentum:.2f}")
    right.set_title(f"{end}\nlargest rate that holds: {largest_rate(momentum):.3f}", fontsize=10)
    return figure


def learning_rate_on_a_surface() -> Interactive:
    """The figure of `descent`, with a slider for the learning rate, for the momentum, and for the valley's angle."""
    return Interactive(
        descent,
        {"rate": 0.06, "momentum": 0.0, "angle": 0.0},
        _sliders,
        "Left: a long valley seen from above, and sixty steps of gradient descent that jump from wall to wall across "
        "it and creep along it. Right: the loss after each step.",
    )


def _sliders() -> dict[str, Any]:
    import ipywidgets

    rate = ipywidgets.FloatLogSlider(0.06, base=10, min=-3, max=-0.5, step=0.02, description="rate")
    momentum = ipywidgets.FloatSlider(0.0, min=0.0, max=1.0, step=0.05, description="momentum")
    angle = ipywidgets.FloatSlider(0.0, min=0.0, max=90.0, step=5.0, description="angle")
    return {"rate": rate, "momentum": momentum, "angle": angle}
