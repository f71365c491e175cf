"""Same weights, same numbers as Keras 3. Optional: skipped where Keras with TensorFlow is not installed."""

import inspect
import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# With oneDNN, TensorFlow 2.21 writes beyond its memory in the gradient of a 1 x 1 kernel with strides (1, 2).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
tf = pytest.importorskip("tensorflow", reason="the comparison with Keras needs TensorFlow: pip install tensorflow")
keras = pytest.importorskip("keras", reason="the comparison with Keras needs it: pip install keras tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the comparison with Keras needs KERAS_BACKEND=tensorflow", allow_module_level=True)

import scratchnet as sn  # noqa: E402
from scratchnet import layers  # noqa: E402
from scratchnet.datasets import fashion_mnist_small  # noqa: E402

TOLERANCE = {"float32": 1e-5, "float64": 1e-11}  # of the array's largest number
largest: dict[str, float] = {}


@pytest.fixture(scope="module", autouse=True)
def report():
    """With pytest -s: the largest errors that were seen."""
    yield
    for what, error in sorted(largest.items()):
        print(f"\n{what:40} {error:.1e}", end="")


def assert_close(actual, expected, tolerance, what):
    expected = np.asarray(expected)
    assert actual.shape == expected.shape, what
    assert actual.dtype == expected.dtype, what
    error = float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-3))
    largest[what] = max(error, largest.get(what, 0.0))
    assert error <= tolerance, f"{what}: {error:.1e}"


def kept(kind, **arguments):
    """A test case: the name of a layer and arguments that both sides take."""
    text = " ".join(f"{name}={value}" for name, value in arguments.items())
    return pytest.param(kind, arguments, id=f"{kind} {text}".replace("(", "").replace(")", "").replace(", ", "x"))


PICTURES = (3, 9, 8, 4)
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
    kept("ReLU"),
    kept("ReLU", max_value=1.0, negative_slope=0.1, threshold=0.25),
    kept("ReLU", max_value=0.5),
    kept("LeakyReLU"),
    kept("LeakyReLU", negative_slope=0.2),
    kept("BatchNormalization"),
    kept("BatchNormalization", momentum=0.8, epsilon=1e-5),
    kept("BatchNormalization", center=False),
    kept("BatchNormalization", scale=False),
    kept("Dropout", rate=0.5),
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


def compare(ours, theirs, x, dtype, training, what):
    """Output, input gradient, weight gradients and weights after a forward, for a random gradient from above."""
    rng, tolerance = np.random.default_rng(1), TOLERANCE[dtype]
    if ours.head == "leaky_relu":
        tolerance = max(tolerance, 1e-7)  # Keras rounds the slope to float32, in float64 too
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
    for training in (False,) if kind == "Dropout" else (False, True, False):
        takes = "training" in inspect.signature(type(theirs).call).parameters
        x = rng.normal(0.3, 1, PICTURES).astype(dtype)
        compare(ours, theirs, x, dtype, training if takes else None, "training " if takes and training else "")


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
    compare(ours, theirs, rng.normal(size=shape).astype(dtype), dtype, None, "")


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_wide_layers(dtype):
    rng, shape = np.random.default_rng(0), (8, 15, 15, 32)
    for kind, arguments in (
        ("Conv2D", {"filters": 64, "kernel_size": 3}),
        ("Conv2DTranspose", {"filters": 16, "kernel_size": 4, "strides": 2, "padding": "same"}),
        ("DepthwiseConv2D", {"kernel_size": 5, "padding": "same"}),
        ("BatchNormalization", {}),
    ):
        ours, theirs = pair_of(kind, arguments, shape, dtype, rng)
        training = True if kind == "BatchNormalization" else None
        compare(ours, theirs, rng.normal(size=shape).astype(dtype), dtype, training, "wide ")
    ours, theirs = pair_of("Dense", {"units": 128}, (32, 2304), dtype, rng)
    compare(ours, theirs, rng.normal(size=(32, 2304)).astype(dtype), dtype, None, "wide ")


def test_kinks_and_ties():
    x = np.random.default_rng(0).integers(-1, 2, (2, 6, 6, 2)).astype(np.float32)  # many zeros, many equal maxima
    for kind, arguments in (
        ("ReLU", {}),
        ("LeakyReLU", {}),
        ("Activation", {"activation": "relu"}),
        ("Activation", {"activation": "leaky_relu"}),
        ("MaxPooling2D", {}),
        ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}),
    ):
        ours, theirs = pair_of(kind, arguments, x.shape, "float32", np.random.default_rng(1))
        compare(ours, theirs, x, "float32", None, "ties ")


