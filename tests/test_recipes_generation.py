"""The DCGANs' recipes: what they write down, that they go on where they were broken off, and the rival in PyTorch."""

import importlib.util
import json
import sys

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import generation
from scratchnet.recipes.generation import RECIPES, train, train_with_torch

pytest.importorskip("matplotlib", reason="the sheets are drawn with matplotlib")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A few of the pictures, and narrow networks."""
    for name, recipe in RECIPES.items():
        monkeypatch.setitem(RECIPES, name, recipe._replace(data=lambda: few, width=4, batch_size=16))
    x, classifier = generation._fashion()
    few = x[:160], classifier
    return few


def test_the_data():
    x, classifier = generation._fashion()
    assert x.shape == (6000, 32, 32, 1)
    assert x.dtype == np.uint8
    assert x[:, :2].max() == x[:, :, -2:].max() == 0  # the margin
    assert classifier == "fashion_mnist"


def test_what_is_written_down(small, tmp_path):
    result = train("fashion_dcgan", 1, tmp_path, epochs=3)
    written = json.loads((tmp_path / "fashion_dcgan_1.json").read_text())
    assert written.items() >= json.loads(json.dumps(result)).items()
    assert sorted(p.name for p in tmp_path.glob("*.png")) == [f"fashion_dcgan_1_epoch{n}.png" for n in (1, 2, 3)]
    for values in result["history"].values():
        assert len(values) == 3
    gan = sn.load_model(tmp_path / "fashion_dcgan_1.safetensors")
    best = sn.load_model(tmp_path / "fashion_dcgan_1.best.safetensors")
    for name, model in (("last", gan), ("best", best)):
        again = sn.generation.report(small[0], model.generate(80, seed=1))
        assert result[name]["generated"]["fcd"] == again.generated.fcd
    distances = result["history"]["fcd"]
    measured = sn.generation.GenerationMetrics(small[0], n=80)
    measured.set_model(best)
    assert measured.measure()["fcd"] == min(distances)
    assert result["measured"] == {
        "samples": 80,
        "floor": measured.floor,
    }  # of the curve, which differ from the report's


def test_a_run_that_was_broken_off_goes_on(tmp_path, monkeypatch):
    class Broken(Exception):
        pass

    def breaks(self, epoch, logs=None):
        end(self, epoch, logs)
        if epoch == 0:
            raise Broken

    whole = train("fashion_dcgan", 0, tmp_path, epochs=2)
    for path in tmp_path.iterdir():
        path.unlink()
    end = sn.BackupAndRestore.on_epoch_end
    monkeypatch.setattr(sn.BackupAndRestore, "on_epoch_end", breaks)
    with pytest.raises(Broken):
        train("fashion_dcgan", 0, tmp_path, epochs=2)
    monkeypatch.setattr(sn.BackupAndRestore, "on_epoch_end", end)
    again = train("fashion_dcgan", 0, tmp_path, epochs=2)
    for result in (whole, again):
        assert len(result.pop("seconds")) == 2  # the time that each epoch took is all that may differ
    assert again == whole


def test_the_rival(tmp_path, capfd):
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    result = train_with_torch("fashion_dcgan", 2, tmp_path, sys.executable, epochs=1)
    written = json.loads((tmp_path / "fashion_dcgan_torch_2.json").read_text())
    assert written["last"] == json.loads(json.dumps(result["last"]))
    assert result["last"]["generated"]["fcd"] > 0
    assert "in PyTorch, seed 2" in capfd.readouterr().out


def test_the_command(tmp_path, capsys):
    command.main(["cifar10_dcgan", "--epochs", "1", "--seeds", "4", "--folder", str(tmp_path)])
    assert (tmp_path / "cifar10_dcgan_4.json").is_file()
    with pytest.raises(SystemExit):
        command.main(["cifar10_small", "--torch-python", "python"])
    assert "is for the DCGANs" in capsys.readouterr().err
