"""A graph of five numbers: one neuron and its loss, with values forward and gradients backward on its edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from scratchnet.interact.interactive import Interactive
from scratchnet.plot import NEUTRAL, STYLE, TEST, TRAIN, WIDTH, _figure, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

START = {"x": 2.0, "w": 1.5, "b": -1.0, "t": 1.0, "skip": False}
_NODES = {"u": (2.3, "×"), "z": (3.9, "+"), "y": (5.5, "ReLU"), "e": (7.1, "−"), "L": (8.7, "( )²")}  # place, sign
_INPUTS = {"x": (0.95, 2.75), "w": (0.95, 1.05), "b": (3.0, 0.65), "t": (6.2, 0.65)}
_LINE, _RADIUS = 1.9, 0.27  # height of the row of nodes; half of a node's width


class NumberFlow(NamedTuple):
    """What flows through the graph: each number by its name, and dL/d of each by the same name.

    `shares` are the two parts of dL/dx: what comes back through u, and what comes straight from e.
    """

    values: dict[str, float]
    gradients: dict[str, float]
    shares: tuple[float, float]


def flow_numbers(x: float, w: float, b: float, t: float, skip: bool = False) -> NumberFlow:
    """u = w x, z = u + b, y = max(z, 0), e = y - t, L = e^2; and back again by the chain rule.

    Args:
        x: the neuron's input.
        w: its weight.
        b: its bias.
        t: the target, what y should be.
        skip: whether x also goes straight to the difference, e = y + x - t. Then two paths lead from L to x.
    """
    u = w * x
    z = u + b
    y = max(z, 0.0)
    e = y + (x if skip else 0.0) - t
    de = 2 * e
    dz = de if z > 0 else 0.0
    shares = dz * w, de if skip else 0.0
    values = {"x": x, "w": w, "b": b, "t": t, "u": u, "z": z, "y": y, "e": e, "L": e * e}
    gradients = {"L": 1.0, "e": de, "y": de, "t": -de, "z": dz, "b": dz, "u": dz, "w": dz * x, "x": sum(shares)}
    return NumberFlow(values, gradients, shares)


def draw_number_graph(x: float, w: float, b: float, t: float, skip: bool = False) -> Figure:
    """The graph as a figure: above each edge the number that goes forward, below it the gradient that comes back.

    Gradients are lines too, as wide as they are large; where none comes back, the line is dotted.

    Args and formulas: as for `flow_numbers`.
    """
    flow = flow_numbers(x, w, b, t, skip)
    figure, axes = _figure(1, 1, (WIDTH, 3.7))
    with pyplot().rc_context(STYLE):
        ax = axes[0, 0]
        ax.axis("off")
        ax.set(xlim=(0, 9.9), ylim=(-0.25, 3.9), aspect="equal")
        for name, corners in _edges(skip).items():
            comes_back = {**flow.gradients, "x": flow.shares[0], "skip": flow.shares[1]}[name]
            _edge(ax, corners, comes_back)
        for name, (place, sign) in _NODES.items():
            circle = pyplot().Circle((place, _LINE), _RADIUS, fc="white", ec=NEUTRAL, lw=1.5, zorder=4)
            ax.add_patch(circle)
            ax.text(place, _LINE, sign, ha="center", va="center", fontsize=9 if len(sign) > 2 else 14, zorder=5)
            if name != "L":
                _numbers(ax, place + 0.8, _LINE, name, flow)
        _numbers(ax, 9.45, _LINE, "L", flow)
        for name, (across, up) in _INPUTS.items():
            box = {"boxstyle": "round,pad=0.3", "fc": "#eeeeee", "ec": NEUTRAL}
            ax.text(across, up, name, ha="center", va="center", bbox=box, zorder=5)
            _numbers(ax, across - 0.2, up, name, flow, gap=0.0, ha="right")
        if skip:
            ax.text(4.6, 3.62, f"x = {x:.2f}".replace("-", "−"), color=TRAIN, ha="center", va="bottom", fontsize=9)
            ax.text(4.6, 3.44, _signed(flow.shares[1]), color=TEST, ha="center", va="top", fontsize=9, weight="bold")
            both = f"{_signed(flow.shares[0])} from u,\n{_signed(flow.shares[1])} from e"
            ax.text(0.75, 2.44, both, color=TEST, ha="right", va="top", fontsize=8)
        for place, text in zip([p for p, _ in _NODES.values()], _rules(flow, skip)):
            ax.text(place, -0.2, text, ha="center", va="bottom", fontsize=8, color=NEUTRAL, linespacing=1.4)
        ax.text(9.9, 3.85, "above: the value, forward →", color=TRAIN, ha="right", va="top", fontsize=9)
        ax.text(9.9, 3.55, "below: its gradient, ← backward", color=TEST, ha="right", va="top", fontsize=9)
    return figure


def _edges(skip: bool) -> dict[str, tuple[tuple[float, float], ...]]:
    """The corners of each edge, from where its number comes to where it goes."""
    nodes = [(place, _LINE) for place, _ in _NODES.values()]
    edges: dict[str, tuple[tuple[float, float], ...]] = dict(zip(_NODES, zip(nodes, [*nodes[1:], (9.85, _LINE)])))
    edges |= {"x": (_INPUTS["x"], nodes[0]), "w": (_INPUTS["w"], nodes[0])}
    edges |= {"b": (_INPUTS["b"], nodes[1]), "t": (_INPUTS["t"], nodes[3])}
    if skip:
        edges["skip"] = (_INPUTS["x"], (1.45, 3.57), (6.1, 3.57), nodes[3])
    return edges


def _edge(ax: Any, corners: tuple[tuple[float, float], ...], gradient: float) -> None:
    """An edge: a thin line for the value, and beside it one for the gradient, as wide as that is large."""
    across, up = zip(*corners)
    ax.plot(across, [v + 0.04 for v in up], color=TRAIN, lw=1.2, zorder=2)
    width = min(0.8 + 1.2 * abs(gradient) ** 0.5, 6.0)
    style = {"lw": width, "alpha": 0.75} if gradient else {"lw": 1.2, "ls": ":"}
    ax.plot(across, [v - 0.04 for v in up], color=TEST, zorder=1, **style)


def _numbers(
    ax: Any, across: float, up: float, name: str, flow: NumberFlow, gap: float = 0.1, ha: str = "center"
) -> None:
    """The value above a place and the gradient below it."""
    above, below = f"{name} = {flow.values[name]:.2f}".replace("-", "−"), _signed(flow.gradients[name])
    ax.text(across, up + gap, above, color=TRAIN, ha=ha, va="bottom", fontsize=9)
    ax.text(across, up - gap - 0.02, below, color=TEST, ha=ha, va="top", fontsize=9, weight="bold")


def _signed(number: float) -> str:
    return f"{number:+.2f}".replace("-", "−") if number else "0.00"


def _rules(flow: NumberFlow, skip: bool) -> list[str]:
    """What each node multiplies with on the way back: its derivative for each of its inputs."""
    v = flow.values
    rules = [
        f"du/dx = w = {v['w']:.2f}\ndu/dw = x = {v['x']:.2f}",
        "dz/du = 1\ndz/db = 1",
        f"dy/dz = {int(v['z'] > 0)}\nz {'>' if v['z'] > 0 else '≤'} 0",
        "de/dy = 1, de/dt = −1" + ("\nde/dx = 1" if skip else "\n"),
        f"dL/de = 2e\n= {2 * v['e']:.2f}",
    ]
    return [rule.replace("-", "−") for rule in rules]


def _controls(start: Mapping[str, Any]) -> Mapping[str, Any]:
    import ipywidgets

    names = {"x": "input x", "w": "weight w", "b": "bias b", "t": "target t"}
    sliders = {
        key: ipywidgets.FloatSlider(start[key], min=-3.0, max=3.0, step=0.25, description=text)
        for key, text in names.items()
    }
    text, wide = "x also goes straight to the difference", ipywidgets.Layout(width="420px")
    return {**sliders, "skip": ipywidgets.Checkbox(start["skip"], description=text, layout=wide)}


def number_graph(**start: Any) -> Interactive:
    """The graph with a slider for each of its four inputs, and a box that opens a second path from x to the loss.

    Args:
        start: other values to begin with, by the names of `flow_numbers`.
    """
    values = {**START, **start}
    numbers = flow_numbers(**values)
    alt = "A neuron and its loss as a graph. " + "; ".join(
        f"{name} = {numbers.values[name]:.2f}, gradient {numbers.gradients[name]:.2f}" for name in numbers.values
    )
    return Interactive(draw_number_graph, values, lambda: _controls(values), alt)
