"""The bench on the GPU: every task runs and is what it is called; those who fail are left out; tables and pictures.

Where there is no GPU, `cuda_on_cpu` plays it, and tasks are small. What PyTorch does there is not run without one.
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from devices import gpu_registered

import scratchnet as sn
from scratchnet.bench import __main__ as bench
from scratchnet.bench import on_gpu, ours, ours_on_gpu, worker
from scratchnet.bench.gpu_kernels import kernels, roofs
from scratchnet.bench.shapes import COPY, GPU, GPU_CONTESTANTS, GPU_FIT, GPU_STEPS, PRODUCT, Sizes
from scratchnet.kernels.gpu_probe import GPUNotAvailable
from scratchnet.training import recorded

SMALL = Sizes(cnn_batch=2, dcgan_batch=2, steps=2, pictures=5, epochs=2, side=20, copied=100, most_calls=2)


@pytest.fixture
def gpu(monkeypatch):
    """The GPU, with networks that suit its being played: a step has the layers of the real one, but few filters."""
    models = []

    def small_cnn():
        layers = [sn.Rescaling(1 / 255, input_shape=(32, 32, 3)), sn.Conv2D(3, 3, strides=8, activation="relu")]
        model = sn.Sequential([*layers, sn.MaxPooling2D(), sn.Flatten(), sn.Dense(10, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        models.append(model)
        return model

    def small_dcgan():
        models.extend(sn.zoo.dcgan(32, 3, 100, 2))
        return models[-2:]

    monkeypatch.setattr(ours_on_gpu, "article_cnn", small_cnn)
    monkeypatch.setattr(ours, "dcgan", small_dcgan)
    monkeypatch.setattr(recorded, "STEPS", SMALL.steps)
    with gpu_registered() as there:
        yield there.kernels(), models


@pytest.fixture
def seen(gpu, monkeypatch):
    """How often steps were replayed, and the precisions that products were launched in."""
    from scratchnet.kernels.gpu.conv import rungs

    found = {"replays": 0, "precisions": set()}
    replay, current = gpu[0].GRAPH.replay, rungs.current_precision

    def counted(graph):
        found["replays"] += 1
        replay(graph)

    def noted():
        found["precisions"].add(current())
        return current()

    monkeypatch.setattr(gpu[0].GRAPH, "replay", counted)
    monkeypatch.setattr(rungs, "current_precision", noted)
    return found


def test_as_many_steps_at_once_as_fit_records():
    assert GPU.steps == recorded.STEPS


@pytest.mark.parametrize(
    ("task", "way", "precision"),
    [
        ("cnn step", "eager", "3xtf32"),
        ("cnn step", "recorded", "float32"),
        ("dcgan step", "eager", "float32"),
        ("dcgan step", "recorded", "tf32"),
    ],
)
def test_steps_train_as_they_are_called(task, way, precision, gpu, seen):
    step = ours_on_gpu.prepare(task, way, precision, SMALL)
    assert seen["replays"] == (way == "recorded")
    before = [model.get_weights() for model in gpu[1]]
    step()
    assert seen["replays"] == 2 * (way == "recorded")
    assert seen["precisions"] == {precision}
    for model, weights in zip(gpu[1], before):
        assert any((new != old).any() for new, old in zip(model.get_weights(), weights))
        assert all(np.isfinite(w).all() for w in model.get_weights())
        assert model.device.name == "gpu"


def test_steps_that_are_not_recorded_are_not_taken_for_such(gpu, monkeypatch):
    monkeypatch.setattr(ours_on_gpu.SupervisedSteps, "train", lambda steps, x, y, weight: x.fit)
    with pytest.warns(UserWarning, match="run one by one"), pytest.raises(RuntimeError, match="were not recorded"):
        ours_on_gpu.prepare("cnn step", "recorded", "float32", SMALL)


def test_fit_runs_its_epochs_from_fresh_weights(gpu, seen):
    assert ours_on_gpu.prepare(GPU_FIT[0], "eager", "float32", SMALL) is None
    fit = ours_on_gpu.prepare(GPU_FIT[0], "recorded", "tf32", SMALL)
    for _ in range(2):
        fit()
    first, second = gpu[1]
    assert len(first.history.history["accuracy"]) == len(second.history.history["accuracy"]) == 2
    assert seen["precisions"] == {"tf32"}


@pytest.mark.parametrize("model", GPU_STEPS)
def test_every_kernel_runs_and_its_result_has_the_shape_that_is_counted(model, gpu, seen):
    shapes, sizes = [], SMALL._replace(dcgan_batch=1, most_calls=1)
    everything = {**kernels(model, sizes), **roofs(sizes)}
    for task, kernel in everything.items():
        function = getattr(gpu[0], kernel.function)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gpu[0], kernel.function, lambda *a, f=function: shapes.append(f(*a)) or shapes[-1])
            assert ours_on_gpu.prepare(task, "eager", "float32", sizes) is None
            ours_on_gpu.prepare(task, "recorded", "float32", sizes)()
        assert {y.shape for y in shapes} == {kernel.y}
        assert len(shapes) == 1 + kernel.calls(sizes)
        shapes.clear()
    assert seen["replays"] == len(everything)


def test_the_work_is_that_of_the_same_kernels_on_the_cpu():
    theirs = {f"cnn: {one.name}": one.work for one in ours.kernels("cnn") if "behind" not in one.name}
    assert {task: kernel.work for task, kernel in kernels("cnn").items()} == theirs
    dense = kernels("cnn")["cnn: dense 128 to 10: y"]
    assert dense.traffic == 4 * (32 * 128 + 128 * 10 + 10 + 32 * 10)
    assert dense.calls() == 100
    assert roofs()[PRODUCT].calls() == 1


def test_a_process_of_each_contestant(monkeypatch):
    called = []
    monkeypatch.setattr(ours_on_gpu, "prepare", lambda *given: called.append(given))
    for name in GPU_CONTESTANTS["scratchnet"]:
        worker.contestant(name)("cnn step")
    assert called[0] == ("cnn step", "eager", "float32")
    assert called[-1] == ("cnn step", "recorded", "3xtf32")
    assert len(called) == 6


def test_without_a_gpu_it_says_what_is_missing(monkeypatch, capsys):
    def missing():
        raise GPUNotAvailable("the GPU cannot be used: there is none.")

    monkeypatch.setattr(on_gpu, "gpu_name", missing)
    with pytest.raises(SystemExit) as ended:
        bench.main(["--device", "gpu"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "the GPU cannot be used: there is none.\n"


class Played:
    """A contestant that says how long it takes: eager steps are slow, and a compiled PyTorch ends."""

    def __init__(self, name, python, environment):
        self.name, (self.framework, self.way, self.precision) = name, name.split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, task, repeat=1, warm_up=0.0, seconds=60.0):
        if self.way == "compiled":
            raise RuntimeError(f"{self.name} ended on {task!r}: no compiler")
        if not task.endswith("step") and (self.way == "eager" or (self.framework == "torch" and task == GPU_FIT[0])):
            return []
        return [0.016 if self.way == "eager" else 0.0016 if self.framework == "torch" else 0.0008] * repeat


@pytest.fixture
def played(monkeypatch):
    monkeypatch.setattr(on_gpu, "Contestant", Played)
    monkeypatch.setattr(on_gpu, "gpu_name", lambda: "A GPU")
    monkeypatch.setattr(on_gpu, "found_torch", lambda python: "")


def test_tables_and_pictures(played, capsys, tmp_path):
    file = tmp_path / "gpu.png"
    bench.main(["--device", "gpu", "--rounds", "2", "--model", "cnn", "--plot", str(file)])
    printed = capsys.readouterr().out
    assert "A GPU" in printed
    assert "scratchnet recorded tf32         50.00 us" in printed
    assert "torch captured tf32             100.00 us" in printed
    assert "ours recorded / this 0.50" in printed
    assert "ours recorded / this 0.05" in printed
    assert "left out: torch compiled tf32: torch compiled tf32 ended on 'cnn step': no compiler" in printed
    assert "cnn: 15x15x32 to 64: dw" in printed
    rooflines = {f"gpu_cnn_{p}.png" for p in on_gpu.PRECISIONS}
    assert {path.name for path in tmp_path.iterdir()} == {"gpu.png"} | rooflines


def test_kernels_of_a_model_as_json(played, capsys):
    bench.main(["--device", "gpu", "--kernels", "--model", "cnn", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["kernels"].keys() == kernels("cnn").keys()
    assert found["steps"] == found["fit"] == {}
    name = "scratchnet recorded 3xtf32"
    assert found["roofs"][PRODUCT]["TFLOP/s"][name] == pytest.approx(2 * 8192**3 / 0.0008 / 1e12)
    assert found["roofs"][COPY]["GB/s"][name] == pytest.approx(roofs()[COPY].calls() * 8 * 2**28 / 0.0008 / 1e9)
    assert on_gpu.peak(found, "3xtf32") == found["roofs"][PRODUCT]["TFLOP/s"][name]
    dense = found["kernels"]["cnn: dense 2304 to 128: y"]
    assert dense["TFLOP/s"][name] == pytest.approx(2 * 32 * 2304 * 128 / (dense["us"][name] * 1e6))


def test_without_pytorch_it_is_left_out(played, monkeypatch, capsys):
    monkeypatch.setattr(on_gpu, "found_torch", lambda python: "No module named 'torch'")
    bench.main(["--device", "gpu", "--model", "dcgan", "--rounds", "1"])
    printed = capsys.readouterr().out
    assert "left out: torch: No module named 'torch'" in printed
    assert "torch captured" not in printed


def test_what_a_python_says_that_has_no_pytorch(tmp_path):
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho line\n>&2 echo no torch here\nexit 1\n")
    bare.chmod(0o755)
    assert on_gpu.found_torch(str(bare)) == "no torch here"


@pytest.fixture
def with_torch_on_gpu(monkeypatch):
    """The file as a Python without scratchnet reads it."""
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(Path(worker.__file__).parent))
    for name in ("shapes", "with_torch", "with_torch_on_gpu"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("with_torch_on_gpu")
    for name in ("shapes", "with_torch", "with_torch_on_gpu"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("task", ["cnn step", "dcgan step"])
def test_pytorch_trains_where_it_is_installed(task, with_torch_on_gpu, monkeypatch):
    """On the CPU; what it compiles or captures takes minutes, or a GPU."""
    networks, made = [], with_torch_on_gpu.network
    monkeypatch.setattr(with_torch_on_gpu, "network", lambda *given: networks.append(made(*given)) or networks[-1])
    step = with_torch_on_gpu.prepare(task, "eager", "tf32", "cpu", SMALL)
    before = [[p.detach().clone() for p in network.parameters()] for network in networks]
    step()
    for network, weights in zip(networks, before):
        assert all(bool((new != old).any()) for new, old in zip(network.parameters(), weights))


def test_pytorch_runs_the_roofs_and_no_kernels(with_torch_on_gpu):
    for task in (PRODUCT, COPY):
        with_torch_on_gpu.prepare(task, "captured", "float32", "cpu", SMALL)()
        assert with_torch_on_gpu.prepare(task, "eager", "float32", "cpu", SMALL) is None
    for task in (GPU_FIT[0], next(iter(kernels("cnn")))):
        assert with_torch_on_gpu.prepare(task, "captured", "float32", "cpu", SMALL) is None
