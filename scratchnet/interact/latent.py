"""A walk through the space of the noise: a slider from latent to latent, the picture there beside the whole walk."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import plot
from scratchnet.arguments import check_count
from scratchnet.gan import GAN, sheet, spherical
from scratchnet.gan.pictures import as_bytes, check_makes_pictures
from scratchnet.interact.interactive import Interactive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = 10  # pictures from one stop to the next, in the strip


def latent_at(stops: np.ndarray, position: float, straight: bool = False) -> np.ndarray:
    """The latent (D,) at a position of the walk through `stops` (S, D), and from the last back to the first.

    Args:
        stops: the latents that are passed at the positions 0, 1, ..., S - 1; at S it is the first again.
        position: from 0 to S.
        straight: along the straight line; else along the sphere, see `scratchnet.gan.spherical`.
    """
    leg = int(position) % len(stops)
    a, b, t = stops[leg], stops[(leg + 1) % len(stops)], position - int(position)
    return ((1 - t) * a + t * b).astype(a.dtype) if straight else spherical(a, b, t)


def draw_latent_walk(gan: GAN, stops: np.ndarray, position: float = 0.0, straight: bool = False) -> Figure:
    """The picture at a position, and beside it the whole walk: a row from each stop to the next, a frame at the place.

    Args:
        gan: makes the pictures, with its averaged weights where it has them.
        stops: latents (S, D).
        position: from 0 to S.
        straight: see `latent_at`.
    """
    z = latent_at(stops, position, straight)
    along = [latent_at(stops, leg + step / STEPS, straight) for leg in range(len(stops)) for step in range(STEPS)]
    x = as_bytes(gan.decode(np.stack([z, *along])), gan.picture_range)
    H, W = x.shape[1:3]
    figure, (axes,) = plot._figure(1, 2, (plot.WIDTH, 3.1), width_ratios=[1, 2.4])
    for ax, shown in zip(axes, (x[0], sheet(x[1:], columns=STEPS))):
        ax.imshow(plot._picture(shown), cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
        ax.set_xticks([])
        ax.tick_params(length=0)
    near, strip = axes
    near.set_box_aspect(H / W)
    near.set_yticks([])
    near.set(title=f"position {position:.2f}: length of z {np.linalg.norm(z):.1f}")
    strip.set_box_aspect(len(stops) * H / (STEPS * W))
    leg, t = int(position) % len(stops), position - int(position)
    frame = plot.pyplot().Rectangle((t * STEPS * W - 0.5, leg * H - 0.5), W, H, fill=False, color=plot.TEST, lw=2.5)
    frame.set_clip_on(False)
    strip.add_patch(frame)
    strip.set_yticks((np.arange(len(stops)) + 0.5) * H, [f"from {stop}" for stop in range(len(stops))])
    strip.set(title=f"the whole walk, {'in straight lines' if straight else 'along the sphere'}")
    strip.set_xlabel("each row goes on where the row before ends; the last one goes back to 0")
    return figure


def latent_walk(gan: GAN, stops: int = 4, seed: int = 0, start: float = 1.5) -> Interactive:
    """The figure of `draw_latent_walk` with its controls: a slider for the position, and which way is taken.

    Args:
        gan: a GAN whose generator makes pictures.
        stops: how many random latents the walk passes before it is back at the first.
        seed: of these latents.
        start: the position of the stored picture.

    Raises:
        ValueError: stops below 2, a start that is not on the walk, or a GAN that makes no pictures.
    """
    check_makes_pictures(gan, "latent_walk")
    stops = check_count(stops, "stops", "latent_walk", 2)
    if not 0 <= start <= stops:
        raise ValueError(f"latent_walk: expected start from 0 to {stops}, the number of stops, got {start!r}.")

    def controls() -> dict[str, Any]:
        import ipywidgets

        ways = [("along the sphere", False), ("in straight lines", True)]
        return {
            "position": ipywidgets.FloatSlider(start, min=0, max=stops, step=0.05, description="position"),
            "straight": ipywidgets.ToggleButtons(options=ways, value=False, description="way"),
        }

    return Interactive(
        partial(draw_latent_walk, gan, gan.latents(stops, seed)),
        {"position": float(start), "straight": False},
        controls,
        f"left, the generated picture at position {start:g}; right, {stops} rows of {STEPS} generated pictures, each "
        "row changing bit by bit from one random picture to the next, with a frame around the place of the left one",
    )
