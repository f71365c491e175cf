"""Pictures of a GAN at work: the same noise after each epoch, the way from one picture to another, a walk by hand.

matplotlib and ipywidgets come with `pip install "scratchnet[notebooks]"` and are imported when they are needed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import plot
from scratchnet.arguments import check_count, shape_text
from scratchnet.callbacks import Callback, Logs
from scratchnet.fields import anything, count, join, list_of, record, refuse
from scratchnet.gan.model import check_gan

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure


def as_bytes(x: np.ndarray, value_range: tuple[float, float] | None = None) -> np.ndarray:
    """Pictures as uint8, 0 to 255, from value_range, (black, white), such as gan.picture_range; None for -1 to 1."""
    low, high = value_range or (-1.0, 1.0)
    return np.clip(np.rint((np.asarray(x) - low) * (255 / (high - low))), 0, 255).astype(np.uint8)


def _check_pictures(gan: Any, caller: str) -> None:
    shape = gan.generator.output_shape
    if len(shape) != 4:
        raise ValueError(
            f"{caller}: expected a GAN whose generator makes pictures (N, H, W, C), got {shape_text(shape)}. "
            "Points are "
            "drawn with matplotlib's plot."
        )


def sheet(x: np.ndarray, columns: int = 8) -> np.ndarray:
    """Pictures (N, H, W, C) beside and below each other in one, (rows * H, columns * W, C); empty places are 0.

    Raises:
        ValueError: x is not a stack of pictures, or columns is below 1.
    """
    x = np.asarray(x)
    if x.ndim != 4 or len(x) == 0:
        raise ValueError(f"sheet: expected pictures (N, H, W, C), got {x.shape}.")
    N, H, W, C = x.shape
    columns = min(check_count(columns, "columns", "sheet"), N)
    rows = -(-N // columns)
    full = np.zeros((rows * columns, H, W, C), x.dtype)
    full[:N] = x
    return full.reshape(rows, columns, H, W, C).swapaxes(1, 2).reshape(rows * H, columns * W, C)


class FixedNoise(Callback):
    """After each epoch, what G makes of the same noise: the same places of the sheet grow into pictures.

    Args:
        n: pictures.
        seed: of the noise; the package's random numbers are not drawn from.
        every: epochs from one sheet to the next.

    Attributes:
        frames: {epoch, from 1: pictures (n, H, W, C) as uint8}, a part of what BackupAndRestore keeps.

    Raises:
        ValueError: n or every below 1; on training, a GAN that makes no pictures.
        TypeError: on training, a model that is no GAN.
    """

    def __init__(self, n: int = 64, seed: int = 0, every: int = 1):
        self.n, self.every = check_count(n, "n", "FixedNoise"), check_count(every, "every", "FixedNoise")
        self.seed = seed
        self.frames: dict[int, np.ndarray] = {}

    def get_state(self) -> dict[str, Any]:
        """The sheets."""
        return {"epochs": list(self.frames), "frames": list(self.frames.values())}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(epochs=list_of(count()), frames=list_of(anything))(state, where)
        if len(state["frames"]) != len(state["epochs"]) or not all(hasattr(f, "shape") for f in state["frames"]):
            raise refuse(join(where, "frames"), "a picture for each of epochs", state["frames"])

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.frames = dict(zip(state["epochs"], state["frames"]))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """See that it is a GAN of pictures, and forget the last run."""
        check_gan(self.model, "FixedNoise")
        _check_pictures(self.model, "FixedNoise")
        self.frames = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep a sheet."""
        if (epoch + 1) % self.every == 0:
            gan = self.model
            self.frames[epoch + 1] = as_bytes(gan.decode(gan.latents(self.n, self.seed)), gan.picture_range)

    def figure(self, epoch: int | None = None, columns: int = 8) -> Figure:
        """The sheet after an epoch, from 1; the last one without.

        Raises:
            ValueError: there is no sheet of that epoch, or columns is below 1.
        """
        if epoch is None and self.frames:
            epoch = max(self.frames)
        if epoch not in self.frames:
            raise ValueError(f"FixedNoise: no sheet of epoch {epoch}. There are: {list(self.frames)}.")
        return plot.images(self.frames[epoch], columns=columns, title=f"epoch {epoch}")

    def animation(self, columns: int = 8, interval: int = 400) -> FuncAnimation:
        """All sheets in turn, `interval` milliseconds each; in a notebook IPython.display.HTML(a.to_jshtml()) shows it.

        Raises:
            ValueError: there is no sheet.
            ImportError: matplotlib is not installed; the text has the line that installs it.
        """
        if not self.frames:
            raise ValueError("FixedNoise: there is no sheet yet; fit at least one epoch first.")
        pyplot = plot.pyplot()
        from matplotlib.animation import FuncAnimation

        sheets = {epoch: sheet(pictures, columns) for epoch, pictures in self.frames.items()}
        first = next(iter(sheets.values()))
        figure, ax = pyplot.subplots(figsize=(5, 5 * first.shape[0] / first.shape[1] + 0.3), layout="constrained")
        pyplot.close(figure)
        ax.axis("off")
        shown = ax.imshow(np.squeeze(first), cmap="gray", vmin=0, vmax=255, interpolation="nearest")

        def draw(epoch: int) -> tuple[Any, ...]:
            shown.set_data(np.squeeze(sheets[epoch]))
            ax.set_title(f"epoch {epoch}")
            return (shown,)

        return FuncAnimation(figure, draw, frames=list(sheets), interval=interval)

    def save(self, path: str | os.PathLike[str], columns: int = 8, interval: int = 400) -> None:
        """Write the animation as a GIF, which any browser shows.

        Raises:
            ValueError: there is no sheet, or the file's name does not end in .gif.
        """
        if Path(path).suffix != ".gif":
            raise ValueError(f"FixedNoise: expected a file that ends in .gif, got {str(path)!r}.")
        self.animation(columns, interval).save(path, writer="pillow")


