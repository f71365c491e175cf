"""The exercises of the last chapter: their numbers are those of the book and of the package."""

import numpy as np

import scratchnet as sn
from scratchnet import check
from scratchnet.check import conclusion


def as_written(x, y, rate, epochs, size):
    """The listing of the notebook, with its six faults."""
    for _ in range(epochs):
        w = np.zeros((x.shape[1], y.max() + 1))
        b = np.zeros(y.max() + 1)
        for start in range(0, len(x) - size, size):
            some = x[start : start + size]
            e = np.exp(some @ w + b)
            p = e / e.sum(axis=0)
            dz = (p - np.eye(y.max() + 1)[y[start : start + size]]) / len(some)
            w = w + rate * some.T @ dz
            b = b + rate * dz.mean(axis=0)
    return w, b


def test_the_listing_as_it_is_written_does_not_pass():
    assert not check.mended_listing(as_written)


def test_the_mended_listing_trains_as_the_package_does():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 5)), rng.integers(0, 3, 40)
    model = sn.Sequential([sn.Dense(3, kernel_initializer="zeros", input_shape=(5,))], dtype="float64")
    model.compile(sn.SGD(0.5), sn.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, epochs=3, batch_size=16, shuffle=False, verbose=0)
    w, b = check.mended_listing.right(x, y, 0.5, 3, 16)
    assert np.allclose(model.get_weights()[0], w)
    assert np.allclose(model.get_weights()[1], b)


def test_work_of_the_article_s_training():
    assert check.training_work.right(conclusion.ARTICLE, 50_000, 10) == 12_566_400_000_000


def test_slope_0_2_is_the_package_s_layer():
    x, dy = np.random.default_rng(0).normal(size=(2, 3, 4))
    layer = sn.LeakyReLU(0.2)
    y, dx, _ = check.leaky_relu.right(x, 0.2, dy)
    np.testing.assert_allclose(layer.forward(x), y)
    np.testing.assert_allclose(layer.backward(dy), dx)
