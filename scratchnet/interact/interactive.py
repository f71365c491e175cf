"""What all interactive figures share: the reader's controls, and a picture where there is no kernel to answer them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Interactive:
    """A figure with controls. As the last value of a cell it shows itself, and is stored as a picture as well.

    In Jupyter the controls call `draw` anew with what the reader has set. A notebook that is read without a kernel, on
    a web page say, shows `draw(**start)`.

    Args:
        draw: gives a figure for the values of all controls.
        start: the value of each control at the beginning, and for the stored picture.
        controls: gives an ipywidgets control for each name in `start`. It is called when a kernel shows the figure, so
            ipywidgets (`pip install "scratchnet[notebooks]"`) is needed only there.
        alt: what the picture shows, in words, for readers who do not see it.
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        start: Mapping[str, Any],
        controls: Callable[[], Mapping[str, Any]],
        alt: str,
    ):
        self.draw, self.start, self.controls, self.alt = draw, dict(start), controls, alt

    def picture(self) -> Figure:
        """The figure as it is at the beginning."""
        return self.draw(**self.start)

    def widget(self) -> Any:
        """The controls above the figure, which they draw anew.

        Raises:
            ImportError: ipywidgets is not installed; the text has the line that installs it.
        """
        try:
            import ipywidgets
        except ImportError as error:
            raise ImportError('controls need ipywidgets: pip install "scratchnet[notebooks]"') from error
        return self.arranged(ipywidgets, dict(self.controls()))

    def arranged(self, ipywidgets: Any, controls: dict[str, Any]) -> Any:
        """The controls, one below the other, and the figure; what a figure with a layout of its own writes anew."""
        output = ipywidgets.interactive_output(self.draw_and_show, controls)
        return ipywidgets.VBox([*controls.values(), output])

    def draw_and_show(self, **values: Any) -> None:
        """Draw the figure for these values, and show it where the caller's output goes."""
        from IPython.display import display

        display(self.draw(**values), metadata={"image/png": {"alt": self.alt}})

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What Jupyter shows: the controls where they can be had, and the picture."""
        buffer = io.BytesIO()
        self.picture().savefig(buffer, format="png")
        bundle: dict[str, Any] = {"text/plain": f"<{self.alt}>", "image/png": buffer.getvalue()}
        try:
            widget = self.widget()
        except ImportError:
            return bundle, {"image/png": {"alt": self.alt}}
        shown = widget._repr_mimebundle_()
        view = shown[0] if isinstance(shown, tuple) else shown
        return {**view, **bundle}, {"image/png": {"alt": self.alt}}
