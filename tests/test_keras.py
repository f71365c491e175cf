"""Same weights, same numbers as Keras 3, layer by layer. Optional: skipped where Keras is not installed."""

import inspect

import numpy as np
import pytest
from with_keras import assert_close, keras, report, tf  # noqa: F401 - report is a fixture

from scratchnet import layers

TOLERANCE = {"float32": 1e-5, "float64": 1e-11}  # of the array's largest number


def kept(kind, **arguments):
    """A test case: the name of a layer and arguments that both sides take."""
    text = " ".join(f"{name}={value}" for name, value in arguments.items())
    return pytest.param(kind, arguments, id=f"{kind} {text}".replace("(", "").replace(")", "").replace(", ", "x"))


PICTURES = (3, 9, 8, 4)
RANDOM = ("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout2D")
CASES = [
    *(
        kept("Conv2D", filters=5, kernel_size=kernel, strides=strides, padding=padding)
        for kernel in (1, 3, (2, 3), (5, 4))
        for strides in (1, 2, 3, (1, 2))
        for padding in ("valid", "same")
    ),
    *(
        kept("Conv2DTranspose", filters=5, kernel_size=kernel, strides=strides, padding=padding)
        for kernel in (1, 3, 4, (2, 5))
        for strides in (1, 2, 3, (1, 2))
        for padding in ("valid", "same")
    ),
    *(
        kept("DepthwiseConv2D", kernel_size=kernel, strides=strides, padding=padding, depth_multiplier=multiplier)
        for kernel, multiplier in ((3, 1), ((2, 3), 2), ((5, 4), 3))
        for strides in (1, 2, 3)  # TensorFlow takes only equal ones here
        for padding in ("valid", "same")
    ),
    *(
        kept(kind, pool_size=size, strides=strides, padding=padding)
        for kind in ("MaxPooling2D", "AveragePooling2D")
        for size, strides in ((2, None), (3, 2), (3, 1), ((2, 3), None), ((3, 2), (1, 2)), (2, 3))
        for padding in ("valid", "same")
    ),
    *(kept("Dense", units=6, activation=a) for a in ("relu", "sigmoid", "tanh", "softmax", "leaky_relu", "silu")),
    *(kept("Conv2D", filters=3, kernel_size=3, activation=a) for a in ("relu", "sigmoid", "tanh", "leaky_relu")),
    kept("Conv2D", filters=3, kernel_size=3, use_bias=False),
    kept("Conv2DTranspose", filters=3, kernel_size=3, strides=2, use_bias=False, activation="tanh"),
    kept("DepthwiseConv2D", kernel_size=3, use_bias=False, activation="relu"),
    kept("Dense", units=6, use_bias=False),
    *(kept("Activation", activation=a) for a in ("relu", "sigmoid", "tanh", "softmax", "leaky_relu", "silu", "linear")),
    kept("ELU"),
    kept("ELU", alpha=0.3),
    kept("PReLU"),
    kept("PReLU", shared_axes=[1, 2]),
    kept("PReLU", shared_axes=[1, 3]),
    kept("Softmax"),
    kept("Softmax", axis=1),
    kept("Softmax", axis=[1, 2]),
    kept("ReLU"),
    kept("ReLU", max_value=1.0, negative_slope=0.1, threshold=0.25),
    kept("ReLU", max_value=0.5),
    kept("LeakyReLU"),
    kept("LeakyReLU", negative_slope=0.2),
    kept("BatchNormalization"),
    kept("BatchNormalization", momentum=0.8, epsilon=1e-5),
    kept("BatchNormalization", center=False),
    kept("BatchNormalization", scale=False),
    kept("GroupNormalization", groups=2),
    kept("GroupNormalization", groups=1, epsilon=1e-5),
    kept("GroupNormalization", groups=-1, center=False),
    kept("GroupNormalization", groups=4, scale=False),
    *(
        kept("Conv2D", filters=6, kernel_size=kernel, strides=strides, padding=padding, groups=groups)
        for kernel, strides, groups in ((3, 1, 2), ((2, 3), 2, 2), (1, 1, 2))
        for padding in ("valid", "same")
    ),
    *(
        kept("Conv2D", filters=5, kernel_size=kernel, padding=padding, dilation_rate=rate, activation="relu")
        for kernel, rate in ((3, 2), ((2, 3), (3, 2)), ((4, 2), (1, 3)))
        for padding in ("valid", "same")
    ),
    kept("Conv2D", filters=8, kernel_size=2, dilation_rate=(3, 2), groups=4),
    *(
        kept("DepthwiseConv2D", kernel_size=(3, 2), padding=padding, depth_multiplier=2, dilation_rate=2)
        for padding in ("valid", "same")
    ),
    *(
        kept("SeparableConv2D", filters=5, kernel_size=kernel, strides=strides, padding=padding, depth_multiplier=many)
        for kernel, strides, many in ((3, 1, 1), ((2, 3), 2, 2), (4, 3, 1))
        for padding in ("valid", "same")
    ),
    kept("SeparableConv2D", filters=5, kernel_size=3, dilation_rate=2, activation="relu"),
    kept("SeparableConv2D", filters=5, kernel_size=3, use_bias=False),
    kept("LayerNormalization"),
    kept("LayerNormalization", epsilon=1e-5, scale=False),
    kept("LayerNormalization", axis=[1, 2, 3], center=False),
    kept("LayerNormalization", axis=[2, 3]),
    kept("UnitNormalization"),
    kept("UnitNormalization", axis=[1, 3]),
    kept("Dropout", rate=0.5),
    *(kept(kind, rate=0.5) for kind in ("AlphaDropout", "GaussianDropout", "SpatialDropout2D")),
    kept("GaussianNoise", stddev=0.5),
    kept("GlobalMaxPooling2D"),
    kept("GlobalMaxPooling2D", keepdims=True),
    *(
        kept("Resizing", height=height, width=width, interpolation=interpolation, crop_to_aspect_ratio=crop)
        for height, width, crop in ((18, 16, False), (5, 13, False), (3, 20, True), (9, 8, True))
        for interpolation in ("bilinear", "nearest")
    ),
    *(kept("CenterCrop", height=height, width=width) for height, width in ((4, 5), (9, 8))),
    kept("UpSampling2D", size=(3, 2), interpolation="bilinear"),
    kept("UpSampling2D", interpolation="bilinear"),
    kept("Cropping2D", cropping=((1, 0), (2, 3))),
    kept("Cropping2D", cropping=(2, 0)),
    kept("Permute", dims=(3, 1, 2)),
    kept("Identity"),
    kept("GlobalAveragePooling2D"),
    kept("GlobalAveragePooling2D", keepdims=True),
    kept("UpSampling2D"),
    kept("UpSampling2D", size=(3, 2)),
    kept("ZeroPadding2D"),
    kept("ZeroPadding2D", padding=((0, 1), (2, 3))),
    kept("ZeroPadding2D", padding=(2, 0)),
    kept("Flatten"),
    kept("Reshape", target_shape=(12, -1)),
]


