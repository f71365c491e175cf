"""Figures that answer to the reader's hand, for the notebooks. Each is also a picture, for where no kernel runs.

A file a figure:

    ideas           the ideas of the book, those that the reader has tried, and the way to each
    interactive     what all share: sliders that draw a figure anew, and the picture that is stored in the notebook
"""

from scratchnet.interact.ideas import map_of_ideas
from scratchnet.interact.interactive import Interactive

__all__ = ["Interactive", "map_of_ideas"]
