"""The bench: its contestants do what they say, take turns, and what it prints can be read back."""

import io
import json
import os
import sys

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import plot
from scratchnet.bench import __main__ as bench
from scratchnet.bench import company, ours, shapes, worker
from scratchnet.bench.race import Contestant, find, race, summary
from scratchnet.bench.shapes import CONVS, NETWORKS, TASKS


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


@pytest.mark.parametrize(("task", "fuse"), [("cnn step", True), ("cnn step, layer by layer", False)])
def test_a_step_fused_and_layer_by_layer(monkeypatch, task, fuse):
    models = []
    monkeypatch.setattr(ours, "train_step", lambda model, *rest: models.append(model))
    assert task in TASKS["cnn"]
    ours.prepare(task)()
    (model,) = models
    assert model.fuse is fuse
    assert (len(model.plan()) == len(model.layers)) is not fuse


@pytest.mark.parametrize("task", NETWORKS)
def test_the_references_networks_are_in_the_zoo(monkeypatch, task):
    name, step, batch, size = shapes.network(task)
    assert (batch, size) == ((128, 32) if step else (8, {"alexnet": 227, "inception_v3": 299}.get(name, 224)))
    small, seen = sn.Sequential([sn.Input((size, size, 3)), sn.Flatten(), sn.Dense(10, activation="softmax")]), []
    assert callable(getattr(sn.zoo, name))
    monkeypatch.setattr(sn.zoo, name, lambda: small, raising=False)
    monkeypatch.setattr(ours, "train_step", lambda model, loss, optimizer, x, y: seen.append((model, x.shape, len(y))))
    y = ours.prepare(task)()
    assert seen == [(small, (batch, size, size, 3), batch)] if step else y.shape == (batch, 10)


def test_what_fusing_saves(capsys):
    fused, apart, torch = ({"median": ms, "low": ms, "high": ms, "count": 1} for ms in (3.0, 4.0, 1.0))
    tasks = {"cnn step": {"scratchnet": fused, "torch": torch}, "cnn step, layer by layer": {"scratchnet": apart}}
    assert bench.fused_ratio(tasks) == 0.75
    assert bench.fused_ratio({"cnn step": tasks["cnn step"]}) is None
    found = {"tasks": tasks, "fused / layer by layer": 0.75, "peak memory": {}, "first step": {}}
    bench.print_models(found)
    assert "fusing saves 25%" in capsys.readouterr().out
    bench.print_models({**found, "fused / layer by layer": None})
    assert "fusing" not in capsys.readouterr().out


