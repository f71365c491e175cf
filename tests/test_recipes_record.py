"""The record run: what it writes, that it goes on where it was cut off, and the same steps in PyTorch."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.datasets import cifar10
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import record_run

PYTHON = os.environ.get("SCRATCHNET_TORCH_PYTHON") or (sys.executable if importlib.util.find_spec("torch") else None)
with_torch = pytest.mark.skipif(
    PYTHON is None, reason="the comparison needs PyTorch: pip install torch, or SCRATCHNET_TORCH_PYTHON=path/to/python"
)
RNG = np.random.default_rng(0)


def pictures(count, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 10, (count, 1)).astype(np.uint8)
    x = rng.integers(0, 100, (count, 32, 32, 3)) + 15 * y[:, :, None, None]
    return x.astype(np.uint8), y


@pytest.fixture
def small(monkeypatch):
    """Few pictures of noise, brighter from class to class; few filters."""
    monkeypatch.setattr(cifar10, "load_data", lambda: (pictures(40, 0), pictures(12, 1)))
    monkeypatch.setattr(record_run, "BATCH", 16)
    for name, recipe in record_run.RECIPES.items():
        monkeypatch.setitem(record_run.RECIPES, name, recipe._replace(widths=(2, 3, 4), epochs=2))


def written(path):
    return json.loads(path.read_text())


def test_what_is_written_down(small, tmp_path, capsys):
    command.main(["record", "--seeds", "3", "--folder", str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == {
        "record_run_3.json", "record_run_3.safetensors", "record_run_3.backup.safetensors",
    }  # fmt: skip
    result = written(tmp_path / "record_run_3.json")
    assert (result["recipe"], result["seed"], result["steps"]) == ("record", 3, 6)
    assert [entry["epoch"] for entry in result["history"]] == [1, 2]
    assert all(np.isfinite(entry["loss"]) and 0 <= entry["accuracy"] <= 1 for entry in result["history"])
    assert result["seconds"] > 0
    model, (x, y) = sn.load_model(tmp_path / "record_run_3.safetensors"), pictures(12, 1)
    assert result["test_accuracy_plain"] == np.mean(model.predict(x, verbose=0).argmax(axis=1) == y.ravel())
    assert f"test accuracy {result['test_accuracy']:.4f}" in capsys.readouterr().out


class Killed(Exception):
    pass


def test_a_run_that_was_cut_off_goes_on(small, tmp_path, monkeypatch):
    (tmp_path / "whole").mkdir()
    whole = record_run.train("record", 0, tmp_path / "whole")
    make = record_run.make

    class Kill(sn.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise Killed

    def made(*arguments):
        model, callbacks, augment = make(*arguments)
        return model, [*callbacks, Kill()], augment

    monkeypatch.setattr(record_run, "make", made)
    with pytest.raises(Killed):
        record_run.train("record", 0, tmp_path)
    monkeypatch.setattr(record_run, "make", make)
    again = record_run.train("record", 0, tmp_path)
    for result in (whole, again):
        result.pop("seconds")
    assert again == whole


def test_each_trick_is_left_out_once_and_none_twice(small, tmp_path, monkeypatch):
    record_run.train("record_tricks", 0, tmp_path)
    path = tmp_path / "record_tricks_0.json"
    result = written(path)
    assert [one["left_out"] for one in result["results"]] == [
        "nothing", "views", *(trick for trick in record_run.TRICKS if trick != "views"),
    ]  # fmt: skip
    assert all(0 <= one["test_accuracy"] <= 1 and one["seconds"] >= 0 for one in result["results"])
    path.write_text(json.dumps({**result, "results": result["results"][:-1]}))
    ran, make = [], record_run.make
    monkeypatch.setattr(record_run, "make", lambda *a: ran.append(a[-1]) or make(*a))
    record_run.train("record_tricks", 0, tmp_path)
    assert ran == [record_run.TRICKS[-2]]
    assert [one["left_out"] for one in written(path)["results"]] == [one["left_out"] for one in result["results"]]


def test_every_trick_changes_what_it_says(small):
    (x, _), _ = cifar10.load_data()

    def parts(left_out):
        sn.set_random_seed(0)
        model, callbacks, augment = record_run.make(x, 2, (2, 3, 4), left_out)
        return {
            "whitening": model.optimizer.rate_factors.get(next(iter(model.params))),
            "identity": [layer.params["kernel"][1, 1, 0, 0] == 1 for layer in model.layers[4:5]],
            "gelu": [layer.name for layer in model.layers if "gelu" in str(layer.get_config())] != [],
            "scaled biases": model.optimizer.rate_factors["*/beta"],
            "lookahead": [type(callback) for callback in callbacks if isinstance(callback, sn.Lookahead)],
            "alternating flips": augment.alternating,
            "label smoothing": model.loss.label_smoothing,
        }

    usual = parts(None)
    for trick in usual:
        changed = parts(trick)
        assert {name for name in usual if usual[name] != changed[name]} == {trick}
    assert {*usual, "views"} == set(record_run.TRICKS)


def test_views_weigh_one_together_and_mirror_each_other():
    x = RNG.normal(size=(2, 4, 5, 3))
    views = record_run.views(x)
    assert sum(weight for weight, _ in views) == 1
    assert len(views) == 6
    np.testing.assert_array_equal(views[0][1], x)
    for (weight, one), (other_weight, other) in zip(views[::2], views[1::2]):
        assert weight == other_weight
        np.testing.assert_array_equal(one[:, :, ::-1], other)
    np.testing.assert_array_equal(views[2][1][:, 1:, 1:], x[:, :-1, :-1])  # down and right
    np.testing.assert_array_equal(views[4][1][:, :-1, :-1], x[:, 1:, 1:])


def test_rates_and_shares():
    rate = record_run.rates(490)
    assert rate(112) == pytest.approx(1.5)  # 11.5 / (1 + 1 / 0.15)
    assert rate(0) == pytest.approx(0.3)
    assert rate(490) == pytest.approx(0.105)
    assert rate(112) * record_run.decay() == pytest.approx(0.0153 / (1 + 1 / 0.15) / 0.15)
    share = record_run.slow_step_size(490)
    assert (share(0), share(490)) == (1, pytest.approx(1 - 0.95**5))


def test_wrong_options_are_refused(capsys):
    for arguments, text in (
        (["record_tricks", "--epochs", "2"], "--epochs is not for record_tricks"),
        (["record_tricks", "--torch-python", "python"], "--torch-python is for the DCGANs and record"),
    ):
        with pytest.raises(SystemExit):
            command.main(arguments)
        assert text in capsys.readouterr().err
    with pytest.raises(ValueError, match="PyTorch trains `record` alone"):
        record_run.train_with_torch("record_tricks", 0, Path(), "python")


def test_the_rival_is_told_all():
    settings = record_run.torch_settings(3, 1)
    source = Path(record_run.__file__).with_name("torch_record.py").read_text()
    assert json.loads(json.dumps(settings)) == settings
    for name in settings:
        assert f's["{name}"]' in source


STEPS = """
import json, sys, numpy as np, torch
sys.path.insert(0, sys.argv[1])
import torch_record as t
data, s = dict(np.load(sys.argv[2])), json.loads(sys.argv[3])
net = t.network([data[name] for name in sorted(data) if name.startswith("weight_")])
optimizer, slow = t.optimizer_of(net, s), {name: a.clone() for name, a in net.state_dict().items()}
x, y = t.normalized(data["x"], s), torch.from_numpy(data["y"].ravel().astype(np.int64))
net.train()
losses = [t.step(net, optimizer, x, y, 0.05, s)[0] for _ in range(2)]
t.go_back(net, slow, 0.75)
found = []
for layer in net:
    if isinstance(layer, torch.nn.Conv2d):
        found += [layer.weight.permute(2, 3, 1, 0), *([] if layer.bias is None else [layer.bias])]
    elif isinstance(layer, torch.nn.BatchNorm2d):
        found += [layer.bias, layer.running_mean, layer.running_var]
    elif isinstance(layer, torch.nn.Linear):
        found.append(layer.weight.T)
