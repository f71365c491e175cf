"""One model in several threads: predicting beside `fit` gives right results and changes nothing that is learnt."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import scratchnet as sn

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((96, 8, 8, 1)).astype(np.float32), np.arange(96) % 3
REAL = RNG.uniform(-1, 1, (64, 8, 8, 1)).astype(np.float32)


def base():
    """Layers that keep something from one line to the next: branches, spectral normalization, a nested model."""
    squeeze = [sn.GlobalAveragePooling2D(keepdims=True), sn.Dense(6, activation="sigmoid")]
    return sn.Sequential(
        [
            sn.SpectralNormalization(sn.Conv2D(6, 3, padding="same", activation="relu")),
            sn.Parallel([[], squeeze], merge="multiply"),
            sn.BatchNormalization(),
            sn.MaxPooling2D(),
        ]
    )


def model():
    sn.set_random_seed(0)
    m = sn.Sequential([base(), sn.Flatten(), sn.Dropout(0.2), sn.Dense(3, activation="softmax")])
    m.build((None, 8, 8, 1))
    m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return m


def gan(average=0.9):
    sn.set_random_seed(0)
    g = sn.Sequential([sn.Dense(64, activation="tanh", input_shape=(4,)), sn.Reshape((8, 8, 1))])
    d = sn.Sequential([sn.Flatten(input_shape=(8, 8, 1)), sn.Dense(1)])
    made = sn.GAN(g, d, 4, average=average)
    made.compile()
    return made


def beside(work, *others):
    """What `work` returns while the others run again and again, each in a thread of its own."""
    done, errors, rounds = threading.Event(), [], [0] * len(others)

    def again(number):
        try:
            while not done.is_set():
                others[number]()
                rounds[number] += 1
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=again, args=(number,)) for number in range(len(others))]
    for thread in threads:
        thread.start()
    try:
        result = work()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert min(rounds) > 0  # none waited for the end
    return result


def trained(m):
    record = m.fit(X, Y, epochs=4, batch_size=16, validation_data=(X[:20], Y[:20]), verbose=0)
    return m.get_weights(), record.history


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other):
        np.testing.assert_array_equal(a, b)


def test_a_run_learns_the_same_while_others_predict_and_evaluate():
    weights, history = trained(model())
    m = model()
    features = sn.Sequential(m.layers[:2])  # shares its layers
    looks = [
        lambda: m.predict(-X[:16]),
        lambda: m.predict(X[:5]),
        lambda: m.evaluate(X[:7], Y[:7], verbose=0),
        lambda: m.layers[0].predict(X[:16]),  # the nested model
        lambda: features.predict(X[:16]),
    ]
    found, their_history = beside(lambda: trained(m), *looks)
    assert_same(found, weights)
    assert their_history == history


def test_many_threads_predict_at_once():
    m = model()
    m.fit(X, Y, verbose=0)
    parts = [X[i : i + 1 + i % 9] for i in range(80)]
    right, weights = [m.predict(part) for part in parts], m.get_weights()
    with ThreadPoolExecutor(8) as pool:
        assert_same(list(pool.map(m.predict, parts)), right)
    assert_same(m.get_weights(), weights)


def test_threads_that_build_a_model_at_once_build_it_once():
    sn.set_random_seed(0)
    right = base().predict(X[:4])
    for _ in range(5):
        sn.set_random_seed(0)
        m = base()
        with ThreadPoolExecutor(8) as pool:
            for found in pool.map(m.predict, [X[:4]] * 16):
                np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("average", [None, 0.9])
def test_a_gan_learns_the_same_while_others_generate(average):
    one = gan(average)
    one.fit(REAL, epochs=20, batch_size=16, verbose=0)
    other = gan(average)
    looks = [lambda: other.generate(8, seed=0), lambda: other.discriminator.predict(REAL[:5])]
    beside(lambda: other.fit(REAL, epochs=20, batch_size=16, verbose=0), *looks)
    assert_same(other.get_weights(), one.get_weights())
    assert other.history.history == one.history.history


def test_generating_changes_nothing_and_gives_the_average_s_pictures():
    one = gan()
    one.fit(REAL, epochs=3, batch_size=16, verbose=0)
    before = one.get_weights()
    with one.average.in_place():
        right = one.generator.predict(one.latents(8, seed=0))
    with ThreadPoolExecutor(8) as pool:
        for made in pool.map(lambda seed: one.generate(8, seed=seed), [0] * 50):
            np.testing.assert_array_equal(made, right)
    assert_same(one.get_weights(), before)
    one.fit(REAL, epochs=1, batch_size=16, verbose=0)
    assert not np.array_equal(one.generate(8, seed=0), right)  # not the pictures of an old average


def test_generating_follows_the_generator_s_dtype():
    one = gan()
    before = one.generate(4, seed=0)
    one.astype(np.float64)
    np.testing.assert_allclose(one.generate(4, seed=0), before, rtol=1e-5, atol=1e-6)


class InEpoch(sn.Callback):
    """Does something in another thread, or in the run's own, at the end of the first epoch."""

    def __init__(self, work, own_thread=False):
        self.work, self.own_thread, self.found = work, own_thread, None

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            if self.own_thread:
                self._work()
            else:
                thread = threading.Thread(target=self._work, name="second")
                thread.start()
                thread.join(60)  # it must not wait for the end of the run

    def _work(self):
        try:
            self.found = self.work()
        except Exception as error:
            self.found = error