@pytest.mark.parametrize("kind", sorted(set(layers.__all__) & set(dir(keras.layers)) - {"Layer"}))
def test_arguments_and_defaults(kind):
    theirs = inspect.signature(getattr(keras.layers, kind)).parameters
    for name, parameter in inspect.signature(getattr(layers, kind)).parameters.items():
        if name in ("options", "unknown", "name", "input_shape", "alpha"):  # alpha is older than Keras 3
            continue
        expected = theirs[name].default
        if expected is inspect.Parameter.empty:  # ours may have a default where Keras has none
            continue
        if isinstance(parameter.default, tuple) and isinstance(expected, int):
            expected = (expected, expected)
        assert parameter.default == expected, name
    made = {"filters": 1, "kernel_size": 1, "units": 1, "rate": 0.5, "activation": "relu", "pool_size": 2}
    made["target_shape"] = (4,)
    needed = {n: v for n, v in made.items() if n in theirs and theirs[n].default is inspect.Parameter.empty}
    stem = "".join(c for c in getattr(keras.layers, kind)(**needed).name if not c.isdigit()).strip("_")
    ours = "".join(c for c in getattr(layers, kind)(**needed).name if not c.isdigit()).strip("_")
    assert ours == stem


ENDS = {
    "SparseCategoricalCrossentropy": "softmax",
    "CategoricalCrossentropy": "softmax",
    "BinaryCrossentropy": "sigmoid",
    "MeanSquaredError": "linear",
}


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("kind", ENDS)
def test_losses(kind, from_logits):
    """The gradient with respect to scores; from probabilities, through the softmax or sigmoid that made them."""
    rng = np.random.default_rng(0)
    z, labels = rng.normal(0, 2, (7, 5)).astype(np.float32), rng.integers(0, 5, 7)
    y_true = {"SparseCategoricalCrossentropy": labels, "CategoricalCrossentropy": np.eye(5, dtype=np.float32)[labels]}
    y_true = y_true.get(kind, rng.integers(0, 2, (7, 5)).astype(np.float32))
    options = {} if kind == "MeanSquaredError" else {"from_logits": from_logits}
    end = layers.Activation("linear" if from_logits else ENDS[kind])
    tensor = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = tensor if from_logits else getattr(keras.activations, ENDS[kind])(tensor)
        expected = getattr(keras.losses, kind)(**options)(y_true, y)
    value, gradient = getattr(sn.losses, kind)(**options)(y_true, end.forward(z))
    assert_close(np.float32(value), expected, 1e-5, f"{kind} value")
    assert_close(end.backward(gradient), tape.gradient(expected, tensor), 1e-5, f"{kind} gradient")


