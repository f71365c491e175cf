"""Batch and group normalization's kernels against the loops, and where a careless variance loses its digits."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import example, given
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


def assert_statistics_close(y, mean, var, expected, x, gamma, epsilon, dtype):
    """Against those of the reference in float64. x - mean has the rounding of x, and so has all that is made of it."""
    largest, scale = np.abs(x).max(), 1 / np.sqrt(expected[2].min() + epsilon)
    tolerances = np.abs(gamma).max() * (1 + largest * scale), largest, largest**2
    for actual, e, tolerance in zip((y, mean, var), expected, tolerances):
        assert (actual.dtype, actual.shape) == (dtype, e.shape)
        rounding = {np.float64: 1e-14, np.float32: 1e-6}[dtype]
        np.testing.assert_allclose(actual, e, rtol=10 * rounding, atol=rounding * tolerance)


@given(shapes, st.sampled_from([1e-3, 1e-2]), dtypes, layouts, seeds)
def test_batch_norm(device, shape, epsilon, dtype, layout, seed):
    x, dy, gamma, beta = drawn(shape, dtype, layout, seed)
    with Unchanged(x, dy, gamma, beta):
        y, mean, var = device.batch_norm(x, gamma, beta, epsilon)
        gradients = device.batch_norm_backward(dy, x, gamma, mean, var, epsilon)
    x, dy, gamma, beta = (a.astype(np.float64) for a in (x, dy, gamma, beta))
    forward = reference.batch_norm(x, gamma, beta, epsilon)
    assert_statistics_close(y, mean, var, forward, x, gamma, epsilon, dtype)
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
    # The rounding of a sum is that of its terms, however small it is itself.
    for actual, terms in ((dgamma, dy * normalized), (dbeta, dy)):
        size = np.abs(terms).sum(axis=axes).max()
        np.testing.assert_allclose(actual, terms.sum(axis=axes), rtol=0, atol=1e-6 * size + 1e-12)


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


@given(shapes, st.integers(1, 3), st.integers(1, 3), dtypes, layouts, seeds)
@example((2, 9, 15), 3, 7, np.float32, "plain", 0)  # places in two blocks and a rest, channels in vectors and a rest
@example((2, 65, 2), 1, 16, np.float64, "plain", 0)
@example((3,), 2, 40, np.float32, "transposed", 0)
def test_group_norm(device, leading, groups, together, dtype, layout, seed):
    x, dy, gamma, beta = drawn((*leading, groups * together), dtype, layout, seed)
    with Unchanged(x, dy, gamma, beta):
        y, mean, var = device.group_norm(x, gamma, beta, groups, 1e-3)
        gradients = device.group_norm_backward(dy, x, gamma, mean, var, groups, 1e-3)
    x, dy, gamma, beta = (a.astype(np.float64) for a in (x, dy, gamma, beta))
    forward = reference.group_norm(x, gamma, beta, groups, 1e-3)
    assert_statistics_close(y, mean, var, forward, x, gamma, 1e-3, dtype)
    # As above: the rounding of dx is that of its parts, that of dgamma and dbeta that of a sum's.
    scale = 1 / np.sqrt(forward[2].min() + 1e-3)
    rounding = {np.float64: 1e-13, np.float32: 1e-5}[dtype] * np.abs(dy).max() * (1 + np.abs(x).max() * scale)
    tolerances = np.abs(gamma).max() * scale * (1 + np.abs(x).max() * scale), x.size / len(gamma), x.size / len(gamma)
    expected_gradients = reference.group_norm_backward(dy, x, gamma, *forward[1:], groups, 1e-3)
    for actual, expected, tolerance in zip(gradients, expected_gradients, tolerances):
        assert (actual.dtype, actual.shape) == (dtype, expected.shape)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=rounding * tolerance)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_a_group_is_a_batch_of_its_own(device, groups):
    """With gamma 1 and beta 0, a group's elements as one channel of batch normalization give the same."""
    x, dy, _, _ = drawn((3, 13, 11, 6), np.float64, "plain", 1)
    one, zero = np.ones(6), np.zeros(6)
    y, mean, var = device.group_norm(x, one, zero, groups, 1e-3)
    dx, _, _ = device.group_norm_backward(dy, x, one, mean, var, groups, 1e-3)
    together = 6 // groups
    for n in range(3):
        for g in range(groups):
            part = n, slice(None), slice(None), slice(g * together, (g + 1) * together)
            alone, alone_dy = x[part].reshape(-1, 1), dy[part].reshape(-1, 1)
            alone_y, alone_mean, alone_var = device.batch_norm(alone, one[:1], zero[:1], 1e-3)
            alone_dx = device.batch_norm_backward(alone_dy, alone, one[:1], alone_mean, alone_var, 1e-3)[0]
            assert_close(y[part].reshape(-1, 1), alone_y)
            assert_close(dx[part].reshape(-1, 1), alone_dx)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-3), (np.float64, 1e-9)])
