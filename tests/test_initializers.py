"""Initializers: Keras's variances and ranges, shapes, seeds and names."""

import math

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import initializers
from scratchnet.initializers import INITIALIZERS, Constant, Orthogonal, RandomNormal, RandomUniform, VarianceScaling
from scratchnet.layers import Conv2D, Conv2DTranspose, Dense, DepthwiseConv2D

# Variance times (fan_in, fan_out or their mean), as the papers and Keras have them.
SCALES = {
    "glorot_uniform": (1, "avg"),
    "glorot_normal": (1, "avg"),
    "he_uniform": (2, "in"),
    "he_normal": (2, "in"),
    "lecun_uniform": (1, "in"),
    "lecun_normal": (1, "in"),
}


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((), (1, 1)),
        ((7,), (7, 7)),
        ((5, 3), (5, 3)),
        ((3, 2, 4, 8), (24, 48)),  # Conv2D: 3 x 2 cells, 4 to 8 channels
        ((3, 3, 16, 2), (144, 18)),  # DepthwiseConv2D: channels, multiplier
    ],
)
def test_fans(shape, expected):
    assert initializers.fans(shape) == expected


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("shape", [(300, 200), (5, 3, 60, 90)])
def test_variance_and_range(name, shape):
    scale, mode = SCALES[name]
    fan_in, fan_out = initializers.fans(shape)
    variance = scale / {"in": fan_in, "avg": (fan_in + fan_out) / 2}[mode]
    w = initializers.get(name)(shape, rng=np.random.default_rng(0)).astype(np.float64)
    assert abs(w.mean()) < 5 * math.sqrt(variance / w.size)
    assert abs(w.var() / variance - 1) < 0.03
    largest = math.sqrt(3 * variance) if "uniform" in name else 2 * math.sqrt(variance) / 0.87962566103423978
    assert 0.98 * largest < np.abs(w).max() <= largest * (1 + 1e-6)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_shape_dtype_and_layout(name):
    for shape in ((3, 4), (2, 3, 4, 5), *([] if name == "orthogonal" else [(6,)])):
        w = initializers.get(name)(shape)
        assert w.shape == shape
        assert w.dtype == np.float32
        assert w.flags.c_contiguous
        assert w.flags.writeable
        assert initializers.get(name)(shape, dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"zeros", "ones", "constant"}))
def test_generators_and_seeds(name):
    kind, shape = INITIALIZERS[name], (3, 4)
    a, b = (kind()(shape, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(a, b)  # the generator that was given
    seeded = kind(seed=5)
    np.testing.assert_array_equal(seeded(shape), a)  # a seed is that generator, at every call
    np.testing.assert_array_equal(seeded(shape), a)
    sn.set_random_seed(1)
    c, d = kind()(shape), kind()(shape)
    assert np.any(c != d)
    sn.set_random_seed(1)
    np.testing.assert_array_equal(kind()(shape), c)  # the package's


def test_fixed_numbers():
    np.testing.assert_array_equal(initializers.get("zeros")((2, 2)), [[0, 0], [0, 0]])
    np.testing.assert_array_equal(initializers.get("ones")((2,)), [1, 1])
    np.testing.assert_array_equal(Constant(0.25)((2,)), [0.25, 0.25])


def test_plain_normal_and_uniform():
    rng = np.random.default_rng(0)
    w = RandomNormal(mean=1, stddev=0.02)((200, 200), rng=rng)
    assert abs(w.mean() - 1) < 1e-3
    assert abs(w.std() / 0.02 - 1) < 0.02
    w = RandomUniform(2, 3)((200, 200), rng=rng)
    assert w.min() >= 2
    assert w.max() <= 3
    assert abs(initializers.get("random_normal")((300, 300), rng=rng).std() / 0.05 - 1) < 0.02
    assert np.abs(initializers.get("random_uniform")((300, 300), rng=rng)).max() <= 0.05
    assert np.abs(initializers.get("truncated_normal")((300, 300), rng=rng)).max() <= 0.1


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 5)])
def test_orthogonal(shape):
    w = Orthogonal(gain=2)(shape, np.float64, rng=np.random.default_rng(0)).reshape(-1, shape[-1])
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_names():
    it = RandomNormal()
    assert initializers.get(it) is it
    assert type(initializers.get("He_Normal")) is sn.HeNormal
    with pytest.raises(ValueError, match=r"unknown initializer 'glorot'\. Did you mean 'glorot_normal'"):
        initializers.get("glorot")
    with pytest.raises(ValueError, match="unknown mode 'fan'"):
        VarianceScaling(mode="fan")
    with pytest.raises(ValueError, match="unknown distribution"):
        VarianceScaling(distribution="cauchy")
    with pytest.raises(ValueError, match="at least two axes"):
        Orthogonal()((3,))


@pytest.mark.parametrize(
    ("layer", "fan_sum"),
    [
        (Dense(200), 50 + 200),
        (Conv2D(40, 3), 9 * (50 + 40)),
        (Conv2DTranspose(40, 3), 9 * (50 + 40)),
        (DepthwiseConv2D(5, depth_multiplier=4), 25 * (50 + 4)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_layers_default_is_glorot_uniform_and_zeros(layer, fan_sum):
    layer.build((None, 8, 8, 50))
    limit = math.sqrt(6 / fan_sum)
    largest = np.abs(layer.params["kernel"]).max()
    assert 0.98 * limit < largest <= limit
    assert not layer.params["bias"].any()


def test_an_initializer_as_argument():
    layer = Dense(3, kernel_initializer=RandomNormal(stddev=0.02, seed=4), bias_initializer=Constant(0.1))
    layer.build((None, 5))
    np.testing.assert_array_equal(layer.params["kernel"], RandomNormal(stddev=0.02, seed=4)((5, 3)))
    np.testing.assert_array_equal(layer.params["bias"], np.full(3, 0.1, np.float32))