def spherical(a: np.ndarray, b: np.ndarray, t: float | np.ndarray) -> np.ndarray:
    """The way from latent a to latent b, at t from 0 to 1, along the sphere: (..., D) for t of shape (...).

        y = (sin((1 - t) w) * a + sin(t w) * b) / sin w,  w the angle between a and b

    Normal random vectors of D numbers are about sqrt(D) long, nearly all of them. On the straight line the middle would
    be shorter by sqrt(2), where G never was. For vectors in the same or opposite direction the straight line is taken.

    Source: Shoemake, SIGGRAPH 1985; White, arXiv 1609.04468.

    Raises:
        ValueError: a and b are not two vectors of the same length.
    """
    a, b, t = np.asarray(a), np.asarray(b), np.asarray(t)[..., None]
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"spherical: expected two latents of the same shape (D,), got {a.shape} and {b.shape}.")
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    angle = np.arccos(np.clip(a @ b / lengths, -1, 1)) if lengths else 0.0
    if np.sin(angle) < 1e-6:
        return ((1 - t) * a + t * b).astype(a.dtype)
    return ((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)).astype(a.dtype)


def interpolate(gan: Any, rows: int = 4, steps: int = 10, seed: int = 0) -> np.ndarray:
    """Pictures on the way from one latent to another, (rows, steps, H, W, C), the ends included.

    Raises:
        ValueError: rows or steps below 1.
    """
    rows, steps = check_count(rows, "rows", "interpolate"), check_count(steps, "steps", "interpolate")
    ends, t = gan.latents(2 * rows, seed), np.linspace(0, 1, steps)
    z = np.concatenate([spherical(a, b, t) for a, b in zip(ends[::2], ends[1::2])])
    x = gan.decode(z)
    return x.reshape(rows, steps, *x.shape[1:])


def interpolation(gan: Any, rows: int = 4, steps: int = 10, seed: int = 0) -> Figure:
    """A figure of `interpolate`: each row goes from one picture to another.

    Raises:
        ValueError: rows or steps below 1, or a GAN that makes no pictures.
    """
    _check_pictures(gan, "interpolation")
    x = interpolate(gan, rows, steps, seed)
    return plot.images(as_bytes(x.reshape(-1, *x.shape[2:]), gan.picture_range), columns=steps)


def latent_walk(gan: Any, stops: int = 5, seed: int = 0) -> Any:
    """A slider that walks from picture to picture, round through `stops` latents and back to the first.

    Raises:
        ValueError: stops below 1, or a GAN that makes no pictures.
        ImportError: ipywidgets is not installed; the text has the line that installs it.
    """
    _check_pictures(gan, "latent_walk")
    stops = check_count(stops, "stops", "latent_walk")
    try:
        import ipywidgets
    except ImportError as error:
        raise ImportError('the slider needs ipywidgets: pip install "scratchnet[notebooks]"') from error
    places = gan.latents(stops, seed)

    def show(place: float) -> Figure:
        i = int(place) % stops
        z = spherical(places[i], places[(i + 1) % stops], place - int(place))
        return plot.images(as_bytes(gan.decode(z[None]), gan.picture_range), columns=1)

    slider = ipywidgets.FloatSlider(0.0, min=0.0, max=float(stops), step=0.05, description="place", readout=False)
    return ipywidgets.interactive(show, place=slider)