with torch.no_grad():
    views = t.accuracies(net, data["x"], data["y"], s)
np.savez(sys.argv[4], np.array(losses), np.array(views), *[a.detach().numpy() for a in found])
"""


@with_torch
def test_two_steps_and_a_step_back_are_those_of_pytorch(small, tmp_path):
    """Losses, weights and statistics, and the accuracies of the views, after the same two steps at one rate."""
    sn.set_random_seed(0)
    x, y = pictures(40, 0)
    model, _, _ = record_run.make(x, 1, (4, 6, 8))
    data = record_run.torch_data(x, y, x, y, model, 1)
    weights = {name: array for name, array in data.items() if name.startswith("weight_")}
    ordered = {f"weight_{int(name[7:]):02d}": array for name, array in weights.items()}
    np.savez(tmp_path / "data.npz", x=x, y=y, **ordered)
    settings, place = json.dumps(record_run.torch_settings(1, 0)), Path(record_run.__file__).parent
    command_line = [PYTHON, "-c", STEPS, place, tmp_path / "data.npz", settings, tmp_path / "found.npz"]
    done = subprocess.run(command_line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "found.npz") as file:
        losses, views, *theirs = (file[name] for name in file.files)

    model.optimizer.learning_rate = 0.05
    slow = record_run.Lookahead(2, 0.75)
    slow.set_model(model)
    slow.on_train_begin()
    ours = []
    for batch in range(2):
        ours.append(model.train_on_batch(x, y)[0])
        slow.on_train_batch_end(batch)
    np.testing.assert_allclose(ours, losses, rtol=1e-5)
    assert len(theirs) == len(model.get_weights())
    for own, other, name in zip(model.get_weights(), theirs, [*model.params, *model.state]):
        # A batch's variance is unbiased in PyTorch's moving average, with at least 40 elements a channel.
        np.testing.assert_allclose(own, other, rtol=0.03, atol=2e-3 * np.abs(other).max() + 1e-5, err_msg=name)
    assert record_run.accuracies(model, x, y) == pytest.approx(tuple(views), abs=0.026)  # one picture at most


@with_torch
def test_the_rival_goes_on_where_it_was_cut_off(small, tmp_path):
    command.main(["record", "--torch-python", PYTHON, "--folder", str(tmp_path)])
    path = tmp_path / "record_run_torch_0.json"
    whole = written(path)
    assert whole["with"].startswith("PyTorch ")
    assert (whole["steps"], len(whole["history"])) == (6, 2)
    assert (tmp_path / "record_run_torch_0.backup.pt").is_file()
    again = record_run.train_with_torch("record", 0, tmp_path, PYTHON)  # nothing is left to train
    assert again["test_accuracy"] == whole["test_accuracy"]
    longer = record_run.train_with_torch("record", 0, tmp_path, PYTHON, epochs=3)
    assert longer["history"][:2] == whole["history"]
    assert (longer["steps"], len(longer["history"])) == (9, 3)
