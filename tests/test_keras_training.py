"""Same weights, same losses as Keras 3 over twenty steps. Optional: skipped where Keras is not installed."""

import numpy as np
import pytest
from with_keras import assert_close, keras, report, tf  # noqa: F401 - report is a fixture

import scratchnet as sn
from scratchnet import layers
from scratchnet.datasets import fashion_mnist_small

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
    value, gradient = getattr(sn.losses, kind)(**options).value_and_gradient(y_true, end.forward(z))
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
    "Adam amsgrad": {"learning_rate": 0.01, "beta_2": 0.9, "amsgrad": True},
    "Adagrad": {},
    "Adagrad all": {"learning_rate": 0.1, "initial_accumulator_value": 0.5, "epsilon": 1e-3, "weight_decay": 0.1},
    "Adadelta": {},
    "Adadelta of the paper": {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-3},
    "Adamax": {},
    "Adamax all": {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3},
    "Nadam": {},
    "Nadam all": {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "weight_decay": 0.1},
    "Lion": {},
    "Lion all": {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9},
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


RATES = {
    "CosineDecay": [
        {"initial_learning_rate": 0.2, "decay_steps": 30, "alpha": 0.1},
        {"initial_learning_rate": 0.02, "decay_steps": 30, "alpha": 0.1, "warmup_target": 0.3, "warmup_steps": 7},
        {"initial_learning_rate": 0.0, "decay_steps": 20, "warmup_target": 0.3, "warmup_steps": 10},
        {"initial_learning_rate": 0.5, "decay_steps": 20, "warmup_target": 0.3},
    ],
    "CosineDecayRestarts": [
        {"initial_learning_rate": 0.2, "first_decay_steps": 6.7, "t_mul": times, "m_mul": 0.8, "alpha": 0.1}
        for times in (1.0, 1.5, 2.0)
    ],
    "ExponentialDecay": [
        {"initial_learning_rate": 0.2, "decay_steps": 7, "decay_rate": 0.9, "staircase": stairs}
        for stairs in (False, True)
    ],
    "InverseTimeDecay": [
        {"initial_learning_rate": 0.2, "decay_steps": 7, "decay_rate": 0.9, "staircase": stairs}
        for stairs in (False, True)
    ],
    "PolynomialDecay": [
        {"initial_learning_rate": 0.2, "decay_steps": 7},
        {"initial_learning_rate": 0.2, "decay_steps": 7, "end_learning_rate": 0.1, "power": 0.5, "cycle": True},
    ],
    "PiecewiseConstantDecay": [{"boundaries": [3, 17], "values": [1.0, 0.5, 0.25]}],
}


@pytest.mark.parametrize(("kind", "arguments"), [(kind, case) for kind, cases in RATES.items() for case in cases])
def test_schedules(kind, arguments):
    theirs, ours = (m(**arguments) for m in (getattr(keras.optimizers.schedules, kind), getattr(sn, kind)))
    expected = np.array([float(theirs(step)) for step in range(50)], np.float32)
    assert_close(np.array([ours(step) for step in range(50)], np.float32), expected, 1e-6, kind)


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("binary_accuracy", True),
        ("categorical_accuracy", True),
        ("sparse_categorical_accuracy", False),
        ("top_k_categorical_accuracy", True),
        ("sparse_top_k_categorical_accuracy", False),
    ],
)
def test_metrics_of_the_same_name(name, shares):
    rng = np.random.default_rng(0)
    labels, p = rng.integers(0, 9, 40), rng.random((40, 9)).astype(np.float32)
    y_true = np.eye(9, dtype=np.float32)[labels] if shares else labels
    theirs, ours = keras.metrics.get(name), sn.metrics.get(name)
    ours.update_state(y_true, p)
    assert ours.name == name
    assert ours.result() == pytest.approx(float(np.mean(theirs(y_true, p))), abs=1e-6)


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
