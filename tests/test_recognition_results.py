"""What notebook 4.1 says of CIFAR-10 stands in the stored results."""

import json
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent.parent / "notebooks" / "results"


def stored(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


def order_runs(stem):
    """The stored runs of a recipe of the order, by seed."""
    runs = [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{stem}_[0-9].json"))]
    assert [run["seed"] for run in runs] == list(range(len(runs)))
    assert {run["recipe"] for run in runs} == {stem.removesuffix("_keras")}
    return runs


def gains(runs, of, last):
    """By seed: the mean accuracy of the last epochs with new orders, minus that with one."""
    return np.array([np.mean(run["new_orders"][of][-last:]) - np.mean(run["one_order"][of][-last:]) for run in runs])


def test_the_riddle_is_one():
    ours = [stored(f"cifar10_article_{seed}")["history"]["val_accuracy"][-1] for seed in range(3)]
    theirs = [curve[-1] for curve in stored("keras_cifar10_article")["val_accuracy"]]
    assert min(ours) > max(theirs)
    assert 0.025 < np.mean(ours) - np.mean(theirs) < 0.035


def test_new_orders_are_better_in_each_pair_of_both_programs():
    ours, theirs = order_runs("cifar10_order"), order_runs("cifar10_order_keras")
    assert all(run["with"].startswith("Keras") for run in theirs)
    gained = np.concatenate([gains(runs, "val_accuracy", 1) for runs in (ours, theirs)])
    assert len(ours) == len(theirs) == 6
    assert all(len(run[way]["accuracy"]) == 10 for run in ours + theirs for way in ("one_order", "new_orders"))
    assert gained.min() > 0.01
    assert 0.02 < gained.mean() < 0.045
    seen = np.concatenate([gains(runs, "accuracy", 1) for runs in (ours, theirs)])
    assert abs(seen.mean()) < 0.01


def test_garments_gain_from_new_orders_in_each_of_six_seeds():
    runs = order_runs("garments_order")
    gained = np.sort(gains(runs, "val_accuracy", 8))
    assert len(runs) == 6
    assert 0.005 < gained[0] < gained[4] < 0.015
    assert 0.04 < gained[5] < 0.05
    assert abs(gains(runs, "accuracy", 8).mean()) < 0.006


def test_recipes_are_those_of_the_table():
    """The table lists what was changed between the article's network and the small one."""
    from scratchnet.recipes.recognition import RECIPES

    augmented, small = RECIPES["cifar10_augmented"], RECIPES["cifar10_small"]
    assert (augmented.epochs, augmented.batch_size, augmented.average) == (10, 32, 0)
    assert (small.epochs, small.batch_size, small.average) == (15, 128, 0.998)
    optimizer = small.make(600).optimizer.get_config()
    assert (optimizer["momentum"], optimizer["nesterov"], optimizer["weight_decay"]) == (0.9, True, 5e-4)
    assert stored("cifar10_small_0")["parameters"] == 577_514
    assert stored("cifar10_article_0")["training_pictures"] == 50_000
    assert stored("cifar10_small_0")["training_pictures"] == 45_000
