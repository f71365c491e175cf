"""The bench: its contestants do what they say, take turns, and what it prints can be read back."""

import json
import sys

import numpy as np
import pytest

from scratchnet import plot
from scratchnet.bench import __main__ as bench
from scratchnet.bench import ours
from scratchnet.bench.race import Contestant, find, race, summary
from scratchnet.bench.shapes import TASKS


def test_the_summary_of_times():
    assert summary([0.003, 0.001, 0.002]) == pytest.approx({"median": 2, "low": 1.5, "high": 2.5, "count": 3})
    assert summary([0.002])["median"] == pytest.approx(2)


def test_the_article_s_network_has_its_parameters():
    assert ours.article_cnn().count_params() == 315_722


def test_a_step_of_the_dcgan_moves_both_networks():
    networks = []
    made = ours.dcgan
    try:
        ours.dcgan = lambda: networks.append(made()) or networks[0]
        step = ours.prepare("dcgan step")
    finally:
        ours.dcgan = made
    before = [network.get_weights() for network in networks[0]]
    step()
    for network, weights in zip(networks[0], before):
        assert all((new != old).any() for new, old in zip(network.get_weights(), weights))
        assert all(np.isfinite(w).all() for w in network.get_weights())


def test_the_augmented_step_augments_and_learns(monkeypatch):
    models, seen = [], []
    made, step = ours.article_cnn, ours.train_step
    monkeypatch.setattr(ours, "article_cnn", lambda: models.append(made()) or models[-1])
    monkeypatch.setattr(ours, "train_step", lambda *given: seen.append(given[3]) or step(*given))
    function = ours.prepare("cnn step, augmented")
    assert "cnn step, augmented" in TASKS["cnn"]
    before = models[-1].get_weights()
    function()
    assert (seen[0].shape, seen[0].dtype) == ((32, 32, 32, 3), np.float32)
    assert seen[0].max() > 200  # moved, not rescaled: the article's step is measured on what it gets
    assert all((new != old).any() for new, old in zip(models[-1].get_weights(), before))


def test_contestants_take_turns_and_tell_their_memory():
    with Contestant("scratchnet", sys.executable, {}) as us, Contestant("a @ b", sys.executable, {}) as product:
        found = race([us, product], "cnn predict 1", rounds=2, repeat=3)
    assert {name: t["count"] for name, t in found.items()} == {"scratchnet": 6, "a @ b": 6}
    assert all(0 < t["low"] <= t["median"] <= t["high"] for t in found.values())
    assert us.peak > 20


def test_a_contestant_that_ends_says_why():
    with (
        Contestant("scratchnet", sys.executable, {}) as us,
        pytest.raises(RuntimeError, match=r"scratchnet .* ended on 'cnn predict x': ValueError: invalid literal"),
    ):
        us.run("cnn predict x")


def test_frameworks_that_are_not_there_are_left_out(tmp_path):
    assert find("scratchnet", sys.executable)
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    assert not find("torch", str(bare))


def test_kernels_as_json_and_as_pictures(capsys, tmp_path):
    file = tmp_path / "speeds.png"
    bench.main(["--kernels", "--model", "cnn", "--rounds", "1", "--json", "--plot", str(file)])
    results = json.loads(capsys.readouterr().out)["results"]
    assert (
        len(results) == 4 * 2 + 3 * 2
    )  # y, dx, dw and, where a pooling follows, both once more; three of a dense layer
    assert all(speed["ratio"] == pytest.approx(speed["GFLOP/s"] / speed["a @ b"]) for speed in results.values())
    assert file.stat().st_size > 10_000
    bench.print_kernels(results)
    assert "15x15x32 to 64: dw" in capsys.readouterr().out


def test_models_as_a_table(capsys):
    t = {"median": 2.0, "low": 1.0, "high": 3.0, "count": 9}
    tasks = {
        task: {"scratchnet": t, "torch": t | {"median": 4.0, "high": 5.0}} for model in TASKS.values() for task in model
    }
    memory, first = {"cnn step": {"scratchnet": 100.0}}, {"dcgan step": {"us": 1.5}}
    bench.print_models({"tasks": tasks, "peak memory": memory, "first step": first})
    printed = capsys.readouterr().out
    assert "ours / this 0.50" in printed
    assert "100 MB" in printed
    assert "end of the first dcgan step\n  us " in printed
    assert "1.50 s" in printed
    assert len(plot.times(tasks).axes) == len(tasks)