def pair_of(kind, arguments, shape, dtype, rng):
    """The layer on both sides, with the same random weights."""
    theirs = getattr(keras.layers, kind)(**arguments, dtype=dtype)
    ours = getattr(layers, kind)(**arguments)
    theirs.build((None, *shape[1:]))
    ours.build((None, *shape[1:]))
    weights = [rng.normal(size=w.shape).astype(dtype) for w in theirs.weights]
    if kind == "BatchNormalization":
        weights[-1] = np.abs(weights[-1]) + 0.5  # a variance
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return ours, theirs


def assert_same_numbers(ours, theirs, x, dtype, training, what):
    """Output, input gradient, weight gradients and weights after a forward, for a random gradient from above."""
    rng, tolerance = np.random.default_rng(1), TOLERANCE[dtype]
    if ours.output_activation == "leaky_relu":
        tolerance = max(tolerance, 1e-7)  # Keras rounds the slope to float32, in float64 too
    if isinstance(ours, (layers.CenterCrop, layers.Resizing, layers.UpSampling2D)):
        tolerance = max(tolerance, 1e-6)  # TensorFlow interpolates in float32, in float64 too
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        expected = theirs(tensor, **({"training": training} if training is not None else {}))
        dy = rng.normal(size=expected.shape).astype(dtype)
        total = tf.reduce_sum(expected * dy)
    variables = [v.value for v in theirs.trainable_variables]
    dx, *grads = tape.gradient(total, [tensor, *variables])
    name = f"{type(ours).__name__} {dtype}"
    assert_close(ours.forward(x, training=bool(training)), expected, tolerance, f"{name} {what}y")
    ours.zero_grads()
    assert_close(ours.backward(dy), dx, tolerance, f"{name} {what}dx")
    assert len(ours.grads) == len(grads)
    for (weight, gradient), expected in zip(ours.grads.items(), grads):
        assert_close(gradient, expected, tolerance, f"{name} {what}d{weight}")
    for weight, expected in zip(ours.get_weights(), theirs.get_weights()):
        assert_close(weight, expected, tolerance, f"{name} {what}weights")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("kind", "arguments"), CASES)
