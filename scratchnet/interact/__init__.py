"""Figures that answer to the reader's hand, for the notebooks. Each is also a picture, for where no kernel runs.

A file a figure:

    descent         sixty steps of gradient descent in a valley: learning rate and momentum
    interactive     what all share: sliders that draw a figure anew, and the picture that is stored in the notebook
    ring            GANs on eight clouds, from stored runs: what decides, and beta_1
"""

from scratchnet.interact import descent, ring
from scratchnet.interact.interactive import Interactive

__all__ = ["Interactive", "descent", "ring"]
