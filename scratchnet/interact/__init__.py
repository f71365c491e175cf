"""Figures that answer to the reader's hand, for the notebooks. Each is also a picture, for where no kernel runs.

A file a figure:

    interactive     what all share: sliders that draw a figure anew, and the picture that is stored in the notebook
    convolution     point at an output cell: patch x kernel -> products -> sum; the same as a film
    editor          a picture under a 3 x 3 kernel that the reader writes
    scene           a picture like a photograph, computed
"""

from scratchnet.interact.convolution import Film, convolution, convolution_film, correlate, draw_convolution, signed
from scratchnet.interact.editor import KERNELS, KernelEditor, draw_kernel, draw_response, kernel_editor
from scratchnet.interact.interactive import Interactive
from scratchnet.interact.scene import scene

__all__ = [
    "KERNELS",
    "Film",
    "Interactive",
    "KernelEditor",
    "convolution",
    "convolution_film",
    "correlate",
    "draw_convolution",
    "draw_kernel",
    "draw_response",
    "kernel_editor",
    "scene",
    "signed",
]
