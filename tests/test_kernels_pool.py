"""The pooling kernels against the loops of the reference: overlapping windows, pads, ties, NaN."""

import numpy as np
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds, windows
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import reference
from scratchnet.shapes import output_hw


@given(windows(), st.integers(1, 5), st.booleans(), dtypes, layouts, seeds)
def test_max_pool2d(device, window, C, ties, dtype, layout, seed):
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x = normal(rng, (N, *hw, C), dtype, layout)
    x = np.sign(x) if ties else x
    dy = normal(rng, (N, *output_hw(hw, kernel, strides, pads), C), dtype, layout)
    with Unchanged(x, dy):
        y, argmax = device.max_pool2d(x, kernel, strides, pads)
        dx = device.max_pool2d_backward(dy, argmax, hw, kernel, strides, pads)
    expected, where = reference.max_pool2d(x, kernel, strides, pads)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(argmax, where)
    assert argmax.dtype == np.int32
    assert_close(dx, reference.max_pool2d_backward(dy.astype(np.float64), where, hw), dtype)


@given(windows(), st.integers(1, 5), dtypes, layouts, seeds)
def test_average_pool2d(device, window, C, dtype, layout, seed):
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x = normal(rng, (N, *hw, C), dtype, layout)
    dy = normal(rng, (N, *output_hw(hw, kernel, strides, pads), C), dtype, layout)
    with Unchanged(x, dy):
        y = device.average_pool2d(x, kernel, strides, pads)
        dx = device.average_pool2d_backward(dy, hw, kernel, strides, pads)
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    assert_close(y, reference.average_pool2d(x, kernel, strides, pads), dtype)
    assert_close(dx, reference.average_pool2d_backward(dy, hw, kernel, strides, pads), dtype)


def test_first_of_equal_maxima_takes_the_gradient(device):
    _, argmax = device.max_pool2d(np.ones((1, 2, 2, 1)), (2, 2), (2, 2), ((0, 0), (0, 0)))
    assert argmax.item() == 0
    x = np.array([0.0, 3.0, 3.0, 3.0]).reshape(1, 2, 2, 1)
    _, argmax = device.max_pool2d(x, (2, 2), (2, 2), ((0, 0), (0, 0)))
    assert argmax.item() == 1


def test_nan_and_infinities_in_a_window(device):
    pads = ((0, 0), (0, 0))
    for place in range(4):
        x = np.arange(4.0).reshape(1, 2, 2, 1)
        x.reshape(-1)[place] = np.nan
        assert np.isnan(device.max_pool2d(x, (2, 2), (2, 2), pads)[0]).all()
    y, argmax = device.max_pool2d(np.full((1, 2, 2, 1), -np.inf), (2, 2), (2, 2), pads)
    assert y.item() == -np.inf
    assert argmax.item() == 0


def test_padding_neither_wins_nor_counts(device):
    x, pads = np.full((1, 3, 3, 2), -5.0), ((1, 1), (1, 1))
    assert (device.max_pool2d(x, (3, 3), (2, 2), pads)[0] == -5).all()
    assert (device.average_pool2d(x, (3, 3), (2, 2), pads) == -5).all()


@given(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.integers(1, 5), dtypes, seeds)
def test_global_average_pool2d(device, N, H, W, C, dtype, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, (N, H, W, C), dtype), normal(rng, (N, C), dtype)
    assert_close(device.global_average_pool2d(x), x.astype(np.float64).mean(axis=(1, 2)), dtype)
    expected = np.broadcast_to(dy.astype(np.float64)[:, None, None] / (H * W), x.shape)
    assert_close(device.global_average_pool2d_backward(dy, (H, W)), expected, dtype)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), seeds)
def test_upsample2d(device, N, H, W, sh, sw, seed):
    rng = np.random.default_rng(seed)
    for dtype in DTYPES:
        x, dy = normal(rng, (N, H, W, 2), dtype), normal(rng, (N, H * sh, W * sw, 2), dtype)
        y = device.upsample2d(x, (sh, sw))
        dx = np.zeros(x.shape)
        for n, h, v, c in np.ndindex(*y.shape):
            assert y[n, h, v, c] == x[n, h // sh, v // sw, c]
            dx[n, h // sh, v // sw, c] += dy[n, h, v, c]
        assert_close(device.upsample2d_backward(dy, (sh, sw)), dx, dtype)
