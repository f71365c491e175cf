"""The record run: CIFAR-10 to 0.94 in ten passes over the pictures, and what each trick of it brings.

    python -m scratchnet.recipes record --seeds 0 1 2
    python -m scratchnet.recipes record --seeds 0 1 2 --torch-python PYTHON
    python -m scratchnet.recipes record_tricks --seeds 0 1 2

The method is airbench94: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv 2404.00498, whose numbers
these are, but for two: ten whole passes in place of 9.9, and a last batch that is smaller in place of left out. The
second line trains the same network from the same first weights in PyTorch: `torch_record.py`. The third trains a
network of a quarter of the widths for four passes, each time with one of the tricks left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from tqdm import tqdm

from scratchnet import zoo
from scratchnet.augment import Augment
from scratchnet.callbacks import BackupAndRestore, Callback, FreezeLayers, Lookahead
from scratchnet.datasets import cifar10
from scratchnet.layers import Normalization
from scratchnet.losses import SparseCategoricalCrossentropy
from scratchnet.models import Model
from scratchnet.optimizers import SGD
from scratchnet.printing import say, usable
from scratchnet.random import set_random_seed
from scratchnet.recipes.record import Stopwatch, results_so_far, write_result
from scratchnet.schedules import PiecewiseLinear

BATCH = 1024
MOMENTUM = 0.85
RATE = 11.5  # for 1024 pictures, whatever the momentum
DECAY = 0.0153  # of the weights, for 1024 pictures, whatever rate and momentum
TRANSLATION = 2  # pixels
SMOOTHING = 0.2  # of the labels
BIAS_FACTOR = 64.0  # by which the normalizations' biases learn faster
BIAS_EPOCHS = 3  # in which the whitening convolution's bias learns
SYNC_PERIOD = 5  # steps from one average of the weights to the next
WHITENED = 5000  # pictures from which the whitening is computed

MEAN, DEVIATION = (np.multiply(255, values) for values in (cifar10.MEAN, cifar10.STD))

TRICKS = (
    "whitening",
    "identity",
    "gelu",
    "scaled biases",
    "lookahead",
    "alternating flips",
    "label smoothing",
    "views",
)


class Recipe(NamedTuple):
    """What is trained.

    Attributes:
        what: in a few words.
        epochs: passes over the pictures.
        widths: of the network, see `zoo.airbench`.
    """

    what: str
    epochs: int
    widths: tuple[int, int, int]


RECIPES = {
    "record": Recipe("CIFAR-10 to 0.94 in ten passes; half an hour on two cores", 10, (64, 256, 256)),
    "record_tricks": Recipe("a smaller network, each of its tricks left out; a quarter of an hour", 4, (16, 64, 64)),
}


def rates(steps: int) -> PiecewiseLinear:
    """The rate of each of so many steps: up from a fifth for 23% of them, then down to 7%.

    With Nesterov's momentum m, a constant gradient moves the weights by about rate * (1 + 1 / (1 - m)) each step; the
    paper divides by that. Its loss is the sum over a batch, ours the mean: so 1024 pictures have the rate of one.
    """
    highest = RATE / (1 + 1 / (1 - MOMENTUM)) * BATCH / 1024
    top = max(int(0.23 * steps), 1)
    return PiecewiseLinear([0, top, max(steps, top + 1)], [0.2 * highest, highest, 0.07 * highest])


def decay() -> float:
    """The optimizer's weight_decay: in the paper it goes through the momentum, which makes it 1 / (1 - m) times it."""
    return DECAY / RATE / (1 - MOMENTUM)


def slow_step_size(steps: int) -> Any:
    """How much of the weights goes into the slow ones after step t of so many: 1 at first, 0.23 in the end."""
    return lambda t: 1 - 0.95**5 * (t / steps) ** 3


