"""The checkers of the adversarial game accept the notebook's solutions and name what is wrong."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import check


def nonsaturating(s):
    L = np.logaddexp(0, -s).mean()
    ds = -np.exp(-np.logaddexp(0, s)) / s.size
    return L, ds


def objective_at_best(r, g):
    total = r + g
    real, made = r > 0, g > 0
    on_real = np.sum(r[real] * np.log(r[real] / total[real]))
    return on_real + np.sum(g[made] * np.log(g[made] / total[made]))


def test_the_solutions_are_right():
    verdict = check.nonsaturating(nonsaturating)
    assert verdict, verdict
    assert "ds" in repr(verdict)
    assert check.objective_at_best(objective_at_best)


def test_equal_shares_give_the_least_and_disjoint_ones_the_most():
    value = check.objective_at_best.right
    r = np.array([0.25, 0.75, 0.0])
    assert value(r, r) == pytest.approx(-np.log(4))
    assert value(r, np.array([0.0, 0.0, 1.0])) == pytest.approx(0)


def test_gradients_of_the_discriminator_are_those_of_the_package():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=7), rng.normal(size=4)
    loss, d_real, d_fake = check.discriminator_gradients.right(real, fake)
    ours = sn.gan.losses.NonSaturating().discriminator(real[:, None], fake[:, None])
    assert np.allclose(loss, ours[0])
    assert np.allclose(d_real, ours[1][:, 0])
    assert np.allclose(d_fake, ours[2][:, 0])
