"""GANs on the ring of eight Gaussians, from stored runs: what decides, how G wanders, and beta_1 under a slider.

The runs are those of `python -m scratchnet.recipes ring_ablation`; a result is what one of its JSON files holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import plot
from scratchnet.datasets.ring import STD, centres
from scratchnet.interact.interactive import Interactive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Result = Mapping[str, Any]
BETAS = (0.0, 0.25, 0.5, 0.75, 0.9)
STEPS = (100, 300, 600, 1000, 1500, 2500)


def find(result: Result, noise: bool, beta_1: float, rates: str = "good") -> dict[str, Any]:
    """The run of a result with these settings.

    Args:
        result: of one seed.
        noise: whether D sees instance noise.
        beta_1: of Adam, for both networks.
        rates: "good" or "bad".

    Raises:
        KeyError: there is no such run.
    """
    for run in result["runs"]:
        if (run["noise"] > 0, run["beta_1"], run["rates"]) == (noise, beta_1, rates):
            return run
    raise KeyError(f"no run with noise={noise}, beta_1={beta_1}, {rates} rates; the recipe ring_ablation makes them.")


def ablation(results: Sequence[Result]) -> Figure:
    """Eight panels: noise off and on, beta_1 0.5 and 0.9, good rates and bad ones; the points are the first seed's."""
    figure, axes = plot._figure(2, 4, (plot.WIDTH, 5.2))
    columns = [("good", 0.5), ("good", 0.9), ("bad", 0.5), ("bad", 0.9)]
    for row, noise in zip(axes, (False, True)):
        for ax, (rates, beta_1) in zip(row, columns):
            runs = [find(result, noise, beta_1, rates) for result in results]
            _points(ax, runs[0]["final"])
            clouds = ", ".join(str(run["averaged"]["modes"]) for run in runs)
            shares = ", ".join(f"{100 * run['averaged']['share']:.0f}" for run in runs)
            ax.set_title(f"{rates} rates, β₁ = {beta_1}\nclouds: {clouds}\nnear one: {shares} %", fontsize=9)
        row[0].set_ylabel("with noise" if noise else "without noise")
    return figure


def wandering(runs: Mapping[str, Mapping[str, Any]], every: int = 25) -> Figure:
    """A map for each run, by its title: which share of G's points is nearest to which cloud, step by step."""
    figure, axes = plot._figure(len(runs), 1, (plot.WIDTH, 1.5 * len(runs) + 0.4), sharex=True)
    for ax, (title, run) in zip(axes[:, 0], runs.items()):
        counts = np.array(run["nearest"], float).T
        shares = counts / counts.sum(axis=0)
        extent = (every / 2, every * (shares.shape[1] + 0.5), 7.5, -0.5)
        image = ax.imshow(shares, cmap="Oranges", vmin=0, vmax=1, aspect="auto", extent=extent)
        ax.set(title=title, ylabel="cloud", yticks=range(0, 8, 2))
    axes[-1, 0].set_xlabel("step")
    figure.colorbar(image, ax=list(axes[:, 0]), label="share of G's points")
    return figure


def beta(results: Sequence[Result], beta_1: float = 0.9, step: int = 2500, noise: bool = False) -> Figure:
    """G's points, as it is after so many steps, for each seed.

    Args:
        results: one for each seed.
        beta_1: one of BETAS.
        step: one of STEPS.
        noise: whether D sees instance noise.
    """
    figure, (axes,) = plot._figure(1, len(results), (2.9 * len(results), 3.3))
    for ax, result in zip(axes, results):
        run = find(result, noise, beta_1)
        _points(ax, run["points"][str(step)])
        end = run["averaged"]
        ax.set_title(
            f"seed {result['seed']}, step {step}\nat the end: {end['modes']} clouds, {end['share']:.0%} near one"
        )
        ax.title.set_fontsize(10)
    axes[0].set_ylabel(f"β₁ = {beta_1}")
    return figure


def beta_on_the_ring(results: Sequence[Result]) -> Interactive:
    """The figure of `beta`, with sliders for beta_1 and the step, and a box for the noise."""
    return Interactive(
        partial(beta, results),
        {"beta_1": 0.9, "step": 2500, "noise": False},
        _sliders,
        "For each of three seeds the points that G makes after 2,500 steps with beta_1 = 0.9, scattered along the "
        "ring of eight clouds.",
    )


def _points(ax: Any, hundredths: Sequence[Sequence[int]]) -> None:
    """G's points, and a circle round each real cloud."""
    points = np.array(hundredths) / 100
    inside = np.abs(points).max(axis=1) <= 3
    for middle in centres():  # what counts as near: three standard deviations
        ax.add_patch(plot.pyplot().Circle(middle, 3 * STD, fill=False, color=plot.TRAIN, lw=1.2))
    ax.plot(*points[inside].T, ".", ms=3, color=plot.TEST, alpha=0.6)
    ax.set(xticks=[], yticks=[], xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    if not inside.all():
        ax.text(-2.9, -2.9, f"{np.mean(~inside):.0%} outside", fontsize=8, color=plot.NEUTRAL)


def _sliders() -> dict[str, Any]:
    import ipywidgets

    return {
        "beta_1": ipywidgets.SelectionSlider(options=list(BETAS), value=0.9, description="beta_1"),
        "step": ipywidgets.SelectionSlider(options=list(STEPS), value=2500, description="step"),
        "noise": ipywidgets.Checkbox(value=False, description="instance noise"),
    }
