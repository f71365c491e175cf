"""The metrics as a callback: in the logs, in the history, for checkpoints; and callbacks that run first."""

import math

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.callbacks import CallbackList, History


class Improving:
    """A model that generates: real pictures with less noise after each epoch, and in the end with more."""

    noise = (1.0, 0.5, 0.1, 0.8)

    def __init__(self, x):
        self.x, self.epoch, self.asked, self.saved = x, 0, [], []

    def generate(self, n, seed):
        self.asked.append((n, seed))
        sn.random.generator().random(10)  # a model that draws from the package's numbers must not disturb training
        rng = np.random.default_rng(seed)
        chosen = self.x[rng.integers(0, len(self.x), n)]
        return (chosen + self.noise[self.epoch] * rng.normal(size=chosen.shape)).clip(-1, 1).astype(np.float32)

    def save(self, path):
        self.saved.append(self.epoch)


@pytest.fixture(scope="module")
def real():
    (x, _), _ = sn.datasets.fashion_mnist_small.load_data()
    return x


def run(model, callbacks, epochs=4):
    history = History()
    everyone = CallbackList([history, *callbacks], model, {"epochs": epochs, "steps": 1, "verbose": 0})
    everyone.call("on_train_begin", {})
    for epoch in range(epochs):
        model.epoch = epoch
        everyone.call("on_epoch_begin", epoch, {})
        everyone.call("on_epoch_end", epoch, {"loss": 1.0})
    everyone.call("on_train_end", {})
    return history.history


def test_the_best_generator_is_kept_and_the_history_has_the_values(real, tmp_path):
    model = Improving(np.pad(real[2000:2500] / 127.5 - 1, ((0, 0), (2, 2), (2, 2)), constant_values=-1)[..., None])
    names = ["fcd", "kid", "precision", "recall", "class_entropy"]
    checkpoint = sn.callbacks.ModelCheckpoint(tmp_path / "best.safetensors", monitor="fcd", save_best_only=True)
    watch = sn.generation.GenerationMetrics(real[:400], n=200, metrics=names, seed=5)
    before = sn.random.get_state()
    history = run(model, [checkpoint, watch])  # behind the checkpoint, and yet first
    assert sn.random.get_state() == before
    assert list(history) == ["loss", *names]
    assert all(math.isfinite(value) for name in names for value in history[name])
    first, second, third, last = history["fcd"]
    assert first > second > third < last
    assert model.saved == [0, 1, 2]
    assert model.asked == [(200, 5)] * 4
    assert watch.floor["fcd"] < third
    assert list(watch.floor) == names


def test_it_measures_what_the_functions_measure(real):
    model = Improving(real[2000:2500, ..., None] / 127.5 - 1)
    watch = sn.generation.GenerationMetrics(real[:100], n=100)
    watch.set_model(model)
    judge = sn.generation.classifier("fashion_mnist")
    expected = sn.generation.frechet_distance(judge.features(real[:100]), judge.features(model.generate(100, 0)))
    assert watch.measure()["fcd"] == pytest.approx(expected, rel=1e-6)  # the real ones come in another order
    assert watch.floor is None


def test_what_cannot_be_measured_is_said_before_training(real):
    for n in (64, 301):
        with pytest.raises(ValueError, match=f"expected n above 64.* at most 300.* got {n}"):
            sn.generation.GenerationMetrics(real[:300], n=n)
    with pytest.raises(ValueError, match="Did you mean 'recall'"):
        sn.generation.GenerationMetrics(real[:300], n=100, metrics=["recal"])
    with pytest.raises(ValueError, match="at or above 0"):
        sn.generation.GenerationMetrics(real[:300] / 255, n=100)
    model = sn.Sequential([sn.Flatten(input_shape=(28, 28, 1)), sn.Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    watch = sn.generation.GenerationMetrics(real[:300], n=100)
    with pytest.raises(TypeError, match=r"Sequential has no generate\(n, seed\)"):
        model.fit(real[:32, ..., None] / 255, np.zeros(32, int), callbacks=watch, verbose=0)


def test_callbacks_that_run_first_and_last_and_those_between():
    order = []

    class Named(sn.Callback):
        def __init__(self, name, first=False, last=False):
            self.name, self.runs_first, self.runs_last = name, first, last

        def on_epoch_end(self, epoch, logs=None):
            order.append(self.name)

    some = [Named("last", last=True), Named("a"), Named("first", first=True), Named("b")]
    CallbackList(some, None, {}).call("on_epoch_end", 0, {})
    assert order == ["first", "a", "b", "last"]
