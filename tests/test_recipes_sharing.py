"""The way from a dense layer to a convolution: the layer between them, the recipe, and the stored results."""

import json
from pathlib import Path

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import sharing
from scratchnet.recipes.patches import Patches
from scratchnet.recipes.sharing import together

RESULTS = Path(__file__).parent.parent / "notebooks" / "results"


def picture(n=3, side=8, seed=0):
    return np.random.default_rng(seed).normal(size=(n, side, side, 1))


@pytest.mark.parametrize("options", [(3, 5, 2), (2, 8, 1), (2, 5, 4), (2, 6, 1)])
def test_its_backward_is_the_gradient_of_its_forward(options):
    filters, size, block = options
    assert sn.gradcheck(Patches(filters, size, block, places=4), picture())


def test_one_block_is_a_convolution():
    x, shared, convolution = picture(), Patches(3, 5, block=4, places=4), sn.Conv2D(3, 5)
    y, _ = shared.forward(x), convolution.forward(x)
    w, b = shared.get_weights()
    convolution.set_weights([w.reshape(5, 5, 1, 3), b[0] + 0.5])
    np.testing.assert_allclose(convolution.forward(x), y + 0.5, atol=1e-6)
    assert shared.count_params() == convolution.count_params()
    assert shared.multiply_adds() == convolution.multiply_adds()


def test_a_patch_as_large_as_the_picture_is_dense():
    x, patches = picture(), Patches(2, 8, places=4)
    y = patches.forward(x)
    w, _ = patches.get_weights()
    for place in range(16):
        np.testing.assert_allclose(y.reshape(3, 16, 2)[:, place], x.reshape(3, 64) @ w[place], atol=1e-6)


def test_units_share_within_their_block_only():
    patches = Patches(1, 5, block=2, places=4)
    patches.build((None, 8, 8, 1))
    patches.params["kernel"][0] = 1
    patches.params["kernel"][1:] = 0
    y = patches.forward(np.ones((1, 8, 8, 1)))[0, :, :, 0]
    assert np.array_equal(y, np.pad(np.full((2, 2), 25.0), ((0, 2), (0, 2))))


@pytest.mark.parametrize("shape", [(None, 8, 8, 3), (None, 8, 6, 1), (None, 4, 4, 1)])
def test_other_pictures_are_refused(shape):
    with pytest.raises(ValueError, match="square grey pictures"):
        Patches(2, 5, places=4).build(shape)


def test_a_block_divides_the_places():
    with pytest.raises(ValueError, match="divides 12 places"):
        Patches(2, 5, block=5)


def test_parameters_fall_from_stop_to_stop_and_sharing_saves_no_work():
    layers = [sharing.network(stop).layers[0] for stop in sharing.STOPS]
    assert [layer.count_params() for layer in layers] == [296064, 94464, 29952, 1872, 208]
    assert [layer.multiply_adds() for layer in layers] == [294912, 93312, 28800, 28800, 28800]


@pytest.mark.parametrize("which", sharing.PICTURES)
def test_pictures_to_learn_to_choose_and_to_test(which):
    (x, y), (x_choose, y_choose), (x_test, y_test) = sharing.pictures(which)
    assert x.shape == (sharing.PICTURES[which].learnt, 16, 16, 1)
    assert x.dtype == np.float32
    assert abs(x.mean()) < 1e-4
    assert len(x) == len(y)
    assert len(x_choose) == len(y_choose) == len(x_test) == len(y_test) == 1000
    assert not {a.tobytes() for a in x} & {a.tobytes() for a in x_test}


def test_the_best_rate_is_chosen_without_the_test_pictures():
    runs = {"0.1": [[0.9, 0.5, 0.99]], "0.01": [[0.9, 0.6, 0.7]]}
    rate, tests = sharing.best(runs)
    assert (rate, list(tests)) == (0.01, [0.7])


