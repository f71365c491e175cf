"""The layers that draw random numbers in training: what they draw, that it can be drawn again, and what they leave."""

import numpy as np
import pytest
from devices import gpu_registered
from threads import with_threads

import scratchnet as sn
from scratchnet import layers

NOISE = {
    "Dropout": lambda **options: sn.Dropout(0.3, **options),
    "SpatialDropout2D": lambda **options: sn.SpatialDropout2D(0.3, **options),
    "AlphaDropout": lambda **options: sn.AlphaDropout(0.3, **options),
    "GaussianNoise": lambda **options: sn.GaussianNoise(0.3, **options),
    "GaussianDropout": lambda **options: sn.GaussianDropout(0.3, **options),
}
MAKE = {
    **NOISE,
    "RandomBrightness": lambda **options: sn.RandomBrightness(0.3, (-3, 3), **options),
    "RandomContrast": lambda **options: sn.RandomContrast(0.3, (-3, 3), **options),
    "RandomFlip": lambda **options: sn.RandomFlip(**options),
    "RandomRotation": lambda **options: sn.RandomRotation(0.3, **options),
    "RandomTranslation": lambda **options: sn.RandomTranslation(0.3, 0.2, "constant", **options),
    "StochasticDepth": lambda **options: sn.StochasticDepth(0.3, **options),
    "Dropout of channels": lambda **options: sn.Dropout(0.3, (None, 1, 1, None), **options),
    "RandomZoom": lambda **options: sn.RandomZoom(0.3, interpolation="nearest", **options),
}
X = np.random.default_rng(0).normal(size=(40, 9, 9, 30))


@pytest.fixture(params=MAKE)
def make(request):
    return MAKE[request.param]


def test_they_are_all():
    kinds = {n: kind for n in layers.__all__ if isinstance(kind := getattr(layers, n), type)}
    random = {n for n, kind in kinds.items() if issubclass(kind, layers.dropout.RandomLayer)}
    assert random == {*MAKE, "RandomCrop"} - {"Dropout of channels"}  # the last changes shapes: test_random_pictures.py


def test_outside_of_training_nothing_is_drawn(make):
    layer = make()
    np.testing.assert_array_equal(layer.forward(X), X)
    np.testing.assert_array_equal(layer.backward(X), X)
    assert layer.step == 0


@pytest.mark.parametrize("name", NOISE)
def test_the_mean_and_what_is_known_of_the_variance(name):
    layer = NOISE[name](seed=1)
    y = layer.forward(X, training=True)
    assert abs(y.mean() - X.mean()) < 0.02
    ratio = y.var() / X.var()
    if isinstance(layer, sn.AlphaDropout):
        assert ratio == pytest.approx(1, abs=0.03)
    elif isinstance(layer, sn.GaussianNoise):
        assert ratio == pytest.approx(1 + 0.09, abs=0.03)
    else:
        assert ratio == pytest.approx(1 / 0.7, abs=0.06)


def test_another_batch_gets_other_numbers_and_a_seed_the_same(make):
    one, two = make(seed=5), make(seed=5)
    first, second = one.forward(X, training=True), one.forward(X, training=True)
    assert (first != second).mean() > 0.1
    np.testing.assert_array_equal(two.forward(X, training=True), first)
    sn.set_random_seed(3)
    drawn = make().forward(X, training=True)
    assert (drawn != first).mean() > 0.1
    sn.set_random_seed(3)
    np.testing.assert_array_equal(make().forward(X, training=True), drawn)


def test_counters_go_on_where_they_were(make):
    layer = make()
    layer.forward(X, training=True)
    other = make()
    other.forward(X)
    other.set_counters(layer.get_counters())
    np.testing.assert_array_equal(other.forward(X, training=True), layer.forward(X, training=True))


def test_the_same_draw_in_both_precisions(make):
    wide = make(seed=2).forward(X, training=True)
    narrow = make(seed=2).forward(X.astype(np.float32), training=True)
    np.testing.assert_allclose(narrow, wide, atol=1e-5)


def test_same_bits_for_any_number_of_threads(make):
    def run():
        layer = make(seed=4)
        return layer.forward(X, training=True), layer.backward(X)

    for one, two in zip(*(with_threads(k, run) for k in (1, 2))):
        np.testing.assert_array_equal(one, two)