TRAINING = {
    "fit": lambda m: m.fit(X, Y, verbose=0),
    "train_on_batch": lambda m: m.train_on_batch(X[:4], Y[:4]),
}


@pytest.mark.parametrize("method", TRAINING)
def test_training_in_a_second_thread_is_refused(method):
    weights, _ = trained(model())
    m = model()
    other = InEpoch(lambda: TRAINING[method](m))
    m.fit(X, Y, epochs=4, batch_size=16, validation_data=(X[:20], Y[:20]), verbose=0, callbacks=other)
    assert isinstance(other.found, RuntimeError)
    assert f"{method} in thread 'second' while thread 'MainThread' is in this model's fit" in str(other.found)
    assert_same(m.get_weights(), weights)
    TRAINING[method](m)  # afterwards it is free


@pytest.mark.parametrize("method", ["fit", "train_on_batch"])
def test_training_a_gan_in_a_second_thread_is_refused(method):
    one = gan()
    other = InEpoch(lambda: getattr(one, method)(REAL, **({"verbose": 0} if method == "fit" else {})))
    one.fit(REAL, epochs=2, verbose=0, callbacks=other)
    assert isinstance(other.found, RuntimeError)
    assert "is in this model's fit" in str(other.found)


def test_a_run_that_an_error_ended_leaves_the_model_free():
    class Broken(sn.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise OSError("full")

    m = model()
    with pytest.raises(OSError, match="full"):
        m.fit(X, Y, verbose=0, callbacks=Broken())
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(m.fit, X, Y, verbose=0).result(60).epoch == [0]


@pytest.mark.parametrize("own_thread", [True, False])
def test_a_callback_predicts(own_thread):
    m = model()
    look = InEpoch(lambda: m.predict(X[:4]), own_thread)
    m.fit(X, Y, epochs=1, verbose=0, callbacks=look)
    np.testing.assert_array_equal(look.found, m.predict(X[:4]))


def test_a_copy_that_is_made_during_a_run_can_be_trained_in_another_thread():
    m = model()
    other = InEpoch(lambda: copy.deepcopy(m).fit(X, Y, epochs=1, verbose=0).epoch)
    m.fit(X, Y, epochs=2, verbose=0, callbacks=other)
    assert other.found == [0]


def test_models_can_be_pickled():
    m, one = model(), gan()
    m.fit(X, Y, verbose=0)
    right = one.generate(4, seed=0)
    again, pair = pickle.loads(pickle.dumps((m, one)))
    np.testing.assert_array_equal(again.predict(X), m.predict(X))
    np.testing.assert_array_equal(pair.generate(4, seed=0), right)
