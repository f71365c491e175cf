"""Local response normalization as TensorFlow has it, which Keras has not. Skipped where it is not installed."""

import numpy as np
import pytest
from with_keras import assert_close, report, tf  # noqa: F401 - report is a fixture

import scratchnet as sn

# Our arguments, and what TensorFlow is given: its own defaults are 5, 1, 1, 0.5.
SETTINGS = [
    ({}, {"depth_radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75}),
    ({"depth_radius": 5, "bias": 1.0, "alpha": 1.0, "beta": 0.5}, {}),
    ({"depth_radius": 1, "bias": 0.5, "alpha": 0.3, "beta": 1.2},) * 2,
]


@pytest.mark.parametrize(("ours", "theirs"), SETTINGS)
@pytest.mark.parametrize("shape", [(2, 5, 4, 16), (1, 3, 3, 3), (2, 7, 6, 96)])
def test_values_and_gradients(ours, theirs, shape):
    rng = np.random.default_rng(0)
    x, dy = (10 * rng.normal(size=shape)).astype(np.float32), rng.normal(size=shape).astype(np.float32)
    layer, place = sn.LocalResponseNormalization(**ours), tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.nn.local_response_normalization(place, **theirs)
    assert_close(layer.forward(x), y, 1e-5, "LocalResponseNormalization")
    assert_close(layer.backward(dy), tape.gradient(y, place, dy), 1e-5, "LocalResponseNormalization, dx")