def test_a_group_s_mean_far_larger_than_its_deviation(device, dtype, tolerance):
    x = np.random.default_rng(0).normal(size=(2, 97, 89, 6))
    x = (x + np.array([1000, 1000, 1000, -2000, -2000, -2000])).astype(dtype)
    _, mean, var = device.group_norm(x, np.ones(6, dtype), np.zeros(6, dtype), 2, 1e-3)
    exact = x.astype(np.float64).reshape(2, -1, 2, 3)
    np.testing.assert_allclose(mean, exact.mean(axis=(1, 3)), rtol=tolerance / 1000)
    np.testing.assert_allclose(var, exact.var(axis=(1, 3)), rtol=tolerance / 10)


def test_long_sums_keep_their_digits_in_float32(device):
    x, dy, gamma, beta = drawn((1, 512, 512, 2), np.float32, "plain", 2)
    dy += 1  # one sum of 262,144 numbers would lose three digits
    _, mean, var = device.group_norm(x, gamma, beta, 1, 1e-3)
    _, dgamma, dbeta = device.group_norm_backward(dy, x, gamma, mean, var, 1, 1e-3)
    exact, exact_dy = x.astype(np.float64), dy.astype(np.float64)
    np.testing.assert_allclose(mean[0, 0], exact.mean(), rtol=1e-6)
    np.testing.assert_allclose(var[0, 0], exact.var(), rtol=1e-6)
    np.testing.assert_allclose(dbeta, exact_dy.sum(axis=(0, 1, 2)), rtol=1e-6)
    products = exact_dy * (exact - exact.mean()) / np.sqrt(exact.var() + 1e-3)
    np.testing.assert_allclose(dgamma, products.sum(axis=(0, 1, 2)), rtol=0, atol=1e-6 * np.abs(products).sum())


def test_groups_of_one_number_and_constant_groups(device):
    gamma, beta = np.full(2, 2.0), np.array([0.5, -0.5])
    for x, groups in ((np.array([[3.0, -2.0]]), 2), (np.full((4, 5, 2), 7.0), 1)):
        y, mean, var = device.group_norm(x, gamma, beta, groups, 1e-3)
        np.testing.assert_array_equal(y, np.broadcast_to(beta, x.shape))
        np.testing.assert_array_equal(var, 0)
        dx, _, _ = device.group_norm_backward(np.ones(x.shape), x, gamma, mean, var, groups, 1e-3)
        np.testing.assert_array_equal(dx, 0)


def test_nan_and_infinity_stay_in_their_group(device):
    for wrong in (np.nan, np.inf):
        x, one = np.random.default_rng(0).normal(size=(3, 5, 4)), np.ones(4)
        x[1, 2, 0] = wrong
        y, mean, var = device.group_norm(x, one, one, 2, 1e-3)
        dx, dgamma, _ = device.group_norm_backward(np.ones(x.shape), x, one, mean, var, 2, 1e-3)
        for array in (y, dx):
            assert np.isnan(array[1, :, :2]).all()
            assert np.isfinite(array[1, :, 2:]).all()
            assert np.isfinite(array[::2]).all()
        assert np.isnan(var).tolist() == [[False, False], [True, False], [False, False]]
        assert np.isnan(dgamma).tolist() == [True, True, False, False]


@pytest.mark.parametrize("dtype", DTYPES)
def test_groups_give_the_same_bits_for_any_number_of_threads(device, dtype):
    x, dy, gamma, beta = drawn((3, 9, 16, 10), dtype, "plain", 3)
    one, two = (with_threads(k, device.group_norm, x, gamma, beta, 2, 1e-3) for k in (1, 2))
    _, mean, var = one
    one += with_threads(1, device.group_norm_backward, dy, x, gamma, mean, var, 2, 1e-3)
    two += with_threads(2, device.group_norm_backward, dy, x, gamma, mean, var, 2, 1e-3)
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)