def answers(monkeypatch, capsys, prepare, *tasks):
    """What a contestant's process answers, run within this one."""
    orders = [json.dumps({"task": task, "repeat": 2, "warm_up": 0.0, "seconds": 1.0}) for task in tasks]
    monkeypatch.setattr(worker, "contestant", lambda name: prepare)
    monkeypatch.setattr(sys, "argv", ["worker.py", "one"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{order}\n" for order in orders)))
    worker.main()
    return [json.loads(line)["times"] for line in capsys.readouterr().out.splitlines()]


def test_a_task_that_a_contestant_does_not_run_has_no_times(monkeypatch, capsys):
    tasks = {"one": lambda: None}
    one, other, again = answers(monkeypatch, capsys, tasks.get, "one", "other", "one")
    assert (len(one), other, len(again)) == (2, [], 2)


@pytest.mark.parametrize("error", [KeyError, IndexError, LookupError])
def test_an_error_of_the_timed_call_is_not_taken_for_a_task_that_is_not_run(monkeypatch, capsys, error):
    def fails():
        raise error("of the network")

    with pytest.raises(error, match="of the network"):
        answers(monkeypatch, capsys, lambda task: fails, "one")


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


def test_the_limit_of_a_kernel_is_the_product_or_the_copy():
    """2e9 operations in 4 ms are 500 GFLOP/s; a @ b, 2.1e9 operations in 2 ms, has 1074."""
    by_product, by_memory = (bench.speed(2e9, 10**8, 4.0, 2.0, copy) for copy in (1.0, 3.0))
    assert by_product["limit"] == "a @ b"
    assert by_product["of limit"] == pytest.approx(by_product["ratio"]) == pytest.approx(500 / (2**30 / 1e6), rel=1e-3)
    assert by_memory["limit"] == "copy"
    assert by_memory["of limit"] == pytest.approx(3 / 4)
    assert (by_memory["GB/s"], by_memory["copy"]) == pytest.approx((25, 100 / 3))


def test_the_references_are_kernels_on_the_cpu(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--model", "references"])
    assert "Add --kernels" in capsys.readouterr().err
    grouped = next(layer for layer in CONVS["references"] if 1 < layer.groups < layer.C)
    small = [layer._replace(N=1, H=5) for layer in (CONVS["references"][0], grouped)]
    for kernel in (kernel for layer in small for kernel in ours._convolution(layer)):
        assert kernel.function() is not None or kernel.name.endswith("dw")


def test_models_as_a_table(capsys):
    t = {"median": 2.0, "low": 1.0, "high": 3.0, "count": 9}
    tasks = {
        task: {"scratchnet": t, "torch": t | {"median": 4.0, "high": 5.0}} for model in TASKS.values() for task in model
    }
    memory, first = {"cnn step": {"scratchnet": 100.0}}, {"dcgan step": {"us": 1.5}}
    ratio = bench.fused_ratio(tasks)
    assert ratio == 1
    bench.print_models({"tasks": tasks, "fused / layer by layer": ratio, "peak memory": memory, "first step": first})
    printed = capsys.readouterr().out
    assert "ours / this 0.50" in printed
    assert "layer by layer: 1.00 of the time" in printed
    assert "100 MB" in printed
    assert "end of the first dcgan step\n  us " in printed
    assert "1.50 s" in printed
    assert len(plot.times(tasks).axes) == len(tasks)


def test_networks_each_in_processes_of_their_own(monkeypatch, capsys):
    begun, ended = [], []

    class Stand:
        def __init__(self, name, python, environment):
            self.name, self.peak = name, 100.0
            begun.append(name)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            ended.append(self.name)

        def run(self, task, *arguments):
            return [] if self.name == "keras" and "se_resnet" in task else [0.002]

    monkeypatch.setattr(bench, "Contestant", Stand)
    monkeypatch.setattr(bench, "find", lambda name, python: name in ("scratchnet", "keras"))
    monkeypatch.setattr(bench, "race", lambda *arguments, **more: race(*arguments, **more, pause=0.0))
    bench.main(["--networks", "--rounds", "1", "--json"])
    found = json.loads(capsys.readouterr().out)["results"]
    assert len(begun) == len(ended) == 2 * len(NETWORKS)
    assert list(found["tasks"]) == list(NETWORKS) == list(found["peak memory"])
    assert found["peak memory"]["resnet_50 predict"] == {"scratchnet": 100, "keras": 100}
    for what in ("tasks", "peak memory"):
        assert list(found[what]["se_resnet_50 predict"]) == ["scratchnet"]
    bench.print_models(found)
    assert "inference of ResNet-50, 8 pictures of 224 x 224\n  scratchnet" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not bind processes to processors")
def test_neighbours_are_busy_on_one_processor_and_end(monkeypatch):
    programs, start = [], company.subprocess.Popen
    monkeypatch.setattr(company.subprocess, "Popen", lambda *a: programs.append(start(*a)) or programs[-1])
    with company.busy(2, pinned=True):
        places = [os.sched_getaffinity(program.pid) for program in programs]
        assert places == [{min(os.sched_getaffinity(0))}] * 2
        assert [program.poll() for program in programs] == [None, None]
    assert None not in [program.poll() for program in programs]


def test_two_programs_make_their_steps_at_once(monkeypatch):
    monkeypatch.setitem(company.STEPS, "cnn step", 2)
    case = company.Case("two", threads=1, programs=2)
    assert 0 < company.milliseconds(case, "scratchnet", sys.executable, "cnn step") < 60_000


def test_company_compares_with_the_program_alone(monkeypatch, capsys):
    asked = []

    def milliseconds(case, name, python, task):
        asked.append((case, task))
        return {company.ONE: 10.0, company.ALONE: 5.0}.get(case.name, 12.0)

    monkeypatch.setattr(company, "milliseconds", milliseconds)
    monkeypatch.setattr(company, "find", lambda name, python: name == "scratchnet")
    bench.main(["--company", "--model", "cnn", "--threads", "3", "--rounds", "2", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["cnn step"]
    assert found["cnn step"]["beside a busy loop"] == {
        "scratchnet": 12, "ratio": 1.2, "compared": company.ONE, "goal": 1.3
    }  # fmt: skip
    assert found["cnn step"]["two trainings at once"]["ratio"] == pytest.approx(2.4)
    assert {case.threads for case, _ in asked} == {1, 3, 6}
    assert len(asked) == 2 * len(found["cnn step"])
    bench.main(["--company", "--model", "cnn", "--rounds", "1"])
    assert "ours is 1.20 of one thread, alone (goal 1.3)" in capsys.readouterr().out


def test_company_is_not_asked_for_with_other_measurements(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--company", "--kernels"])
    assert "leave --kernels" in capsys.readouterr().err


def test_tasks_on_denormal_numbers_run():
    for task in ("cnn predict 256, denormal", "adam", "adam, denormal"):
        assert task in TASKS["cnn"]
        ours.prepare(task)()
