"""Every activation's values and gradients are Keras's. Optional: skipped where Keras is not installed."""

import numpy as np
import pytest
from with_keras import assert_close, keras, report, tf  # noqa: F401 - report is a fixture

import scratchnet as sn
from scratchnet import activations

SETTINGS = {
    "celu": [{"alpha": 0.4}],
    "elu": [{"alpha": 0.4}],
    "gelu": [{"approximate": True}],
    "hard_shrink": [{"threshold": 1.0}],
    "leaky_relu": [{"negative_slope": 0.1}],
    "log_softmax": [{"axis": 1}],
    "relu": [{"negative_slope": 0.25}, {"max_value": 1.0}, {"threshold": 0.5}],
    "soft_shrink": [{"threshold": 1.0}],
    "softmax": [{"axis": 1}],
    "squareplus": [{"b": 1.0}],
}
CASES = [(name, settings) for name in activations.FUNCTIONS for settings in ({}, *SETTINGS.get(name, []))]
# Keras rounds some constants to float32, in float64 too, and TensorFlow's kernels for float64 have no more digits.
TOLERANCE = {"float32": 1e-6, "float64": 1e-7}
X = np.random.default_rng(0).normal(size=(4, 5, 6)) * 3


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_values(name, settings, dtype):
    x = X.astype(dtype)
    expected = getattr(keras.activations, name)(tf.constant(x), **settings)
    assert_close(getattr(activations, name)(x, **settings), expected, TOLERANCE[dtype], f"{name} {settings} {dtype}")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", activations.FUNCTIONS)
def test_gradients(name, dtype):
    x, layer = X.astype(dtype), sn.Activation(name)
    tensor = tf.constant(x)
    dy = np.random.default_rng(1).normal(size=x.shape).astype(dtype)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(getattr(keras.activations, name)(tensor) * dy)
    layer.forward(x)
    assert_close(layer.backward(dy), tape.gradient(total, tensor), TOLERANCE[dtype], f"{name} {dtype} dx")


@pytest.mark.parametrize("name", [name for name in activations.FUNCTIONS if name not in ("celu", "relu6", "softmax")])
def test_kinks(name):
    """Conv2D without a bias gives 0 wherever a picture is black: at 0, too, the gradient must be Keras's.

    That of relu6 at 6 is not, nor that of celu at 0, which Keras counts from both sides. Softmax has no kink.
    """
    x = np.array([[-3, -1, -0.5, 0, 0.5, 1, 3, 6]], np.float32)
    layer, tensor = sn.Activation(name), tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = getattr(keras.activations, name)(tensor)
    layer.forward(x)
    assert_close(layer.backward(np.ones_like(x)), tape.gradient(y, tensor), 1e-6, f"{name} kinks dx")


@pytest.mark.parametrize("name", activations.FUNCTIONS)
def test_far_from_zero(name):
    """Keras's formulas overflow here and there: where they give numbers, they are ours."""
    x = np.array([[-1e4, -300.0, -80.0, -20.0, 20.0, 80.0, 300.0, 1e4]], np.float32)
    expected = np.asarray(getattr(keras.activations, name)(tf.constant(x)))
    finite = np.isfinite(expected)
    assert finite.sum() >= 6
    np.testing.assert_allclose(getattr(activations, name)(x)[finite], expected[finite], rtol=1e-4, atol=1e-9)


def test_names_are_keras_s():
    """Except for those that need a second half of x, or an optimization of their own."""
    theirs = {name for name in dir(keras.activations) if name[0] != "_"} - {"get", "serialize", "deserialize"}
    ours = set(activations.__all__) - {"Function", "get", "serialize", "deserialize"}
    assert theirs - ours == {"glu", "sparsemax", "threshold"}
    assert ours <= theirs
    for name in activations.FUNCTIONS:
        assert activations.serialize(getattr(activations, name)) == keras.activations.serialize(
            getattr(keras.activations, name)
        )


def test_an_activation_may_be_a_layer():
    x = X[0].astype(np.float32)
    theirs = keras.layers.Dense(3, activation=keras.layers.LeakyReLU(negative_slope=0.2))
    expected = theirs(x)
    ours = sn.Dense(3, activation=sn.LeakyReLU(0.2), input_shape=(6,))
    ours.build((None, 6))
    ours.set_weights(theirs.get_weights())
    assert_close(ours.forward(x), expected, 1e-6, "Dense with LeakyReLU")
