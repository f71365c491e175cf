"""The recipes run, write down what they found, and go on where they were broken off."""

import datetime
import json
import re
from pathlib import Path

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.datasets import fashion_mnist_small
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import recognition, record
from scratchnet.recipes.recognition import RECIPES, train
from scratchnet.recipes.text import confusion_text, most_confused


@pytest.fixture
def few(monkeypatch):
    """A hundred pictures of each data set, and twenty of them held out."""
    (x, y), (x_test, y_test) = sn.datasets.shapes10.load_data(100, 30, seed=0)
    data = (x, y[:, None].astype(np.uint8)), (x_test, y_test[:, None].astype(np.uint8))
    monkeypatch.setattr(recognition.cifar10, "load_data", lambda: data)
    (grey, z), (grey_test, z_test) = fashion_mnist_small.load_data()
    small = (grey[:100], z[:100]), (grey_test[:30], z_test[:30])
    monkeypatch.setattr(recognition.fashion_mnist_small, "load_data", lambda: small)
    for name, recipe in RECIPES.items():
        monkeypatch.setitem(RECIPES, name, recipe._replace(held_out=20 if recipe.held_out else 0))
    return {recognition.cifar10: data, recognition.fashion_mnist_small: small}


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_written_down(few, tmp_path, name, capsys):
    result = train(name, 3, tmp_path, epochs=2)
    written = json.loads((tmp_path / f"{name}_3.json").read_text())
    assert written.pop("date") == datetime.date.today().isoformat()
    assert "threads" in written.pop("machine")
    assert written == result
    _, (x_test, y_test) = few[RECIPES[name].data]
    y_test = y_test.ravel()
    model = sn.load_model(tmp_path / f"{name}_3.safetensors")
    assert result["test_accuracy"] == np.mean(
        model.predict(x_test.reshape(30, *model.input_shape[1:])).argmax(axis=1) == y_test
    )
    matrix = np.array(result["confusion_matrix"])
    assert matrix.sum() == 30
    assert np.trace(matrix) == round(30 * result["test_accuracy"])
    kernel = next(layer.params["kernel"] for layer in model.layers if "kernel" in layer.params)
    np.testing.assert_allclose(result["filters"], kernel, atol=5e-5)
    assert [len(values) for values in result["history"].values()] == [2] * 4
    assert len(result["seconds"]) == 2
    assert result["parameters"] == model.count_params() <= 1_500_000
    assert result["training_pictures"] == (80 if RECIPES[name].held_out else 100)
    printed = capsys.readouterr().out
    assert f" {model.count_params():,} " in next(line for line in printed.splitlines() if line.startswith("total"))
    assert printed.count("Epoch ") == 2
    names = RECIPES[name].data.CLASS_NAMES
    assert f"\n{confusion_text(matrix, names)}\n\n{most_confused(matrix, names)}\n" in printed
    assert f"{name}, seed 3: test accuracy" in printed
    for file in re.search("Written: (.*) \\(the model\\), (.*) \\(the results\\)", printed).groups():
        assert Path(file).is_file()


def test_the_confusion_matrix_as_text():
    matrix = np.array([[8, 0, 2], [1, 7, 0], [30, 0, 1000]])
    lines = confusion_text(matrix, ("cat", "dog", "ankle boot")).splitlines()
    assert [line.split() for line in lines] == [
        ["true", "class", "predicted", "class"],
        ["0", "1", "2", "recall"],
        ["0", "cat", "8", ".", "2", "80.0%"],
        ["1", "dog", "1", "7", ".", "87.5%"],
        ["2", "ankle", "boot", "30", ".", "1000", "97.1%"],
    ]
    assert len({len(line) for line in lines[1:]}) == 1  # columns stand below each other
    assert len(confusion_text(np.full((10, 10), 999), fashion_mnist_small.CLASS_NAMES).splitlines()[5]) <= 80
    assert confusion_text(np.zeros((1, 1), int), ("none",)).endswith(" 0.0%")
    with pytest.raises(ValueError, match=r"expected a matrix of shape \(2, 2\).*got \(3, 3\)"):
        confusion_text(matrix, ("cat", "dog"))


def test_the_pair_that_is_confused_most():
    matrix = np.array([[8, 0, 2], [5, 7, 0], [4, 0, 90]])
    found = most_confused(matrix, ("cat", "dog", "ship"))
    assert found.startswith("Most often confused: cat and ship. 2 of 10 pictures of class cat were taken for ship")
    assert found.endswith(", and 4 of 94 the other way.")
    assert most_confused(np.diag([3, 4]), ("cat", "dog")) == "No class was taken for another."


def test_the_readme_s_line_names_a_recipe():
    readme = (Path(sn.__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    command_lines = re.findall(r"python -m scratchnet\.recipes (\w+)", readme)
    assert "fashion_article" in command_lines
    assert set(command_lines) <= command.ROOMS.keys()


def test_a_run_that_was_broken_off_goes_on(few, tmp_path, monkeypatch):
    whole = train("cifar10_small", 0, record.folder_for(tmp_path / "whole"), epochs=3)

    class Broken(Exception):
        pass

    def breaks(self, epoch, logs=None):
        if epoch == 2:
            raise Broken
        begin(self, epoch, logs)

    begin = record.Stopwatch.on_epoch_begin
    folder = record.folder_for(tmp_path / "broken" / "off")
    monkeypatch.setattr(record.Stopwatch, "on_epoch_begin", breaks)
    with pytest.raises(Broken):
        train("cifar10_small", 0, folder, epochs=3)
    monkeypatch.setattr(record.Stopwatch, "on_epoch_begin", begin)
    again = train("cifar10_small", 0, folder, epochs=3)
    assert len(again.pop("seconds")) == len(whole.pop("seconds")) == 3
    assert again == whole


def test_the_command(few, tmp_path, capsys):
    command.main(["cifar10_article", "--seeds", "1", "2", "--epochs", "1", "--folder", str(tmp_path / "runs")])
    assert sorted(p.name for p in (tmp_path / "runs").glob("*.json")) == [
        "cifar10_article_1.json",
        "cifar10_article_2.json",
    ]
    with pytest.raises(SystemExit):
        command.main(["cifar10_articel"])
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize("epochs", ["0", "-3"])
def test_a_number_of_epochs_that_is_none(epochs, capsys):
    with pytest.raises(SystemExit):
        command.main(["cifar10_article", "--epochs", epochs])
    assert f"expected --epochs of at least 1, got {epochs}" in capsys.readouterr().err
