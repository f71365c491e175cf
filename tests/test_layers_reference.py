"""The layers against the literal loops: that each hands its arguments on as the formulas mean them."""

import numpy as np
from compare import TOLERANCE, assert_close, dtypes, seeds
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import reference
from scratchnet.layers import (
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    GroupNormalization,
    MaxPooling2D,
)
from scratchnet.shapes import pads_2d


@st.composite
def settings_of_a_window(draw):
    """(H, W), kernel size, strides, padding of a window that fits."""
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    strides = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding = draw(st.sampled_from(["valid", "same"]))
    hw = tuple(draw(st.integers(k if padding == "valid" else 1, 7)) for k in kernel)
    return hw, kernel, strides, padding


def run(layer, rng, hw, dtype):
    """The layer's y, dx and grads, with x, dy and the weights in float64 for the reference."""
    x = rng.normal(size=(2, *hw, 3)).astype(dtype)
    layer.build(x.shape)
    layer.set_weights([rng.normal(size=w.shape).astype(dtype) for w in layer.get_weights()])
    y = layer.forward(x)
    dy = rng.normal(size=y.shape).astype(dtype)
    dx = layer.backward(dy)
    wide = [a.astype(np.float64) for a in (x, dy, *layer.get_weights())]
    return [y, dx, *layer.grads.values()], wide


@given(settings_of_a_window(), dtypes, seeds)
def test_conv2d(window, dtype, seed):
    hw, kernel, strides, padding = window
    layer = Conv2D(2, kernel, strides, padding)
    actual, (x, dy, w, b) = run(layer, np.random.default_rng(seed), hw, dtype)
    pads = pads_2d(hw, kernel, strides, padding)
    expected = [reference.conv2d(x, w, b, strides, pads), *reference.conv2d_backward(dy, x, w, strides, pads)]
    for a, e in zip(actual, expected):
        assert_close(a, e, dtype)


@given(settings_of_a_window(), dtypes, seeds)
def test_conv2d_transpose(window, dtype, seed):
    hw, kernel, strides, padding = window
    layer = Conv2DTranspose(2, kernel, strides, padding)
    actual, (x, dy, w, b) = run(layer, np.random.default_rng(seed), hw, dtype)
    larger = dy.shape[1:3]
    pads = pads_2d(larger, kernel, strides, padding)
    y = reference.conv2d_transpose(x, w, b, strides, pads, larger)
    for a, e in zip(actual, [y, *reference.conv2d_transpose_backward(dy, x, w, strides, pads)]):
        assert_close(a, e, dtype)


@given(settings_of_a_window(), st.integers(1, 2), dtypes, seeds)
def test_depthwise_conv2d(window, multiplier, dtype, seed):
    hw, kernel, strides, padding = window
    layer = DepthwiseConv2D(kernel, strides, padding, multiplier)
    actual, (x, dy, w, b) = run(layer, np.random.default_rng(seed), hw, dtype)
    pads = pads_2d(hw, kernel, strides, padding)
    y = reference.depthwise_conv2d(x, w, b, strides, pads)
    for a, e in zip(actual, [y, *reference.depthwise_conv2d_backward(dy, x, w, strides, pads)]):
        assert_close(a, e, dtype)


@given(settings_of_a_window(), dtypes, seeds)
def test_max_pooling(window, dtype, seed):
    hw, size, strides, padding = window
    actual, (x, dy) = run(MaxPooling2D(size, strides, padding), np.random.default_rng(seed), hw, dtype)
    y, argmax = reference.max_pool2d(x, size, strides, pads_2d(hw, size, strides, padding))
    for a, e in zip(actual, [y, reference.max_pool2d_backward(dy, argmax, hw)]):
        assert_close(a, e, dtype)


@given(settings_of_a_window(), dtypes, seeds)
def test_average_pooling(window, dtype, seed):
    hw, size, strides, padding = window
    actual, (x, dy) = run(AveragePooling2D(size, strides, padding), np.random.default_rng(seed), hw, dtype)
    settings = size, strides, pads_2d(hw, size, strides, padding)
    for a, e in zip(
        actual, [reference.average_pool2d(x, *settings), reference.average_pool2d_backward(dy, hw, *settings)]
    ):
        assert_close(a, e, dtype)


@given(dtypes, seeds)
def test_dense(dtype, seed):
    layer, rng = Dense(4), np.random.default_rng(seed)
    actual, (x, dy, w, b) = run(layer, rng, (2, 1), dtype)
    x, dy = x.reshape(-1, 3), dy.reshape(-1, 4)
    dx, dw, db = reference.dense_backward(dy, x, w)
    shapes = [a.shape for a in actual]
    for a, e, shape in zip(actual, [reference.dense(x, w, b), dx, dw, db], shapes):
        assert_close(a, e.reshape(shape), dtype)


@given(seeds)
def test_batch_normalization(seed):
    rng = np.random.default_rng(seed)
    layer, x = BatchNormalization(), rng.normal(3, 2, (4, 2, 3, 2))
    layer.build(x.shape)
    gamma, beta, mean, var = rng.normal(size=2), rng.normal(size=2), rng.normal(size=2), rng.uniform(0.5, 2, 2)
    layer.set_weights([gamma, beta, mean, var])
    expected = reference.batch_norm_inference(x, gamma, beta, mean, var, 1e-3)
    assert_close(layer.forward(x), expected)
    y, *statistics = reference.batch_norm(x, gamma, beta, 1e-3)
    assert_close(layer.forward(x, training=True), y)
    dy = rng.normal(size=x.shape)
    dx = layer.backward(dy)
    for a, e in zip([dx, *layer.grads.values()], reference.batch_norm_backward(dy, x, gamma, *statistics, 1e-3)):
        assert_close(a, e)


@given(st.sampled_from([1, 2, 3, 6, -1]), dtypes, seeds)
def test_group_normalization(groups, dtype, seed):
    rng = np.random.default_rng(seed)
    layer, x, dy = (
        GroupNormalization(groups),
        rng.normal(1, 2, (3, 2, 2, 6)).astype(dtype),
        rng.normal(size=(3, 2, 2, 6)),
    )
    layer.build(x.shape)
    layer.set_weights(list(rng.normal(size=(2, 6))))
    y, dx = layer.forward(x), layer.backward(dy.astype(dtype))
    x, dy, gamma, beta = (a.astype(np.float64) for a in (x, dy.astype(dtype), *layer.get_weights()))
    groups = 6 if groups == -1 else groups
    expected, *statistics = reference.group_norm(x, gamma, beta, groups, 1e-3)
    gradients = reference.group_norm_backward(dy, x, gamma, *statistics, groups, 1e-3)
    # Where a group is a few numbers that lie together, rounding is as much larger as their deviation is smaller.
    deviation = min(1, np.sqrt(statistics[1].min() + 1e-3))
    for a, e in zip([y, dx, *layer.grads.values()], [expected, *gradients]):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, e, rtol=0, atol=TOLERANCE[dtype] * max(1, np.abs(e).max()) / deviation**2)
