"""The layers that came with the references' networks, in whole models: both ways to build one, files, the GPU."""

import numpy as np
import pytest
from devices import gpu_registered

import scratchnet as sn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 8, 8, 3)).astype(np.float32), RNG.integers(0, 3, 12)


def path():
    """The layers of a small AlexNet, with whole channels dropped as well as single numbers."""
    return [
        sn.Conv2D(8, 3, activation="relu", input_shape=(8, 8, 3)),
        sn.LocalResponseNormalization(bias=0.5, alpha=0.3),
        sn.Dropout(0.3, noise_shape=(None, 1, 1, None)),
        sn.MaxPooling2D(3, strides=2),
        sn.Conv2D(4, 2, padding="same", groups=2),
        sn.StochasticDepth(0.3),
        sn.Flatten(),
        sn.Dense(3, activation="softmax"),
    ]


def sequential():
    return sn.Sequential(path(), name="model")


def functional():
    """Two residual branches, which are dropped example by example."""
    inputs = sn.Input((8, 8, 3))
    x = sn.LocalResponseNormalization(3, 1.0, 0.1, 0.5)(sn.Conv2D(6, 3, activation="relu")(inputs))
    for rate in (0.2, 0.5):
        branch = sn.Conv2D(6, 3, padding="same", activation="tanh")(x)
        x = sn.layers.Add()([x, sn.StochasticDepth(rate)(branch)])
    y = sn.Dropout(0.2, noise_shape=(None, 1))(sn.GlobalAveragePooling2D()(x))
    return sn.Model(inputs, sn.Dense(3, activation="softmax")(y), name="model")


MAKE = {"sequential": sequential, "functional": functional}


def compiled(make):
    sn.set_random_seed(1)
    model = make()
    model.compile(sn.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def trained(model, epochs=2):
    model.fit(X, Y, epochs=epochs, batch_size=4, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_gradients(make):
    model = compiled(make)
    for training in (False, True):
        report = sn.gradcheck(model, X[:3].astype(np.float64), training=training)
        assert report, str(report)


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_a_model_from_a_file_goes_on_with_the_same_bits(make, tmp_path):
    model = trained(compiled(make))
    model.save(tmp_path / "model.safetensors")
    again = sn.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for ours, theirs in zip(trained(again).get_weights(), trained(model).get_weights()):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_training_on_the_gpu_is_that_on_the_cpu(make):
    here = trained(compiled(make))
    with gpu_registered(), sn.device("gpu"):
        there = trained(compiled(make))
        assert there.device.name == "gpu"
        y, weights = there.predict(X), there.get_weights()
    np.testing.assert_allclose(y, here.predict(X), atol=1e-4)
    for ours, theirs in zip(weights, here.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
