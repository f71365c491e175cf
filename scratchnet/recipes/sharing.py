"""From a dense layer to a convolution in five stops, measured: what notebook 2 draws beside the parameters of each.

    python -m scratchnet.recipes layer_sharing --seeds 0 1 2

At each stop the first layer is another one, the rest of the network is the same. It learns from each of three sets of
pictures for 600 batches of 50 with Adam, at five rates: a stop is shown with the rate that is best on validation
pictures. A seed takes about ten minutes on one core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from scratchnet.datasets import fashion_mnist_small, shapes10
from scratchnet.divergence import DivergedError
from scratchnet.layers import Dense, Flatten, MaxPooling2D
from scratchnet.losses import SparseCategoricalCrossentropy
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.printing import say, usable
from scratchnet.random import set_random_seed
from scratchnet.recipes.patches import Patches
from scratchnet.recipes.record import results_so_far, write_result

SIZE = 16  # pixels a side
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
STEPS = 600
BATCH = 50
VALIDATION = 1000  # pictures by which the rate is chosen


class Recipe(NamedTuple):
    """What a recipe is, in a few words."""

    what: str


RECIPES = {"layer_sharing": Recipe("five first layers from dense to convolution, 75 small networks; ten minutes")}


class Stop(NamedTuple):
    """A first layer: its name, the pixels a side of what a unit sees, the places a side of a block that shares."""

    name: str
    size: int
    block: int


STOPS = (
    Stop("dense", 16, 1),
    Stop("9 x 9", 9, 1),
    Stop("local", 5, 1),
    Stop("9 blocks", 5, 4),
    Stop("shared", 5, 12),
)


class Pictures(NamedTuple):
    """What is learnt: its name in words, and how many pictures there are to learn from."""

    name: str
    learnt: int


PICTURES = {
    "shapes": Pictures("shapes, anywhere in the picture; 3,000 to learn from", 3000),
    "few shapes": Pictures("shapes, anywhere in the picture; 600 to learn from", 600),
    "clothes": Pictures("clothes, always in the middle; 3,000 to learn from", 3000),
}

Split = tuple[np.ndarray, np.ndarray]


def pictures(which: str) -> tuple[Split, Split, Split]:
    """(training, validation, test) of one of PICTURES: grey, 16 x 16, x (N, 16, 16, 1) of mean 0, y (N,).

    Each 2 x 2 pixels of the original become one, their mean. Clothes get a margin of a pixel.
    """
    if which == "clothes":
        (x, y), (x_test, y_test) = fashion_mnist_small.load_data()
        x, x_test = (np.pad(a, ((0, 0), (2, 2), (2, 2)))[..., None] for a in (x, x_test))
    else:
        (x, y), (x_test, y_test) = shapes10.load_data(3000 + VALIDATION, 1000)
    count = PICTURES[which].learnt
    x = np.concatenate([x[:count], x[3000 : 3000 + VALIDATION], x_test])
    halves = x.reshape(len(x), SIZE, 2, SIZE, 2, -1).mean(axis=(2, 4, 5), dtype=np.float32)[..., None] / 255
    halves -= halves[:count].mean()
    parts = np.split(halves, [count, count + VALIDATION])
    labels = y[:count], y[3000 : 3000 + VALIDATION], y_test
    train, validation, test = zip(parts, labels)
    return train, validation, test


def network(stop: Stop) -> Sequential:
    """The network at a stop: 12 x 12 x 8 units, the strongest of each 2 x 2, ten scores; the first layer differs."""
    first = Patches(8, stop.size, stop.block, activation="relu", input_shape=(SIZE, SIZE, 1))
    return Sequential([first, MaxPooling2D(), Flatten(), Dense(10)])


def one(stop: Stop, rate: float, seed: int, data: Sequence[Split]) -> list[float]:
    """Accuracies on training, validation and test pictures after STEPS steps of Adam; one tenth where it diverges."""
    set_random_seed(seed)
    model, (x, y) = network(stop), data[0]
    model.compile(Adam(rate), SparseCategoricalCrossentropy(from_logits=True))
    try:
        model.fit(x, y, epochs=STEPS * BATCH // len(x), batch_size=BATCH, verbose=0)
    except DivergedError:
        return [0.1, 0.1, 0.1]
    return [float(np.mean(model.predict(x).argmax(axis=1) == y)) for x, y in data]


def train(name: str, seed: int, folder: Path, epochs: int | None = None) -> None:
    """Run all of a recipe for a seed; what stands in the result already, from a run that was cut off, is kept.

    Raises:
        ValueError: epochs are given; here a run is measured in steps.
    """
    stem, results = results_so_far(name, seed, folder, epochs)
    known = {(result["pictures"], result["stop"], result["rate"]) for result in results}
    runs = [(which, stop, rate) for which in PICTURES for stop in STOPS for rate in RATES]
    data = {which: pictures(which) for which in PICTURES}
    for which, stop, rate in tqdm(runs, desc=stem.name, unit="network", disable=not usable(sys.stderr)):
        if (which, stop.name, rate) in known:
            continue
        found = dict(zip(("training", "validation", "test"), one(stop, rate, seed, data[which])))
        results.append({"pictures": which, "stop": stop.name, "rate": rate, **found})
        write_result(
            stem, {"recipe": name, "what": RECIPES[name].what, "seed": seed, "steps": STEPS, "batch": BATCH}
            | {"results": results},
        )  # fmt: skip
    say(f"{stem}.json: {len(results)} networks")


def together(found: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, list[list[float]]]]]:
    """{pictures: {stop: {rate: [[training, validation, test] of each seed]}}}, from the results of some seeds.

    Args:
        found: what the JSON files hold, one for each seed.
    """
    runs: dict[str, dict[str, dict[str, list[list[float]]]]] = {
        which: {stop.name: {str(rate): [] for rate in RATES} for stop in STOPS} for which in PICTURES
    }
    for result in found:
        for run in result["results"]:
            accuracies = [run[part] for part in ("training", "validation", "test")]
            runs[run["pictures"]][run["stop"]][str(run["rate"])].append(accuracies)
    return runs


def best(runs: Mapping[str, Sequence[Sequence[float]]]) -> tuple[float, np.ndarray]:
    """The rate with the best mean validation accuracy, and the test accuracy of each seed with it."""
    rate = max(runs, key=lambda rate: float(np.mean([run[1] for run in runs[rate]])))
    return float(rate), np.array([run[2] for run in runs[rate]])
