"""What all figures have in common: colours, sizes, and the way to a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.devices import to_numpy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAIN, TEST, RIGHT, WRONG, NEUTRAL = "#0072B2", "#D55E00", "#009E73", "#CC3311", "#666666"
STYLE = {
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
WIDTH = 9.0  # inches; a notebook's column


def pyplot() -> Any:
    """matplotlib.pyplot, imported when it is first needed.

    Raises:
        ImportError: it is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError('figures need matplotlib: pip install "scratchnet[notebooks]"') from error
    return pyplot


def _figure(rows: int, columns: int, size: tuple[float, float], **options: Any) -> tuple[Figure, np.ndarray]:
    """A styled figure and its axes as a 2-D array, closed for pyplot: a notebook shows what a cell returns, once."""
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **options)
        plt.close(figure)
    return figure, axes


def _picture(x: np.ndarray) -> np.ndarray:
    """(H, W), (H, W, 1) or (H, W, 3); uint8, or float in [0, 1] or [-1, 1]: as imshow takes it."""
    x = to_numpy(x)
    if x.ndim == 3 and x.shape[-1] == 1:
        x = x[..., 0]
    if x.dtype == np.uint8:
        return x / 255.0
    return np.clip((x + 1) / 2 if x.min() < 0 else x, 0, 1)
