"""Figures that answer to the reader's hand, for the notebooks. Each is also a picture, for where no kernel runs.

A file a figure:

    gradient_paths  every path that a gradient takes through a small network, from the loss back to a pixel
    number_graph    a neuron and its loss as a graph, with values forward and gradients backward
    interactive     what all share: sliders that draw a figure anew, and the picture that is stored in the notebook
    paths           the paths themselves, as numbers
    pixel_grid      a picture whose pixels are buttons
"""

from scratchnet.interact.gradient_paths import draw_gradient_paths, gradient_paths
from scratchnet.interact.interactive import Interactive
from scratchnet.interact.number_graph import draw_number_graph, flow_numbers, number_graph
from scratchnet.interact.paths import Path, SmallNetwork
from scratchnet.interact.pixel_grid import pixel_grid

__all__ = [
    "Interactive",
    "Path",
    "SmallNetwork",
    "draw_gradient_paths",
    "draw_number_graph",
    "flow_numbers",
    "gradient_paths",
    "number_graph",
    "pixel_grid",
]
