"""A GAN in the plane that learns eight clusters of points in seconds: `python -m scratchnet.gan.ring`.

For each of five seeds it prints how many of the clusters are covered, the share of points within three standard
deviations of one, and the time.
"""

from __future__ import annotations

import time
from typing import Any

from scratchnet.callbacks import Callback
from scratchnet.datasets.ring import coverage, ring_of_gaussians
from scratchnet.gan.model import GAN
from scratchnet.layers import Dense
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.random import set_random_seed

LATENT, BATCH = 2, 256
STEPS_PER_EPOCH, EPOCHS = 100, 25


def ring_gan(width: int = 128, **options: Any) -> GAN:
    """A GAN for points of the plane: two hidden layers on each side; compiled.

    The instance noise on what D sees has a standard deviation of a third of the distance between neighbouring clusters,
    so that at first they overlap. As the noise falls to 0 they separate, and G follows. Without it G finds all clusters
    as well, but its points scatter more.

    Args:
        width: of the hidden layers.
        options: of compile; they replace those that are set here.
    """
    generator, discriminator = Sequential(name="generator"), Sequential(name="discriminator")
    generator.add(Dense(width, activation="relu", input_shape=(LATENT,)))
    generator.add(Dense(width, activation="relu"))
    generator.add(Dense(2))
    discriminator.add(Dense(width, activation="leaky_relu", input_shape=(2,)))
    discriminator.add(Dense(width, activation="leaky_relu"))
    discriminator.add(Dense(1))
    gan = GAN(generator, discriminator, LATENT, average=0.999)
    settings = {
        "generator_optimizer": Adam(2e-3, beta_1=0.5),
        "discriminator_optimizer": Adam(4e-3, beta_1=0.5),
        "instance_noise": 0.5,
        "noise_steps": 1500,
    }
    gan.compile(**{**settings, **options})
    return gan


def play(seed: int, epochs: int = EPOCHS, callbacks: list[Callback] | None = None, **options: Any) -> GAN:
    """A ring_gan(**options) from this seed, trained for so many epochs of a hundred steps."""
    set_random_seed(seed)
    gan = ring_gan(**options)
    points = ring_of_gaussians(STEPS_PER_EPOCH * BATCH, seed=seed)
    gan.fit(points, epochs=epochs, batch_size=BATCH, callbacks=callbacks, verbose=0)
    return gan


def main() -> None:
    """Train with five seeds, and print how each came out."""
    ring_gan().train_on_batch(ring_of_gaussians(BATCH))  # compiles the kernels, or reads them from their cache
    begin = time.perf_counter()
    for seed in range(5):
        start = time.perf_counter()
        found = coverage(play(seed).generate(10000, seed))
        seconds = time.perf_counter() - start
        print(f"seed {seed}: {found.modes} of 8 modes, {found.share:.1%} of the points near one, {seconds:.1f} s")
    print(f"all: {time.perf_counter() - begin:.1f} s")


if __name__ == "__main__":
    main()