def make(
    x: np.ndarray, epochs: int, widths: tuple[int, int, int], left_out: str | None = None
) -> tuple[Model, list[Callback], Augment]:
    """The compiled network, the callbacks and the augmentation, for pictures x; perhaps without one of TRICKS."""
    steps = epochs * -(-len(x) // BATCH)
    whitened = left_out != "whitening"
    model = zoo.airbench(
        x.shape[1:],
        first=[Normalization(mean=MEAN, variance=DEVIATION**2)],
        widths=widths,
        activation="relu" if left_out == "gelu" else "gelu",
        whitening=zoo.whitening_filters((x[:WHITENED] - MEAN) / DEVIATION) if whitened else None,
        identity=left_out != "identity",
    )
    factors = {"*/beta": 1.0 if left_out == "scaled biases" else BIAS_FACTOR}
    if whitened:
        factors[next(iter(model.params))] = 0.0  # the first kernel stays as it is; its bias learns
    optimizer = SGD(rates(steps), MOMENTUM, nesterov=True, weight_decay=decay(), rate_factors=factors)
    smoothing = 0.0 if left_out == "label smoothing" else SMOOTHING
    loss = SparseCategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    model.compile(optimizer, loss, metrics=["accuracy"])
    callbacks: list[Callback] = [FreezeLayers(["whitening"], BIAS_EPOCHS)] if whitened else []
    if left_out != "lookahead":
        callbacks.append(Lookahead(SYNC_PERIOD, slow_step_size(steps)))
    flips = True if left_out == "alternating flips" else "alternating"
    return model, callbacks, Augment(crop_padding=TRANSLATION, horizontal_flip=flips)


def views(x: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """(weight, pictures): as they are, moved by a pixel up and left, down and right; each also mirrored.

    Half of the weight is that of the pictures that are not moved; the weights add up to 1.
    """
    h, w = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    places = [(1 / 4, x), (1 / 8, padded[:, :h, :w]), (1 / 8, padded[:, 2:, 2:])]
    return [(weight, view) for weight, moved in places for view in (moved, moved[:, :, ::-1])]


def accuracies(model: Model, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The shares of pictures that are named rightly, by the mean of the scores of their views, and by the first alone.

    Source: Jordan, arXiv 2404.00498, section 3.5.
    """
    scores = [(weight, model.predict(np.ascontiguousarray(view), verbose=0)) for weight, view in views(x)]
    both = sum(weight * one for weight, one in scores), scores[0][1]
    with_views, plain = (float((one.argmax(axis=1) == y.ravel()).mean()) for one in both)
    return with_views, plain


def train(name: str, seed: int, folder: Path, epochs: int | None = None) -> dict[str, Any]:
    """Train by a recipe, printing as it goes; an earlier call with the same arguments that broke off is gone on with.

    Args:
        name: one of RECIPES.
        seed: of weights, order, augmentation.
        folder: where model, backup and results go: record_run_SEED.safetensors, .backup.safetensors, .json; or
            record_tricks_SEED.json.
        epochs: other than the recipe's; for `record` alone.

    Returns:
        What the JSON file holds: of `record` the history by epochs, the seconds of training, the steps, and the test
        accuracies with and without views; of `record_tricks` the results of the networks. The file also has the date
        and the machine.
    """
    if name == "record_tricks":
        return _train_tricks(name, seed, folder, epochs)
    recipe, stem = RECIPES[name], folder / f"record_run_{seed}"
    (x, y), (x_test, y_test) = cifar10.load_data()
    epochs = epochs or recipe.epochs
    set_random_seed(seed)
    model, callbacks, augment = make(x, epochs, recipe.widths)
    stopwatch = Stopwatch()
    callbacks += [stopwatch, BackupAndRestore(f"{stem}.backup.safetensors", save_freq=10, delete_checkpoint=False)]
    say(f"{name}, seed {seed}: {recipe.what}; {model.count_params():,} parameters, {len(x):,} training pictures")
    history = model.fit(x, y, BATCH, epochs, callbacks=callbacks, augment=augment).history
    model.save(f"{stem}.safetensors")
    with_views, plain = accuracies(model, x_test, y_test)
    result = {
        "recipe": name,
        "what": recipe.what,
        "seed": seed,
        "parameters": model.count_params(),
        "seconds": round(sum(stopwatch.seconds), 1),
        "steps": epochs * -(-len(x) // BATCH),
        "test_accuracy": with_views,
        "test_accuracy_plain": plain,
        "history": by_epoch(history),
    }
    write_result(stem, result)
    _say(f"{name}, seed {seed}", result, stem)
    return result


def by_epoch(history: dict[str, list[float]]) -> list[dict[str, float]]:
    """[{"epoch": 1, "loss": ..., "accuracy": ...}, ...] from lists of values."""
    rows = zip(history["loss"], history["accuracy"])
    return [{"epoch": i, "loss": loss, "accuracy": accuracy} for i, (loss, accuracy) in enumerate(rows, 1)]


def _say(run: str, result: dict[str, Any], stem: Path) -> None:
    say(
        f"{run}: test accuracy {result['test_accuracy']:.4f}, without views {result['test_accuracy_plain']:.4f}, after "
        f"{result['steps']} steps in {result['seconds']:.0f} s\nWritten: {stem}.json"
    )


def torch_settings(epochs: int, seed: int) -> dict[str, Any]:
    """The settings of `torch_record.py`, as JSON can hold them; the rates and shares of each step by its number."""
    return {
        "seed": seed,
        "epochs": epochs,
        "batch_size": BATCH,
        "momentum": MOMENTUM,
        "weight_decay": decay(),
        "bias_factor": BIAS_FACTOR,
        "bias_epochs": BIAS_EPOCHS,
        "translation": TRANSLATION,
        "label_smoothing": SMOOTHING,
        "sync_period": SYNC_PERIOD,
        "mean": MEAN.tolist(),
        "deviation": DEVIATION.tolist(),
        "threads": numba.get_num_threads(),
    }


def torch_data(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, model: Model, epochs: int) -> Any:
    """The arrays that `torch_record.py` reads: pictures and classes, rate and share of each step, first weights."""
    steps = epochs * -(-len(x) // BATCH)
    rate, share = rates(steps), slow_step_size(steps)
    numbers = {"rates": [rate(t) for t in range(steps)], "shares": [share(t + 1) for t in range(steps)]}
    weights = {f"weight_{i}": array for i, array in enumerate(model.get_weights())}
    return {"x": x, "y": y, "x_test": x_test, "y_test": y_test, **numbers, **weights}


def train_with_torch(name: str, seed: int, folder: Path, python: str, epochs: int | None = None) -> dict[str, Any]:
    """Train the same network from the same weights in a Python that has PyTorch; write record_run_torch_SEED.json.

    Orders and augmentation are drawn there, so they are others. A run that broke off is gone on with, from
    record_run_torch_SEED.backup.pt.

    Raises:
        ValueError: the recipe is not `record`.
        subprocess.CalledProcessError: that Python failed; its own message is printed before.
    """
    if name != "record":
        raise ValueError(f"{name}: expected no --torch-python; PyTorch trains `record` alone.")
    recipe, stem = RECIPES[name], folder / f"record_run_torch_{seed}"
    (x, y), (x_test, y_test) = cifar10.load_data()
    epochs = epochs or recipe.epochs
    set_random_seed(seed)
    model, _, _ = make(x, epochs, recipe.widths)
    program = Path(__file__).with_name("torch_record.py")
    with tempfile.TemporaryDirectory() as place:
        data, found = Path(place) / "data.npz", Path(place) / "result.json"
        np.savez(data, **torch_data(x, y, x_test, y_test, model, epochs))
        settings = json.dumps(torch_settings(epochs, seed))
        subprocess.run([python, program, data, found, f"{stem}.backup.pt", settings], check=True)
        result = json.loads(found.read_text())
    result = {"recipe": name, "with": result.pop("with"), "seed": seed, **result}
    write_result(stem, result)
    _say(f"{name} in PyTorch, seed {seed}", result, stem)
    return result


def _train_tricks(name: str, seed: int, folder: Path, epochs: int | None) -> dict[str, Any]:
    """A network with all tricks, and one without each; those that stand in the result already are kept."""
    recipe = RECIPES[name]
    stem, results = results_so_far(name, seed, folder, epochs)
    (x, y), (x_test, y_test) = cifar10.load_data()
    known = {result["left_out"] for result in results}
    result = {"recipe": name, "what": recipe.what, "seed": seed, "epochs": recipe.epochs, "widths": recipe.widths}
    runs = ["nothing", *(trick for trick in TRICKS if trick != "views")]
    for left_out in tqdm(runs, desc=stem.name, unit="network", disable=not usable(sys.stderr)):
        if left_out in known:
            continue
        start = time.perf_counter()
        set_random_seed(seed)
        model, callbacks, augment = make(x, recipe.epochs, recipe.widths, left_out)
        model.fit(x, y, BATCH, recipe.epochs, verbose=0, callbacks=callbacks, augment=augment)
        seconds = round(time.perf_counter() - start, 1)
        with_views, plain = accuracies(model, x_test, y_test)
        results.append({"left_out": left_out, "test_accuracy": with_views, "seconds": seconds})
        if left_out == "nothing":  # the same network
            results.append({"left_out": "views", "test_accuracy": plain, "seconds": seconds})
        write_result(stem, result | {"results": results})
    say(f"{stem}.json: {len(results)} results")
    return result | {"results": results}
