"""Figures that answer to the reader's hand, for the notebooks. Each is also a picture, for where no kernel runs.

A file a figure:

    gradient_paths  every path that a gradient takes through a small network, from the loss back to a pixel
    number_graph    a neuron and its loss as a graph, with values forward and gradients backward
    interactive     what all share: sliders that draw a figure anew, and the picture that is stored in the notebook
    convolution     point at an output cell: patch x kernel -> products -> sum; the same as a film
    editor          a picture under a 3 x 3 kernel that the reader writes
    scene           a picture like a photograph, computed
"""

from scratchnet.interact.convolution import Film, convolution, convolution_film, correlate, draw_convolution, signed
from scratchnet.interact.editor import KERNELS, KernelEditor, draw_kernel, draw_response, kernel_editor
from scratchnet.interact.gradient_paths import draw_gradient_paths, gradient_paths
from scratchnet.interact.interactive import Interactive
from scratchnet.interact.number_graph import draw_number_graph, flow_numbers, number_graph
from scratchnet.interact.paths import Path, SmallNetwork
from scratchnet.interact.scene import scene

__all__ = [
    "KERNELS",
    "Film",
    "Interactive",
    "KernelEditor",
    "Path",
    "SmallNetwork",
    "convolution",
    "convolution_film",
    "correlate",
    "draw_convolution",
    "draw_gradient_paths",
    "draw_kernel",
    "draw_number_graph",
    "draw_response",
    "flow_numbers",
    "gradient_paths",
    "kernel_editor",
    "number_graph",
    "scene",
    "signed",
]
