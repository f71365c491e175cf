"""Which exercises were passed: remembered in a file of the user's cache folder, and sorted by chapter.

The file is exercises.json in the folder that the environment variable SCRATCHNET_CACHE names, or else in the user's
cache folder. Where it cannot be read or written, nothing is remembered, and nothing is said.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from scratchnet.files import whole_file

CHAPTERS: dict[str, tuple[str, ...]] = {
    "00_start_here": ("conv_parameters", "output_size", "accuracy"),
    "01_background": ("by_luck", "balanced_accuracy", "share_of_copies", "nearest_mean"),
    "02_core_concepts": ("count_parameters", "xor", "shift_error", "two_layers"),
    "03_1a_convolution": ("same_padding", "find_diagonal", "transposed_size", "is_transposed", "conv_by_hand"),
    "03_1b_activation_pooling_dense": (
        "softmax",
        "max_pool_gradient",
        "dead_relus",
        "receptive_field",
        "batch_norm",
    ),
    "03_1c_backpropagation": (
        "softmax_cross_entropy_gradient",
        "maximum_backward",
        "numerical_gradient",
        "first_wrong",
        "average_pool_backward",
        "dense_relu_backward",
        "conv2d_backward_stride",
    ),
    "03_1d_training": ("momentum_step", "adam_step", "clip_by_norm", "cosine_rate", "training_loop"),
    "04_1_image_recognition": (
        "one_hot",
        "cross_entropy",
        "confusion_matrix",
        "same_places",
        "mended_loop",
        "honest_evaluation",
    ),
    "03_2_adversarial_networks": (
        "optimal_discriminator",
        "discriminator_loss",
        "generator_loss",
        "objective_at_best",
        "nonsaturating",
    ),
    "04_2_image_generation": ("to_tanh_range", "spherical", "smoothed_loss", "discriminator_gradients"),
    "05_trends_and_challenges": ("power_law", "data_for_half", "fgsm", "classifier_with_gradients"),
    "06_questions_and_answers": ("equal_steps", "accuracy_range", "leaked", "tempered"),
    "07_conclusion_and_errata": ("picture_side", "gain", "training_work", "mended_listing", "leaky_relu"),
    "08_the_references": ("residual_block", "depthwise_count", "deep_network", "squeeze_excitation"),
    "A1_making_convolution_fast": ("conv_work", "tile_registers", "im2col"),
    "A2_on_the_gpu": ("transposed", "block_sums", "reads_per_output", "conv1d_in_two_stages"),
    "A3_measuring_generation": ("frechet_in_one_dimension", "class_entropy", "kernel_distance"),
}
"""The names of the exercises of each notebook, in the order of reading."""

_LONGEST = 1_000_000  # bytes of the file; a longer one is not ours


def passed() -> dict[str, list[str]]:
    """The names of the exercises that were passed on this machine, by chapter; a chapter without one has an empty list.

        >>> sn.check.passed()
        {'00_start_here': ['output_size', 'accuracy'], '03_1d_training': [], ...}

    `sn.check.CHAPTERS` has all of them.
    """
    found = _read()
    return {chapter: [name for name in names if name in found] for chapter, names in CHAPTERS.items()}


def progress_file() -> Path:
    """Where the names are kept. It may not exist yet."""
    if chosen := os.environ.get("SCRATCHNET_CACHE"):
        return Path(chosen).expanduser() / "exercises.json"
    import pooch  # here, not above: importing it takes a tenth of a second

    return Path(pooch.os_cache("scratchnet")) / "exercises.json"


def remember(exercise: Any) -> None:
    """Add an exercise of this package to the passed ones. Never raises."""
    name = name_of(exercise)
    with contextlib.suppress(Exception):
        for _ in range(3):  # another notebook may write its own between our reading and our writing
            names = _read()
            if not name or name in names:
                return
            file = progress_file()
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as out:
                out.write(json.dumps({"passed": sorted(names | {name})}, indent=1).encode())


def name_of(exercise: Any) -> str:
    """The name that `sn.check` has for an exercise; an empty one for somebody's own."""
    ours = vars(sys.modules["scratchnet.check"])
    return next((name for name, value in ours.items() if value is exercise), "")


def chapter_of(exercise: Any) -> str:
    """The notebook to which an exercise belongs; an empty text for somebody's own."""
    name = name_of(exercise)
    return next((chapter for chapter, names in CHAPTERS.items() if name in names), "")


def _read() -> set[str]:
    """The names in the file; none where there is no file, or one that is not ours."""
    try:
        with open(progress_file(), "rb") as file:
            names = json.loads(file.read(_LONGEST))["passed"]
        return {name for name in names if isinstance(name, str)}
    except Exception:
        return set()
