"""What notebook 4.1 says of CIFAR-10 stands in the stored results."""

import json
from pathlib import Path

RESULTS = Path(__file__).parent.parent / "notebooks" / "results"


def stored(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


def test_one_order_for_all_epochs_costs_four_points_in_both_programs():
    runs = stored("cifar10_order")["runs"]
    new = [a for run in runs if run["order"].startswith("new") for a in run["accuracy"]]
    same = [a for run in runs if run["order"].startswith("the same") for a in run["accuracy"]]
    assert min(new) > max(same)
    assert 0.03 < sum(new) / len(new) - sum(same) / len(same) < 0.05
    seen = [run["training_accuracy"] for run in runs if run["training_accuracy"]]
    means = [sum(three) / len(three) for three in seen]
    assert max(means) - min(means) < 0.02


def test_the_order_of_keras_is_that_of_its_stored_curves():
    last = [round(curve[-1], 3) for curve in stored("keras_cifar10_article")["val_accuracy"]]
    run = next(run for run in stored("cifar10_order")["runs"] if "with a seed" in run["program"])
    assert all(abs(a - b) < 0.001 for a, b in zip(run["accuracy"], last))


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
