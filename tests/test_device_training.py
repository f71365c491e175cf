"""Training, averages, saving and resuming on a stand-in device, to the bits of the CPU."""

import re

import numpy as np
import pytest
import stand_in
from on_both import (
    LABELS,
    ON,
    PICTURES,
    SEED,
    WEIGHTS,
    assert_same,
    assert_same_weights,
    classifier,
    classifiers,
    fit,
    same,
    twice,
)
from stand_in import Array, put

import scratchnet as sn
from scratchnet import devices
from scratchnet.averaging import MovingAverage
from scratchnet.preprocessing.image import ImageDataGenerator
from scratchnet.training.data import Feed

pytestmark = pytest.mark.usefixtures("stand_in_device")


def test_train_step():
    ours, cpus = classifiers()
    optimizer, cpus_optimizer = twice(lambda: sn.Adam(0.01))
    for start in (0, 8, 16):
        x, y = PICTURES[start : start + 8], LABELS[start : start + 8]
        value, z = sn.train_step(cpus, cpus.loss, cpus_optimizer, x, y)
        own, scores = sn.train_step(ours, ours.loss, optimizer, put(x), put(y))
        assert own == value
        assert_same(scores, z)
    assert_same_weights(ours, cpus)


@pytest.mark.parametrize("data", ["data on the CPU", "data on the device"])
def test_train_on_batch_evaluate_and_predict(data):
    """A model on the device takes examples from anywhere."""
    ours, cpus = classifiers()
    x, y, weight = (PICTURES, LABELS, WEIGHTS) if "CPU" in data else (put(PICTURES), put(LABELS), put(WEIGHTS))
    for _ in range(2):
        logs = ours.train_on_batch(x, y, sample_weight=weight, class_weight={1: 2.0})
        assert logs == cpus.train_on_batch(PICTURES, LABELS, sample_weight=WEIGHTS, class_weight={1: 2.0})
    assert_same_weights(ours, cpus)
    found = ours.evaluate(x, y, batch_size=7, verbose=0, sample_weight=weight)
    assert found == cpus.evaluate(PICTURES, LABELS, batch_size=7, verbose=0, sample_weight=WEIGHTS)
    predicted = ours.predict(x, batch_size=7)
    assert isinstance(predicted, np.ndarray)
    np.testing.assert_array_equal(predicted, cpus.predict(PICTURES, batch_size=7))


@pytest.mark.parametrize("input_shape", [None, (8, 8, 2)])
def test_fit(input_shape):
    """With the examples on the device, a model that is not built is built there; one on the CPU stays there."""
    ours, cpus = twice(lambda: classifier(input_shape))
    watchers = lambda: [sn.ExponentialMovingAverage(0.9), sn.EarlyStopping(restore_best_weights=True)]  # noqa: E731
    history = fit(ours, put(PICTURES), put(LABELS), callbacks=watchers())
    assert history == fit(cpus, PICTURES, LABELS, callbacks=watchers())
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    if input_shape is None:
        assert_same_weights(ours, cpus)
        assert all(isinstance(a, Array) for memory in ours.optimizer.state.values() for a in memory.values())
    else:
        assert all(isinstance(array, np.ndarray) for array in ours.params.values())
    for some, others in zip(ours.get_weights(), cpus.get_weights()):
        np.testing.assert_array_equal(some, others)


@pytest.mark.parametrize("validation", [{}, {"validation_split": 0, "validation_data": (PICTURES[:9], LABELS[:9])}])
def test_fit_brings_batches_to_the_device_of_the_model(validation):
    ours, cpus = classifiers()
    stand_in.reached.clear()
    assert fit(ours, PICTURES, LABELS, **validation) == fit(cpus, PICTURES, LABELS, **validation)
    assert_same_weights(ours, cpus)
    assert stand_in.reached["adam"] == 2 * 3


def test_a_flow_of_pictures_on_the_device():
    ours, cpus = classifiers()
    generator = ImageDataGenerator(rotation_range=10, horizontal_flip=True)
    found = []
    for model, on in ((ours, put), (cpus, same)):
        sn.set_random_seed(SEED)
        flow = generator.flow(on(PICTURES), on(LABELS), batch_size=8, seed=1)
        found.append(model.fit(flow, epochs=2, verbose=0).history)
        x, y = flow[0]
        assert type(x) is type(y) is type(on(PICTURES))
    assert found[0] == found[1]
    assert_same_weights(ours, cpus)
    assert stand_in.reached["augment"]


