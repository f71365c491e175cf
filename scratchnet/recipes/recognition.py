"""Recipes for recognition on CIFAR-10: which network, how it is trained, and what is written down of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scratchnet import zoo
from scratchnet.augment import Augment
from scratchnet.callbacks import BackupAndRestore, ExponentialMovingAverage
from scratchnet.datasets import cifar10
from scratchnet.layers import Normalization, Rescaling
from scratchnet.losses import SparseCategoricalCrossentropy
from scratchnet.metrics import confusion_matrix
from scratchnet.models import Sequential
from scratchnet.optimizers import SGD
from scratchnet.random import set_random_seed
from scratchnet.recipes.record import Stopwatch, write_result
from scratchnet.schedules import CosineDecay

HELD_OUT = 5000  # training pictures that are for validation, where the test set is not


class Recipe(NamedTuple):
    """How to train on CIFAR-10.

    Attributes:
        what: in a few words.
        make: the compiled network, given the number of steps in all.
        epochs, batch_size: as in fit.
        augment: what happens to the pictures.
        average: momentum of the moving average of the weights, 0 for none.
        held_out: training pictures for validation; 0 takes the test set for that, as the article does.
    """

    what: str
    make: Callable[[int], Sequential]
    epochs: int = 10
    batch_size: int = 32
    augment: Augment | None = None
    average: float = 0.0
    held_out: int = HELD_OUT


def _article(steps: int) -> Sequential:
    model = zoo.article_cnn(first=[Rescaling(1 / 255)])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _normalized() -> Normalization:
    return Normalization(mean=[255 * m for m in cifar10.MEAN], variance=[(255 * s) ** 2 for s in cifar10.STD])


def _article_better(steps: int) -> Sequential:
    model = zoo.article_cnn(first=[_normalized()])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _small(steps: int) -> Sequential:
    model = zoo.small_cnn(first=[_normalized()])
    # Up for a sixth of the steps, then down to nothing: large rates find a good region, small ones its bottom.
    rate = CosineDecay(0.0, steps - steps // 6, warmup_target=0.1, warmup_steps=steps // 6)
    loss = SparseCategoricalCrossentropy(label_smoothing=0.1)
    model.compile(SGD(rate, 0.9, nesterov=True, weight_decay=5e-4), loss, metrics=["accuracy"])
    return model


RECIPES = {
    "cifar10_article": Recipe("the article's network and settings, the test set as validation", _article, held_out=0),
    "cifar10_augmented": Recipe("the same, with normalization and augmentation", _article_better, augment=Augment()),
    "cifar10_small": Recipe(
        "577,514 parameters, batch normalization, augmentation, one cycle of the rate, averaged weights",
        _small,
        epochs=15,
        batch_size=128,
        augment=Augment(),
        average=0.998,
    ),
}


def train(name: str, seed: int, folder: Path, epochs: int | None = None) -> dict[str, Any]:
    """Train by a recipe, and go on where an earlier call with the same arguments was broken off.

    Args:
        name: one of RECIPES.
        seed: of weights, order, augmentation.
        folder: where the model, the backup and the results go, as NAME_SEED.safetensors, .backup.safetensors, .json.
        epochs: other than the recipe's.

    Returns:
        What the JSON file holds: the history, the seconds of each epoch, the test set's accuracy and confusion matrix,
        the first layer's filters; the file also has the date and the machine.
    """
    recipe, epochs = RECIPES[name], epochs or RECIPES[name].epochs
    stem = folder / f"{name}_{seed}"
    (x, y), (x_test, y_test) = cifar10.load_data()
    kept = len(x) - recipe.held_out
    validation = (x[kept:], y[kept:]) if recipe.held_out else (x_test, y_test)
    set_random_seed(seed)
    model = recipe.make(epochs * -(-kept // recipe.batch_size))
    stopwatch = Stopwatch()
    watchers = [stopwatch, BackupAndRestore(f"{stem}.backup.safetensors", delete_checkpoint=False)]
    if recipe.average:
        watchers.insert(0, ExponentialMovingAverage(recipe.average))
    print(f"{name}, seed {seed}: {recipe.what}; {model.count_params():,} parameters, {kept:,} training pictures")
    record = model.fit(
        x[:kept],
        y[:kept],
        recipe.batch_size,
        epochs,
        validation_data=validation,
        callbacks=watchers,
        augment=recipe.augment,
    )
    model.save(f"{stem}.safetensors")
    answers = model.predict(x_test).argmax(axis=1)
    result = {
        "recipe": name,
        "what": recipe.what,
        "seed": seed,
        "parameters": model.count_params(),
        "training_pictures": kept,
        "seconds": stopwatch.seconds,
        "history": record.history,
        "test_accuracy": float((answers == y_test.ravel()).mean()),
        "confusion_matrix": confusion_matrix(y_test.ravel(), answers, len(cifar10.CLASS_NAMES)).tolist(),
        "filters": np.round(_first_filters(model), 4).tolist(),
    }
    write_result(stem, result)
    print(f"{name}, seed {seed}: test accuracy {result['test_accuracy']:.4f} after {sum(stopwatch.seconds):.0f} s")
    return result


def _first_filters(model: Sequential) -> np.ndarray:
    return next(layer.params["kernel"] for layer in model.layers if "kernel" in layer.params)
