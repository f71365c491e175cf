"""Learning-rate schedules: the rate as a function of the step, steps counted from 0."""

from scratchnet.schedules.base import ConstantRate, Schedule
from scratchnet.schedules.cosine import CosineDecay, CosineDecayRestarts
from scratchnet.schedules.decay import ExponentialDecay, InverseTimeDecay, PolynomialDecay
from scratchnet.schedules.steps import PiecewiseConstantDecay, PiecewiseLinear, StepDecay, WarmUp

__all__ = [
    "ConstantRate",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PiecewiseLinear",
    "PolynomialDecay",
    "Schedule",
    "StepDecay",
    "WarmUp",
]
