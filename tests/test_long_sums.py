"""Sums over millions of numbers in float32: none sticks, and none drifts away from the one in float64."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.kernels import cpu

TENTH = np.float32(0.1)
NONE = ((0, 0), (0, 0))
SHAPES = {  # (x, kernel, filters, strides)
    "a large picture": ((1, 700, 600, 1), (1, 1), 1, 1),
    "a wide one": ((1, 1, 300_000, 2), (1, 1), 3, 1),
    "many small ones": ((4000, 10, 10, 2), (3, 3), 3, 1),
    "with strides": ((5, 301, 299, 9), (2, 2), 4, 2),
    "few filters": ((30, 120, 120, 16), (1, 1), 2, 1),
    "by Winograd": ((150, 34, 34, 64), (3, 3), 64, 1),
}


def close(sums, expected):
    np.testing.assert_allclose(np.asarray(sums, np.float64), expected, rtol=3e-4)


@pytest.mark.parametrize("case", SHAPES)
def test_gradients_of_a_convolution_s_weights(case):
    shape, kernel, filters, strides = SHAPES[case]
    x = np.full(shape, 0.1, np.float32)
    OH, OW = ((size - k) // strides + 1 for size, k in zip(shape[1:3], kernel))
    dy, db = np.full((shape[0], OH, OW, filters), 0.3, np.float32), np.zeros(filters, np.float32)
    dw = cpu.conv2d_weight_grad(x, dy, kernel, (strides, strides), NONE, None, db)
    places = shape[0] * OH * OW
    close(dw, float(TENTH) * float(np.float32(0.3)) * places)
    close(db, float(np.float32(0.3)) * places)


def test_what_is_cut_into_parts_is_the_same_sum():
    """Numbers that differ, so that a part left out or taken twice is seen."""
    rng = np.random.default_rng(0)
    for shape, kernel, strides, pads in (
        ((2, 210, 190, 3), (3, 2), (2, 1), ((1, 0), (1, 1))),
        ((3, 3, 20_000, 9), (2, 3), (1, 2), ((0, 1), (2, 0))),
        ((900, 9, 9, 8), (3, 3), (1, 1), ((1, 1), (1, 1))),
    ):
        x = rng.normal(size=shape).astype(np.float32)
        padded = np.pad(x, ((0, 0), *pads, (0, 0))).astype(np.float64)
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, (1, 2))[:, :: strides[0], :: strides[1]]
        dy = rng.normal(size=(*windows.shape[:3], 5)).astype(np.float32)
        expected = np.einsum("nijckl,nijf->klcf", windows, dy.astype(np.float64), optimize=True)
        dw = cpu.conv2d_weight_grad(x, dy, kernel, strides, pads)
        np.testing.assert_allclose(dw, expected, rtol=1e-3, atol=0.02)
        dy = rng.normal(size=(*windows.shape[:3], shape[3])).astype(np.float32)
        expected = np.einsum("nijckl,nijc->klc", windows, dy.astype(np.float64), optimize=True)[..., None]
        dw = cpu.depthwise_conv2d_weight_grad(x, dy, kernel, strides, pads)
        np.testing.assert_allclose(dw, expected, rtol=1e-3, atol=0.02)


def test_gradients_behind_a_pooling():
    x, w = np.full((2000, 14, 14, 8), 0.1, np.float32), np.full((3, 3, 8, 4), 0.1, np.float32)
    argmax = np.zeros((2000, 6, 6, 4), np.int32)
    argmax[:] = (np.arange(6)[:, None] * 24 + np.arange(6) * 2)[:, :, None]
    dy, dw, db = np.full(argmax.shape, 0.3, np.float32), np.zeros_like(w), np.zeros(4, np.float32)
    pooling = ((2, 2), (2, 2), NONE)
    cpu.conv2d_max_pool2d_backward(dy, x, w, argmax, (1, 1), NONE, pooling, dw, db, False)
    close(dw, float(TENTH) * float(np.float32(0.3)) * 72_000)
    close(db, float(np.float32(0.3)) * 72_000)


def test_depthwise_dense_and_bias_gradients():
    x = np.full((3, 400, 500, 2), 0.1, np.float32)
    close(cpu.depthwise_conv2d_weight_grad(x, x, (1, 1), (1, 1), NONE), float(TENTH) ** 2 * 600_000)
    close(cpu.bias_grad(np.full((3_000_000, 2), 0.1, np.float32)), float(TENTH) * 3e6)
    rows, db = np.full((300_000, 3), 0.1, np.float32), np.zeros(2, np.float32)
    close(cpu.dense_weight_grad(rows, rows[:, :2].copy(), None, db), float(TENTH) ** 2 * 300_000)
    close(db, float(TENTH) * 300_000)


def test_means_over_large_windows(device):
    x = np.full((1, 900, 800, 2), 0.1, np.float32)
    np.testing.assert_allclose(device.global_average_pool2d(x), 0.1, rtol=1e-6)
    np.testing.assert_allclose(device.average_pool2d(x, (400, 400), (400, 400), NONE), 0.1, rtol=1e-6)
    assert device.global_average_pool2d(x).dtype == np.float32


def test_moments_of_a_large_batch(device):
    x = np.random.default_rng(0).normal(0.1, 1, (3_000_000, 1)).astype(np.float32)
    _, mean, var = device.batch_norm(x, np.ones(1, np.float32), np.zeros(1, np.float32), 1e-3)
    np.testing.assert_allclose(mean, x.mean(dtype=np.float64), rtol=1e-5)
    np.testing.assert_allclose(var, x.var(dtype=np.float64), rtol=1e-5)
    dy = np.full(x.shape, 0.1, np.float32)
    _, _, dbeta = device.batch_norm_backward(dy, x, np.ones(1, np.float32), mean, var, 1e-3)
    close(dbeta, float(TENTH) * len(x))


@pytest.mark.parametrize("scale", [1e19, 1e20, 1e30, 1e36])
def test_normalization_of_huge_numbers(scale):
    rng = np.random.default_rng(0)
    exact, dy = rng.normal(size=(64, 4)), rng.normal(size=(64, 4)).astype(np.float32)
    x = (exact * scale).astype(np.float32)
    layer = sn.BatchNormalization()
    y = layer.forward(x, training=True)
    right = sn.BatchNormalization(epsilon=1e-30)
    np.testing.assert_allclose(y, right.forward(exact, training=True), rtol=1e-4, atol=1e-5)
    dx = layer.backward(dy)
    np.testing.assert_allclose(dx.astype(np.float64) * scale, right.backward(dy), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(layer.grads["gamma"], right.grads["gamma"], rtol=1e-3, atol=1e-4)
    assert all(np.isfinite(array).all() and array.dtype == np.float32 for array in layer.state.values())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_first_score_of_minus_infinity(device, dtype):
    z = np.array([[-np.inf, 0, -np.inf], [-np.inf, 0, 0], [0, -np.inf, 1], [-np.inf, -np.inf, 3]], dtype)
    exact = np.exp(z - z.max(axis=1, keepdims=True))
    exact /= exact.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(device.softmax(z), exact, rtol=1e-6)
    labels = np.array([1, 2, 0, 2])
    loss, dz = device.softmax_cross_entropy(z, labels)
    np.testing.assert_allclose(loss, -np.log(exact[np.arange(4), labels]).mean(), rtol=1e-6)
    np.testing.assert_allclose(dz, (exact - np.eye(3)[labels]) / 4, atol=1e-7)
    loss, dz = device.softmax_cross_entropy_onehot(z, np.eye(3, dtype=dtype)[labels])
    np.testing.assert_allclose(loss, -np.log(exact[np.arange(4), labels]).mean(), rtol=1e-6)
    np.testing.assert_allclose(dz, (exact - np.eye(3)[labels]) / 4, atol=1e-7)
    assert np.isnan(device.softmax(np.full((1, 3), -np.inf, dtype))).all()  # there is no right value
