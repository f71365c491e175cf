"""Figures in one style: pictures, curves, confusion matrix, filters, a picture on its way through a network, models.

Every function returns the matplotlib figure and draws nothing else, so that a notebook shows it once. matplotlib comes
with `pip install "scratchnet[notebooks]"` and is imported only when a figure is drawn. Colours are those of Okabe and
Ito, which readers with any kind of colour vision can tell apart; the same colour means the same thing everywhere:
TRAIN for training, TEST for test or validation data, RIGHT and WRONG for answers.
"""

from scratchnet.plot.figures import (
    confusion_matrix,
    filters,
    history,
    images,
    most_different,
    roofline,
    speeds,
    through_network,
    times,
)
from scratchnet.plot.model import model
from scratchnet.plot.style import NEUTRAL, RIGHT, STYLE, TEST, TRAIN, WIDTH, WRONG, _figure, _picture, pyplot

__all__ = [
    "NEUTRAL",
    "RIGHT",
    "STYLE",
    "TEST",
    "TRAIN",
    "WIDTH",
    "WRONG",
    "_figure",
    "_picture",
    "confusion_matrix",
    "filters",
    "history",
    "images",
    "model",
    "most_different",
    "pyplot",
    "roofline",
    "speeds",
    "through_network",
    "times",
]
