"""The small generator of clothes that chapter 1 shows, and the three questions that it asks of generated pictures.

`python -m scratchnet.interact.garments FOLDER` trains it anew, in some minutes, and writes FOLDER/garments.safetensors.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scratchnet import generation, zoo
from scratchnet.datasets import fashion_mnist_small
from scratchnet.gan import GAN
from scratchnet.models import Sequential
from scratchnet.random import set_random_seed

LATENT = 32
EPOCHS = 40


def train(epochs: int = EPOCHS, seed: int = 0) -> Sequential:
    """A generator (N, 32) -> (N, 28, 28, 1), trained as a DCGAN on the 6,000 clothes; its weights are averages."""
    (x, _), _ = fashion_mnist_small.load_data()
    set_random_seed(seed)
    gan = GAN(*zoo.dcgan(28, 1, LATENT, 16), LATENT, average=0.998)
    gan.compile(real_label=0.9)
    gan.fit(x[..., None], epochs=epochs, batch_size=32, verbose=2)
    assert gan.average is not None
    return gan.average.copied_model()


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


if __name__ == "__main__":
    train().save(Path(sys.argv[1]) / "garments.safetensors")
