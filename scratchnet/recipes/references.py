"""The networks of the article's references beside each other: the same data, augmentation and work for all of them.

    python -m scratchnet.recipes references --seeds 0 1 2
    python -m scratchnet.recipes references_time

Each network learns from CIFAR-10's 50,000 pictures until it has spent BUDGET multiply-adds: a step of a batch costs
three times its forward, since the gradients of the input and of the weights are as much work again, each. So a network
of half the work for a picture sees twice as many. All learn with SGD with Nesterov momentum in batches of 32, the rate
rising for a sixth of the steps and then falling to 0, with crops and flips; the article's network, which has no
normalization, at a smaller rate. What each idea brings is shown by the same network without it.

The test pictures are asked once, at the end of each run; 2,000 of them also on the way, by which nothing is chosen.

How long a step takes depends on what else the machine does: `references_time` measures it by itself, on a quiet one.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from scratchnet import zoo
from scratchnet.augment import Augment
from scratchnet.datasets import cifar10
from scratchnet.models import Model
from scratchnet.optimizers import SGD
from scratchnet.printing import say, usable
from scratchnet.random import set_random_seed
from scratchnet.recipes.record import results_so_far, write_result
from scratchnet.recipes.settings import normalized, one_cycle

BATCH, PARTS = 32, 5  # pictures of a step; how often a run is looked at
BUDGET = 9_200_000_000_000  # multiply-adds: one and a half times through the pictures with ResNet-20
SHOWN = 2000  # test pictures that are asked on the way
TIMED = 15  # steps


class Case(NamedTuple):
    """A network.

    Attributes:
        make: returns it, given `first`.
        idea: what it brings, in a few words; of one without its idea, what is left out.
        without: name of the network whose idea is left out; empty for those that are whole.
        rate: the highest of the optimizer's.
    """

    make: Callable[..., Model]
    idea: str
    without: str = ""
    rate: float = 0.05


class Recipe(NamedTuple):
    """What is run."""

    what: str


CASES = {
    "article_cnn": Case(zoo.article_cnn, "the article's: two convolutions, two dense layers", rate=0.01),
    "densenet_40": Case(zoo.densenet_40, "concatenation"),
    "densenet_40, plain": Case(partial(zoo.densenet_40, concatenate=False), "no concatenation", "densenet_40"),
    "inception_small": Case(zoo.inception_small, "branches, factorized convolution"),
    "inception_small, plain": Case(partial(zoo.inception_small, branches=False), "one branch", "inception_small"),
    "resnet_20": Case(zoo.resnet_20, "shortcuts"),
    "resnet_20, plain": Case(partial(zoo.resnet_20, shortcuts=False), "no shortcuts", "resnet_20"),
    "resnet_56": Case(zoo.resnet_56, "shortcuts, 56 layers"),
    "resnet_56, plain": Case(partial(zoo.resnet_56, shortcuts=False), "no shortcuts", "resnet_56"),
    "se_resnet_20": Case(zoo.se_resnet_20, "squeeze-and-excitation; without it, it is resnet_20"),
    "efficientnet_small": Case(zoo.efficientnet_small, "depthwise convolution, squeeze-and-excitation, swish"),
    "efficientnet_small, plain": Case(
        partial(zoo.efficientnet_small, depthwise=False), "full convolution", "efficientnet_small"
    ),
}
RECIPES = {
    "references": Recipe(f"{len(CASES)} networks of the article's references, each for as much work; an hour a seed"),
    "references_time": Recipe("how long a training step of each of them takes; two minutes, on a quiet machine"),
}


def steps_for(model: Model) -> int:
    """Steps in which a network spends BUDGET, a multiple of PARTS."""
    return max(1, round(BUDGET / (3 * model.multiply_adds() * BATCH * PARTS))) * PARTS


def compiled(case: Case) -> Model:
    """The network with its optimizer, for as many steps as BUDGET buys."""
    model = case.make(first=[normalized()])
    rate = one_cycle(steps_for(model), case.rate)
    model.compile(
        SGD(rate, 0.9, nesterov=True, weight_decay=5e-4), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )  # fmt: skip
    return model


def one(name: str, seed: int) -> dict[str, Any]:
    """Train a network and ask it the test pictures.

    Args:
        name: one of CASES.
        seed: of weights, order and augmentation.
    """
    case, augment, order = CASES[name], Augment(), np.random.default_rng(seed)
    (x, y), (x_test, y_test) = cifar10.load_data()
    set_random_seed(seed)
    model = compiled(case)
    steps, rows, history, logs = steps_for(model), np.empty(0, np.int64), list[dict[str, float]](), list[Any]()
    for step in tqdm(range(1, steps + 1), desc=name, unit="step", leave=False, disable=not usable(sys.stderr)):
        if len(rows) < BATCH:
            rows = order.permutation(len(x))  # what is left of a pass is no whole batch
        batch, rows = rows[:BATCH], rows[BATCH:]
        logs.append(model.train_on_batch(augment(x, batch, step, seed), y[batch], return_dict=True))
        if step % (steps // PARTS) == 0:
            history.append(
                {
                    "multiply_adds": 3 * model.multiply_adds() * BATCH * step,
                    **{key: round(float(np.mean([log[key] for log in logs])), 4) for key in ("loss", "accuracy")},
                    "test_accuracy": _accuracy(model, x_test[:SHOWN], y_test[:SHOWN]),
                }
            )
            logs = []
    return {
        "network": name,
        "idea": case.idea,
        "without": case.without,
        "parameters": model.count_params(),
        "multiply_adds": model.multiply_adds(),
        "batch_size": BATCH,
        "steps": steps,
        "test_accuracy": _accuracy(model, x_test, y_test),
        "history": history,
    }


def _accuracy(model: Model, x: np.ndarray, y: np.ndarray) -> float:
    return round(float(np.mean(model.predict(x, verbose=0).argmax(axis=1) == y.ravel())), 4)


def milliseconds(name: str) -> float:
    """The median time of a training step of a batch."""
    model, random = compiled(CASES[name]), np.random.default_rng(0)
    x = random.integers(0, 256, (BATCH, 32, 32, 3), dtype=np.uint8)
    y, times = random.integers(0, 10, BATCH), []
    for _ in range(TIMED + 3):  # the first compile kernels and make arrays
        start = time.perf_counter()
        model.train_on_batch(x, y)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[3:])


def train(name: str, seed: int, folder: Path, epochs: int | None) -> None:
    """Run all networks for a seed; what stands in the result already, from a run that was cut off, is kept.

    Raises:
        ValueError: epochs are given; here a run is measured in multiply-adds.
    """
    stem, results = results_so_far(name, seed, folder, epochs)
    known = {result["network"] for result in results}
    for network in CASES:
        if network not in known:
            say(f"{name}, seed {seed}: {network}")
            if name == "references_time":
                results.append({"network": network, "ms_step": round(milliseconds(network), 2)})
            else:
                results.append(one(network, seed))
            what = {"recipe": name, "what": RECIPES[name].what, "seed": seed, "budget": BUDGET}
            write_result(stem, {**what, "results": results})
            say(f"{name}, seed {seed}: {results[-1]}")
    say(f"{stem}.json: {len(results)} networks")
