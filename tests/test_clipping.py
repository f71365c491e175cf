"""Gradients that are clipped, weights that decay: against the formulas, and with every optimizer."""

import numpy as np
import pytest
from threads import with_threads

import scratchnet as sn
from scratchnet.kernels import cpu
from scratchnet.optimizers import SGD, Adam, AdamW, RMSprop

RNG = np.random.default_rng(0)
GRADS = {"a": RNG.normal(size=(3, 4)), "b": np.full(2, 0.01), "c": np.zeros(3)}


def moved(optimizer):
    """What one update of weights that are zero takes off them, by name."""
    params, grads = {k: np.zeros_like(g) for k, g in GRADS.items()}, {k: g.copy() for k, g in GRADS.items()}
    optimizer.update(params, grads)
    for name, g in grads.items():
        np.testing.assert_array_equal(g, GRADS[name])
    return {name: -p for name, p in params.items()}


def test_each_gradient_is_shortened_to_clipnorm():
    steps = moved(SGD(1.0, clipnorm=0.5))
    assert np.linalg.norm(steps["a"]) == pytest.approx(0.5)
    np.testing.assert_allclose(steps["a"], GRADS["a"] * 0.5 / np.linalg.norm(GRADS["a"]))
    np.testing.assert_array_equal(steps["b"], GRADS["b"])  # shorter than that
    np.testing.assert_array_equal(steps["c"], 0)


def test_all_gradients_together_are_shortened_to_global_clipnorm():
    whole = np.sqrt(sum((g**2).sum() for g in GRADS.values()))
    steps = moved(SGD(1.0, global_clipnorm=0.5))
    for name, g in GRADS.items():
        np.testing.assert_allclose(steps[name], g * 0.5 / whole)
    for name, step in moved(SGD(1.0, global_clipnorm=2 * whole)).items():
        np.testing.assert_array_equal(step, GRADS[name])


def test_each_element_is_brought_within_clipvalue():
    for name, step in moved(SGD(1.0, clipvalue=0.3)).items():
        np.testing.assert_array_equal(step, np.clip(GRADS[name], -0.3, 0.3))


@pytest.mark.parametrize("make", [SGD, RMSprop, Adam, AdamW])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_decay_before_the_update(make, dtype):
    """With no gradient nothing but the decay is left: p * (1 - rate * w)^t."""
    optimizer, p = make(0.1, weight_decay=0.5), np.ones(5, dtype)
    for _ in range(3):
        optimizer.update({"p": p}, {"p": np.zeros_like(p)})
    np.testing.assert_allclose(p, 0.95**3, rtol=1e-6)
    assert make(0.1, weight_decay=0.5, clipnorm=1).clipnorm == 1


def test_decay_and_gradient_are_apart():
    """AdamW is Adam with weight_decay; and decay in SGD does not enter the momentum."""
    a, b = np.ones(3), np.ones(3)
    Adam(0.1, weight_decay=0.2).update({"p": a}, {"p": np.arange(3.0)})
    AdamW(0.1, weight_decay=0.2).update({"p": b}, {"p": np.arange(3.0)})
    np.testing.assert_array_equal(a, b)
    p, sgd = np.full(1, 2.0), SGD(0.1, momentum=0.9, weight_decay=0.5)
    sgd.update({"p": p}, {"p": np.ones(1)})
    np.testing.assert_allclose(sgd.state["p"]["velocity"], -0.1)
    np.testing.assert_allclose(p, 2.0 * 0.95 - 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clipnorm": 1, "clipvalue": 1}, "one way to clip at most, got clipnorm, clipvalue"),
        ({"clipnorm": 0}, "expected clipnorm to be a finite number above 0, got 0"),
        ({"global_clipnorm": np.nan}, "expected global_clipnorm to be a number or None, got nan"),
        ({"weight_decay": -1}, "weight_decay to be a finite number of at least 0, got -1"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        SGD(0.1, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_square_sum(dtype):
    for shape in ((), (1,), (7, 3), (3, 5000)):
        x = RNG.normal(size=shape).astype(dtype)
        assert cpu.square_sum(x) == pytest.approx(np.square(x, dtype=np.float64).sum(), rel=1e-12)
    assert cpu.square_sum(x.T) == pytest.approx(cpu.square_sum(x))
    assert with_threads(1, cpu.square_sum, x) == with_threads(2, cpu.square_sum, x)
    assert np.isnan(cpu.square_sum(np.array([1, np.nan], dtype)))


def test_clipping_keeps_a_wild_run_from_diverging():
    x, y = RNG.normal(size=(64, 5)) * 100, RNG.integers(0, 2, 64)

    def losses(**options):
        sn.set_random_seed(0)
        m = sn.Sequential([sn.Dense(20, activation="relu", input_shape=(5,)), sn.Dense(2)])
        m.compile(SGD(0.5, **options), sn.SparseCategoricalCrossentropy(from_logits=True))
        return m.fit(x, y, epochs=5, verbose=0).history["loss"]

    assert losses(global_clipnorm=0.1)[-1] < losses()[-1] / 10


def test_text_is_no_number():
    for options in ({"clipnorm": "1"}, {"clipvalue": "1"}, {"global_clipnorm": [1]}, {"weight_decay": "0.1"}):
        with pytest.raises(ValueError, match=f"Adam: expected {next(iter(options))} to be a number or None, got"):
            sn.Adam(**options)
