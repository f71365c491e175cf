"""Checkers for the notebooks' exercises: `check.NAME(function)` says at once whether a reader's function is right."""

from scratchnet.check.convolution import conv_parameters, conv_work, im2col, output_size, tile_registers
from scratchnet.check.exercise import Exercise, Verdict
from scratchnet.check.experiments import honest_evaluation, mended_loop, same_places
from scratchnet.check.generation import (
    class_entropy,
    discriminator_loss,
    frechet_in_one_dimension,
    generator_loss,
    optimal_discriminator,
    spherical,
    to_tanh_range,
)
from scratchnet.check.recognition import accuracy, confusion_matrix, cross_entropy, one_hot
from scratchnet.check.training import adam_step, clip_by_norm, cosine_rate, momentum_step

__all__ = [
    "Exercise",
    "Verdict",
    "accuracy",
    "adam_step",
    "class_entropy",
    "clip_by_norm",
    "confusion_matrix",
    "conv_parameters",
    "conv_work",
    "cosine_rate",
    "cross_entropy",
    "discriminator_loss",
    "frechet_in_one_dimension",
    "generator_loss",
    "honest_evaluation",
    "im2col",
    "mended_loop",
    "momentum_step",
    "one_hot",
    "optimal_discriminator",
    "output_size",
    "same_places",
    "spherical",
    "tile_registers",
    "to_tanh_range",
]
