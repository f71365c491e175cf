"""The recipe of the references' networks: equal work, what is written, and that it goes on where it was cut off."""

import json

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import references

NAMES = ["article_cnn", "resnet_20"]


@pytest.fixture
def small(monkeypatch):
    """Two networks, few pictures, work for a few steps."""
    (x, y), (x_test, y_test) = sn.datasets.shapes10.load_data(300, 40)
    monkeypatch.setattr(references.cifar10, "load_data", lambda: ((x, y[:, None]), (x_test, y_test[:, None])))
    monkeypatch.setattr(references, "CASES", {name: references.CASES[name] for name in NAMES})
    monkeypatch.setattr(references, "BATCH", 8)
    monkeypatch.setattr(references, "BUDGET", 5e9)


def written(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", references.CASES)
def test_all_spend_the_same_work(name):
    model = references.compiled(references.CASES[name])
    steps = references.steps_for(model)
    assert steps % references.PARTS == 0
    assert 3 * model.multiply_adds() * references.BATCH * steps == pytest.approx(references.BUDGET, rel=0.015)
    assert model.optimizer.schedule(steps) == pytest.approx(0, abs=1e-12)
    assert model.optimizer.schedule(steps // 6) == pytest.approx(references.CASES[name].rate)


def test_what_is_left_out_is_of_a_network_that_is_there():
    for case in references.CASES.values():
        assert not case.without or references.CASES[case.without].without == ""


def test_what_is_written_down_and_that_it_goes_on(small, tmp_path, capsys):
    command.main(["references", "--seeds", "3", "--folder", str(tmp_path)])
    whole = written(tmp_path / "references_3.json")
    assert [result["network"] for result in whole["results"]] == NAMES
    assert whole["seed"] == 3
    for result in whole["results"]:
        model = references.CASES[result["network"]].make()
        assert result["parameters"] == model.count_params()
        assert result["multiply_adds"] == model.multiply_adds()
        assert [part["multiply_adds"] for part in result["history"]] == [
            3 * model.multiply_adds() * 8 * result["steps"] * part // references.PARTS
            for part in range(1, references.PARTS + 1)
        ]
        assert result["history"][-1]["test_accuracy"] == result["test_accuracy"]  # all 40 are asked on the way, too
        assert all(np.isfinite(part["loss"]) for part in result["history"])
    cut = {**whole, "results": whole["results"][:1]}
    (tmp_path / "references_3.json").write_text(json.dumps(cut))
    capsys.readouterr()
    command.main(["references", "--seeds", "3", "--folder", str(tmp_path)])
    assert written(tmp_path / "references_3.json") == whole
    assert "article_cnn" not in capsys.readouterr().out


def test_the_time_of_a_step(small, tmp_path, monkeypatch):
    monkeypatch.setattr(references, "TIMED", 2)
    command.main(["references_time", "--folder", str(tmp_path)])
    found = written(tmp_path / "references_time_0.json")["results"]
    assert [result["network"] for result in found] == NAMES
    assert all(result["ms_step"] > 0 for result in found)


def test_epochs_are_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["references", "--epochs", "3"])
    assert "--epochs is not for references" in capsys.readouterr().err
