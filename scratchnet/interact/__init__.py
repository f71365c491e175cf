"""Figures that answer to the reader's hand, for the notebooks. Each is also a picture, for where no kernel runs.

A file a figure:

    block_steps     a block of a GPU's threads step by step: who touches which cell, where the barriers stand
    convolution     point at an output cell: patch x kernel -> products -> sum; the same as a film
    descent         sixty steps of gradient descent in a valley: learning rate and momentum
    drawing         a board to draw on: what is drawn is recognized at once, beside generated pictures
    editor          a picture under a 3 x 3 kernel that the reader writes
    gpu_memory      pictures only: sectors, banks, and which lane of a warp holds which number
    folding         a plane folded by more and more ReLUs
    gradient_paths  every path that a gradient takes through a small network; the reader clicks a pixel
    ideas           the ideas of the book, coloured by the exercises that were passed
    latent          a walk through a generator's noise: the picture at the slider, beside the whole walk
    number_graph    a neuron and its loss as a graph, with values forward and gradients backward
    ring            GANs on eight clouds, from stored runs: what decides, and beta_1
    sharing         from a dense layer to a convolution in five stops: parameters fall, accuracy is measured

and what they are made of:

    garments        three questions for generated pictures of clothes
    interactive     what all share: controls that draw a figure anew, and the picture that is stored in the notebook
    paths           the paths of a gradient, as numbers
    pixel_grid      a picture whose pixels are buttons
    scene           a picture like a photograph, computed
"""

from scratchnet.interact.block_steps import block_steps, draw_step
from scratchnet.interact.convolution import Film, convolution, convolution_film, correlate, draw_convolution, signed
from scratchnet.interact.editor import KERNELS, KernelEditor, draw_kernel, draw_response, kernel_editor
from scratchnet.interact.folding import folded_plane
from scratchnet.interact.gpu_memory import draw_banks, draw_fragments, draw_sectors
from scratchnet.interact.gradient_paths import draw_gradient_paths, gradient_paths
from scratchnet.interact.ideas import map_of_ideas
from scratchnet.interact.interactive import Interactive
from scratchnet.interact.latent import draw_latent_walk, latent_at, latent_walk
from scratchnet.interact.number_graph import draw_number_graph, flow_numbers, number_graph
from scratchnet.interact.paths import Path, SmallNetwork
from scratchnet.interact.pixel_grid import pixel_grid
from scratchnet.interact.scene import scene

__all__ = [
    "KERNELS",
    "Film",
    "Interactive",
    "KernelEditor",
    "Path",
    "SmallNetwork",
    "block_steps",
    "convolution",
    "convolution_film",
    "correlate",
    "draw_banks",
    "draw_convolution",
    "draw_fragments",
    "draw_gradient_paths",
    "draw_kernel",
    "draw_latent_walk",
    "draw_number_graph",
    "draw_response",
    "draw_sectors",
    "draw_step",
    "flow_numbers",
    "folded_plane",
    "gradient_paths",
    "kernel_editor",
    "latent_at",
    "latent_walk",
    "map_of_ideas",
    "number_graph",
    "pixel_grid",
    "scene",
    "signed",
]
