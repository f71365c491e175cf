"""The zoo's networks that `keras.applications` has, with the same weights, at full size. Skipped without Keras.

In float64 outputs, moving averages and the gradients of the pictures and of all weights are the same to 1e-10 of the
largest number of each array. In float32 outputs are, to 1e-4. The gradients in float32 depend on the order of sums: of
the millions of numbers that come to a ReLU a few are so near to 0 that rounding says whether a gradient passes. In
training=True mode, where the last normalizations have 98 numbers a channel, that comes to a hundredth, in Keras as
here. So they are held against those of float64: not farther away than 1e-3, or than twice Keras's own.

To add a network: a line in NETWORKS.
"""

import gc

import numpy as np
import pytest
from with_keras import assert_close, keras, largest, report, tf  # noqa: F401 - report is a fixture

import scratchnet as sn

PICTURES = 2
# name: (ours, theirs, its number of parameters)
NETWORKS = {
    "densenet_121": (sn.zoo.densenet_121, keras.applications.DenseNet121, 8_062_504),
    "efficientnet_b0": (
        lambda: sn.zoo.efficientnet_b0(stochastic_depth=0, dropout=0),
        lambda weights: exact(keras.applications.EfficientNetB0(weights=weights)),
        5_330_571,
    ),
    "inception_v3": (sn.zoo.inception_v3, keras.applications.InceptionV3, 23_851_784),
    "resnet_50": (sn.zoo.resnet_50, keras.applications.ResNet50, 25_636_712),
    "resnet_50, pre-activation": (
        lambda: sn.zoo.resnet_50(pre_activation=True),
        keras.applications.ResNet50V2,
        25_613_800,
    ),
}


def exact(model):
    """The same model without random numbers, and without a factor that is rounded to float32 whatever the dtype."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0
        if isinstance(layer, keras.layers.Rescaling):
            layer.scale = np.float64(layer.scale)
    return model


def random_weights(model, rng):
    """Weights for Keras's model that leave no layer idle: its own kernels, other numbers about where they start.

    The last layer's kernel is small, so that softmax does not come to 0 and 1.
    """
    weights = []
    for weight in model.weights:
        value = np.array(weight, np.float32)
        if weight.name.endswith(("gamma", "variance")):
            value = rng.uniform(0.5, 1.5, weight.shape).astype(np.float32)
        elif weight.name.endswith(("bias", "beta", "mean")):
            value = rng.normal(0, 0.1, weight.shape).astype(np.float32)
        weights.append(value)
    weights[-2] = 0.1 * weights[-2]
    return weights


def run_theirs(make, weights, x, dy, training):
    """[y, dx, the gradients of the weights], and the moving averages afterwards, in x's dtype."""
    keras.config.set_floatx(x.dtype.name)
    keras.config.set_dtype_policy(x.dtype.name)
    try:
        model = make(weights=None)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    model.set_weights(weights)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # else Keras goes on by the mean and variance from before set_weights
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = model(tensor, training=training)
        total = tf.reduce_sum(y * dy)
    gradients = tape.gradient(total, [tensor, *(weight.value for weight in model.trainable_weights)])
    arrays = [np.asarray(array) for array in (y, *gradients)]
    averages = [np.array(weight, x.dtype) for weight in model.non_trainable_weights]
    del model, tape
    keras.backend.clear_session()
    gc.collect()  # hundreds of megabytes
    return arrays, averages


def run_ours(model, weights, x, dy, training):
    """The same of ours."""
    model.set_weights(weights)
    model.astype(x.dtype)
    model.zero_grads()
    y = model.forward(x, training=training)
    dx = model.backward(dy)
    gradients, averages = ([array.copy() for array in part.values()] for part in (model.grads, model.state))
    return [y, dx, *gradients], averages


@pytest.fixture(scope="module", params=NETWORKS)
def network(request):
    """(name, ours, what makes theirs, weights, the names of those that are trained)."""
    keras.utils.set_random_seed(0)
    make, make_theirs, count = NETWORKS[request.param]
    ours, theirs = make(), make_theirs(weights=None)
    assert ours.count_params() == theirs.count_params() == count
    weights = random_weights(theirs, np.random.default_rng(0))
    names = [weight.path.rpartition("/")[2] for weight in theirs.trainable_weights]
    keras.backend.clear_session()
    return request.param, ours, make_theirs, weights, names


@pytest.mark.parametrize("training", [False, True])
def test_same_numbers(network, training):
    name, ours, make_theirs, weights, names = network
    what, rng = f"{name}, {'training' if training else 'inference'}: ", np.random.default_rng(1)
    x = rng.normal(size=(PICTURES, *ours.input_shape[1:])).astype(np.float32)
    dy = rng.normal(size=(PICTURES, *ours.output_shape[1:])).astype(np.float32)
    wide = x.astype(np.float64), dy.astype(np.float64)
    exact, after = run_theirs(make_theirs, weights, *wide, training)
    found, found_after = run_ours(ours, weights, *wide, training)
    assert exact[0].max() < 0.5  # softmax lets gradients through
    assert len(found) == len(exact) == 2 + len(names)
    sizes = [np.abs(array).max() for array in exact]
    # What is added before a normalization, which subtracts the mean, has a gradient of 0, but for rounding.
    idle = [training and size < 1e-6 * max(sizes[2:]) for size in sizes]
    for of, array, expected, size, small in zip(("y", "dx", *names), found, exact, sizes, idle):
        if small:
            assert of in ("bias", "beta")
            assert np.abs(array).max() < 1e-6 * max(sizes[2:])
        else:
            assert_close(array / size, expected / size, 1e-10, f"{what}{of} in float64")
    assert len(found_after) == len(after)
    for array, expected in zip(found_after, after):
        assert_close(array, expected, 1e-10, what + "moving averages in float64")

    theirs, after = run_theirs(make_theirs, weights, x, dy, training)
    found, found_after = run_ours(ours, weights, x, dy, training)
    assert_close(found[0], theirs[0], 1e-4, what + "y")
    for array, expected in zip(found_after, after):
        assert_close(array, expected, 1e-4, what + "moving averages")
    errors = []
    for gradients in (found, theirs):
        parts = [(a, e) for a, e, small in zip(gradients[1:], exact[1:], idle[1:]) if not small]
        errors.append(np.median([np.linalg.norm(a - e) / np.linalg.norm(e) for a, e in parts]))
    largest.update({what + "gradients": errors[0], what + "gradients, Keras": errors[1]})
    assert errors[0] <= max(1e-3, 2 * errors[1])