@pytest.fixture(scope="module")
def stored():
    return together(json.loads((RESULTS / f"layer_sharing_{seed}.json").read_text()) for seed in range(3))


def test_the_stored_results_are_whole(stored):
    assert list(stored) == list(sharing.PICTURES)
    for found in stored.values():
        assert list(found) == [stop.name for stop in sharing.STOPS]
        for runs in found.values():
            assert [float(rate) for rate in runs] == list(sharing.RATES)
            assert np.array(list(runs.values())).shape == (len(sharing.RATES), 3, 3)


def test_what_the_notebook_says_of_the_stored_results(stored):
    tests = {which: {name: sharing.best(runs)[1] for name, runs in found.items()} for which, found in stored.items()}
    assert tests["few shapes"]["shared"].min() > tests["few shapes"]["dense"].max() + 0.1
    assert abs(tests["few shapes"]["local"].mean() - tests["few shapes"]["dense"].mean()) < 0.02
    assert tests["shapes"]["shared"].min() > tests["shapes"]["dense"].max()
    assert max(tests["shapes"], key=lambda name: tests["shapes"][name].mean()) == "9 blocks"
    means = [found.mean() for found in tests["clothes"].values()]
    assert max(means) - min(means) < 0.01
    for runs in stored["few shapes"].values():
        rate, _ = sharing.best(runs)
        assert np.mean([run[0] for run in runs[str(rate)]]) >= 0.995


@pytest.fixture
def two_rates(monkeypatch):
    """The recipe with two stops, two rates and two steps, on one set of pictures."""
    monkeypatch.setattr(sharing, "PICTURES", {"clothes": sharing.Pictures("clothes", 100)})
    monkeypatch.setattr(sharing, "STOPS", sharing.STOPS[:2])
    monkeypatch.setattr(sharing, "RATES", (0.001, 0.1))
    monkeypatch.setattr(sharing, "STEPS", 2)


def test_a_seed_is_written_down_and_the_seeds_are_put_together(two_rates, tmp_path):
    command.main(["layer_sharing", "--seeds", "1", "2", "--folder", str(tmp_path)])
    found = [json.loads((tmp_path / f"layer_sharing_{seed}.json").read_text()) for seed in (1, 2)]
    assert [(result["recipe"], result["seed"], result["steps"]) for result in found] == [
        ("layer_sharing", 1, 2),
        ("layer_sharing", 2, 2),
    ]
    assert {"date", "machine"} <= found[0].keys()
    runs = together(found)["clothes"]
    assert {stop: list(rates) for stop, rates in runs.items()} == {
        stop: ["0.001", "0.1"] for stop in ("dense", "9 x 9")
    }
    accuracies = sharing.one(sharing.STOPS[1], 0.1, 2, sharing.pictures("clothes"))
    assert runs["9 x 9"]["0.1"][1] == accuracies


def test_what_is_there_is_not_trained_again(two_rates, tmp_path, monkeypatch):
    sharing.train("layer_sharing", 0, tmp_path)
    path = tmp_path / "layer_sharing_0.json"
    whole = json.loads(path.read_text())["results"]
    path.write_text(json.dumps({"results": whole[:3]}))
    ran = []
    monkeypatch.setattr(sharing, "one", lambda stop, rate, *rest: ran.append((stop.name, rate)) or [1.0, 1.0, 1.0])
    sharing.train("layer_sharing", 0, tmp_path)
    assert ran == [("9 x 9", 0.1)]
    assert json.loads(path.read_text())["results"][:3] == whole[:3]


def test_epochs_are_refused(tmp_path, capsys):
    with pytest.raises(ValueError, match="steps"):
        sharing.train("layer_sharing", 0, tmp_path, 3)
    with pytest.raises(SystemExit):
        command.main(["layer_sharing", "--epochs", "3", "--folder", str(tmp_path)])
    assert "--epochs is not for layer_sharing" in capsys.readouterr().err
