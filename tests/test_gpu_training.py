"""Training with a model on the GPU and data from NumPy: where the data are, files and resuming, memory that is full.

The stand-in device (`stand_in.py`) is known as the GPU here.
"""

import copy
import re

import numpy as np
import pytest
import stand_in
from on_both import LABELS, PICTURES, SEED, WEIGHTS, classifier, fit
from stand_in import Array, put
from test_device_gan import REAL
from test_device_training import Stopped, Stops, callbacks
from test_placement import gan_of, on_cpu, on_gpu

import scratchnet as sn
from scratchnet import devices
from scratchnet.training import memory
from scratchnet.training.data import Feed

BYTES = (np.abs(PICTURES) * 60).clip(0, 255).astype(np.uint8)


@pytest.fixture
def copied(monkeypatch):
    """What is copied from NumPy to the device: shapes and dtypes."""
    seen = []

    def asarray(x, dtype=None):
        if isinstance(x, np.ndarray):
            seen.append((x.shape, x.dtype.name))
        return put(x, dtype)

    monkeypatch.setattr(stand_in.module, "asarray", asarray)
    return seen


def made(device, **options):
    sn.set_random_seed(SEED)
    with sn.device(device):
        return classifier((8, 8, 2), **options)


def bytes_classifier(device):
    sn.set_random_seed(SEED)
    with sn.device(device):
        model = sn.Sequential(
            [sn.Rescaling(1 / 255, input_shape=(8, 8, 2)), sn.Conv2D(3, 3), sn.Flatten(), sn.Dense(3)], name="model"
        )
    model.compile("adam", sn.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


# Data.


def test_data_go_to_the_device_once_as_they_are(gpu, copied):
    """Bytes stay bytes. Batches are gathered and augmented there: only the tables of a batch come from the CPU."""
    ours, cpus = bytes_classifier("gpu"), bytes_classifier("cpu")
    copied.clear()
    history = fit(ours, BYTES, LABELS, sample_weight=WEIGHTS, augment=sn.Augment(1))
    whole = [seen for seen in copied if (seen[0][0] in (18, 6) and seen[0] != (6,)) or seen[1] == "float64"]
    assert copied.count(((18, 8, 8, 2), "uint8")) == 1
    assert copied.count(((6, 8, 8, 2), "uint8")) == 1  # what is measured on
    assert whole
    assert not [seen for seen in copied if len(seen[0]) == 4 and seen[1] != "uint8"]
    assert stand_in.reached["augment"] == 2 * 3
    assert history == fit(cpus, BYTES, LABELS, sample_weight=WEIGHTS, augment=sn.Augment(1))
    assert on_gpu(ours)


def test_what_comes_out_is_numpys_and_pythons(gpu):
    model = made("gpu")
    history = fit(model, PICTURES, LABELS)
    assert all(type(value) is float for values in history.values() for value in values)
    found = model.train_on_batch(PICTURES, LABELS), model.evaluate(PICTURES, LABELS, verbose=0)
    assert all(type(value) is float for values in found for value in values)
    assert isinstance(model.predict(PICTURES), np.ndarray)
    assert all(isinstance(array, np.ndarray) for array in model.get_weights())


def test_data_of_the_gan_go_to_the_device_once(gpu, copied):
    with sn.device("gpu"):
        gan = gan_of()
    real = (REAL * 127 + 127).astype(np.uint8)
    copied.clear()
    gan.fit(real, batch_size=8, epochs=2, verbose=0)
    assert [seen for seen in copied if seen[1] == "uint8"] == [((24, 8, 8, 2), "uint8")]


@pytest.mark.parametrize(
    "use",
    [
        lambda model: fit(model, PICTURES, LABELS),
        lambda model: model.evaluate(PICTURES, LABELS, batch_size=8, verbose=0),
        lambda model: model.predict(PICTURES, batch_size=8).tolist(),
    ],
)
@pytest.mark.parametrize("full", ["too large", "in pieces"])
def test_data_that_are_too_large_come_batch_by_batch(use, full, copied, monkeypatch):
    expected = use(made("cpu"))
    free = PICTURES.nbytes if full == "too large" else 10**9
    with stand_in.registered("gpu", free_memory=lambda: free):
        model = made("gpu")
        if full == "in pieces":
            monkeypatch.setattr(memory, "to_device", no_room)
        copied.clear()
        with pytest.warns(UserWarning, match=r"half of them for data. Each batch is copied there by itself"):
            assert use(model) == expected
    assert not [shape for shape, _ in copied if len(shape) == 4 and shape[0] > 8]


def no_room(x, device):
    raise MemoryError


def test_data_of_a_gan_that_are_too_large_come_batch_by_batch(copied):
    cpus = gan_of()
    sn.set_random_seed(SEED)
    history = cpus.fit(REAL, batch_size=8, verbose=0).history
    with stand_in.registered("gpu", free_memory=lambda: REAL.nbytes):
        with sn.device("gpu"):
            ours = gan_of()
        sn.set_random_seed(SEED)
        with pytest.warns(UserWarning, match="GAN 'gan': fit: the data have"):
            assert ours.fit(REAL, batch_size=8, verbose=0).history == history


def test_the_warning_points_to_the_line_that_called_fit():
    with stand_in.registered("gpu", free_memory=lambda: 1000):
        model, gan = made("gpu"), gan_of().to("gpu")
        for use in (
            lambda: model.fit(PICTURES, LABELS, verbose=0),
            lambda: model.predict(PICTURES),
            lambda: model.evaluate(PICTURES, LABELS, verbose=0),
            lambda: model.train_on_batch(PICTURES, LABELS),
            lambda: gan.fit(REAL, verbose=0),
        ):
            with pytest.warns(UserWarning, match="Each batch is copied") as caught:
                use()
            assert {warning.filename for warning in caught} == {__file__}


def test_data_that_are_there_need_no_room():
    with stand_in.registered("gpu", free_memory=lambda: 0):
        feed = Feed(put(PICTURES), put(LABELS), None, np.dtype(np.float32))
        x = feed.x
        feed.bring(devices.named("gpu"), "fit")
        assert feed.x is x


# A batch that is too large.


class Filling(sn.Layer):
    """Takes more memory than there is, for more than `most` examples."""

    most = 4

    def call(self, x, training):
        if len(x) > self.most:
            raise MemoryError("out of memory on the GPU: asked for 12.0 MB, free are 3.0 MB of 10.0 MB.")
        return x


def filled(device, most=4):
    with sn.device(device):
        model = sn.Sequential([Filling(input_shape=(8,)), sn.Dense(4), sn.Dense(3)], name="model")
    model.layers[0].most = most
    model.compile("sgd", "mse")
    return model


NUMBERS = np.ones((24, 8), np.float32)
TARGETS = np.ones((24, 3), np.float32)
NEEDED = 2 * 4 * (8 + 4 + 3)  # bytes an example: an output and its gradient of each layer, in float32


@pytest.mark.parametrize(
    ("method", "use", "size"),
    [
        ("fit", lambda model: model.fit(NUMBERS, TARGETS, batch_size=16, verbose=0), 16),
        ("train_on_batch", lambda model: model.train_on_batch(NUMBERS[:20], TARGETS[:20]), 20),
        ("predict", lambda model: model.predict(NUMBERS, batch_size=16), 16),
        ("evaluate", lambda model: model.evaluate(NUMBERS, TARGETS, batch_size=16, verbose=0), 16),
        (
            "fit: validation",
            lambda model: model.fit(
                NUMBERS, TARGETS, 4, verbose=0, validation_data=(NUMBERS, TARGETS), validation_batch_size=16
            ),
            16,
        ),
    ],
)
def test_a_batch_that_is_too_large_says_which_would_fit(method, use, size):
    with stand_in.registered("gpu", free_memory=lambda: 10**9):
        model = filled("gpu")
        before = model.get_weights()
        with pytest.raises(MemoryError) as caught:
            use(model)
        after = model.get_weights()
    said = str(caught.value)
    assert said.startswith(f"Sequential 'model': {method}: out of memory on the GPU: asked for 12.0 MB")
    assert f"about 0.0 MB an example, batch_size=8 would fit; it was {size}." in said
    if method == "fit":
        for some, others in zip(after, before):
            np.testing.assert_array_equal(some, others)


@pytest.mark.parametrize(("fits", "said"), [(6.5, "batch_size=4 would fit"), (1, "batch_size=1"), (0.5, "One example")])
def test_the_batch_that_would_fit_is_from_what_is_free(fits, said):
    free = int(fits * NEEDED)
    with stand_in.registered("gpu", free_memory=lambda: free):
        model = filled("gpu")
        x, y = put(NUMBERS), put(TARGETS)  # there already
        with pytest.raises(MemoryError, match=said):
            model.train_on_batch(x, y)


def test_a_gan_says_which_batch_would_fit():
    with stand_in.registered("gpu", free_memory=lambda: 10**9):
        gan = gan_of().to("gpu")
        gan.discriminator.layers.insert(0, Filling())
        gan.discriminator.layers[0].build((None, 8, 8, 2))
        for method, use in (
            ("fit", lambda: gan.fit(REAL, batch_size=16, verbose=0)),
            ("train_on_batch", lambda: gan.train_on_batch(REAL[:16])),
        ):
            with pytest.raises(MemoryError, match=rf"GAN 'gan': {method}: out of memory.*batch_size=8 would fit"):
                use()


def test_what_the_cpu_says_of_its_memory_is_left_as_it_is():
    with pytest.raises(MemoryError, match=r"^out of memory on the GPU: asked for 12.0 MB, free are .* of 10.0 MB.$"):
        filled("cpu").train_on_batch(NUMBERS, TARGETS)


# Files.


@pytest.mark.parametrize(("start", "end"), [("gpu", "cpu"), ("cpu", "gpu")])
def test_weights_saved_on_one_device_load_on_the_other(gpu, start, end, tmp_path):
    model = made(start)
    fit(model, PICTURES, LABELS)
    model.save_weights(tmp_path / "weights")
    model.save(tmp_path / "model")
    other = made(end)
    other.load_weights(tmp_path / "weights")
    with sn.device(end):
        loaded = sn.load_model(tmp_path / "model")
    for one in (other, loaded):
        assert (on_gpu if end == "gpu" else on_cpu)(one)
        np.testing.assert_array_equal(one.predict(PICTURES), model.predict(PICTURES))
    assert fit(loaded, PICTURES, LABELS) == fit(model, PICTURES, LABELS)


@pytest.mark.parametrize(("start", "end"), [("gpu", "cpu"), ("cpu", "gpu")])
def test_a_run_begun_on_one_device_goes_on_on_the_other(gpu, start, end, tmp_path):
    """The stand-in has the CPU's kernels: so here to the same bits, on a GPU to rounding."""
    whole = made(end)
    history = fit(whole, PICTURES, LABELS, callbacks=callbacks(tmp_path / "whole"))
    with pytest.raises(Stopped):
        fit(made(start), PICTURES, LABELS, callbacks=callbacks(tmp_path / "broken", Stops(4)))
    resumed = made(end)
    assert fit(resumed, PICTURES, LABELS, callbacks=callbacks(tmp_path / "broken", Stops(100))) == history
    assert (on_gpu if end == "gpu" else on_cpu)(resumed)
    for some, others in zip(resumed.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(some, others)
    kind = Array if end == "gpu" else np.ndarray
    assert all(isinstance(a, kind) for known in resumed.optimizer.state.values() for a in known.values())


@pytest.mark.parametrize(("start", "end"), [("gpu", "cpu"), ("cpu", "gpu")])
def test_a_gan_begun_on_one_device_goes_on_on_the_other(gpu, start, end, tmp_path):
    def run(device, folder, *more):
        gan = gan_of().to(device)
        sn.set_random_seed(SEED)
        backup = sn.BackupAndRestore(tmp_path / folder, save_freq=1)
        return gan, gan.fit(REAL, 8, 2, 0, [backup, *more]).history

    whole, history = run(end, "whole")
    with pytest.raises(Stopped):
        run(start, "broken", Stops(4))
    resumed, found = run(end, "broken", Stops(100))
    assert found == history
    np.testing.assert_array_equal(resumed.generate(5, seed=1), whole.generate(5, seed=1))
    whole.save(tmp_path / "gan")
    with sn.device(start):
        loaded = sn.load_model(tmp_path / "gan")
    assert loaded.device.name == start
    np.testing.assert_array_equal(loaded.generate(5, seed=1), whole.generate(5, seed=1))


def test_a_run_that_diverges_goes_back_on_the_device(gpu):
    said = []
    for device in ("cpu", "gpu"):
        model = made(device)
        model.layers[-1].params["kernel"][0, 0] = np.inf
        with pytest.raises(sn.DivergedError) as caught:
            model.fit(PICTURES, LABELS, verbose=0)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert re.search("in kernel of Dense 'scores'", said[0])


# What looks at a trained network.


def test_features_of_a_classifier_on_the_device(gpu):
    x = (np.random.default_rng(0).random((6, 28, 28)) * 255).astype(np.uint8)
    with sn.device("gpu"):
        shipped = sn.generation.classifier("fashion_mnist")
    assert on_cpu(shipped.model)  # its numbers are the same wherever it is asked for
    own = sn.generation.FeatureClassifier(copy.deepcopy(shipped.model).to("gpu"))
    assert own.hash == shipped.hash
    features = own.features(put(x))
    assert isinstance(features, np.ndarray)
    np.testing.assert_array_equal(features, shipped.features(x))
    np.testing.assert_array_equal(own.predict(features), shipped.predict(features))


def test_a_picture_on_its_way_through_a_network_on_the_device(gpu):
    pytest.importorskip("matplotlib")
    with sn.device("gpu"):
        model = sn.Sequential([sn.Conv2D(3, 3, input_shape=(8, 8, 1)), sn.Flatten(), sn.Dense(3)])
    assert sn.plot.through_network(model, PICTURES[0, ..., :1]).axes
