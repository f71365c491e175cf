"""The graph of five numbers: its gradients are slopes, and what is drawn is what flows."""

import numpy as np
import pytest

from scratchnet.interact import draw_number_graph, flow_numbers, number_graph

PLACES = [(2.0, 1.5, -1.0, 1.0), (-1.25, 0.5, 2.0, -0.75), (1.0, -2.0, 0.5, 1.5)]


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_gradients_are_slopes(place, skip):
    gradients = flow_numbers(*place, skip).gradients
    for n, name in enumerate(("x", "w", "b", "t")):
        step = np.zeros(4)
        step[n] = 1e-5
        above, below = (flow_numbers(*(np.array(place) + sign * step), skip).values["L"] for sign in (1, -1))
        assert gradients[name] == pytest.approx((above - below) / 2e-5, abs=1e-8)


def test_by_hand():
    flow = flow_numbers(2.0, 1.5, -1.0, 1.0)
    assert flow.values == {"x": 2, "w": 1.5, "b": -1, "t": 1, "u": 3, "z": 2, "y": 2, "e": 1, "L": 1}
    assert flow.gradients == {"L": 1, "e": 2, "y": 2, "t": -2, "z": 2, "b": 2, "u": 2, "w": 4, "x": 3}


def test_two_paths_add_and_a_dead_neuron_leaves_one():
    flow = flow_numbers(2.0, 1.5, -1.0, 1.0, skip=True)
    assert flow.shares == (9.0, 6.0)
    assert flow.gradients["x"] == 15.0
    dead = flow_numbers(2.0, -1.5, -1.0, 1.0, skip=True)
    assert dead.shares == (0.0, 2.0)
    assert dead.gradients["w"] == 0.0


@pytest.mark.parametrize("skip", [False, True])
def test_every_number_is_written(skip):
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    flow = flow_numbers(*PLACES[0], skip)
    written = " ".join(text.get_text() for text in draw_number_graph(*PLACES[0], skip).axes[0].texts)
    for name, value in flow.values.items():
        assert f"{name} = {value:.2f}".replace("-", "−") in written
        assert f"{flow.gradients[name]:+.2f}".replace("-", "−") in written


def test_a_dead_neuron_lets_nothing_back():
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    axes = draw_number_graph(2.0, 1.5, -3.0, 1.0).axes[0]
    written = [text.get_text() for text in axes.texts]
    assert written.count("0.00") == 5  # of x, w, b, u, z
    assert sum(line.get_linestyle() == ":" for line in axes.lines) == 5


def test_the_picture_says_its_numbers_and_has_its_controls():
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    data, metadata = number_graph(w=1.0)._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "w = 1.00, gradient 0.00" in metadata["image/png"]["alt"]  # e = 2 - 1 - 1 = 0


def test_the_controls_begin_where_the_picture_does():
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    shown = number_graph(w=1.0, skip=True)
    assert {name: control.value for name, control in shown.controls().items()} == shown.start
