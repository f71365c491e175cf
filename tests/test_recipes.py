"""The recipes run, write down what they found, and go on where they were broken off."""

import datetime
import json

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import recognition, record
from scratchnet.recipes.recognition import RECIPES, train


@pytest.fixture
def few(monkeypatch):
    """A hundred pictures in place of CIFAR-10, and twenty of them held out."""
    (x, y), (x_test, y_test) = sn.datasets.shapes10.load_data(100, 30, seed=0)
    data = (x, y[:, None].astype(np.uint8)), (x_test, y_test[:, None].astype(np.uint8))
    monkeypatch.setattr(recognition.cifar10, "load_data", lambda: data)
    for name, recipe in RECIPES.items():
        monkeypatch.setitem(RECIPES, name, recipe._replace(held_out=20 if recipe.held_out else 0))
    return data


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_written_down(few, tmp_path, name, capsys):
    result = train(name, 3, tmp_path, epochs=2)
    written = json.loads((tmp_path / f"{name}_3.json").read_text())
    assert written.pop("date") == datetime.date.today().isoformat()
    assert "threads" in written.pop("machine")
    assert written == result
    _, (x_test, y_test) = few
    model = sn.load_model(tmp_path / f"{name}_3.safetensors")
    assert result["test_accuracy"] == np.mean(model.predict(x_test).argmax(axis=1) == y_test[:, 0])
    matrix = np.array(result["confusion_matrix"])
    assert matrix.sum() == 30
    assert np.trace(matrix) == round(30 * result["test_accuracy"])
    kernel = next(layer.params["kernel"] for layer in model.layers if "kernel" in layer.params)
    np.testing.assert_allclose(result["filters"], kernel, atol=5e-5)
    assert [len(values) for values in result["history"].values()] == [2] * 4
    assert len(result["seconds"]) == 2
    assert result["parameters"] == model.count_params() <= 1_500_000
    assert result["training_pictures"] == (100 if name == "cifar10_article" else 80)
    assert f"{name}, seed 3: test accuracy" in capsys.readouterr().out


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
