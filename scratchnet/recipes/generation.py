"""Recipes for generation: the DCGAN on Fashion-MNIST and on CIFAR-10, with its scores and its pictures."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scratchnet import plot, zoo
from scratchnet.callbacks import BackupAndRestore, ModelCheckpoint
from scratchnet.datasets import cifar10, fashion_mnist_small
from scratchnet.files import whole_file
from scratchnet.gan import GAN, FixedNoise, GANMonitor, sheet
from scratchnet.generation import GenerationMetrics, report
from scratchnet.random import set_random_seed
from scratchnet.recipes.record import Stopwatch, write_result
from scratchnet.saving import load_model

SIZE = 32
LATENT = 100
REAL_LABEL = 0.9
MEASURED = 2000  # pictures on which the distance is measured after each epoch
SHOWN = (1, 2, 5, 10)  # epochs after which a sheet of pictures is written; one more after the last
COLUMNS = 10


def _fashion() -> tuple[np.ndarray, str]:
    (x, _), _ = fashion_mnist_small.load_data()
    margin = (SIZE - x.shape[1]) // 2
    return np.pad(x, [(0, 0), (margin, margin), (margin, margin)])[..., None], "fashion_mnist"


def _cifar10() -> tuple[np.ndarray, str]:
    (x, _), _ = cifar10.load_data()
    return x, "cifar10"


class Recipe(NamedTuple):
    """How to train a DCGAN of 32 x 32 pixels.

    Attributes:
        what: in a few words.
        data: returns the real pictures, uint8, and the name of the classifier in whose features the distance is
            measured.
        epochs, batch_size: as in fit.
        width: of the networks, see `zoo.dcgan`.
        average: momentum of the moving average of G.
    """

    what: str
    data: Callable[[], tuple[np.ndarray, str]]
    epochs: int
    batch_size: int = 64
    width: int = 64
    average: float = 0.998


RECIPES = {
    "fashion_dcgan": Recipe("the DCGAN on the 6,000 embedded garments, with a margin to 32 x 32", _fashion, epochs=20),
    "cifar10_dcgan": Recipe("the DCGAN on CIFAR-10", _cifar10, epochs=10),
}


def make(recipe: Recipe, channels: int) -> GAN:
    """The compiled GAN: `zoo.dcgan` and the DCGAN paper's Adam, with one-sided smoothing and an average of G.

    Those two are not the paper's, nor are batches of 64, its are of 128, and normal noise: see `zoo.dcgan`.
    """
    gan = GAN(*zoo.dcgan(SIZE, channels, LATENT, recipe.width), LATENT, average=recipe.average)
    gan.compile(real_label=REAL_LABEL)
    return gan


def train(name: str, seed: int, folder: Path, epochs: int | None = None) -> dict[str, Any]:
    """Train by a recipe, and go on where an earlier call with the same arguments was broken off.

    Args:
        name: one of RECIPES.
        seed: of weights, order and noise.
        folder: where models, backup, results and pictures go: NAME_SEED.safetensors (the last), .best.safetensors,
            .backup.safetensors, .json, and _epochN.png, pictures of the same noise after epoch N.
        epochs: other than the recipe's.

    Returns:
        What the JSON file holds: the seconds of each epoch; the history with the distance after each, and how many
        samples that distance was measured on, with the floor for as many; the scores of the last and of the best
        generator, on more samples, beside floor and noise. The file also has the date and the machine.
    """
    plot.pyplot()  # raises now, and not after the training, where matplotlib is missing
    recipe, epochs = RECIPES[name], epochs or RECIPES[name].epochs
    stem = folder / f"{name}_{seed}"
    x, classifier = recipe.data()
    set_random_seed(seed)
    gan = make(recipe, x.shape[-1])
    stopwatch, noise = Stopwatch(), FixedNoise(6 * COLUMNS)
    metrics = GenerationMetrics(x, classifier, min(MEASURED, len(x) // 2))
    callbacks = [
        stopwatch,
        metrics,
        GANMonitor(),
        noise,
        ModelCheckpoint(f"{stem}.best.safetensors", "fcd", save_best_only=True),
        BackupAndRestore(f"{stem}.backup.safetensors", delete_checkpoint=False),
    ]
    print(f"{name}, seed {seed}: {recipe.what}; {gan.count_params():,} parameters, {len(x):,} pictures")
    history = gan.fit(x, epochs=epochs, batch_size=recipe.batch_size, callbacks=callbacks).history
    gan.save(f"{stem}.safetensors")
    best = load_model(f"{stem}.best.safetensors")
    count = len(x) // 2
    result = {
        "recipe": name,
        "what": recipe.what,
        "seed": seed,
        "parameters": gan.count_params(),
        "training_pictures": len(x),
        "seconds": stopwatch.seconds,
        "history": history,
        "measured": {"samples": metrics.n, "floor": metrics.floor},
        "last": report(x, gan.generate(count, seed=1), classifier).as_dict(),
        "best": report(x, best.generate(count, seed=1), classifier).as_dict(),
    }
    for epoch in sorted({*SHOWN, epochs} & noise.frames.keys()):
        _write_picture(f"{stem}_epoch{epoch}.png", sheet(noise.frames[epoch], COLUMNS))
    write_result(stem, result)
    print(f"{name}, seed {seed}, after {sum(stopwatch.seconds):.0f} s:\n{report_text(result)}")
    return result


def train_with_torch(name: str, seed: int, folder: Path, python: str, epochs: int | None = None) -> dict[str, Any]:
    """Train the same network in a Python that has PyTorch, measure it alike, write NAME_torch_SEED.json.

    Raises:
        subprocess.CalledProcessError: that Python failed; its own message is printed before.
    """
    recipe, epochs = RECIPES[name], epochs or RECIPES[name].epochs
    x, classifier = recipe.data()
    settings = torch_settings(recipe, seed, epochs, len(x) // 2)
    program = Path(__file__).with_name("torch_dcgan.py")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        pictures, generated = Path(place) / "pictures.npy", Path(place) / "generated.npy"
        np.save(pictures, x)
        subprocess.run([python, program, pictures, generated, json.dumps(settings)], check=True)
        made = np.load(generated)
    seconds = round(time.perf_counter() - start, 2)
    last = report(x, made, classifier).as_dict()
    result = {"recipe": name, "with": "PyTorch", "seed": seed, "seconds": [seconds], "last": last}
    write_result(folder / f"{name}_torch_{seed}", result)
    print(f"{name} in PyTorch, seed {seed}, after {seconds:.0f} s: FCD {last['generated']['fcd']:.3f}")
    return result


def torch_settings(recipe: Recipe, seed: int, epochs: int, count: int) -> dict[str, Any]:
    """The settings of `torch_dcgan.py`, as JSON can hold them."""
    own = {"batch_size": recipe.batch_size, "width": recipe.width, "average": recipe.average}
    return {**own, "seed": seed, "epochs": epochs, "latent_dim": LATENT, "real_label": REAL_LABEL, "count": count}


def report_text(result: dict[str, Any]) -> str:
    """The distances of a result in a line."""
    last, best = result["last"], result["best"]
    floor, noise = (last[of]["fcd"] for of in ("floor", "noise"))
    return (
        f"FCD {last['generated']['fcd']:.3f} after the last epoch, {best['generated']['fcd']:.3f} at its best; floor "
        f"{floor:.3f}, noise {noise:.1f}; {last['samples']:,} samples, classifier {last['hash']}"
    )


def _write_picture(path: str, picture: np.ndarray) -> None:
    from matplotlib import image

    with whole_file(path) as file:
        grey = picture.shape[-1] == 1
        image.imsave(file, picture[..., 0] if grey else picture, format="png", cmap="gray" if grey else None)
