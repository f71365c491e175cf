"""The recipes of the order: what they write, that they go on where they were cut off, and the rival in Keras."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import order

GARMENTS = order.RECIPES["garments_order"]


def first(count, data):
    return {name: array[:count] for name, array in data.items()}


@pytest.fixture
def small(monkeypatch):
    """Few pictures, few epochs; those of CIFAR-10 are shapes."""
    garments = first(96, GARMENTS.data())
    (x, y), (x_test, y_test) = sn.datasets.shapes10.load_data(64, 32)
    shapes = {"x": x, "y": y[:, None], "x_test": x_test, "y_test": y_test[:, None]}
    for name, data in (("garments_order", garments), ("cifar10_order", shapes)):
        made = order.RECIPES[name]._replace(data=lambda data=data: data, epochs=3)
        monkeypatch.setitem(order.RECIPES, name, made)


def written(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", order.RECIPES)
def test_what_is_written_down(small, name, tmp_path, capsys):
    command.main([name, "--seeds", "1", "--epochs", "2", "--folder", str(tmp_path)])
    result = written(tmp_path / f"{name}_1.json")
    assert (result["recipe"], result["seed"]) == (name, 1)
    assert result["training_pictures"] == len(order.RECIPES[name].data()["x"])
    assert {"what", "date", "machine"} <= result.keys()
    recipe = order.RECIPES[name]._replace(epochs=2)
    for way, new_each_epoch in order.WAYS.items():
        assert result[way].pop("seconds") >= 0
        found = order.one(recipe, 1, new_each_epoch)
        assert result[way] == {of: [round(value, 4) for value in values] for of, values in found.items()}
        assert len(result[way]["val_accuracy"]) == 2
    assert capsys.readouterr().out.count("seed 1, ") == 2


def test_a_run_that_was_cut_off_goes_on(small, tmp_path, monkeypatch):
    whole = order.train("garments_order", 0, tmp_path)
    path = tmp_path / "garments_order_0.json"
    path.write_text(json.dumps({name: value for name, value in written(path).items() if name != "new_orders"}))
    ran, one = [], order.one
    monkeypatch.setattr(order, "one", lambda recipe, seed, new: ran.append((seed, new)) or one(recipe, seed, new))
    again = order.train("garments_order", 0, tmp_path)
    assert ran == [(0, True)]
    for result in (whole, again, written(path)):
        result["new_orders"].pop("seconds")  # all that may differ
        assert result["new_orders"] == whole["new_orders"]
    order.train("garments_order", 0, tmp_path, epochs=1)  # other epochs are another run
    assert ran[1:] == [(0, False), (0, True)]
    assert [len(written(path)[way]["accuracy"]) for way in order.WAYS] == [1, 1]


def test_both_ways_start_alike_and_only_shuffle_differs(small):
    asked = []

    class Network:
        def __init__(self, weights):
            self.weights = weights

        def fit(self, x, y, **options):
            asked.append((self.weights, x, y, options))
            return sn.callbacks.History()

    def make():
        return Network(GARMENTS.make().get_weights())

    recipe = order.RECIPES["garments_order"]._replace(make=make)
    for new_each_epoch in (False, True):
        with pytest.raises(KeyError):  # it has learnt nothing
            order.one(recipe, 2, new_each_epoch)
    (weights, x, y, options), (other_weights, other_x, other_y, other_options) = asked
    for a, b in zip([*weights, x, y], [*other_weights, other_x, other_y]):
        np.testing.assert_array_equal(a, b)
    assert (options.pop("shuffle"), other_options.pop("shuffle")) == (False, True)
    for rest in (options, other_options):
        rest.pop("validation_data")
        assert rest == {"epochs": 3, "batch_size": 32, "verbose": 0}
    data = recipe.data()
    assert not np.array_equal(x, data["x"])
    assert sorted(picture.tobytes() for picture in x) == sorted(picture.tobytes() for picture in data["x"])


def test_wrong_options_are_refused(capsys):
    for name in ("garments_order", "cifar10_article"):
        with pytest.raises(SystemExit):
            command.main([name, "--keras-python", "python"])
        assert "--keras-python is for cifar10_order" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["cifar10_order", "--torch-python", "python"])
    assert "--torch-python is for the DCGANs" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["cifar10_order", "--epochs", "0"])


FAKE = """
import json, sys, numpy as np
pictures, result, settings = sys.argv[2:]
with np.load(pictures) as data: shapes = {name: list(data[name].shape) for name in data}
s = json.loads(settings)
n = s["epochs"]
found = {"with": "a stand-in", "accuracy": [s["seed"] / 10] * n, "val_accuracy": [0.5 + s["new_each_epoch"] / 4] * n}
json.dump(found, open(result, "w"))
"""


def test_what_the_other_program_found_is_written_down(small, tmp_path, monkeypatch, capsys):
    fake, run = tmp_path / "fake.py", subprocess.run
    fake.write_text(FAKE)
    monkeypatch.setattr(subprocess, "run", lambda c, **options: run([c[0], fake, *c[1:]], **options))
    command.main(["cifar10_order", "--seeds", "4", "--keras-python", sys.executable, "--folder", str(tmp_path)])
    assert [path.name for path in tmp_path.glob("*.json")] == ["cifar10_order_keras_4.json"]
    result = written(tmp_path / "cifar10_order_keras_4.json")
    assert (result["with"], result["seed"]) == ("a stand-in", 4)
    assert result["one_order"]["val_accuracy"] == [0.5] * 3
    assert result["new_orders"]["val_accuracy"] == [0.75] * 3
    assert result["new_orders"]["accuracy"] == [0.4] * 3


def test_a_python_that_fails_leaves_no_result(small, tmp_path, monkeypatch):
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda c, **options: run([c[0], "-c", "raise SystemExit(3)"], **options))
    with pytest.raises(subprocess.CalledProcessError):
        order.train("cifar10_order", 0, tmp_path, keras_python=sys.executable)
    assert not list(tmp_path.glob("*.json"))


def test_the_rival(small, tmp_path):
    """Its first epoch is the same both ways, the second is not; its network has the article's size."""
    for name in ("keras", "tensorflow"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    result = order.train("cifar10_order", 0, tmp_path, epochs=2, keras_python=sys.executable)
    assert result["with"].startswith("Keras ")
    one, new = (result[way]["val_accuracy"] + result[way]["accuracy"] for way in order.WAYS)
    assert (one[0], one[2]) == (new[0], new[2])
    assert all(0 <= value <= 1 for value in one + new)


def test_the_rival_is_told_all(monkeypatch):
    settings = order.keras_settings(order.RECIPES["cifar10_order"], 5, True)
    source = (Path(order.__file__).parent / "keras_order.py").read_text()
    assert json.loads(json.dumps(settings)) == settings
    for name in settings:
        assert f'["{name}"]' in source
