"""The valley under the reader's hand: where the steps go, and up to which learning rate they hold."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.interact import descent as d


def test_the_loss_falls_and_the_largest_rate_is_the_largest():
    for momentum in (0.0, 0.5, 0.8):
        limit = d.largest_rate(momentum)
        below = d.loss(d.walk(sn.SGD(0.98 * limit, momentum=momentum), steps=3000))
        above = d.loss(d.walk(sn.SGD(1.02 * limit, momentum=momentum), steps=3000))
        assert below[-1] < 1e-6
        assert above[-1] > d.FAR
        assert len(above) < 3000


def test_sgd_and_momentum_do_not_see_how_the_valley_lies():
    for optimizer in ({}, {"momentum": 0.8}):
        losses = [d.loss(d.walk(sn.SGD(0.02, **optimizer), angle), angle) for angle in (0, 30, 45)]
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-6)
        np.testing.assert_allclose(losses[2], losses[0], rtol=1e-6)


def test_adam_sees_it():
    straight, turned = (d.loss(d.walk(sn.Adam(0.1), angle), angle)[-10:].max() for angle in (0, 45))
    assert turned > 50 * straight


def test_the_gradient_is_that_of_the_loss():
    w, e = np.array([0.3, -0.7]), 1e-5
    numeric = [(d.loss(w + e * u, 20) - d.loss(w - e * u, 20)) / (2 * e) for u in np.eye(2)]
    np.testing.assert_allclose(d.curvature(20) @ w, numeric, rtol=1e-6)


@pytest.mark.parametrize(("rate", "told"), [(0.06, "after 60 steps"), (0.1, "it leaves the valley in step")])
def test_the_figure_says_how_it_ended(rate, told):
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    left, right = d.descent(rate, 0.0).axes
    assert told in right.get_title()
    assert left.get_title() == f"rate {rate:.3f}, momentum 0.00"


def test_sliders_fit_the_figure():
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    figure = d.learning_rate_on_a_surface()
    assert {name: control.value for name, control in figure.controls().items()} == figure.start
    assert figure.picture().axes
