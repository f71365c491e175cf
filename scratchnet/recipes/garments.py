"""Recipe for the small generator of clothes that notebook 1 shows: `python -m scratchnet.recipes small_garments`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from scratchnet import zoo
from scratchnet.callbacks import BackupAndRestore
from scratchnet.datasets import fashion_mnist_small
from scratchnet.gan import GAN
from scratchnet.random import set_random_seed
from scratchnet.recipes.record import Stopwatch, write_result

LATENT = 32


class Recipe(NamedTuple):
    """What a recipe is, in a few words, and its epochs."""

    what: str
    epochs: int


RECIPES = {"small_garments": Recipe("a small DCGAN, width 16, on the 6,000 embedded garments, 28 x 28", epochs=40)}


def train(name: str, seed: int, folder: Path, epochs: int | None = None) -> dict[str, Any]:
    """Train the generator (N, 32) -> (N, 28, 28, 1), and go on where an earlier call was broken off.

    Args:
        name: one of RECIPES.
        seed: of weights, order and noise.
        folder: where NAME_SEED.safetensors, the generator with averaged weights, its results and the backup go.
        epochs: other than the recipe's.

    Returns:
        What the JSON file holds, besides the date and the machine: the history, and the seconds of each epoch.
    """
    recipe, epochs = RECIPES[name], epochs or RECIPES[name].epochs
    stem, stopwatch = folder / f"{name}_{seed}", Stopwatch()
    (x, _), _ = fashion_mnist_small.load_data()
    set_random_seed(seed)
    gan = GAN(*zoo.dcgan(28, 1, LATENT, 16), LATENT, average=0.998)
    gan.compile(real_label=0.9)
    backup = BackupAndRestore(f"{stem}.backup.safetensors", delete_checkpoint=False)
    history = gan.fit(x[..., None], epochs=epochs, batch_size=32, callbacks=[stopwatch, backup], verbose=2).history
    assert gan.average is not None
    gan.average.copied_model().save(f"{stem}.safetensors")
    result = {"recipe": name, "what": recipe.what, "seed": seed, "seconds": stopwatch.seconds, "history": history}
    write_result(stem, result)
    return result