def test_layers(kind, arguments, dtype):
    rng = np.random.default_rng(0)
    ours, theirs = pair_of(kind, arguments, PICTURES, dtype, rng)
    assert ours.output_shape == tuple(theirs.compute_output_shape((None, *PICTURES[1:])))
    # What dropout drops is chance; all else is compared in training too.
    for training in (False,) if kind in RANDOM else (False, True, False):
        takes = "training" in inspect.signature(type(theirs).call).parameters
        x = rng.normal(0.3, 1, PICTURES).astype(dtype)
        assert_same_numbers(
            ours, theirs, x, dtype, training if takes else None, "training " if takes and training else ""
        )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 3), (11, 5)])
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        kept("Conv2D", filters=2, kernel_size=(3, 4), strides=2, padding="same"),
        kept("Conv2DTranspose", filters=2, kernel_size=(4, 3), strides=2, padding="same"),
        kept("Conv2DTranspose", filters=2, kernel_size=2, strides=3),
        kept("DepthwiseConv2D", kernel_size=4, strides=2, padding="same"),
        kept("MaxPooling2D", pool_size=3, strides=2, padding="same"),
        kept("AveragePooling2D", pool_size=(4, 3), strides=2, padding="same"),
    ],
)
def test_odd_sizes(kind, arguments, size, dtype):
    rng, shape = np.random.default_rng(0), (2, *size, 3)
    ours, theirs = pair_of(kind, arguments, shape, dtype, rng)
    assert_same_numbers(ours, theirs, rng.normal(size=shape).astype(dtype), dtype, None, "")


@pytest.mark.parametrize("numbers", [(5,), (4, 3)])
def test_embedding(numbers):
    rng = np.random.default_rng(0)
    ours, theirs = pair_of("Embedding", {"input_dim": 7, "output_dim": 3}, numbers, "float32", rng)
    x = rng.integers(0, 7, numbers)
    with tf.GradientTape() as tape:
        expected = theirs(x)
        dy = rng.normal(size=expected.shape).astype(np.float32)
        total = tf.reduce_sum(expected * dy)
    (dw,) = tape.gradient(total, [theirs.embeddings.value])
    assert_close(ours.forward(x), expected, 0, "Embedding y")
    ours.backward(dy)
    assert_close(ours.grads["embeddings"], tf.convert_to_tensor(dw), 1e-6, "Embedding dembeddings")


# One number only can be drawn. TensorFlow's "wrap" leaves the last pixel out; its numbers are float32, in float64 too.
@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest"])
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        kept("RandomRotation", factor=(0.1, 0.1)),
        kept("RandomZoom", height_factor=(0.3, 0.3)),
        kept("RandomZoom", height_factor=(-0.25, -0.25), width_factor=(0.4, 0.4)),
        kept("RandomTranslation", height_factor=(0.23, 0.23), width_factor=(-0.31, -0.31)),
    ],
)
def test_moves_in_training(kind, arguments, mode):
    ours, theirs = (getattr(p, kind)(**arguments, fill_mode=mode, fill_value=0.5) for p in (layers, keras.layers))
    x = np.random.default_rng(0).normal(size=PICTURES).astype(np.float32)
    assert_close(ours.forward(x, training=True), theirs(x, training=True), 1e-5, f"{kind} y")


def test_brightness_in_training():
    ours, theirs = (p.RandomBrightness((0.2, 0.2), (-1, 2)) for p in (layers, keras.layers))
    x = np.random.default_rng(0).normal(size=PICTURES).astype(np.float32)
    assert_same_numbers(ours, theirs, x, "float32", True, "training ")


