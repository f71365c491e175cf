"""Keras's place for learning-rate schedules; they are explained in `scratchnet.schedules`."""

from scratchnet.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from scratchnet.schedules import Schedule as LearningRateSchedule

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]
