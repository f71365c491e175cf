"""A small CNN and a small GAN on the GPU's own kernels: trained, measured, saved, resumed, as on the CPU to rounding.

Where there is no GPU, the kernels run on the CPU, as `cuda_on_cpu` plays them, and its memory can be made small.
"""

import cuda_on_cpu
import numpy as np
import pytest
from devices import DEVICES, gpu_registered
from on_both import LABELS, PICTURES, RNG, SEED, WEIGHTS, classifier, fit
from test_device_gan import REAL
from test_device_training import Stopped, Stops, callbacks
from test_placement import gan_of

import scratchnet as sn
from scratchnet import kernels

PLAYED = DEVICES["gpu"] is not None and DEVICES["gpu"].kernels.ARRAY_MODULE is cuda_on_cpu.cupy


# A warning of its own, tested in test_gpu_graph.py: these callbacks look into each batch.
pytestmark = pytest.mark.filterwarnings("ignore:.*the steps are not recorded")


@pytest.fixture(autouse=True)
def gpu():
    """The GPU, or what plays it, is known to the package."""
    with gpu_registered() as there:
        yield there


def made(device, make=lambda: classifier((8, 8, 2))):
    sn.set_random_seed(SEED)
    with sn.device(device):
        return make()


def is_near(value, other, tolerance=1e-4):
    """Numbers, arrays, and dicts and lists of them, within rounding."""
    if isinstance(value, dict):
        assert list(value) == list(other)
    for one, another in zip(value.values(), other.values()) if isinstance(value, dict) else zip(value, other):
        np.testing.assert_allclose(one, another, rtol=tolerance, atol=tolerance)
    return True


def on_gpu(model, gpu):
    parts = (model.params, model.grads, model.state)
    return all(isinstance(array, gpu.array_type) for part in parts for array in part.values())


def test_a_cnn_is_trained_as_on_the_cpu(gpu, tmp_path):
    histories, models = [], [made("gpu"), made("cpu")]
    for model in models:
        watchers = [sn.ExponentialMovingAverage(0.9), sn.EarlyStopping(restore_best_weights=True)]
        histories.append(fit(model, PICTURES, LABELS, callbacks=watchers, sample_weight=WEIGHTS))
    ours, cpus = models
    assert on_gpu(ours, gpu)
    assert ours.device is gpu
    assert is_near(*histories)
    assert all(type(value) is float for values in histories[0].values() for value in values)
    predicted = ours.predict(PICTURES, batch_size=10)
    assert isinstance(predicted, np.ndarray)
    assert is_near(predicted, cpus.predict(PICTURES))
    assert is_near(ours.evaluate(PICTURES, LABELS, verbose=0), cpus.evaluate(PICTURES, LABELS, verbose=0))
    assert is_near(ours.get_weights(), cpus.get_weights())
    ours.save(tmp_path / "model")
    loaded = sn.load_model(tmp_path / "model")
    assert loaded.device is kernels.CPU
    assert is_near(loaded.predict(PICTURES), predicted)
    np.testing.assert_array_equal(ours.to("cpu").predict(PICTURES), loaded.predict(PICTURES))


def test_the_same_bits_in_every_run(gpu):
    runs = []
    for _ in range(2):
        model = made("gpu")
        runs.append((fit(model, PICTURES, LABELS), model.get_weights()))
    assert runs[0][0] == runs[1][0]
    for some, others in zip(runs[0][1], runs[1][1]):
        np.testing.assert_array_equal(some, others)


@pytest.mark.parametrize(("start", "end"), [("gpu", "cpu"), ("cpu", "gpu"), ("gpu", "gpu")])
def test_a_run_goes_on_on_either_device(start, end, tmp_path):
    whole = fit(made(end), PICTURES, LABELS, callbacks=callbacks(tmp_path / "whole"))
    with pytest.raises(Stopped):
        fit(made(start), PICTURES, LABELS, callbacks=callbacks(tmp_path / "broken", Stops(4)))
    resumed = fit(made(end), PICTURES, LABELS, callbacks=callbacks(tmp_path / "broken", Stops(100)))
    assert resumed == whole if start == end else is_near(resumed, whole)


def article():
    """The article's layers, of fewer filters."""
    model = sn.Sequential(
        [
            sn.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 2)),
            sn.MaxPooling2D(),
            sn.Flatten(),
            sn.Dense(6, activation="relu"),
            sn.Dense(3, activation="softmax"),
        ]
    )
    return model


