"""What the generator makes of the same noise after each epoch, kept, drawn and animated.

matplotlib comes with `pip install "scratchnet[notebooks]"` and is imported when a figure is drawn.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import plot
from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.callbacks import Callback, Logs
from scratchnet.fields import anything, count, join, list_of, record, refuse
from scratchnet.gan.model import check_gan
from scratchnet.gan.pictures import as_bytes, check_makes_pictures, sheet

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure


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
        self.seed = check_count(seed, "seed", "FixedNoise", 0, None)
        self.frames: dict[int, np.ndarray] = {}

    def get_state(self) -> dict[str, Any]:
        """The sheets, and after which epoch each was made."""
        return {"epochs": list(self.frames), "frames": list(self.frames.values())}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(epochs=list_of(count()), frames=list_of(anything))(state, where)
        if len(state["frames"]) != len(state["epochs"]) or not all(hasattr(f, "shape") for f in state["frames"]):
            raise refuse(join(where, "frames"), "a picture for each of epochs", state["frames"])

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the sheets that `get_state` gave."""
        self.frames = dict(zip(state["epochs"], state["frames"]))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """See that it is a GAN of pictures, and forget the last run."""
        check_gan(self.model, "FixedNoise")
        check_makes_pictures(self.model, "FixedNoise")
        self.frames = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep a sheet."""
        if (epoch + 1) % self.every == 0:
            gan = self.model
            self.frames[epoch + 1] = as_bytes(gan.decode(gan.latents(self.n, self.seed)), gan.picture_range)

    @checked
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

    @checked
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

    @checked
    def save(self, path: str | os.PathLike[str], columns: int = 8, interval: int = 400) -> None:
        """Write the animation as a GIF, which any browser shows.

        Raises:
            ValueError: there is no sheet, or the file's name does not end in .gif.
        """
        if Path(path).suffix != ".gif":
            raise ValueError(f"FixedNoise: expected a file that ends in .gif, got {str(path)!r}.")
        self.animation(columns, interval).save(os.fspath(path), writer="pillow")
