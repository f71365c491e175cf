"""Checkers for the notebooks' exercises: `check.NAME(function)` says at once whether a reader's function is right."""

from scratchnet.check.convolution import conv_parameters, conv_work, im2col, output_size, tile_registers
from scratchnet.check.exercise import Exercise, Verdict
from scratchnet.check.recognition import accuracy, confusion_matrix, cross_entropy, one_hot
from scratchnet.check.training import adam_step, clip_by_norm, cosine_rate, momentum_step

__all__ = [
    "Exercise",
    "Verdict",
    "accuracy",
    "adam_step",
    "clip_by_norm",
    "confusion_matrix",
    "conv_parameters",
    "conv_work",
    "cosine_rate",
    "cross_entropy",
    "im2col",
    "momentum_step",
    "one_hot",
    "output_size",
    "tile_registers",
]
