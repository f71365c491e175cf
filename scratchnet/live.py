"""The curves of a run while it runs: a figure in a notebook that grows by a point an epoch."""

from __future__ import annotations

import sys
from typing import Any

from scratchnet import plot
from scratchnet.callbacks import Callback, Logs


class LiveCurve(Callback):
    """After each epoch, redraws loss and metrics so far in one figure, as `sn.plot.history` draws them.

    With verbose=0 in fit, the figure is all that is shown. Outside of a notebook it does nothing.

    Args:
        title: above the figure.

    Raises:
        ImportError: matplotlib is not installed; the text has the line that installs it.
    """

    runs_last = True  # other callbacks may add to the logs before

    def __init__(self, title: str | None = None):
        self.title = title
        self.display: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """A new figure for a new run."""
        plot.pyplot()  # raises now, and not after an epoch, where matplotlib is missing
        self.display = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Draw it anew."""
        show = _notebook_display()
        if show is None:
            return
        figure = plot.history(self.model.history, self.title)
        if self.display is None:
            self.display = show(figure, display_id=True)
        else:
            self.display.update(figure)


def _notebook_display() -> Any:
    """IPython's function that shows a figure, or None outside of a notebook."""
    ipython: Any = sys.modules.get("IPython")  # in a notebook it is imported already
    shell = ipython.get_ipython() if ipython else None
    return ipython.display.display if hasattr(shell, "kernel") else None
