"""The convolution kernels against the loops of the reference, over drawn shapes, strides, pads and layouts."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds, windows
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import reference
from scratchnet.kernels import cpu, of
from scratchnet.shapes import output_hw

channels = st.integers(1, 6)


@given(windows(), channels, channels, st.booleans(), dtypes, layouts, seeds)
def test_conv2d_and_its_gradients(window, C, F, use_bias, dtype, layout, seed):
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x, w = normal(rng, (N, *hw, C), dtype, layout), normal(rng, (*kernel, C, F), dtype, layout)
    b = normal(rng, (F,), dtype) if use_bias else None
    dy = normal(rng, (N, *output_hw(hw, kernel, strides, pads), F), dtype, layout)
    with Unchanged(x, w, dy):
        y = cpu.conv2d(x, w, b, strides, pads)
        dx = cpu.conv2d_input_grad(dy, w, hw, strides, pads)
        dw = cpu.conv2d_weight_grad(x, dy, kernel, strides, pads)
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    expected = reference.conv2d_backward(x, w, dy, strides, pads)
    assert_close(y, reference.conv2d(x, w, b, strides, pads), dtype)
    assert_close(dx, expected[0], dtype)
    assert_close(dw, expected[1], dtype)
    assert_close(cpu.bias_grad(dy.astype(dtype)), expected[2], dtype)


@given(windows(), channels, channels, st.booleans(), dtypes, layouts, seeds)
def test_conv2d_transpose_and_its_gradients(window, C, F, use_bias, dtype, layout, seed):
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x = normal(rng, (N, *output_hw(hw, kernel, strides, pads), F), dtype, layout)
    w, dy = normal(rng, (*kernel, C, F), dtype, layout), normal(rng, (N, *hw, C), dtype, layout)
    b = normal(rng, (C,), dtype) if use_bias else None
    with Unchanged(x, w, dy):
        y = cpu.conv2d_transpose(x, w, b, strides, pads, hw)
        dx = cpu.conv2d(dy, w, None, strides, pads)
        dw = cpu.conv2d_weight_grad(dy, x, kernel, strides, pads)
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    expected = reference.conv2d_transpose_backward(x, w, dy, strides, pads)
    assert_close(y, reference.conv2d_transpose(x, w, b, strides, pads, hw), dtype)
    assert_close(dx, expected[0], dtype)
    assert_close(dw, expected[1], dtype)


@given(windows(), channels, st.integers(1, 3), st.booleans(), dtypes, layouts, seeds)
def test_depthwise_conv2d_and_its_gradients(window, C, M, use_bias, dtype, layout, seed):
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x, w = normal(rng, (N, *hw, C), dtype, layout), normal(rng, (*kernel, C, M), dtype, layout)
    b = normal(rng, (C * M,), dtype) if use_bias else None
    dy = normal(rng, (N, *output_hw(hw, kernel, strides, pads), C * M), dtype, layout)
    with Unchanged(x, w, dy):
        y = cpu.depthwise_conv2d(x, w, b, strides, pads)
        dx = cpu.depthwise_conv2d_input_grad(dy, w, hw, strides, pads)
        dw = cpu.depthwise_conv2d_weight_grad(x, dy, kernel, strides, pads)
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    expected = reference.depthwise_conv2d_backward(x, w, dy, strides, pads)
    assert_close(y, reference.depthwise_conv2d(x, w, b, strides, pads), dtype)
    assert_close(dx, expected[0], dtype)
    assert_close(dw, expected[1], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_many_channels_and_a_larger_batch(dtype):
    """Beyond the drawn sizes: channels that fill vectors and leave a rest, a batch that fills several parts."""
    rng = np.random.default_rng(0)
    x, w = normal(rng, (19, 5, 6, 21), dtype), normal(rng, (3, 2, 21, 37), dtype)
    pads = ((1, 1), (0, 1))
    y = cpu.conv2d(x, w, None, (1, 2), pads)
    padded = np.pad(x.astype(np.float64), ((0, 0), *pads, (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, (3, 2), axis=(1, 2))[:, :, ::2]
    assert_close(y, np.einsum("nijckl,klcf->nijf", views, w.astype(np.float64)), dtype)
    dy = normal(rng, y.shape, dtype)
    dw = cpu.conv2d_weight_grad(x, dy, (3, 2), (1, 2), pads)
    assert_close(dw, np.einsum("nijckl,nijf->klcf", views, dy.astype(np.float64)), dtype)


def test_nan_is_seen_and_stays_where_it_is():
    x = np.zeros((2, 4, 4, 1), np.float32)
    x[0, 0, 0, 0] = np.nan
    y = cpu.conv2d(x, np.ones((2, 2, 1, 3), np.float32), None, (1, 1), ((0, 0), (0, 0)))
    assert np.isnan(y[0, 0, 0]).all()
    assert np.isnan(y).sum() == 3


def test_results_are_fresh_arrays():
    x, w = np.ones((1, 3, 3, 1)), np.ones((1, 1, 1, 1))
    first = cpu.conv2d(x, w, None, (1, 1), ((0, 0), (0, 0)))
    second = cpu.conv2d(x, w, None, (1, 1), ((0, 0), (0, 0)))
    assert not np.shares_memory(first, second)
    assert not np.shares_memory(first, x)


def test_kernels_of_something_else_is_an_error():
    assert of(np.ones(1)) is cpu
    with pytest.raises(TypeError, match="expected a NumPy array, got list"):
        of([1.0])
