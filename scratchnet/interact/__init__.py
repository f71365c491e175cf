"""Figures that answer to the reader's hand, for the notebooks. Each is also a picture, for where no kernel runs.

A file a figure:

    folding         a plane folded by ReLUs, and the flat pieces between the creases
    interactive     what all share: sliders that draw a figure anew, and the picture that is stored in the notebook
"""

from scratchnet.interact.folding import folded_plane
from scratchnet.interact.interactive import Interactive

__all__ = ["Interactive", "folded_plane"]
