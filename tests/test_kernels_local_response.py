"""Local response normalization's kernels against the loops: windows at the ends, blocks, powers, NaN, TensorFlow."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference

# depth_radius, bias, alpha, beta
ALEXNET = (2, 2.0, 1e-4, 0.75)
OTHERS = [(5, 1.0, 1.0, 0.5), (1, 0.3, 0.8, 0.75), (3, 1.5, 0.2, 1.3), (0, 1.0, 2.0, 1.0), (2, 1.0, 0.0, 0.0)]
SETTINGS = [ALEXNET, *OTHERS]
shapes = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)


def both(functions, dy, x, settings):
    """[y, dx] by a device's kernels or by the reference."""
    return [functions.local_response_norm(x, *settings), functions.local_response_norm_backward(dy, x, *settings)]


def assert_right(device, dy, x, settings, dtype):
    with Unchanged(dy, x):
        actual = both(device, dy, x, settings)
    for a, e in zip(actual, both(reference, dy.astype(np.float64), x.astype(np.float64), settings)):
        assert_close(a, e, dtype)


@given(shapes, st.sampled_from(SETTINGS), st.sampled_from([1, 30]), dtypes, layouts, seeds)
def test_values_and_gradients(device, shape, settings, size, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, shape, dtype, layout) * dtype(size), normal(rng, shape, dtype, layout)
    assert_right(device, dy, x, settings, dtype)


def assert_right_by_a_matrix(device, shape, settings, dtype):
    """The same where the reference's loops would take long: near[j, c] says which channels are added up."""
    rng = np.random.default_rng(0)
    x, dy = 3 * normal(rng, shape, dtype), normal(rng, shape, dtype)
    wide, d, (radius, bias, alpha, beta) = x.astype(np.float64), dy.astype(np.float64), settings
    near = np.abs(np.subtract.outer(*2 * [np.arange(shape[1])])) <= radius
    s = bias + alpha * wide**2 @ near
    through = d * wide * s ** (-beta - 1) @ near
    expected = wide * s**-beta, d * s**-beta - 2 * alpha * beta * wide * through
    for a, e in zip(both(device, dy, x, settings), expected):
        assert_close(a, e, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("radius", [2, 40])
def test_rows_longer_than_a_block_of_threads(device, radius, dtype):
    for shape in ((2, 256), (1, 300), (3, 513)):
        assert_right_by_a_matrix(device, shape, (radius, 0.5, 0.1, 0.75), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_many_rows_and_rows_longer_than_a_task(device, dtype):
    for shape in ((45, 96), (2, 2100), (1030, 2), (700, 3)):
        assert_right_by_a_matrix(device, shape, (2, 0.5, 0.1, 0.5), dtype)


def test_a_window_wider_than_the_channels(device):
    x, dy = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    for actual, expected in zip(both(device, dy, x, (1000, 1.0, 0.5, 0.75)), both(device, dy, x, (4, 1.0, 0.5, 0.75))):
        np.testing.assert_array_equal(actual, expected)


def test_no_examples(device):
    x = np.ones((0, 3, 4), np.float32)
    assert [a.shape for a in both(device, x, x, ALEXNET)] == [x.shape, x.shape]


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_spreads_to_the_channels_near_it_and_no_further(device, dtype):
    x, one = np.ones((3, 9), dtype), np.ones((3, 9), dtype)
    x[1, 4] = np.nan
    y, dx = both(device, one, x, (1, 1.0, 1.0, 0.75))
    assert np.isnan(y).nonzero()[1].tolist() == [3, 4, 5]
    assert np.isnan(dx).nonzero()[1].tolist() == [2, 3, 4, 5, 6]
    dx = device.local_response_norm_backward(x, one, 1, 1.0, 1.0, 0.75)
    assert np.isnan(dx).nonzero()[1].tolist() == [3, 4, 5]


def test_the_same_bits_for_any_number_of_threads(device):
    x = np.random.default_rng(0).normal(size=(300, 31)).astype(np.float32)
    for settings in SETTINGS:
        for one, two in zip(*(with_threads(k, both, device, x, x, settings) for k in (1, 2))):
            np.testing.assert_array_equal(one, two)


def test_settings_that_make_no_sense(device):
    x = np.ones((2, 3))
    for settings, message in (
        ((-1, 1.0, 1.0, 0.5), "expected depth_radius as a whole number of at least 0, got -1"),
        ((1.5, 1.0, 1.0, 0.5), "expected depth_radius as a whole number of at least 0, got 1.5"),
        ((2, 0.0, 1.0, 0.5), "expected a bias above 0, and alpha and beta of at least 0, got 0.0, 1.0, 0.5"),
        ((2, 1.0, -1.0, 0.5), "got 1.0, -1.0, 0.5"),
        ((2, 1.0, 1.0, np.nan), "got 1.0, 1.0, nan"),
    ):
        for call in (device.local_response_norm, lambda *a: device.local_response_norm_backward(x, *a)):
            with pytest.raises(ValueError, match=message):
                call(x, *settings)
