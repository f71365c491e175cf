"""One order of the pictures for all epochs, or a new one in each: what it costs, both ways from the same first weights.

    python -m scratchnet.recipes garments_order --seeds 0 1 2 3 4 5
    python -m scratchnet.recipes cifar10_order --seeds 0 1 2 3 4 5
    python -m scratchnet.recipes cifar10_order --seeds 0 1 2 3 4 5 --keras-python PYTHON

The pictures are shuffled once, by the seed. Then `fit` goes through them as they lie, or shuffles them anew in each
epoch. The last line trains the article's network in Keras instead.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np

import scratchnet as sn
from scratchnet.datasets import cifar10, fashion_mnist_small
from scratchnet.printing import say
from scratchnet.recipes import recognition
from scratchnet.recipes.record import write_result

HELD_OUT = 1000  # garments
WAYS = {"one_order": False, "new_orders": True}  # and whether each epoch has its own

Data = dict[str, np.ndarray]


def _garments() -> Data:
    (x, y), _ = fashion_mnist_small.load_data()
    x, kept = x.astype(np.float32) / 255, len(x) - HELD_OUT
    return {"x": x[:kept], "y": y[:kept], "x_test": x[kept:], "y_test": y[kept:]}


def _cifar10() -> Data:
    (x, y), (x_test, y_test) = cifar10.load_data()
    return {"x": x, "y": y, "x_test": x_test, "y_test": y_test}


def _dense() -> sn.Sequential:
    layers = [sn.Flatten(input_shape=(28, 28)), sn.Dense(128, activation="relu"), sn.Dense(10, activation="softmax")]
    model = sn.Sequential(layers)
    model.compile(sn.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Recipe(NamedTuple):
    """What is run.

    Attributes:
        what: in a few words.
        data: returns the training pictures x with their classes y, and x_test, y_test: those that it is watched on.
        make: returns the compiled network.
        epochs, batch_size: as in fit.
    """

    what: str
    data: Callable[[], Data]
    make: Callable[[], sn.Model]
    epochs: int
    batch_size: int = 32


RECIPES = {
    "garments_order": Recipe(
        "one order for all epochs against new ones: two dense layers, 5,000 garments, 1,000 others; five seconds",
        _garments,
        _dense,
        epochs=12,
    ),
    "cifar10_order": Recipe(
        "one order for all epochs against new ones: the article's network, 50,000 pictures, the 10,000 test pictures",
        _cifar10,
        lambda: recognition.RECIPES["cifar10_article"].make(0),
        epochs=10,
    ),
}


def one(recipe: Recipe, seed: int, new_each_epoch: bool) -> dict[str, list[float]]:
    """Train a network; its accuracy in each epoch, while it learns and on the others.

    Args:
        recipe: one of RECIPES, or one of them changed by `_replace`.
        seed: of weights and orders.
        new_each_epoch: False takes one order for all epochs.
    """
    data = recipe.data()
    sn.set_random_seed(seed)
    model = recipe.make()
    once = np.random.default_rng(seed).permutation(len(data["x"]))
    history = model.fit(
        data["x"][once],
        data["y"][once],
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        shuffle=new_each_epoch,
        validation_data=(data["x_test"], data["y_test"]),
        verbose=0,
    ).history
    return {name: history[name] for name in ("accuracy", "val_accuracy")}


def keras_settings(recipe: Recipe, seed: int, new_each_epoch: bool) -> dict[str, Any]:
    """The settings of `keras_order.py`, as JSON can hold them."""
    own = {"epochs": recipe.epochs, "batch_size": recipe.batch_size, "threads": numba.get_num_threads()}
    return {**own, "seed": seed, "new_each_epoch": new_each_epoch}


def one_with_keras(recipe: Recipe, seed: int, new_each_epoch: bool, python: str) -> dict[str, Any]:
    """`one` of the article's network, by a Python that has Keras; also `with`, its versions.

    Raises:
        subprocess.CalledProcessError: that Python failed; its own message is printed before.
    """
    program = Path(__file__).with_name("keras_order.py")
    settings = json.dumps(keras_settings(recipe, seed, new_each_epoch))
    with tempfile.TemporaryDirectory() as place:
        pictures, result = Path(place) / "pictures.npz", Path(place) / "result.json"
        np.savez(pictures, **recipe.data())  # type: ignore[arg-type]  # its other option is no array's name
        subprocess.run([python, program, pictures, result, settings], check=True)
        return json.loads(result.read_text())


def train(
    name: str, seed: int, folder: Path, epochs: int | None = None, keras_python: str | None = None
) -> dict[str, Any]:
    """Train both ways; the one that stands in the result already, from a run that was cut off, is kept.

    Args:
        name: one of RECIPES.
        seed: of weights and orders.
        folder: where the result goes, as NAME_SEED.json, or NAME_keras_SEED.json.
        epochs: other than the recipe's.
        keras_python: a Python that has Keras, which trains instead; for `cifar10_order`.

    Returns:
        What the JSON file holds: the accuracies of `one` for each of WAYS, and the seconds each took; the file also has
        the date and the machine.
    """
    recipe = RECIPES[name]._replace(epochs=epochs or RECIPES[name].epochs)
    stem = folder / (f"{name}_keras_{seed}" if keras_python else f"{name}_{seed}")
    path = stem.with_suffix(".json")
    result = json.loads(path.read_text()) if path.exists() else {}
    pictures = len(recipe.data()["x"])
    result |= {"recipe": name, "what": recipe.what, "seed": seed, "training_pictures": pictures}
    for way, new_each_epoch in WAYS.items():
        if way in result and len(result[way]["accuracy"]) == recipe.epochs:
            continue
        start = time.perf_counter()
        if keras_python:
            found = one_with_keras(recipe, seed, new_each_epoch, keras_python)
            result["with"] = found.pop("with")
        else:
            found = one(recipe, seed, new_each_epoch)
        seconds = round(time.perf_counter() - start, 1)
        result[way] = {of: [round(value, 4) for value in values] for of, values in found.items()}
        result[way]["seconds"] = seconds
        write_result(stem, result)
        seen, unseen = (found[of][-1] for of in ("accuracy", "val_accuracy"))
        say(f"{name}, seed {seed}, {way}: accuracy {seen:.3f} on the training pictures, {unseen:.3f} on the others")
    say(f"Written: {path}")
    return result
