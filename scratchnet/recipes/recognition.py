"""Recipes for recognition: which network on which pictures, how it is trained, and what is written of the run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scratchnet import zoo
from scratchnet.augment import Augment
from scratchnet.callbacks import BackupAndRestore, ExponentialMovingAverage
from scratchnet.datasets import cifar10, fashion_mnist_small
from scratchnet.layers import Rescaling
from scratchnet.losses import SparseCategoricalCrossentropy
from scratchnet.metrics import confusion_matrix
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import SGD
from scratchnet.random import set_random_seed
from scratchnet.recipes.record import Stopwatch, write_result
from scratchnet.recipes.settings import normalized, one_cycle
from scratchnet.recipes.text import confusion_text, most_confused

HELD_OUT = 5000  # training pictures that are set aside for validation, unless the test set is taken for it


class Recipe(NamedTuple):
    """How to train a classifier.

    Attributes:
        what: in a few words.
        make: returns the compiled network, given the number of training steps.
        data: the module of scratchnet.datasets whose pictures they are.
        epochs, batch_size: as in fit.
        augment: what is done to the training pictures.
        average: momentum of the moving average of the weights, 0 for none.
        held_out: training pictures for validation; 0 takes the test set for it, as the article does.
    """

    what: str
    make: Callable[[int], Model]
    data: Any = cifar10
    epochs: int = 10
    batch_size: int = 32
    augment: Augment | None = None
    average: float = 0.0
    held_out: int = HELD_OUT


def _article(steps: int, input_shape: tuple[int, int, int] = (32, 32, 3)) -> Sequential:
    model = zoo.article_cnn(input_shape, first=[Rescaling(1 / 255)])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _article_better(steps: int) -> Sequential:
    model = zoo.article_cnn(first=[normalized()])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _small(steps: int) -> Sequential:
    model, rate = zoo.small_cnn(first=[normalized()]), one_cycle(steps)
    loss = SparseCategoricalCrossentropy(label_smoothing=0.1)
    model.compile(SGD(rate, 0.9, nesterov=True, weight_decay=5e-4), loss, metrics=["accuracy"])
    return model


def _resnet_20(steps: int) -> Model:
    model = zoo.resnet_20(first=[normalized()])
    model.compile(
        SGD(one_cycle(steps), 0.9, nesterov=True, weight_decay=5e-4),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


RECIPES = {
    "fashion_article": Recipe(
        "the article's network on the 6,000 embedded garments; no download",
        partial(_article, input_shape=(28, 28, 1)),
        fashion_mnist_small,
        held_out=0,
    ),
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
    "cifar10_resnet_20": Recipe(
        "a residual network of 20 layers, 274,042 parameters; 40 epochs, the test set as validation",
        _resnet_20,
        epochs=40,
        batch_size=128,
        augment=Augment(),
        held_out=0,
    ),
}


def train(name: str, seed: int, folder: Path, epochs: int | None = None) -> dict[str, Any]:
    """Train by a recipe, printing as it goes; an earlier call with the same arguments that broke off is gone on with.

    Args:
        name: one of RECIPES.
        seed: of weights, order, augmentation.
        folder: where the model, the backup and the results go, as NAME_SEED.safetensors, .backup.safetensors, .json.
        epochs: other than the recipe's.

    Returns:
        What the JSON file holds: the history, the seconds of each epoch, the accuracy and the confusion matrix on the
        test set, the filters of the first layer; the file also has the date and the machine.
    """
    recipe, epochs = RECIPES[name], epochs or RECIPES[name].epochs
    stem = folder / f"{name}_{seed}"
    (x, y), (x_test, y_test) = recipe.data.load_data()
    x, x_test = (pictures.reshape(*pictures.shape[:3], -1) for pictures in (x, x_test))  # grey ones have one channel
    names = recipe.data.CLASS_NAMES
    kept = len(x) - recipe.held_out
    validation = (x[kept:], y[kept:]) if recipe.held_out else (x_test, y_test)
    set_random_seed(seed)
    model = recipe.make(epochs * -(-kept // recipe.batch_size))
    stopwatch = Stopwatch()
    average = [ExponentialMovingAverage(recipe.average)] if recipe.average else []
    callbacks = [*average, stopwatch, BackupAndRestore(f"{stem}.backup.safetensors", delete_checkpoint=False)]
    model.summary()
    print(f"{name}, seed {seed}: {recipe.what}; {model.count_params():,} parameters, {kept:,} training pictures")
    history = model.fit(
        x[:kept],
        y[:kept],
        epochs=epochs,
        batch_size=recipe.batch_size,
        validation_data=validation,
        callbacks=callbacks,
        augment=recipe.augment,
    ).history
    model.save(f"{stem}.safetensors")
    answers = model.predict(x_test).argmax(axis=1)
    matrix = confusion_matrix(y_test.ravel(), answers, len(names))
    result = {
        "recipe": name,
        "what": recipe.what,
        "seed": seed,
        "parameters": model.count_params(),
        "training_pictures": kept,
        "seconds": stopwatch.seconds,
        "history": history,
        "test_accuracy": float((answers == y_test.ravel()).mean()),
        "confusion_matrix": matrix.tolist(),
        "filters": np.round(_first_filters(model), 4).tolist(),
    }
    write_result(stem, result)
    print(f"\n{confusion_text(matrix, names)}\n\n{most_confused(matrix, names)}")
    print(f"{name}, seed {seed}: test accuracy {result['test_accuracy']:.4f} after {sum(stopwatch.seconds):.0f} s")
    print(f"Written: {stem}.safetensors (the model), {stem}.json (the results)")
    return result


def _first_filters(model: Model) -> np.ndarray:
    return next(layer.params["kernel"] for layer in model.layers if "kernel" in layer.params)
