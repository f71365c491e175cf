"""How the error falls with data, with parameters and with work: small networks on the embedded garments.

    python -m scratchnet.recipes garments_scaling --seeds 0 1 2
    python -m scratchnet.recipes garments_equal_work --seeds 0 1 2

Each network has two convolutions of `width` and 2 * `width` filters and a dense layer. It sees `pictures` training
pictures for `steps` batches of 32, with Adam at its usual rate of 1e-3. All networks of a seed learn from the same
pictures: the smaller sets are parts of the larger. The test pictures are asked once, at the end.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

import scratchnet as sn
from scratchnet.datasets import fashion_mnist_small
from scratchnet.printing import say, usable
from scratchnet.recipes.record import results_so_far, write_result

BATCH = 32
PICTURES = (94, 188, 375, 750, 1500, 3000, 6000)
WIDTHS = (1, 2, 4, 8, 16, 32)
SHORT, LONG = 600, 3000  # steps: 3 and 16 times through all the pictures


class Run(NamedTuple):
    """One network: filters of its first convolution, training pictures, and steps."""

    width: int
    pictures: int
    steps: int


class Recipe(NamedTuple):
    """What is run."""

    what: str
    runs: tuple[Run, ...]


def cost(width: int) -> int:
    """Multiplications of `network(width)` for one picture: two convolutions, 26 x 26 and 11 x 11 places; ten scores."""
    return 26 * 26 * 9 * width + 11 * 11 * 9 * width * 2 * width + 5 * 5 * 2 * width * 10


EQUAL = (4, 8, 16, 32)  # widths that are compared at equal work
_LEAST = 150  # steps, of the largest

RECIPES = {
    "garments_scaling": Recipe(
        "error against data, parameters and work, 19 small networks a seed; two minutes",
        (
            *(Run(8, pictures, steps) for steps in (SHORT, LONG) for pictures in PICTURES),
            *(Run(width, PICTURES[-1], SHORT) for width in WIDTHS if width != 8),
        ),
    ),
    "garments_equal_work": Recipe(
        "4 networks of different size a seed, each for as much work; two minutes",
        tuple(Run(width, PICTURES[-1], round(_LEAST * cost(EQUAL[-1]) / cost(width))) for width in EQUAL),
    ),
}


def network(width: int) -> sn.Sequential:
    """Two convolutions, each with a pooling, and a dense layer that gives ten scores."""
    return sn.Sequential(
        [
            sn.Conv2D(width, 3, activation="relu", input_shape=(28, 28, 1)),
            sn.MaxPooling2D(),
            sn.Conv2D(2 * width, 3, activation="relu"),
            sn.MaxPooling2D(),
            sn.Flatten(),
            sn.Dense(10),
        ]
    )


def one(run: Run, seed: int) -> dict[str, float]:
    """Train a network and ask it the test pictures; what it cost and how often it is wrong."""
    (x, y), (x_test, y_test) = fashion_mnist_small.load_data()
    x, x_test = (pictures[..., None].astype(np.float32) / 255 for pictures in (x, x_test))
    order = np.random.default_rng(seed).permutation(len(x))[: run.pictures]
    x, y = x[order], y[order]
    sn.set_random_seed(seed)
    model = network(run.width)
    model.compile(sn.Adam(1e-3), sn.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    shuffle, done = np.random.default_rng(seed), 0
    while done < run.steps:
        order = shuffle.permutation(len(x))
        for start in range(0, min(len(x), (run.steps - done) * BATCH), BATCH):
            batch = order[start : start + BATCH]
            model.train_on_batch(x[batch], y[batch])
            done += 1
    test = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    assert isinstance(test, dict)  # as asked for
    return {
        **run._asdict(),
        "parameters": model.count_params(),
        "multiply_adds": model.multiply_adds(),
        "test_loss": round(test["loss"], 4),
        "test_error": round(1 - test["accuracy"], 4),
    }


def train(name: str, seed: int, folder: Path, epochs: int | None) -> None:
    """Run all of a recipe for a seed; what stands in the result already, from a run that was cut off, is kept.

    Raises:
        ValueError: epochs are given; here a run is measured in steps.
    """
    stem, results = results_so_far(name, seed, folder, epochs)
    known = {tuple(result[field] for field in Run._fields) for result in results}
    runs = [run for run in RECIPES[name].runs if run not in known]
    for run in tqdm(runs, desc=f"{name}, seed {seed}", unit="network", disable=not usable(sys.stderr)):
        results.append(one(run, seed))
        write_result(stem, {"recipe": name, "what": RECIPES[name].what, "seed": seed, "results": results})
    say(f"{stem}.json: {len(results)} networks")
