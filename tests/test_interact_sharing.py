"""The way from a dense layer to a convolution: the layer between them, its figure, and the stored results."""

import json
from pathlib import Path

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.interact import sharing
from scratchnet.interact.patches import Patches

RESULTS = Path(__file__).parent.parent / "notebooks" / "results" / "sharing.json"


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


@pytest.mark.parametrize(
    ("place", "connections", "different"), [(0, 576, 576), (2, 144, 144), (3, 144, 36), (4, 144, 9)]
)
def test_the_table_shows_which_weights_are_equal(place, connections, different):
    table = sharing.weight_table(sharing.STOPS[place])
    there = table[np.isfinite(table)]
    assert (len(there), len(np.unique(there))) == (connections, different)


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
    return json.loads(RESULTS.read_text())["accuracies"]


def test_the_stored_results_are_whole(stored):
    assert list(stored) == list(sharing.PICTURES)
    for found in stored.values():
        assert list(found) == [stop.name for stop in sharing.STOPS]
        for runs in found.values():
            assert [float(rate) for rate in runs] == list(sharing.RATES)
            assert np.array(list(runs.values())).shape == (len(sharing.RATES), len(sharing.SEEDS), 3)


def test_every_picture_is_drawn(stored):
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    assert len(sharing.tables().axes) == 3
    for which in sharing.PICTURES:
        for stop in sharing.STOPS:
            assert len(sharing.draw(stored, which, stop.name).axes) == 3


def test_the_slider_has_all_stops(stored):
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    which, stop, _ = sharing.slider(stored).widget().children
    assert (which.value, stop.value) == ("few shapes", "shared")
    assert list(stop.options) == [s.name for s in sharing.STOPS]
