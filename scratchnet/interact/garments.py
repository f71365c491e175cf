"""The three questions that chapter 1 asks of generated pictures of clothes: real, varied, new?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from scratchnet import generation


class Answers(NamedTuple):
    """What is asked of a set of pictures.

    Attributes:
        distance: is it like the real ones? The Frechet distance to them in the recognizer's features; 0 if alike.
        classes: is it varied? exp(entropy) of the classes that the recognizer sees: 10 if all come equally often.
        nearest: is it new? The median distance, in pixels, to the nearest picture that was learnt from; 0 for copies.
    """

    distance: float
    classes: float
    nearest: float


def ask(sets: Mapping[str, np.ndarray], learnt: np.ndarray) -> dict[str, Answers]:
    """The three answers for each set of pictures.

    Args:
        sets: {name: pictures (N, 28, 28)}, uint8 from 0 to 255 or floats from -1 to 1.
        learnt: the pictures that a generator learnt from, uint8, (M, 28, 28).
    """
    judge = generation.classifier("fashion_mnist")
    real, answers = judge.features(learnt), {}
    for name, x in sets.items():
        features = judge.features(x)
        counts = generation.class_histogram(judge.predict(features))
        _, nearest = generation.nearest_training_pictures(
            x[:200], learnt, fake_range=(0, 255) if x.dtype == np.uint8 else (-1, 1)
        )
        answers[name] = Answers(
            generation.frechet_distance(real, features),
            float(np.exp(generation.entropy(counts))),
            float(np.median(nearest)),
        )
    return answers
