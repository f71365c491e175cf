"""The adversarial losses: their gradients in float64, their values by the formulas, and what each is known for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gan import losses

SCORES = st.lists(st.floats(-6, 6), min_size=1, max_size=6).map(lambda z: np.array(z, np.float64)[:, None])
ALL = [
    *(kind() for kind in losses.LOSSES.values()),
    *(losses.LOSSES[name](real_label=0.9) for name in ("minimax", "non_saturating", "least_squares")),
]
PARTS = ("real", "fake", "generator")


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: f"{type(loss).__name__} {loss.real_label}")
@pytest.mark.parametrize("part", PARTS)
@given(z=SCORES)
def test_gradients(loss, part, z):
    z = z + 0.01 * (np.abs(np.abs(z) - 1) < 0.005)  # off the hinge's corners
    value, dz = getattr(loss, part)(z)
    assert isinstance(value, float)
    assert dz.shape == z.shape
    assert dz.dtype == z.dtype
    for i in range(len(z)):
        step = np.zeros_like(z)
        step[i] = 1e-5
        above, below = (getattr(loss, part)(moved)[0] for moved in (z + step, z - step))
        assert dz[i, 0] == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-9)


def softplus(a):
    return math.log1p(math.exp(a))


FORMULAS = {
    "minimax": (lambda z: softplus(-z), softplus, lambda z: -softplus(z)),
    "non_saturating": (lambda z: softplus(-z), softplus, lambda z: softplus(-z)),
    "least_squares": (lambda z: (z - 1) ** 2 / 2, lambda z: z * z / 2, lambda z: (z - 1) ** 2 / 2),
    "hinge": (lambda z: max(0, 1 - z), lambda z: max(0, 1 + z), lambda z: -z),
}


@pytest.mark.parametrize("name", FORMULAS)
@given(z=SCORES)
def test_values_are_those_of_the_formulas(name, z):
    for part, formula in zip(PARTS, FORMULAS[name]):
        expected = sum(formula(float(score)) for score in z[:, 0]) / len(z)
        assert getattr(losses.get(name), part)(z)[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: f"{type(loss).__name__} {loss.real_label}")
def test_ds_two_parts_as_one(loss):
    real, fake = np.array([[0.5], [2.0]], np.float32), np.array([[-1.5]], np.float32)
    value, d_real, d_fake = loss.discriminator(real, fake)
    assert value == pytest.approx(loss.real(real)[0] + loss.fake(fake)[0])
    np.testing.assert_array_equal(d_real, loss.real(real)[1])
    np.testing.assert_array_equal(d_fake, loss.fake(fake)[1])
    assert d_real.dtype == d_fake.dtype == np.float32


def test_the_minimax_loss_stalls_where_d_is_sure_and_the_other_does_not():
    sure = np.full((4, 1), -12.0)
    assert np.abs(losses.Minimax().generator(sure)[1]).max() < 1e-5
    assert np.abs(losses.NonSaturating().generator(sure)[1]).min() > 0.24  # 1 / 4 each
    same = np.zeros((4, 1))  # where D does not know, both pull alike
    np.testing.assert_allclose(losses.Minimax().generator(same)[1], losses.NonSaturating().generator(same)[1])


def test_smoothing_pulls_back_a_score_that_is_too_sure():
    z = np.array([[8.0]])
    assert losses.NonSaturating().real(z)[1][0, 0] < 0
    smoothed = losses.NonSaturating(real_label=0.9)
    assert smoothed.real(z)[1][0, 0] > 0
    np.testing.assert_allclose(smoothed.real(np.array([[math.log(9)]]))[1], 0, atol=1e-12)  # p = 0.9
    np.testing.assert_array_equal(smoothed.fake(z)[1], losses.NonSaturating().fake(z)[1])  # one side only
    np.testing.assert_array_equal(smoothed.generator(z)[1], losses.NonSaturating().generator(z)[1])


def test_large_scores_stay_finite():
    z = np.array([[1e4], [-1e4]], np.float32)
    for loss in ALL:
        for part in PARTS:
            value, dz = getattr(loss, part)(z)
            assert math.isfinite(value)
            assert np.isfinite(dz).all()
        p = loss.probability(z)
        assert p.min() >= 0
        assert p.max() <= 1


def test_names():
    assert isinstance(losses.get("hinge"), losses.Hinge)
    assert losses.get("minimax", real_label=0.8).real_label == 0.8
    loss = losses.LeastSquares()
    assert losses.get(loss) is loss
    with pytest.raises(ValueError, match="least_squares"):
        losses.get("least_square")
    for wrong in (0, 1.1, -1):
        with pytest.raises(ValueError, match="real_label"):
            losses.Minimax(real_label=wrong)
    with pytest.raises(ValueError, match="no label to smooth"):
        losses.Hinge(real_label=0.9)
