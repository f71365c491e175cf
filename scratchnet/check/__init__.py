"""Checkers for the notebooks' exercises: `check.NAME(function)` says at once whether a reader's function is right.

Two kinds of exercise; both compare on every case, show the smallest that fails, and name the likely mistake:

- `Exercise(title, right, cases, mistakes)`: any function. `right` may return several values in a tuple. Options, by
  name: `dtype=np.float32` where the text asks for a type of numbers, `returns=("w", "v")` to name several values.
- `GradientExercise(title, right, cases, mistakes)`: a forward with its backward. `right` and the reader's function
  take the arguments of the forward and then dy, and return (y, dx, dw, ...), named after the arguments of `right`;
  `returns=(...)` names them otherwise. The answer is a table with the relative error of each gradient.

`mistakes` is {hint: function, or several functions}, written as a reader would write them. A number is right to 1e-5 of
the largest one in its array, so that float32 will do; lists count as arrays; whole numbers must be met exactly.

`passed()` names the exercises that were passed, by chapter; a new one is entered in `CHAPTERS` (progress.py).
"""

from scratchnet.check.conclusion import mended_listing, objective, training_work
from scratchnet.check.convolution import conv_parameters, conv_work, im2col, output_size, tile_registers
from scratchnet.check.exercise import Exercise, Verdict
from scratchnet.check.generation import (
    discriminator_loss,
    generator_loss,
    optimal_discriminator,
    spherical,
    to_tanh_range,
)
from scratchnet.check.gradients import GradientExercise
from scratchnet.check.progress import CHAPTERS, passed
from scratchnet.check.recognition import accuracy, confusion_matrix, cross_entropy, one_hot
from scratchnet.check.scores import class_entropy, frechet_in_one_dimension
from scratchnet.check.training import adam_step, clip_by_norm, cosine_rate, momentum_step

__all__ = [
    "CHAPTERS",
    "Exercise",
    "GradientExercise",
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
    "im2col",
    "mended_listing",
    "momentum_step",
    "objective",
    "one_hot",
    "optimal_discriminator",
    "output_size",
    "passed",
    "spherical",
    "tile_registers",
    "to_tanh_range",
    "training_work",
]
