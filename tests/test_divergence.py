"""A loss that is no number stops training, says where it began, and leaves a model that is good."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.divergence import EVERY, DivergedError, first_bad_place

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def model(rate=0.01, head="softmax"):
    sn.set_random_seed(0)
    m = sn.Sequential(
        [sn.Dense(5, activation="relu", input_shape=(6,)), sn.BatchNormalization(), sn.Dense(2, activation=head)]
    )
    m.compile(sn.Adam(rate), "sparse_categorical_crossentropy")
    return m


def finite(m):
    return all(np.isfinite(w).all() for w in m.get_weights())


def test_a_rate_far_too_large():
    m = model(rate=1e38)
    with pytest.raises(DivergedError, match=r"the loss became (nan|inf) in step \d+ \(epoch \d, batch \d\)") as error:
        m.fit(X, Y, epochs=9, batch_size=10, verbose=0)
    text = str(error.value)
    assert "a smaller learning rate (it is 1e+38: try 1e+37)" in text
    assert "Dense 'dense" in text
    assert finite(m)
    m.optimizer.learning_rate = 0.01
    assert np.isfinite(m.fit(X, Y, epochs=2, verbose=0).history["loss"]).all()


def test_the_last_good_copy_comes_back_with_the_optimizer():
    """The weights after EVERY steps return, and the run goes on from there as if nothing had been."""

    class Spoil(sn.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if self.steps == EVERY:
                self.kept = self.model.get_weights(), self.model.optimizer.iterations
            if self.steps == EVERY + 7:
                self.model.layers[2].params["kernel"][1, 1] = np.nan

    m, spoil = model(), Spoil()
    with pytest.raises(DivergedError) as error:
        m.fit(X, Y, epochs=200, batch_size=20, callbacks=spoil, verbose=0)
    assert f"in step {EVERY + 8} (epoch {EVERY // 2 + 4}, batch 2)" in str(error.value)
    assert f"in kernel of {m.layers[2].who}, layer 2" in str(error.value)
    assert f"as they were after {EVERY} steps" in str(error.value)
    for before, now in zip(spoil.kept[0], m.get_weights()):
        np.testing.assert_array_equal(before, now)
    assert m.optimizer.iterations == spoil.kept[1]
    assert len(m.history.epoch) == EVERY // 2 + 3


def test_no_weight_moves_by_a_loss_that_is_no_number():
    m = model()
    before = m.get_weights()
    spoiled = X.copy()
    m.layers[0].params["kernel"][:] = 3e38  # the sums overflow
    m.layers[1].state["moving_mean"][:] = 0
    with np.errstate(all="ignore"):
        assert not np.isfinite(m.train_on_batch(spoiled, Y))
    np.testing.assert_array_equal(m.get_weights()[2:4], before[2:4])
    assert m.optimizer.iterations == 0


def test_where_it_began():
    m = model()
    assert first_bad_place(m, X).startswith("All weights and outputs are finite")
    assert first_bad_place(m, X * np.float32(np.nan)).startswith("The inputs themselves")
    m.layers[0].params["bias"][0] = np.inf
    assert f"in bias of {m.layers[0].who}, layer 0" in first_bad_place(m, X)
    m.layers[0].params["bias"][0] = 0
    m.layers[2].params["kernel"][:] = 3e38
    assert f"came out of {m.layers[2].who}, layer 2" in first_bad_place(m, X)


def test_the_first_step_of_all():
    m = model()
    m.layers[0].params["kernel"][0, 0] = np.nan
    with pytest.raises(DivergedError, match="It was the first step"):
        m.fit(X, Y, verbose=0)


def test_layers_within_chains_are_named():
    inner = sn.layers.Chain([sn.Dense(3), sn.Dense(2)])
    m = sn.Sequential([sn.Dense(4, input_shape=(6,)), inner])
    inner.layers[1].params["kernel"][0, 0] = np.nan
    assert f"in kernel of {inner.layers[1].who}, layer 2" in first_bad_place(m, X)
