"""The recipes of the drawn shapes: what they write, that they go on where they were cut off, and what is compared."""

import json

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import shapes

NETWORKS, FEW = (shapes.RECIPES[name].cases for name in ("shapes_networks", "shapes_few"))


def test_the_pictures_have_no_part_in_common():
    parts = shapes.pictures()
    assert [x.shape for x, _ in parts] == [(3000, 32, 32, 3), (1000, 32, 32, 3), (1000, 32, 32, 3)]
    for x, y in parts:
        assert x.dtype == np.float32
        assert 0 <= x.min() < x.max() <= 1
        assert set(np.bincount(y)) == {len(y) // 10}
    assert len({picture.tobytes() for x, _ in parts for picture in x}) == 5000


def test_the_opponent_has_as_many_weights_and_does_as_much_work():
    dense, convolutional = (NETWORKS[name].make() for name in ("dense", "convolutional"))
    assert dense.count_params() == pytest.approx(convolutional.count_params(), rel=0.005)
    work = [NETWORKS[n].epochs * m.multiply_adds() for n, m in (("dense", dense), ("convolutional", convolutional))]
    assert work[0] == pytest.approx(work[1], rel=0.005)


def test_only_the_normalization_differs():
    plain, normalized = (NETWORKS[name].make() for name in ("convolutional", "normalized"))
    assert NETWORKS["normalized"].epochs == NETWORKS["convolutional"].epochs
    # Two biases go; a scale, a shift, a moving mean and variance come for each of 32 and 64 channels.
    assert normalized.count_params() - plain.count_params() == (4 - 1) * (32 + 64)
    convolutions = [
        [(x.filters, x.kernel_size, x.strides) for x in m.layers if isinstance(x, sn.Conv2D)]
        for m in (plain, normalized)
    ]
    assert convolutions[0] == convolutions[1]


def test_only_the_augmentation_differs():
    plain, augmented = FEW["as they are"], FEW["augmented"]
    assert augmented._replace(augment=None) == plain
    assert plain.pictures == 500


def test_the_augmentation_moves_by_three_pixels_and_mirrors():
    """What the notebook writes by hand: any of 98 variants, and no other."""
    x = shapes.pictures()[0][0][:1]
    variants = set()
    for picture in (x[0], x[0, :, ::-1]):
        padded = np.pad(picture, ((3, 3), (3, 3), (0, 0)), mode="edge")
        variants |= {padded[i : i + 32, j : j + 32].tobytes() for i in range(7) for j in range(7)}
    found = {FEW["augmented"].augment(x, step=step, key=1)[0].tobytes() for step in range(1200)}
    assert len(variants) == 98
    assert found == variants


@pytest.fixture
def small(monkeypatch):
    """Two networks, two rates, few pictures and epochs."""
    parts = tuple((x[:40], y[:40]) for x, y in shapes.pictures())
    monkeypatch.setattr(shapes, "pictures", lambda: parts)
    monkeypatch.setattr(shapes, "RATES", (0.001, 0.003))
    cases = {"linear": NETWORKS["linear"]._replace(epochs=2), "augmented": FEW["augmented"]._replace(epochs=1)}
    monkeypatch.setitem(shapes.RECIPES, "shapes_networks", shapes.Recipe("two of them", cases))
    return cases


def written(path):
    return json.loads(path.read_text())


def test_what_is_written_down(small, tmp_path, capsys):
    command.main(["shapes_networks", "--seeds", "1", "2", "--folder", str(tmp_path)])
    found = [written(tmp_path / f"shapes_networks_{seed}.json") for seed in (1, 2)]
    assert [(result["recipe"], result["what"], result["seed"]) for result in found] == [
        ("shapes_networks", "two of them", 1),
        ("shapes_networks", "two of them", 2),
    ]
    assert {"date", "machine"} <= found[0].keys()
    runs = found[1]["results"]
    assert [(run["network"], run["rate"]) for run in runs] == [(n, r) for n in small for r in (0.001, 0.003)]
    assert [len(run[of]) for run in runs for of in ("accuracy", "val_accuracy")] == [2, 2, 2, 2, 1, 1, 1, 1]
    assert runs[3] == {"network": "augmented", "rate": 0.003, **shapes.one(small["augmented"], 0.003, 2)}
    assert capsys.readouterr().out.count("4 networks") == 2


def test_a_run_says_what_the_network_answers(small, monkeypatch):
    made, make = [], small["linear"].make
    found = shapes.one(small["linear"]._replace(make=lambda: made.append(make()) or made[0]), 0.003, 0)
    (x, y), (x_held_out, y_held_out), (x_test, y_test) = shapes.pictures()
    right = [
        np.mean(made[0].predict(x).argmax(axis=1) == y) for x, y in ((x, y), (x_held_out, y_held_out), (x_test, y_test))
    ]
    assert [found["seen"], found["val_accuracy"][-1], found["test_accuracy"]] == pytest.approx(right)
    assert (found["parameters"], found["multiply_adds"]) == (30_730, 30_720)


def test_what_is_there_is_not_trained_again(small, tmp_path, monkeypatch):
    shapes.train("shapes_networks", 0, tmp_path)
    path = tmp_path / "shapes_networks_0.json"
    whole = written(path)["results"]
    path.write_text(json.dumps({"results": whole[:3]}))
    ran, one = [], shapes.one
    monkeypatch.setattr(shapes, "one", lambda case, rate, seed: ran.append(rate) or one(case, rate, seed))
    shapes.train("shapes_networks", 0, tmp_path)
    assert ran == [0.003]
    assert written(path)["results"] == whole


def test_epochs_are_refused(tmp_path, capsys):
    with pytest.raises(ValueError, match="fixed numbers of steps or epochs"):
        shapes.train("shapes_few", 0, tmp_path, 3)
    with pytest.raises(SystemExit):
        command.main(["shapes_few", "--epochs", "3", "--folder", str(tmp_path)])
    assert "--epochs is not for shapes_few" in capsys.readouterr().err


def test_the_best_rate_is_chosen_without_the_test_pictures():
    def run(rate, *end):
        return {"network": "dense", "rate": rate, "val_accuracy": [0.9, end[0]], "test_accuracy": end[1]}

    other = {"network": "linear", "rate": 0.001, "val_accuracy": [1.0]}
    found = [
        {"results": [run(0.0003, 0.2, 0.9), run(0.001, 0.6, 0.5), run(0.003, 0.7, 0.8), other]},
        {"results": [run(0.0003, 0.3, 0.9), run(0.001, 0.6, 0.4), run(0.003, 0.1, 0.8)]},
    ]
    rate, runs = shapes.best(found, "dense")
    assert rate == 0.001
    assert [one["test_accuracy"] for one in runs] == [0.5, 0.4]