@pytest.mark.parametrize("size", [(12, 6), (6, 20)])
def test_the_middle_of_pictures_that_are_too_small(size):  # Keras's comes in float32, in float64 too
    ours, theirs = (p.CenterCrop(*size) for p in (layers, keras.layers))
    x = np.random.default_rng(0).normal(size=PICTURES).astype(np.float32)
    assert_same_numbers(ours, theirs, x, "float32", None, "")


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_repeat_vector(dtype):
    rng = np.random.default_rng(0)
    ours, theirs = pair_of("RepeatVector", {"n": 4}, (3, 5), dtype, rng)
    assert_same_numbers(ours, theirs, rng.normal(size=(3, 5)).astype(dtype), dtype, None, "")


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_wide_layers(dtype):
    rng, shape = np.random.default_rng(0), (8, 15, 15, 32)
    for kind, arguments in (
        ("Conv2D", {"filters": 64, "kernel_size": 3}),
        ("Conv2DTranspose", {"filters": 16, "kernel_size": 4, "strides": 2, "padding": "same"}),
        ("DepthwiseConv2D", {"kernel_size": 5, "padding": "same"}),
        ("BatchNormalization", {}),
        ("GroupNormalization", {}),
        ("GroupNormalization", {"groups": 4}),
    ):
        ours, theirs = pair_of(kind, arguments, shape, dtype, rng)
        training = True if kind == "BatchNormalization" else None
        assert_same_numbers(ours, theirs, rng.normal(size=shape).astype(dtype), dtype, training, "wide ")
    ours, theirs = pair_of("Dense", {"units": 128}, (32, 2304), dtype, rng)
    assert_same_numbers(ours, theirs, rng.normal(size=(32, 2304)).astype(dtype), dtype, None, "wide ")


def test_kinks_and_ties():
    x = np.random.default_rng(0).integers(-1, 2, (2, 6, 6, 2)).astype(np.float32)  # many zeros, many equal maxima
    for kind, arguments in (
        ("ReLU", {}),
        ("LeakyReLU", {}),
        ("PReLU", {}),
        ("ELU", {"alpha": 0.3}),
        ("Activation", {"activation": "relu"}),
        ("Activation", {"activation": "leaky_relu"}),
        ("MaxPooling2D", {}),
        ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}),
    ):
        ours, theirs = pair_of(kind, arguments, x.shape, "float32", np.random.default_rng(1))
        assert_same_numbers(ours, theirs, x, "float32", None, "ties ")


@pytest.mark.parametrize("kind", sorted(set(layers.__all__) & set(dir(keras.layers)) - {"Layer"}))
def test_arguments_and_defaults(kind):
    theirs = inspect.signature(getattr(keras.layers, kind)).parameters
    for name, parameter in inspect.signature(getattr(layers, kind)).parameters.items():
        if name in ("options", "unknown", "name", "input_shape", "alpha"):  # alpha is older than Keras 3
            continue
        if name not in theirs and "kwargs" in theirs:  # it has them from its base class, too
            continue
        expected = theirs[name].default
        if expected is inspect.Parameter.empty:  # ours may have a default where Keras has none
            continue
        if isinstance(parameter.default, tuple) and isinstance(expected, int):
            expected = (expected, expected)
        assert parameter.default == expected, name
    if not inspect.isclass(getattr(layers, kind)):  # a function, which gives a tensor
        return
    made = {"filters": 1, "kernel_size": 1, "units": 1, "rate": 0.5, "activation": "relu", "pool_size": 2}
    made |= {"target_shape": (4,), "scale": 1.0, "stddev": 0.5, "dims": (1,), "n": 2, "height": 2, "width": 2}
    made |= {"input_dim": 3, "output_dim": 2, "axes": 1, "factor": 0.1, "height_factor": 0.1, "width_factor": 0.1}
    names = []
    for package in (keras.layers, layers):
        all_made = {**made, "layer": package.Dense(1)}
        needed = {n: v for n, v in all_made.items() if n in theirs and theirs[n].default is inspect.Parameter.empty}
        needed |= {"shape": (3,)} if kind == "InputLayer" else {}  # it is needed, though None is its default
        name = getattr(package, kind)(**needed).name
        names.append("".join(c for c in name if not c.isdigit()).strip("_"))
    assert names[1] == names[0]