OPTIMIZERS = {
    "SGD": {},
    "SGD momentum": {"learning_rate": 0.1, "momentum": 0.9},
    "SGD nesterov": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "RMSprop": {},
    "RMSprop all": {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.5, "epsilon": 1e-4, "centered": True},
    "Adam": {},
    "Adam of a GAN": {"learning_rate": 2e-4, "beta_1": 0.5},
    "AdamW": {},
    "AdamW strong": {"learning_rate": 0.01, "weight_decay": 0.1},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    rng, kind = np.random.default_rng(0), name.split()[0]
    theirs, ours = (getattr(m, kind)(**OPTIMIZERS[name]) for m in (keras.optimizers, sn.optimizers))
    p = rng.normal(size=(40, 30)).astype(np.float32)
    variable, params = keras.Variable(p), {"p": p.copy()}
    for _ in range(20):
        g = rng.normal(size=p.shape).astype(np.float32)
        theirs.apply([tf.constant(g)], [variable])
        ours.update(params, {"p": g})
    assert_close(params["p"], variable.numpy(), 1e-6, f"optimizer {name}")


def listing(module, model, **first):
    """The network of the article's listing 4.1 in either package."""
    k = module.layers
    model.add(k.Conv2D(32, kernel_size=(3, 3), activation="relu", **first))
    model.add(k.MaxPooling2D(pool_size=(2, 2)))
    model.add(k.Conv2D(64, kernel_size=(3, 3), activation="relu"))
    model.add(k.MaxPooling2D(pool_size=(2, 2)))
    model.add(k.Flatten())
    model.add(k.Dense(128, activation="relu"))
    model.add(k.Dense(10, activation="softmax"))
    return model


def everything(module, model, **first):
    """Normalization, strides, a transposed convolution and average pooling in one network."""
    k = module.layers
    model.add(k.Conv2D(8, 3, strides=2, padding="same", use_bias=False, **first))
    for layer in (k.BatchNormalization(), k.Activation("silu"), k.DepthwiseConv2D(3), k.ReLU()):
        model.add(layer)
    model.add(k.Conv2DTranspose(6, 4, strides=2, padding="same", activation="tanh"))
    for layer in (k.BatchNormalization(), k.AveragePooling2D(3, 2, "same"), k.GlobalAveragePooling2D()):
        model.add(layer)
    model.add(k.Dense(10, activation="softmax"))
    return model


@pytest.fixture
def dtype(request):
    """Keras computes in this dtype."""
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


# Rounding decides now and then which of two nearly equal numbers a ReLU or a maximum lets through. After such a step
# two runs in float32 part, in Keras against Keras in float64 too (up to 2e-2 with RMSprop), so most of these runs are
# in float64, where the formulas show. Keras rounds Adam's betas to float32 even there, and so does this test.
BETAS = {"beta_1": float(np.float32(0.9)), "beta_2": float(np.float32(0.999))}
NESTEROV = {"learning_rate": 0.0625, "momentum": 0.875, "nesterov": True}  # exact in float32


@pytest.mark.parametrize(
    ("make", "optimizer", "options", "dtype", "seed", "tolerance"),
    [
        *((listing, "Adam", {}, "float32", seed, 1e-4) for seed in range(3)),
        (listing, "AdamW", {"weight_decay": 0.01}, "float32", 0, 1e-4),
        (listing, "SGD", NESTEROV, "float32", 0, 1e-4),
        (listing, "Adam", BETAS, "float64", 0, 1e-6),
        (listing, "AdamW", {"weight_decay": 0.01, **BETAS}, "float64", 0, 1e-6),
        (listing, "SGD", NESTEROV, "float64", 0, 1e-10),
        (listing, "RMSprop", {}, "float64", 0, 1e-10),
        (everything, "Adam", {"learning_rate": 0.01, **BETAS}, "float64", 0, 1e-6),
        (everything, "SGD", NESTEROV, "float64", 0, 1e-10),
        (everything, "RMSprop", {"centered": True, "momentum": 0.5}, "float64", 0, 1e-10),
    ],
    indirect=["dtype"],
)
def test_losses_over_twenty_steps(make, optimizer, options, dtype, seed, tolerance):
    (x, y), _ = fashion_mnist_small.load_data()
    x, y = (x[:640, ..., None] / 255).astype(dtype), y[:640]
    keras.utils.set_random_seed(seed)
    theirs = make(keras, keras.Sequential([keras.layers.Input((28, 28, 1))]))
    ours = make(sn, sn.Sequential(dtype=dtype), input_shape=(28, 28, 1))
    start = theirs.get_weights()
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in start]
    ours.set_weights(start)
    their_optimizer, our_optimizer = (getattr(m, optimizer)(**options) for m in (keras.optimizers, sn.optimizers))
    their_loss, our_loss = (m.SparseCategoricalCrossentropy() for m in (keras.losses, sn.losses))
    what = f"20 steps, {make.__name__} {optimizer} {dtype}"
    losses = []
    for step in range(20):
        batch = slice(32 * step, 32 * step + 32)
        with tf.GradientTape() as tape:
            expected = their_loss(y[batch], theirs(x[batch], training=True))
        variables = [v.value for v in theirs.trainable_variables]
        their_optimizer.apply(tape.gradient(expected, variables), theirs.trainable_variables)
        value, _ = sn.train_step(ours, our_loss, our_optimizer, x[batch], y[batch])
        losses.append(value)
        assert_close(np.dtype(dtype).type(value), expected, tolerance, what)
    assert np.mean(losses[-5:]) < 0.95 * losses[0]  # it learnt
    assert_close(ours.predict(x[:64]), theirs.predict(x[:64], verbose=0), 10 * tolerance, f"{what}, prediction after")
