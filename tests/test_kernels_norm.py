"""Batch normalization's kernels against the loops of the reference, and where a careless variance loses its digits."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference

shapes = st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple)


def drawn(shape, dtype, layout, seed):
    """x, dy of the shape; gamma, beta of its channels."""
    rng = np.random.default_rng(seed)
    arrays = [normal(rng, s, dtype, layout) for s in (shape, shape, shape[-1:], shape[-1:])]
    arrays[0] = 3 * arrays[0] + dtype(1)
    return arrays


@given(shapes, st.sampled_from([1e-3, 1e-2]), dtypes, layouts, seeds)
def test_batch_norm(device, shape, epsilon, dtype, layout, seed):
    x, dy, gamma, beta = drawn(shape, dtype, layout, seed)
    with Unchanged(x, dy, gamma, beta):
        y, mean, var = device.batch_norm(x, gamma, beta, epsilon)
        gradients = device.batch_norm_backward(dy, x, gamma, mean, var, epsilon)
    x, dy, gamma, beta = (a.astype(np.float64) for a in (x, dy, gamma, beta))
    forward = reference.batch_norm(x, gamma, beta, epsilon)
    for actual, expected in zip((y, mean, var), forward):
        assert_close(actual, expected, dtype)
    # dx is what is left over after two large parts have been taken off: its rounding is that of the parts.
    size = np.abs(gamma).max() * np.abs(dy).max() / np.sqrt(var.min() + epsilon)
    tolerance = (
        {np.float64: 1e-11, np.float32: 1e-5}[dtype] * size * (1 + np.abs(x).max() / np.sqrt(var.min() + epsilon))
    )
    for actual, expected in zip(gradients, reference.batch_norm_backward(dy, x, gamma, *forward[1:], epsilon)):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, expected, rtol=1e-5 if dtype == np.float32 else 1e-11, atol=tolerance)


@given(shapes, dtypes, layouts, seeds)
def test_batch_norm_inference(device, shape, dtype, layout, seed):
    x, dy, gamma, beta = drawn(shape, dtype, layout, seed)
    mean, var = beta / 2, gamma**2
    with Unchanged(x, dy, gamma, beta, mean, var):
        y = device.batch_norm_inference(x, gamma, beta, mean, var, 1e-3)
        dx, dgamma, dbeta = device.batch_norm_inference_backward(dy, x, gamma, mean, var, 1e-3)
    x, dy, gamma, beta, mean, var = (a.astype(np.float64) for a in (x, dy, gamma, beta, mean, var))
    assert_close(y, reference.batch_norm_inference(x, gamma, beta, mean, var, 1e-3), dtype)
    normalized = (x - mean) / np.sqrt(var + 1e-3)
    axes = tuple(range(x.ndim - 1))
    assert_close(dx, dy * gamma / np.sqrt(var + 1e-3), dtype)
    assert_close(dbeta, dy.sum(axis=axes), dtype)
    size = np.abs(dy * normalized).sum(axis=axes).max()
    np.testing.assert_allclose(dgamma, (dy * normalized).sum(axis=axes), rtol=0, atol=1e-6 * size + 1e-12)


@given(shapes, dtypes, layouts, seeds)
def test_relu_in_the_same_passes(device, shape, dtype, layout, seed):
    x, dy, gamma, beta = drawn(shape, dtype, layout, seed)

    def inference(x, gamma, beta, epsilon, relu=False):
        return device.batch_norm_inference(x, gamma, beta, beta, gamma**2, epsilon, relu), beta, gamma**2

    for forward, backward in (
        (device.batch_norm, device.batch_norm_backward),
        (inference, device.batch_norm_inference_backward),
    ):
        plain, mean, var = forward(x, gamma, beta, 1e-3)
        y, _, _ = forward(x, gamma, beta, 1e-3, True)
        np.testing.assert_array_equal(y, np.maximum(plain, 0))
        passed = np.where(plain > 0, dy, dtype(0))
        fused = backward(dy, x, gamma, mean, var, 1e-3, beta)
        for actual, expected in zip(fused, backward(passed, x, gamma, mean, var, 1e-3)):
            assert_close(actual, expected, dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-3), (np.float64, 1e-9)])
def test_mean_far_larger_than_the_deviation(device, dtype, tolerance):
    # mean(x^2) - mean^2 in float32 is off by more than the variance itself here.
    x = (1000 + np.random.default_rng(0).normal(size=(32, 17, 17, 3))).astype(dtype)
    one, zero = np.ones(3, dtype), np.zeros(3, dtype)
    y, mean, var = device.batch_norm(x, one, zero, 1e-3)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(var, exact.var(axis=(0, 1, 2)), rtol=tolerance / 10)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 1, 2)), rtol=tolerance / 1000)
    expected = (exact - exact.mean(axis=(0, 1, 2))) / np.sqrt(exact.var(axis=(0, 1, 2)) + 1e-3)
    np.testing.assert_allclose(y, expected, rtol=0, atol=tolerance)


def test_one_row_and_constant_channels(device):
    for x in (np.array([[3.0, -2.0]]), np.full((4, 5, 2), 7.0)):
        y, mean, var = device.batch_norm(x, np.full(2, 2.0), np.array([0.5, -0.5]), 1e-3)
        np.testing.assert_array_equal(y, np.broadcast_to([0.5, -0.5], x.shape))
        np.testing.assert_array_equal(var, 0)
        dx, _, _ = device.batch_norm_backward(np.ones(x.shape), x, np.full(2, 2.0), mean, var, 1e-3)
        np.testing.assert_array_equal(dx, 0)


def test_nan_stays_in_its_channel(device):
    x, one = np.random.default_rng(0).normal(size=(5, 3, 2)), np.ones(2)
    x[2, 1, 0] = np.nan
    y, mean, var = device.batch_norm(x, one, one, 1e-3)
    dx, dgamma, _ = device.batch_norm_backward(np.ones(x.shape), x, one, mean, var, 1e-3)
    for array in (y, mean, var, dx, dgamma):
        assert np.isnan(array[..., 0]).all()
        assert np.isfinite(array[..., 1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_for_any_number_of_threads(device, dtype):
    x, dy, gamma, beta = drawn((7, 9, 11, 5), dtype, "plain", 3)
    one, two = (with_threads(k, device.batch_norm, x, gamma, beta, 1e-3) for k in (1, 2))
    _, mean, var = one
    one += with_threads(1, device.batch_norm_backward, dy, x, gamma, mean, var, 1e-3)
    two += with_threads(2, device.batch_norm_backward, dy, x, gamma, mean, var, 1e-3)
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)
