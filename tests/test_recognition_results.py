"""What notebook 4.1 says of CIFAR-10 and of the drawn shapes stands in the stored results."""

import json
from pathlib import Path

import numpy as np

from scratchnet.recipes import shapes

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


def shapes_runs(recipe):
    """From the stored runs of a recipe of the drawn shapes: the best rate of each network, its run with it by seed."""
    found = [stored(f"{recipe}_{seed}") for seed in range(3)]
    cases = shapes.RECIPES[recipe].cases
    for seed, result in enumerate(found):
        assert (result["recipe"], result["seed"]) == (recipe, seed)
        runs = result["results"]
        assert [(run["network"], run["rate"]) for run in runs] == [(name, r) for name in cases for r in shapes.RATES]
        assert all(len(run["val_accuracy"]) == cases[run["network"]].epochs for run in runs)
    return {name: shapes.best(found, name) for name in cases}


def after(runs, epoch):
    return np.array([run["val_accuracy"][epoch - 1] for run in runs])


def test_the_opponents_stay_behind_at_equal_work_and_at_their_best_rates():
    chosen = shapes_runs("shapes_networks")
    ends = {
        name: after(runs, shapes.RECIPES["shapes_networks"].cases[name].epochs) for name, (_, runs) in chosen.items()
    }
    assert 0.28 < ends["linear"].mean() < 0.3
    assert 0.72 < ends["dense"].mean() < 0.73
    assert ends["convolutional"].min() > 0.9
    assert [chosen[name][0] for name in ("linear", "dense")] == [min(shapes.RATES)] * 2
    assert min(run["seen"] for run in chosen["dense"][1]) > 0.999
    assert abs(after(chosen["dense"][1], 10).mean() - 0.39) < 0.005


def test_augmentation_is_behind_first_and_ahead_later():
    (_, plain), (_, augmented) = shapes_runs("shapes_few").values()
    gained = {epoch: after(augmented, epoch) - after(plain, epoch) for epoch in (12, 18, 24, 48)}
    assert gained[12].mean() < -0.05
    assert gained[18].min() > 0.02
    assert 0.12 < gained[24].min() < gained[24].max() < 0.17
    assert gained[48].min() > 0.01
    assert all(run["seen"] == 1 for run in plain)


def test_normalization_is_behind_after_three_epochs_and_ahead_after_ten():
    chosen = shapes_runs("shapes_networks")
    (plain_rate, plain), (rate, normalized) = chosen["convolutional"], chosen["normalized"]
    assert (plain_rate, rate) == (0.003, 0.001)
    assert after(normalized, 3).mean() < after(plain, 3).mean() - 0.05
    assert after(normalized, 10).min() - after(plain, 10).max() > 0.006
    assert after(normalized, 10).max() - after(plain, 10).min() < 0.02


def test_the_test_pictures_confirm_the_order_but_for_two_that_are_close():
    chosen = shapes_runs("shapes_networks") | shapes_runs("shapes_few")
    tested = {name: np.mean([run["test_accuracy"] for run in runs]) for name, (_, runs) in chosen.items()}
    order = ["linear", "as they are", "dense", "augmented", "convolutional", "normalized"]
    assert sorted(tested, key=tested.get) == order
    assert tested["dense"] - tested["as they are"] < 0.015
