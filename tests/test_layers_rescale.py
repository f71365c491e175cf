"""Rescaling and Normalization: constants that belong to the model, at the right scale in training and in prediction."""

import warnings

import numpy as np
import pytest
from compare import assert_close

import scratchnet as sn
from scratchnet.datasets import fashion_mnist, fashion_mnist_small

X = np.random.default_rng(0).integers(0, 256, (30, 5, 4, 3), dtype=np.uint8)


def test_rescaling():
    assert_close(sn.Rescaling(1 / 255).forward(X), X / 255, np.float32)
    assert_close(sn.Rescaling([1, 2, 3], offset=[0.5, 0, -1]).forward(X), X * [1, 2, 3] + [0.5, 0, -1], np.float32)
    layer, x = sn.Rescaling(1 / 127.5, -1), X.astype(np.float64)
    assert_close(layer.forward(x), x / 127.5 - 1)
    assert_close(layer.backward(x), x / 127.5)


def test_normalization_with_constants_of_the_data_set():
    layer = sn.Normalization(mean=[100, 120, 140], variance=[25, 100, 0])
    assert_close(layer.forward(X), (X - np.array([100, 120, 140])) / [5, 10, 1e-7], np.float32)
    assert layer.get_weights() == []
    dy = np.random.default_rng(1).normal(size=X.shape)
    layer.forward(X.astype(np.float64))
    assert_close(layer.backward(dy), dy / [5, 10, 1e-7])


@pytest.mark.parametrize("count", [1, 30, 2100])  # adapt goes through parts of 1024
def test_adapt_finds_mean_and_variance(count):
    x = np.random.default_rng(0).integers(0, 256, (count, 2, 3, 2), dtype=np.uint8)
    layer = sn.Normalization()
    layer.adapt(x)
    mean, variance, _ = layer.get_weights()
    np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance, x.var((0, 1, 2)), rtol=1e-6)
    y = layer.forward(x.astype(np.float64))
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(y.std((0, 1, 2)), 1, rtol=1e-6)
    layer.adapt(x[:1] // 2)  # anew
    np.testing.assert_allclose(layer.get_weights()[0], (x[:1] // 2).mean((0, 1, 2)), rtol=1e-6)


def test_before_adapt_it_lets_x_pass():
    np.testing.assert_array_equal(sn.Normalization().forward(X), X)


def network(first):
    sn.set_random_seed(0)
    model = sn.Sequential([first, sn.Flatten(), sn.Dense(3, activation="softmax")])
    model.compile(sn.SGD(0.1), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("adapted", [False, True])
def test_in_a_model_bytes_are_trained_on_saved_and_predicted_from(adapted, tmp_path):
    y = np.arange(30) % 3
    given = {} if adapted else {"mean": X.mean((0, 1, 2)).tolist(), "variance": X.var((0, 1, 2)).tolist()}
    layer = sn.Normalization(**given)
    if adapted:
        layer.adapt(X)
    model = network(layer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of whole numbers: they are brought to scale here
        model.fit(X, y, epochs=3, verbose=0)
    by_hand = network(sn.Rescaling(1))
    normalized = (X - X.mean((0, 1, 2))) / X.std((0, 1, 2))
    by_hand.fit(normalized, y, epochs=3, verbose=0)
    np.testing.assert_allclose(model.predict(X), by_hand.predict(normalized), rtol=1e-3, atol=1e-5)
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(sn.load_model(tmp_path / "model.safetensors").predict(X), model.predict(X))


def test_gradients():
    x = np.random.default_rng(0).normal(size=(2, 3, 2, 2))
    assert sn.gradcheck(sn.Normalization(mean=[0.1, 0.2], variance=[4, 9]), x).passed
    assert sn.gradcheck(sn.Rescaling([2, 3], 1), x).passed


def test_constants_of_a_data_set_bring_it_to_mean_0_and_variance_1():
    """The embedded tenth of Fashion-MNIST stands for the whole."""
    (x, _), _ = fashion_mnist_small.load_data()
    model = sn.Sequential([sn.Rescaling(1 / 255), sn.Normalization(-1, fashion_mnist.MEAN, fashion_mnist.STD**2)])
    y = model.forward(x[..., None])
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: sn.Rescaling("a"), "expected scale in numbers, got 'a'"),
        (lambda: sn.Rescaling(1, np.nan), "offset as a finite number, or one for each channel"),
        (lambda: sn.Rescaling([]), "scale as a finite number"),
        (
            lambda: sn.Rescaling([1, 2]).forward(X),
            r"expected 2 channels, for which it has numbers, got x of shape \(30, 5, 4, 3\)",
        ),
        (lambda: sn.Normalization(mean=1), r"both mean and variance, or none of them and adapt\(x\)"),
        (lambda: sn.Normalization(mean=1, variance=-1), "variance of at least 0, got -1"),
        (lambda: sn.Normalization(axis=1), "axis=-1"),
        (lambda: sn.Normalization(mean=1, variance=1).adapt(X), "adapt, but mean and variance were given"),
        (
            lambda: sn.Normalization(mean=[1, 2], variance=[1, 1]).build((None, 4, 4, 3)),
            "expected 2 channels, for which it has numbers",
        ),
    ],
)
def test_what_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()
