"""plot_model: the picture of a model in a file, under Keras's name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scratchnet import plot
from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.models.model import Model
from scratchnet.saving import PathLike
from scratchnet.signatures import OnlyDefault

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 2**16 - 1  # pixels that matplotlib draws in one direction


@checked
def plot_model(
    model: Model,
    to_file: PathLike | None = "model.png",
    show_shapes: bool = False,
    show_dtype: OnlyDefault = False,
    show_layer_names: bool = False,
    rankdir: OnlyDefault = "TB",
    expand_nested: OnlyDefault = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: OnlyDefault = "ortho",
) -> Figure:
    """Draw the graph of a model, by `scratchnet.plot.model`, and write it into a file. It needs matplotlib alone.

    Args:
        model: a Sequential that is built, or a Model of a graph.
        to_file: its end says the kind: .png, .pdf, .svg, ...; None writes nothing.
        show_shapes: whether the shape of what a layer gives stands below it.
        show_layer_names: whether the layer's name stands under its kind.
        dpi: pixels per inch; fewer where the picture would be higher than 65,535 pixels.
        show_layer_activations: whether the activation that a layer ends in stands behind its kind.
        show_trainable: whether a box with weights says if they are trained.

    Returns:
        The figure, which a notebook shows.

    Raises:
        RuntimeError: the model is not built yet.
        ValueError: dpi below 1, or an unknown kind of file.

    Source: Keras, https://keras.io/api/utils/model_plotting_utils/
    """
    check_count(dpi, "dpi", "plot_model")
    figure = plot.model(model, show_shapes, show_layer_names, show_layer_activations, show_trainable)
    if to_file is not None:
        figure.savefig(os.fspath(to_file), dpi=min(dpi, MOST / max(figure.get_size_inches())))
    return figure
