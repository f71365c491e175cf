"""What helps to recognize shapes, measured: the networks that notebook 4.1 compares, each at three learning rates.

    python -m scratchnet.recipes shapes_networks --seeds 0 1 2 3 4 5
    python -m scratchnet.recipes shapes_few --seeds 0 1 2 3 4 5

All learn with Adam in batches of 32, and are looked at on 1,000 validation pictures after each epoch. The rate of each
network is the one of RATES that ends best there. The test pictures are asked once, at the end of each run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from scratchnet import zoo
from scratchnet.augment import Augment
from scratchnet.datasets import shapes10
from scratchnet.layers import Activation, BatchNormalization, Conv2D, Dense, Flatten, MaxPooling2D
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.printing import say, usable
from scratchnet.random import set_random_seed
from scratchnet.recipes.record import results_so_far, write_result

RATES = (0.0003, 0.001, 0.003)
LEARNT, HELD_OUT, TEST = 3000, 1000, 1000  # pictures
FEW = 500

Split = tuple[np.ndarray, np.ndarray]


@cache
def pictures() -> tuple[Split, Split, Split]:
    """(training, validation, test): x (N, 32, 32, 3) from 0 to 1, float32; y (N,)."""
    (x, y), (x_test, y_test) = shapes10.load_data(LEARNT + HELD_OUT, TEST)
    x, x_test = (a.astype(np.float32) / 255 for a in (x, x_test))
    return (x[:LEARNT], y[:LEARNT]), (x[LEARNT:], y[LEARNT:]), (x_test, y_test)


def _linear() -> Sequential:
    return Sequential([Flatten(input_shape=(32, 32, 3)), Dense(10, activation="softmax")])


def _dense() -> Sequential:
    layers = [Flatten(input_shape=(32, 32, 3)), Dense(102, activation="relu"), Dense(10, activation="softmax")]
    return Sequential(layers)


def _normalized() -> Sequential:
    return Sequential(
        [
            Conv2D(32, 3, use_bias=False, input_shape=(32, 32, 3)),
            BatchNormalization(momentum=0.9),
            Activation("relu"),
            MaxPooling2D(),
            Conv2D(64, 3, use_bias=False),
            BatchNormalization(momentum=0.9),
            Activation("relu"),
            MaxPooling2D(),
            Flatten(),
            Dense(128, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )


class Case(NamedTuple):
    """What learns from what.

    Attributes:
        make: returns the network.
        epochs: as in fit.
        pictures: how many of the training pictures there are, from the first.
        augment: what is done to them.
    """

    make: Callable[[], Sequential]
    epochs: int
    pictures: int = LEARNT
    augment: Augment | None = None


class Recipe(NamedTuple):
    """What a recipe is, in a few words, and what it compares."""

    what: str
    cases: Mapping[str, Case]


# In 133 epochs the dense network does as many multiply-adds as the convolutional one in 10.
RECIPES = {
    "shapes_networks": Recipe(
        "linear, dense and convolutional networks on 3,000 drawn shapes, 12 networks a seed; four minutes",
        {
            "linear": Case(_linear, 133),
            "dense": Case(_dense, 133),
            "convolutional": Case(zoo.article_cnn, 10),
            "normalized": Case(_normalized, 10),
        },
    ),
    "shapes_few": Recipe(
        "the article's network on 500 drawn shapes, as they are and augmented, 6 networks a seed; a minute",
        {
            "as they are": Case(zoo.article_cnn, 48, FEW),
            "augmented": Case(zoo.article_cnn, 48, FEW, Augment(crop_padding=3, fill_mode="nearest")),
        },
    ),
}


def one(case: Case, rate: float, seed: int) -> dict[str, Any]:
    """Train a network.

    Args:
        case: one of a recipe's, or one of them changed by `_replace`.
        rate: of Adam.
        seed: of weights, order and augmentation.

    Returns:
        parameters and multiply_adds of the network; its accuracy while it learns and val_accuracy, by epoch; seen and
        test_accuracy: at the end, on the pictures it has learnt from, as they are, and on the test pictures.
    """
    (x, y), validation, test = pictures()
    x, y = x[: case.pictures], y[: case.pictures]
    set_random_seed(seed)
    model = case.make()
    model.compile(Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x, y, epochs=case.epochs, validation_data=validation, augment=case.augment, verbose=0
    ).history  # fmt: skip
    seen, tested = (float(np.mean(model.predict(x).argmax(axis=1) == y)) for x, y in ((x, y), test))
    return {
        "parameters": model.count_params(),
        "multiply_adds": model.multiply_adds(),
        **{of: [round(value, 4) for value in history[of]] for of in ("accuracy", "val_accuracy")},
        "seen": round(seen, 4),
        "test_accuracy": round(tested, 4),
    }


def train(name: str, seed: int, folder: Path, epochs: int | None = None) -> None:
    """Run all of a recipe for a seed; what stands in the result already, from a run that was cut off, is kept.

    Raises:
        ValueError: epochs are given; each network has its own.
    """
    stem, results = results_so_far(name, seed, folder, epochs)
    known = {(result["network"], result["rate"]) for result in results}
    runs = [(network, rate) for network in RECIPES[name].cases for rate in RATES if (network, rate) not in known]
    for network, rate in tqdm(runs, desc=f"{name}, seed {seed}", unit="network", disable=not usable(sys.stderr)):
        results.append({"network": network, "rate": rate, **one(RECIPES[name].cases[network], rate, seed)})
        write_result(stem, {"recipe": name, "what": RECIPES[name].what, "seed": seed, "results": results})
    say(f"{stem}.json: {len(results)} networks")


def best(found: Iterable[Mapping[str, Any]], network: str) -> tuple[float, list[dict[str, Any]]]:
    """The rate with which a network ends best on the validation pictures, in the mean; its run of each seed with it.

    Args:
        found: what the JSON files hold, one for each seed.
        network: its name in the recipe.
    """
    runs: dict[float, list[dict[str, Any]]] = {rate: [] for rate in RATES}
    for result in found:
        for run in result["results"]:
            if run["network"] == network:
                runs[run["rate"]].append(run)
    rate = max(runs, key=lambda rate: float(np.mean([run["val_accuracy"][-1] for run in runs[rate]])))
    return rate, runs[rate]