def test_the_articles_network_is_trained_as_on_the_cpu():
    """Convolution, ReLU and pooling run as one there, too."""
    ours, cpus = made("gpu", article), made("cpu", article)
    x, y = PICTURES.astype(np.float64), np.eye(3)[LABELS].astype(bool)  # of whatever dtype
    for model in (ours, cpus):
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    assert is_near(fit(ours, x, y), fit(cpus, x, y))
    assert is_near(ours.get_weights(), cpus.get_weights())


def test_bytes_are_augmented_there(gpu):
    x = (np.abs(PICTURES) * 60).clip(0, 255).astype(np.uint8)
    augment = sn.Augment(1, rotation=10, brightness=0.1, cutout=2)
    histories = []
    for device in ("gpu", "cpu"):
        model = made(
            device, lambda: sn.Sequential([sn.Rescaling(1 / 255, input_shape=(8, 8, 2)), sn.Conv2D(3, 3), sn.Flatten()])
        )
        model.add(sn.Dense(3, activation="softmax"))
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        histories.append(fit(model, x, LABELS, augment=augment))
    assert is_near(*histories)


def test_a_gan_is_trained_as_on_the_cpu(gpu, tmp_path):
    """One epoch: two networks that answer each other drift apart faster than one that learns by itself."""
    histories, gans = [], [made("gpu", gan_of), made("cpu", gan_of)]
    real = (REAL * 127 + 127).astype(np.uint8)
    for gan in gans:
        sn.set_random_seed(SEED)
        histories.append(gan.fit(real, epochs=1, batch_size=8, verbose=0).history)
    ours, cpus = gans
    assert on_gpu(ours.generator, gpu)
    assert on_gpu(ours.discriminator, gpu)
    assert is_near(*histories, tolerance=1e-3)
    pictures = ours.generate(5, seed=1)
    assert isinstance(pictures, np.ndarray)
    assert is_near(pictures, cpus.generate(5, seed=1), tolerance=1e-3)
    ours.save(tmp_path / "gan")
    assert is_near(sn.load_model(tmp_path / "gan").generate(5, seed=1), pictures)
    assert is_near(ours.to("cpu").generate(5, seed=1), pictures)


needs_small_memory = pytest.mark.skipif(not PLAYED, reason="a GPU's memory cannot be made small")


@needs_small_memory
def test_data_that_are_too_large_for_it_come_batch_by_batch():
    model, cpus = made("gpu"), made("cpu")
    x = np.concatenate([PICTURES] * 8)
    model.predict(x[:8])
    with cuda_on_cpu.memory_limit(x.nbytes), pytest.warns(UserWarning, match="Each batch is copied there by itself"):
        predicted = model.predict(x, batch_size=8)
    assert is_near(predicted, cpus.predict(x))


@needs_small_memory
def test_a_batch_that_is_too_large_for_it_is_named_and_a_smaller_one_works(gpu):
    model = made("gpu")
    x, y = np.concatenate([PICTURES] * 4), np.concatenate([LABELS] * 4)
    model.train_on_batch(x[:8], y[:8])
    with cuda_on_cpu.memory_limit(400_000):
        with pytest.raises(MemoryError) as caught:
            model.fit(x, y, batch_size=96, verbose=0)
        said = str(caught.value)
        assert "Sequential 'model': fit: " in said
        assert "MB" in said
        size = int(said.partition("batch_size=")[2].split()[0])
        assert size in (16, 32)
        assert gpu.free_memory() > 400_000 - 2 * x.nbytes  # what the batch has taken is free again
        model.fit(x, y, batch_size=size, verbose=0)


@needs_small_memory
def test_memory_for_a_batch_but_not_for_a_group_of_them():
    """The run goes on step by step, and says why. Data: 160 kB as bytes; a group of 16 batches: 512 kB as float32."""
    x, y = RNG.integers(0, 256, (160, 1000)).astype(np.uint8), np.arange(160) % 3

    def wide():
        model = sn.Sequential([sn.Rescaling(1 / 255, input_shape=(1000,)), sn.Dense(3, activation="softmax")])
        model.compile(sn.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    ours, cpus = made("gpu", wide), made("cpu", wide)
    histories = []
    with cuda_on_cpu.memory_limit(360_000), pytest.warns(UserWarning, match="16 batches at once: out of memory"):
        histories.append(fit(ours, x, y, augment=None, validation_split=0))
    histories.append(fit(cpus, x, y, augment=None, validation_split=0))
    assert is_near(*histories)
