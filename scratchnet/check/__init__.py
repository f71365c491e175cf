"""Checkers for the notebooks' exercises: `check.NAME(function)` says at once whether a reader's function is right.

Two kinds of exercise; both compare on every case, show the smallest that fails, and name the likely mistake:

- `Exercise(title, right, cases, mistakes)`: any function. `right` may return several values in a tuple. Options, by
  name: `dtype=np.float32` where the text asks for a type of numbers, `returns=("w", "v")` to name several values.
- `GradientExercise(title, right, cases, mistakes)`: a forward with its backward. `right` and the reader's function
  take the arguments of the forward and then dy, and return (y, dx, dw, ...), named after the arguments of `right`;
  `returns=(...)` names them otherwise. The answer is a table with the relative error of each gradient.

`mistakes` is {hint: function, or several functions}, written as a reader would write them. A number is right to 1e-5 of
the largest one in its array, so that float32 will do; lists count as arrays; whole numbers must be met exactly.

`passed()` names the exercises that were passed, by chapter. They are remembered in the user's cache folder, or in the
one that SCRATCHNET_CACHE names. A new exercise is imported here, and entered in `CHAPTERS` (progress.py).
"""

from scratchnet.check.adversarial import nonsaturating, objective_at_best
from scratchnet.check.answers import accuracy_range, equal_steps, leaked, tempered
from scratchnet.check.background import balanced_accuracy, by_luck, nearest_mean, share_of_copies
from scratchnet.check.backpropagation import maximum_backward, numerical_gradient, softmax_cross_entropy_gradient
from scratchnet.check.closing import gain, picture_side
from scratchnet.check.concepts import count_parameters, shift_error, two_layers, xor
from scratchnet.check.conclusion import leaky_relu, mended_listing, training_work
from scratchnet.check.convolution import conv_parameters, conv_work, im2col, output_size, tile_registers
from scratchnet.check.convolving import conv_by_hand, find_diagonal, same_padding, transposed_size
from scratchnet.check.descent import training_loop
from scratchnet.check.exercise import Exercise, Verdict
from scratchnet.check.experiments import honest_evaluation, mended_loop, same_places
from scratchnet.check.generation import (
    discriminator_loss,
    generator_loss,
    optimal_discriminator,
    spherical,
    to_tanh_range,
)
from scratchnet.check.gpu_kernels import block_sums, conv1d_in_two_stages, reads_per_output, transposed
from scratchnet.check.gradients import GradientExercise
from scratchnet.check.layers import batch_norm, dead_relus, max_pool_gradient, receptive_field, softmax
from scratchnet.check.layers_backward import conv2d_backward_stride, dense_relu_backward
from scratchnet.check.measuring import discriminator_gradients, kernel_distance
from scratchnet.check.progress import CHAPTERS, passed
from scratchnet.check.recognition import accuracy, confusion_matrix, cross_entropy, one_hot
from scratchnet.check.references import deep_network, depthwise_count, residual_block, squeeze_excitation
from scratchnet.check.scaling import classifier_with_gradients, data_for_half, fgsm, power_law
from scratchnet.check.scores import class_entropy, frechet_in_one_dimension
from scratchnet.check.smoothing import smoothed_loss
from scratchnet.check.steps import adam_step, momentum_step
from scratchnet.check.training import clip_by_norm, cosine_rate
from scratchnet.check.transposing import is_transposed
from scratchnet.check.wrong_gradients import average_pool_backward, first_wrong

__all__ = [
    "CHAPTERS",
    "Exercise",
    "GradientExercise",
    "Verdict",
    "accuracy",
    "accuracy_range",
    "adam_step",
    "average_pool_backward",
    "balanced_accuracy",
    "batch_norm",
    "block_sums",
    "by_luck",
    "class_entropy",
    "classifier_with_gradients",
    "clip_by_norm",
    "confusion_matrix",
    "conv1d_in_two_stages",
    "conv2d_backward_stride",
    "conv_by_hand",
    "conv_parameters",
    "conv_work",
    "cosine_rate",
    "count_parameters",
    "cross_entropy",
    "data_for_half",
    "dead_relus",
    "deep_network",
    "dense_relu_backward",
    "depthwise_count",
    "discriminator_gradients",
    "discriminator_loss",
    "equal_steps",
    "fgsm",
    "find_diagonal",
    "first_wrong",
    "frechet_in_one_dimension",
    "gain",
    "generator_loss",
    "honest_evaluation",
    "im2col",
    "is_transposed",
    "kernel_distance",
    "leaked",
    "leaky_relu",
    "max_pool_gradient",
    "maximum_backward",
    "mended_listing",
    "mended_loop",
    "momentum_step",
    "nearest_mean",
    "nonsaturating",
    "numerical_gradient",
    "objective_at_best",
    "one_hot",
    "optimal_discriminator",
    "output_size",
    "passed",
    "picture_side",
    "power_law",
    "reads_per_output",
    "receptive_field",
    "residual_block",
    "same_padding",
    "same_places",
    "share_of_copies",
    "shift_error",
    "smoothed_loss",
    "softmax",
    "softmax_cross_entropy_gradient",
    "spherical",
    "squeeze_excitation",
    "tempered",
    "tile_registers",
    "to_tanh_range",
    "training_loop",
    "training_work",
    "transposed",
    "transposed_size",
    "two_layers",
    "xor",
]
