"""The moving average of weights: its formula, and that swapping brings both back."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.averaging import MovingAverage
from scratchnet.kernels import cpu

X = np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32)


def model():
    sn.set_random_seed(0)
    m = sn.Sequential([sn.Dense(3, input_shape=(4,)), sn.BatchNormalization(), sn.Dense(2, activation="softmax")])
    m.compile("adam", "sparse_categorical_crossentropy")
    return m


def test_the_formula_for_weights_and_statistics():
    m = model()
    average, expected = MovingAverage(m, 0.5), [w.astype(np.float64) for w in m.get_weights()]
    for t in range(12):
        m.train_on_batch(X, np.arange(16) % 2)
        average.update()
        momentum = min(0.5, (1 + t) / (10 + t))
        expected = [momentum * a + (1 - momentum) * w for a, w in zip(expected, m.get_weights())]
    own = m.get_weights()
    assert any(np.abs(a - w).max() > 1e-3 for a, w in zip(expected, own))
    with average.in_place():
        for a, w in zip(expected, m.get_weights()):
            np.testing.assert_allclose(w, a, rtol=1e-5, atol=1e-6)
    for before, after in zip(own, m.get_weights()):
        np.testing.assert_array_equal(before, after)


def test_an_error_within_brings_the_weights_back():
    m = model()
    average, own = MovingAverage(m), m.get_weights()
    m.train_on_batch(X, np.zeros(16, int))
    now = m.get_weights()

    def fails():
        with average.in_place():
            np.testing.assert_array_equal(m.get_weights()[0], own[0])
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    for a, b in zip(now, m.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_it_follows_the_dtype():
    m = model()
    average = MovingAverage(m)
    m.astype(np.float64)
    average.update()
    assert {a.dtype for a in average.average.values()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_kernel(dtype):
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=s).astype(dtype), rng.normal(size=s).astype(dtype)) for s in ((3,), (70, 90), (1, 1))]
    expected = [a + (p - a) * dtype(1 - 0.9) for a, p in pairs]
    before = [p.copy() for _, p in pairs]
    cpu.moving_average(pairs, 0.9)
    for (a, p), e, b in zip(pairs, expected, before):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(p, b)


def test_what_cannot_be_averaged():
    with pytest.raises(ValueError, match="a model that is built"):
        MovingAverage(sn.Sequential([sn.Dense(3)]))
    with pytest.raises(ValueError, match="momentum to be a finite number from 0 to below 1, got 1"):
        MovingAverage(model(), 1)
