"""A picture whose pixels are buttons: the reader clicks one, and the figure below answers."""

from __future__ import annotations

from typing import Any

import numpy as np

_SIDE = "26px"  # of a button
_DOT, _NO_DOT = "●", " "  # not an empty text: JupyterLab would leave the old one there


def pixel_grid(picture: np.ndarray, row: int, column: int) -> Any:
    """A control for `Interactive`: its value is the number of the pixel that was clicked, row * W + column.

    The pixel that is chosen has a dot.

    Args:
        picture: (H, W), shown from nearly white for its smallest number to dark grey for its largest.
        row: of the pixel that is chosen at first.
        column: likewise.

    Raises:
        ImportError: ipywidgets is not installed.
        ValueError: the picture is not of shape (H, W), or has no such pixel.
    """
    import ipywidgets
    import traitlets

    shape = np.shape(picture)
    if len(shape) != 2 or not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise ValueError(f"pixel_grid: expected a picture (H, W) with the pixel ({row}, {column}), got shape {shape}.")
    low, high = float(np.min(picture)), float(np.max(picture))

    def button(value: float) -> Any:
        grey = round(242 * (1 - 0.55 * (value - low) / max(high - low, 1e-12)))
        return ipywidgets.Button(
            description=_NO_DOT,
            layout=ipywidgets.Layout(width=_SIDE, height=_SIDE, margin="0", padding="0"),
            style=ipywidgets.ButtonStyle(button_color=f"#{grey:02x}{grey:02x}{grey:02x}"),
        )

    class PixelGrid(ipywidgets.GridBox):
        """The buttons, and the number of the one that is chosen."""

        value = traitlets.Int()

        def mark(self, change: Any) -> None:
            """The dot goes from one button to the other."""
            self.children[change["old"]].description = _NO_DOT
            self.children[change["new"]].description = _DOT

    buttons = [button(float(value)) for value in np.ravel(picture)]
    grid = PixelGrid(
        buttons, layout=ipywidgets.Layout(grid_template_columns=f"repeat({shape[1]}, {_SIDE})", grid_gap="1px")
    )
    grid.observe(grid.mark, "value")

    def choose(number: int) -> Any:
        return lambda clicked: grid.set_trait("value", number)

    for number, one in enumerate(buttons):
        one.tooltip = "row {}, column {}".format(*divmod(number, shape[1]))
        one.on_click(choose(number))
    buttons[0].description = _DOT
    grid.value = row * shape[1] + column
    return grid