def test_the_same_numbers_on_the_gpu(make):
    with gpu_registered() as gpu:
        ours, theirs, x = make(seed=6), make(seed=6), X[:2].astype(np.float32)
        for _ in range(2):
            y, dx = ours.forward(gpu.module.asarray(x), training=True), ours.backward(gpu.module.asarray(x))
            np.testing.assert_allclose(gpu.to_numpy(y), theirs.forward(x, training=True), atol=1e-6)
            np.testing.assert_allclose(gpu.to_numpy(dx), theirs.backward(x), atol=1e-6)


def test_spatial_dropout_drops_whole_channels():
    y = sn.SpatialDropout2D(0.3, seed=1).forward(np.ones((50, 4, 3, 40)), training=True)
    channels = y[:, 0, 0]
    np.testing.assert_array_equal(y, np.broadcast_to(channels[:, None, None], y.shape))
    assert set(np.unique(channels)) == {0, 1 / 0.7}
    assert (channels == 0).mean() == pytest.approx(0.3, abs=0.05)


def test_a_noise_shape_says_what_is_dropped_together():
    x, rng = np.ones((50, 4, 3, 40)), np.random.default_rng(0)
    for noise_shape in ((None, 1, 1, None), [50, 1, 3, 1], (1, 4, 1, 40), (None, 1, 1, 1)):
        layer = sn.Dropout(0.3, noise_shape, seed=1)
        y = layer.forward(x, training=True)
        shared = tuple(a for a in range(4) if noise_shape[a] == 1)
        np.testing.assert_array_equal(y.max(axis=shared), y.min(axis=shared))
        assert set(np.unique(y)) == {0, 1 / 0.7}
        assert (y == 0).mean() == pytest.approx(0.3, abs=0.15)
        dy = rng.normal(size=x.shape)
        np.testing.assert_allclose(layer.backward(dy), dy * y)
        assert not np.array_equal(layer.forward(x, training=True), y)
        np.testing.assert_array_equal(layer.forward(x), x)
    whole, plain = sn.Dropout(0.3, (None, None, None, None), seed=1), sn.Dropout(0.3, seed=1)
    np.testing.assert_array_equal(whole.forward(x, training=True), plain.forward(x, training=True))


def test_a_noise_shape_that_does_not_fit():
    layer = sn.Dropout(0.3, (20, 1, 1), name="d")
    layer.build((None, 4, 3))
    layer.forward(np.ones((20, 4, 3)), training=True)
    message = r"^Dropout 'd': expected noise_shape .*\(7, 4, 3\), its size, 1 .*got \(20, 1, 1\)"
    with pytest.raises(ValueError, match=message):
        layer.forward(np.ones((7, 4, 3)), training=True)
    for noise_shape in ((None, 1), (None, 2, 1), (None, 1, 1, 1)):
        for kind in (sn.Dropout, sn.AlphaDropout):
            with pytest.raises(ValueError, match=r"expected noise_shape .*\(N, 4, 3\)"):
                kind(0.3, noise_shape).build((None, 4, 3))
    for wrong in ("abc", (None, 1.5), 3):
        with pytest.raises(ValueError, match="noise_shape"):
            sn.Dropout(0.3, wrong)


def test_stochastic_depth_drops_whole_examples():
    x = np.random.default_rng(0).normal(size=(400, 3, 2, 4))
    layer = sn.StochasticDepth(0.3, seed=1)
    y = layer.forward(x, training=True)
    dropped = (y == 0).all(axis=(1, 2, 3))
    assert dropped.mean() == pytest.approx(0.3, abs=0.08)
    np.testing.assert_allclose(y[~dropped], x[~dropped] / 0.7)
    dx = layer.backward(x)
    np.testing.assert_array_equal(dx, y)
    np.testing.assert_array_equal(layer.forward(x), x)
    same = sn.Dropout(0.3, noise_shape=(None, 1, 1, 1), seed=1)  # as Keras's EfficientNet writes it
    np.testing.assert_array_equal(same.forward(x, training=True), y)
    rows = sn.StochasticDepth(0.3, seed=1)
    np.testing.assert_array_equal(rows.forward(x[:, 0, 0], training=True) == 0, y[:, 0, 0] == 0)


def test_alpha_dropout_s_floor():
    layer = sn.AlphaDropout(0.3, seed=1)
    x = np.random.default_rng(0).normal(size=(100, 20))
    y = layer.forward(x, training=True)
    dropped = layer.backward(np.ones_like(x)) == 0
    assert dropped.mean() == pytest.approx(0.3, abs=0.05)
    np.testing.assert_allclose(y[dropped], -1.7580993408473766 * layer.a + layer.b)
    np.testing.assert_allclose(y[~dropped], x[~dropped] * layer.a + layer.b)