def test_every_array_of_a_batch_comes_on_the_device():
    feed = Feed(PICTURES, LABELS, WEIGHTS, np.dtype(np.float32))
    feed.device = devices.named(stand_in.NAME)
    for array, whole in zip(feed.take(np.array([3, 1])), (PICTURES, LABELS, WEIGHTS)):
        assert_same(array, whole[[3, 1]])
    feed.device = None
    assert all(isinstance(array, np.ndarray) for array in feed.take(np.array([3, 1])))


def test_what_fit_says_of_bad_data_on_the_device():
    model = classifier()
    x = PICTURES.copy()
    x[5, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=re.escape("NaN or infinity in x, first in x[5]")):
        model.fit(put(x), put(LABELS), verbose=0)
    with pytest.warns(UserWarning, match=r"whole numbers \(uint8, up to 9\)"):
        model.predict(put(np.arange(10, dtype=np.uint8).repeat(64).reshape(5, 8, 8, 2)))


def test_a_run_that_diverges_goes_back():
    """The last good weights are brought back, and the fault is found, on the device as on the CPU."""
    said = []
    for model, on in zip(classifiers(), ON):
        before = model.get_weights()
        model.layers[-1].params["kernel"][0, 0] = np.inf
        with pytest.raises(sn.DivergedError) as caught:
            model.fit(on(PICTURES), on(LABELS), verbose=0)
        said.append(str(caught.value))
        assert [w.shape for w in before] == [w.shape for w in model.get_weights()]
    assert said[0] == said[1]
    assert "in kernel of Dense 'scores'" in said[0]


def test_moving_average():
    ours, cpus = classifiers()
    average, cpus_average = MovingAverage(ours, 0.9), MovingAverage(cpus, 0.9)
    for model, one, on in ((ours, average, put), (cpus, cpus_average, same)):
        for _ in range(2):
            model.train_on_batch(on(PICTURES), on(LABELS))
            one.update()
    for name in average.average:
        assert_same(average.average[name], cpus_average.average[name])
    with average.in_place(), cpus_average.in_place():
        assert_same_weights(ours, cpus)
    assert_same_weights(ours, cpus)
    assert stand_in.reached["moving_average"] == 2


# Files.


def test_saved_on_the_device_and_loaded_on_the_cpu_and_back(tmp_path):
    ours, cpus = classifiers()
    for model, name in ((ours, "ours"), (cpus, "cpus")):
        fit(model, PICTURES, LABELS)
        model.save(tmp_path / name)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "cpus").read_bytes()
    loaded = sn.load_model(tmp_path / "ours")
    assert all(isinstance(array, np.ndarray) for array in {**loaded.params, **loaded.state}.values())
    np.testing.assert_array_equal(loaded.predict(PICTURES), ours.predict(PICTURES))
    back, _ = classifiers()
    back.load_weights(tmp_path / "cpus")
    for part in ("params", "state"):
        for name, array in getattr(cpus, part).items():
            assert_same(getattr(back, part)[name], array)


class Stopped(Exception):
    """What ends a run in the middle."""


class Stops(sn.Callback):
    runs_last = True

    def __init__(self, after):
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if not self.after:
            raise Stopped


def callbacks(folder, *more):
    return [sn.ExponentialMovingAverage(0.9), sn.BackupAndRestore(folder, save_freq=1), *more]


def test_a_run_is_resumed_on_the_device(tmp_path):
    """Also where the examples are the same, but come from elsewhere."""
    whole, _ = classifiers()
    history = fit(whole, PICTURES, LABELS, callbacks=callbacks(tmp_path / "whole"))
    with pytest.raises(Stopped):
        fit(classifiers()[0], put(PICTURES), put(LABELS), callbacks=callbacks(tmp_path / "broken", Stops(4)))
    resumed, rest = classifiers()[0], Stops(100)
    assert fit(resumed, PICTURES, LABELS, callbacks=callbacks(tmp_path / "broken", rest)) == history
    assert rest.after == 100 - 3  # of six batches, three were in the file
    assert all(isinstance(array, Array) for array in {**resumed.params, **resumed.state}.values())
    for some, others in zip(resumed.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(some, others)
    for name, memory in whole.optimizer.state.items():
        for slot, array in memory.items():
            assert_same(resumed.optimizer.state[name][slot], array.get())
