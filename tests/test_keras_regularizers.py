"""Regularizers and constraints beside those of Keras 3: values, gradients, and ten steps of training."""

import numpy as np
import pytest
from with_keras import assert_close, keras, report, tf  # noqa: F401 - report is a fixture

import scratchnet as sn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 8, 8, 2)).astype(np.float32)
Y = np.arange(12) % 3
W = RNG.normal(size=(6, 5)).astype(np.float32)
REGULARIZERS = {
    "l1": ("L1", {"l1": 0.3}),
    "l2": ("L2", {"l2": 0.2}),
    "l1_l2": ("L1L2", {"l1": 0.3, "l2": 0.1}),
    "rows": ("OrthogonalRegularizer", {"factor": 0.5}),
    "columns": ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
}
CONSTRAINTS = {
    "max_norm": ("MaxNorm", {"max_value": 1.5}),
    "max_norm, both axes": ("MaxNorm", {"max_value": 2.0, "axis": [0, 1]}),
    "non_neg": ("NonNeg", {}),
    "unit_norm": ("UnitNorm", {"axis": 1}),
    "min_max_norm": ("MinMaxNorm", {"min_value": 2.0, "max_value": 2.5, "rate": 0.7}),
}


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_penalties_and_their_gradients(kind):
    name, config = REGULARIZERS[kind]
    ours, theirs = getattr(sn.regularizers, name)(**config), getattr(keras.regularizers, name)(**config)
    x = tf.Variable(W)
    with tf.GradientTape() as tape:
        value = theirs(x)
    assert ours(W) == pytest.approx(float(value), rel=1e-6)
    assert_close(ours.gradient(W), tape.gradient(value, x), 1e-6, f"gradient of {kind}")


@pytest.mark.parametrize("kind", CONSTRAINTS)
def test_bounds(kind):
    name, config = CONSTRAINTS[kind]
    ours, theirs = getattr(sn.constraints, name)(**config), getattr(keras.constraints, name)(**config)
    assert_close(ours(W), theirs(W), 1e-6, kind)


def network(package):
    """The same layers of both packages."""
    r, c, layers = package.regularizers, package.constraints, package.layers
    return package.Sequential(
        [
            package.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu", kernel_regularizer=r.l2(1e-2), kernel_constraint=c.max_norm(0.7)),
            layers.MaxPooling2D(),
            layers.BatchNormalization(gamma_regularizer="l2", beta_regularizer=r.L1(1e-2), gamma_constraint="non_neg"),
            layers.ReLU(),
            layers.DepthwiseConv2D(2, depthwise_regularizer=r.l1_l2(1e-3, 1e-2), depthwise_constraint=c.UnitNorm(1)),
            layers.ActivityRegularization(l1=1e-3, l2=1e-2),
            layers.Flatten(),
            layers.Dense(5, "relu", kernel_regularizer=r.OrthogonalRegularizer(0.1), activity_regularizer="l2"),
            layers.Dense(3, activation="softmax", kernel_constraint=c.MinMaxNorm(0.5, 1.0, 0.9), bias_regularizer="l2",
                         activity_regularizer=r.L1L2(1e-2, 1e-2)),
        ]
    )  # fmt: skip


@pytest.mark.parametrize("frozen", [(), (1, 4)], ids=["all trained", "some frozen"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_ten_steps(optimizer, frozen):
    theirs, ours = network(keras), network(sn)
    ours.set_weights(theirs.get_weights())
    for package, model in ((keras, theirs), (sn, ours)):
        layers = [layer for layer in model.layers if layer.weights]
        for number, layer in enumerate(layers):
            layer.trainable = number + 1 not in frozen
        model.compile(getattr(package.optimizers, optimizer)(0.01), "sparse_categorical_crossentropy")
    for step in range(10):
        loss, wanted = ours.train_on_batch(X, Y), theirs.train_on_batch(X, Y)
        assert loss == pytest.approx(float(wanted), rel=1e-5), step
    assert ours.evaluate(X, Y, verbose=0) == pytest.approx(theirs.evaluate(X, Y, verbose=0), rel=1e-5)
    for number, (w, expected) in enumerate(zip(ours.get_weights(), theirs.get_weights())):
        assert_close(w, expected, 1e-5, f"{optimizer}: weight {number}")


def test_fit_reports_the_penalties():
    theirs, ours = network(keras), network(sn)
    ours.set_weights(theirs.get_weights())
    found = []
    for model in (ours, theirs):
        model.compile("sgd", "sparse_categorical_crossentropy")
        history = model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0, validation_data=(X, Y)).history
        found.append([history["loss"], history["val_loss"]])
    np.testing.assert_allclose(found[0], found[1], rtol=2e-5)


def test_a_functional_model_with_a_layer_at_two_places():
    def both(package):
        x = package.Input((4,))
        shared = package.layers.Dense(4, activation="tanh", kernel_regularizer="l2", activity_regularizer="l1")
        model = package.Model(x, package.layers.Add()([shared(x), shared(shared(x))]))
        model.compile(package.optimizers.SGD(0.05), "mse")
        return model

    theirs, ours = both(keras), both(sn)
    ours.set_weights(theirs.get_weights())
    x, y = RNG.normal(size=(2, 6, 4)).astype(np.float32)
    for _ in range(10):
        assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=1e-5)
    for w, expected in zip(ours.get_weights(), theirs.get_weights()):
        assert_close(w, expected, 1e-5, "shared")
