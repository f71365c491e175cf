"""The convolution kernels against the loops of the reference, over drawn shapes, strides, pads and layouts."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, at_least, dtypes, layouts, normal, seeds, windows
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from scratchnet import reference
from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.conv import depthwise_weight_grad, narrow
from scratchnet.kernels.cpu.conv.narrow_weight_grad import narrow_weight_grad
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.shapes import output_hw

channels = st.integers(1, 6)


@given(windows(), channels, channels, st.booleans(), dtypes, layouts, seeds)
def test_conv2d_and_its_gradients(device, window, C, F, use_bias, dtype, layout, seed):
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x, w = normal(rng, (N, *hw, C), dtype, layout), normal(rng, (*kernel, C, F), dtype, layout)
    b = normal(rng, (F,), dtype) if use_bias else None
    dy = normal(rng, (N, *output_hw(hw, kernel, strides, pads), F), dtype, layout)
    with Unchanged(x, w, dy):
        y = device.conv2d(x, w, b, strides, pads)
        dx = device.conv2d_input_grad(dy, w, hw, strides, pads)
        dw = device.conv2d_weight_grad(x, dy, kernel, strides, pads)
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    expected = reference.conv2d_backward(dy, x, w, strides, pads)
    assert_close(y, reference.conv2d(x, w, b, strides, pads), dtype)
    assert_close(dx, expected[0], dtype)
    assert_close(dw, expected[1], dtype)
    assert_close(device.bias_grad(dy.astype(dtype)), expected[2], dtype)


@given(windows(), channels, channels, st.booleans(), dtypes, layouts, seeds)
def test_conv2d_transpose_and_its_gradients(device, window, C, F, use_bias, dtype, layout, seed):
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x = normal(rng, (N, *output_hw(hw, kernel, strides, pads), F), dtype, layout)
    w, dy = normal(rng, (*kernel, C, F), dtype, layout), normal(rng, (N, *hw, C), dtype, layout)
    b = normal(rng, (C,), dtype) if use_bias else None
    with Unchanged(x, w, dy):
        y = device.conv2d_transpose(x, w, b, strides, pads, hw)
        dx = device.conv2d(dy, w, None, strides, pads)
        dw = device.conv2d_weight_grad(dy, x, kernel, strides, pads)
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    expected = reference.conv2d_transpose_backward(dy, x, w, strides, pads)
    assert_close(y, reference.conv2d_transpose(x, w, b, strides, pads, hw), dtype)
    assert_close(dx, expected[0], dtype)
    assert_close(dw, expected[1], dtype)


@given(windows(), channels, st.integers(1, 3), st.booleans(), dtypes, layouts, seeds)
def test_depthwise_conv2d_and_its_gradients(device, window, C, M, use_bias, dtype, layout, seed):
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x, w = normal(rng, (N, *hw, C), dtype, layout), normal(rng, (*kernel, C, M), dtype, layout)
    b = normal(rng, (C * M,), dtype) if use_bias else None
    dy = normal(rng, (N, *output_hw(hw, kernel, strides, pads), C * M), dtype, layout)
    with Unchanged(x, w, dy):
        y = device.depthwise_conv2d(x, w, b, strides, pads)
        dx = device.depthwise_conv2d_input_grad(dy, w, hw, strides, pads)
        dw = device.depthwise_conv2d_weight_grad(x, dy, kernel, strides, pads)
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    expected = reference.depthwise_conv2d_backward(dy, x, w, strides, pads)
    assert_close(y, reference.depthwise_conv2d(x, w, b, strides, pads), dtype)
    assert_close(dx, expected[0], dtype)
    assert_close(dw, expected[1], dtype)


@given(windows(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans(), dtypes, layouts, seeds)
def test_grouped_conv2d_and_its_gradients(device, window, groups, I, S, relu, dtype, layout, seed):  # noqa: E741
    """I channels and S filters in each group."""
    N, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x, w = normal(rng, (N, *hw, groups * I), dtype, layout), normal(rng, (*kernel, I, groups * S), dtype, layout)
    b, dy = (
        normal(rng, (groups * S,), dtype),
        normal(rng, (N, *output_hw(hw, kernel, strides, pads), groups * S), dtype, layout),
    )
    dw, db = normal(rng, w.shape, dtype), normal(rng, (groups * S,), dtype)
    before = dw.copy(), db.copy()
    with Unchanged(x, w, dy):
        y = device.grouped_conv2d(x, w, b, strides, pads, relu)
        dx = device.grouped_conv2d_input_grad(dy, w, groups, hw, strides, pads)
        device.grouped_conv2d_weight_grad(x, dy, kernel, strides, pads, dw, db)
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    expected, gradients = (
        reference.grouped_conv2d(x, w, b, strides, pads),
        reference.grouped_conv2d_backward(dy, x, w, strides, pads),
    )
    assert_close(y, np.maximum(expected, 0) if relu else expected, dtype)
    assert_close(dx, gradients[0], dtype)
    assert_close(dw, gradients[1] + before[0], dtype)
    assert_close(db, gradients[2] + before[1], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("groups", "I", "S"),
    [(2, 24, 40), (33, 1, 1), (17, 1, 2), (40, 2, 1), (9, 2, 2), (12, 4, 4), (3, 8, 8), (2, 3, 20), (3, 20, 3)],
)
@pytest.mark.parametrize(
    ("hw", "kernel", "strides", "pads"),
    [
        ((9, 11), (3, 3), (1, 1), ((1, 1), (1, 1))),
        ((9, 11), (3, 3), (2, 2), ((0, 1), (0, 1))),
        ((8, 19), (5, 5), (1, 1), ((2, 2), (2, 2))),
        ((8, 19), (5, 5), (2, 2), ((2, 2), (1, 2))),
        ((7, 9), (7, 4), (1, 3), ((3, 3), (0, 0))),
        ((7, 9), (1, 1), (2, 3), ((0, 0), (0, 0))),
    ],
)
def test_groups_that_fill_vectors_and_leave_a_rest(device, groups, I, S, hw, kernel, strides, pads, dtype):  # noqa: E741
    """Beyond the drawn sizes; against sums over views of the windows, group by group."""
    rng = np.random.default_rng(0)
    x, w = normal(rng, (3, *hw, groups * I), dtype), normal(rng, (*kernel, I, groups * S), dtype)
    views = windows_of(x, kernel, strides, pads)
    views = views.reshape(*views.shape[:3], groups, I, *kernel)
    apart = w.astype(np.float64).reshape(*kernel, I, groups, S)
    expected = np.einsum("nijgckl,klcgs->nijgs", views, apart)
    dy = normal(rng, (*expected.shape[:3], groups * S), dtype)
    y = device.grouped_conv2d(x, w, None, strides, pads)
    assert_close(y, expected.reshape(dy.shape), dtype)
    slopes = dy.astype(np.float64).reshape(expected.shape)
    dw = device.grouped_conv2d_weight_grad(x, dy, kernel, strides, pads, np.zeros_like(w))
    assert_close(dw, np.einsum("nijgckl,nijgs->klcgs", views, slopes).reshape(w.shape), dtype)
    dx = device.grouped_conv2d_input_grad(dy, w, groups, hw, strides, pads)
    alone = [
        device.conv2d_input_grad(
            np.ascontiguousarray(dy[..., g * S : (g + 1) * S]),
            np.ascontiguousarray(w[..., g * S : (g + 1) * S]),
            hw,
            strides,
            pads,
        )
        for g in range(groups)
    ]
    assert_close(dx, np.concatenate(alone, axis=-1).astype(np.float64), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_many_channels_and_a_larger_batch(device, dtype):
    """Beyond the drawn sizes: channels that fill vectors and leave a rest, a batch that fills several parts."""
    rng = np.random.default_rng(0)
    x, w = normal(rng, (19, 5, 6, 21), dtype), normal(rng, (3, 2, 21, 37), dtype)
    pads = ((1, 1), (0, 1))
    y = device.conv2d(x, w, None, (1, 2), pads)
    padded = np.pad(x.astype(np.float64), ((0, 0), *pads, (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, (3, 2), axis=(1, 2))[:, :, ::2]
    assert_close(y, np.einsum("nijckl,klcf->nijf", views, w.astype(np.float64)), dtype)
    dy = normal(rng, y.shape, dtype)
    dw = device.conv2d_weight_grad(x, dy, (3, 2), (1, 2), pads)
    assert_close(dw, np.einsum("nijckl,nijf->klcf", views, dy.astype(np.float64)), dtype)


def windows_of(x, kernel, strides, pads):
    """(N, OH, OW, C, KH, KW) of x with zeros around it."""
    padded = np.pad(x.astype(np.float64), ((0, 0), *pads, (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    return views[:, :: strides[0], :: strides[1]]


@pytest.mark.parametrize("I", [1, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_rows_of_all_widths_in_groups_of_few_channels(device, stride, I):  # noqa: E741
    """Each width is cut into other tiles, and leaves another rest; each tap meets every phase of the stride."""
    rng = np.random.default_rng(0)
    for width in range(1, 24):
        window, strides = ((2, 5) if width % 2 else (3, 3)), (stride, stride)
        pads = (0, 1), ((window[1] - 1) // 2, (window[1] - 1) // 2)
        x, w = normal(rng, (2, 4, width, 20), np.float64), normal(rng, (*window, I, 20), np.float64)
        views, apart = windows_of(x, window, strides, pads), w.reshape(*window, I, -1, I)
        views = views.reshape(*views.shape[:3], -1, I, *window)
        expected = np.einsum("nijgckl,klcgs->nijgs", views, apart).reshape(*views.shape[:3], 20)
        dy = normal(rng, expected.shape, np.float64)
        assert_close(device.grouped_conv2d(x, w, None, strides, pads), expected, np.float64)
        dw = device.grouped_conv2d_weight_grad(x, dy, window, strides, pads, np.zeros_like(w))
        slopes = dy.reshape(*dy.shape[:3], -1, I)
        assert_close(dw, np.einsum("nijgckl,nijgs->klcgs", views, slopes).reshape(w.shape), np.float64)
        dx = device.grouped_conv2d_input_grad(dy, w, 20 // I, (4, width), strides, pads)
        assert dx.shape == x.shape
        np.testing.assert_allclose(np.vdot(dx, x), np.vdot(dy, expected), rtol=1e-9, atol=1e-9)  # y is linear in x


def test_nan_of_one_channel_stays_in_it(device):
    """And in the outputs that see it, also where lanes change places within their group."""
    x = np.zeros((1, 9, 9, 32), np.float32)
    x[0, 4, 4, 5] = np.nan
    ones, pads = np.ones((3, 3, 1, 32), np.float32), ((1, 1), (1, 1))
    y = device.grouped_conv2d(x, ones, None, (1, 1), pads)
    assert np.isnan(y[0, 3:6, 3:6, 5]).all()
    assert np.isnan(y).sum() == 9
    y = device.grouped_conv2d(x, np.repeat(ones, 4, 2), None, (1, 1), pads)
    assert np.isnan(y[0, 3:6, 3:6, 4:8]).all()
    assert np.isnan(y).sum() == 36


def test_large_outputs_past_the_caches_are_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    x, w, dy = (normal(rng, shape, np.float32) for shape in ((2, 40, 24, 32), (3, 3, 32, 1), (2, 20, 12, 32)))
    pads = (0, 1), (0, 1)

    def both():
        y = cpu.depthwise_conv2d(x, w, None, (1, 1), ((1, 1), (1, 1)))
        return y, cpu.depthwise_conv2d_input_grad(dy, w, (40, 24), (2, 2), pads)

    expected = both()
    monkeypatch.setattr(narrow, "_STREAMED", 0)
    for streamed, in_caches in zip(both(), expected):
        np.testing.assert_array_equal(streamed, in_caches)


@settings(max_examples=at_least(60))
@given(
    st.sampled_from([3, 5]), st.sampled_from([0, 1, 2, 9]), st.integers(1, 9), st.integers(1, 25),
    st.tuples(*[st.integers(1, 3)] * 2), st.tuples(*[st.integers(0, 4)] * 4), st.integers(16, 50), dtypes, seeds,
)  # fmt: skip
@example(
    3, 9, 1, 1, (1, 1), (1, 1, 1, 1), 33, np.float32, 0
)  # eight cells in nine of the window are beside the picture
@example(3, 2, 9, 90, (1, 1), (1, 1, 1, 1), 48, np.float32, 0)  # the window slides over two strips of columns
@example(5, 2, 9, 90, (2, 2), (1, 2, 1, 2), 48, np.float64, 0)
@example(5, 1, 3, 4, (1, 1), (2, 2, 2, 2), 16, np.float32, 0)  # never does an output have all taps in the picture
@example(5, 1, 3, 3, (1, 1), (2, 2, 2, 2), 16, np.float32, 0)
@example(3, 1, 4, 6, (1, 1), (0, 0, 4, 0), 16, np.float32, 0)  # the first outputs see zeros only: none slides
def test_depthwise_pictures_as_they_lie(K, N, OH, OW, strides, around, C, dtype, seed):
    """Channels that fill a vector: x is not copied. Weights' gradients to the bits as if it were, where a row is taken
    at once. Some of x no window may see.
    """
    (sh, sw), (top, bottom, left, right) = strides, around
    H, W = (OH - 1) * sh + K - top - bottom + seed % sh, (OW - 1) * sw + K - left - right + seed % sw
    assume(H > 0 and W > 0)
    rng, pads = np.random.default_rng(seed), ((top, bottom), (left, right))
    x, dy, w, b = (normal(rng, shape, dtype) for shape in ((N, H, W, C), (N, OH, OW, C), (K, K, C, 1), (C,)))
    views = windows_of(x, (K, K), strides, pads)
    y = cpu.depthwise_conv2d(x, w, b, strides, pads)
    assert_close(y, np.einsum("nijckl,klc->nijc", views, w[..., 0].astype(np.float64)) + b, dtype)
    seen = np.zeros((N, H + top + bottom, W + left + right, C))
    for row, column in np.ndindex(K, K):
        given = dy.astype(np.float64) * w[row, column, :, 0]
        seen[:, row : row + sh * OH : sh, column : column + sw * OW : sw] += given
    dx = cpu.depthwise_conv2d_input_grad(dy, w, (H, W), strides, pads)
    assert_close(dx, seen[:, top : top + H, left : left + W], dtype)

    dw = cpu.depthwise_conv2d_weight_grad(x, dy, (K, K), strides, pads)
    assert_close(dw[..., 0], np.einsum("nijckl,nijc->klc", views, dy.astype(np.float64)), dtype)
    window = Window(K, K, sh, sw, top, left)
    assert depthwise_weight_grad.fits(x, dy, window) == (N > 0)
    if OW <= depthwise_weight_grad._COLUMNS:
        np.testing.assert_array_equal(dw.reshape(K, K, 1, C), narrow_weight_grad(x, dy, window, 1))


many = st.sampled_from([1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 40, 64, 65])


@settings(max_examples=at_least(60))
@given(windows(), st.sampled_from([1, 2, 6, 8, 9, 13, 19]), many, many, st.booleans(), dtypes, seeds)
@example((1, (3, 40), (1, 1), (1, 1), ((0, 0), (0, 0))), 1, 700, 40, True, np.float32, 0)  # weights beyond the cache
@example((1, (4, 5), (3, 3), (1, 1), ((1, 1), (1, 1))), 12, 130, 65, True, np.float64, 0)
@example((1, (7, 9), (3, 2), (1, 1), ((2, 1), (0, 1))), 40, 64, 3, True, np.float32, 0)  # few outputs
@example((1, (9, 8), (3, 4), (2, 3), ((0, 1), (2, 1))), 6, 3, 64, False, np.float32, 0)  # few outputs of dx
def test_channels_that_fill_tiles_and_leave_a_rest(device, window, N, C, F, relu, dtype, seed):
    """All three kernels where tiles, panels, parts and pictures are many; against sums over views of the windows."""
    _, hw, kernel, strides, pads = window
    rng = np.random.default_rng(seed)
    x, w, b = normal(rng, (N, *hw, C), dtype), normal(rng, (*kernel, C, F), dtype), normal(rng, (F,), dtype)
    views = windows_of(x, kernel, strides, pads)
    expected = np.einsum("nijckl,klcf->nijf", views, w.astype(np.float64)) + b
    dy = normal(rng, expected.shape, dtype)
    assert_close(device.conv2d(x, w, b, strides, pads, relu), np.maximum(expected, 0) if relu else expected, dtype)
    dw, db = normal(rng, w.shape, dtype), normal(rng, (F,), dtype)
    sums = np.einsum("nijckl,nijf->klcf", views, dy.astype(np.float64)) + dw, dy.sum((0, 1, 2), np.float64) + db
    device.conv2d_weight_grad(x, dy, kernel, strides, pads, dw, db)
    assert_close(dw, sums[0], dtype)
    assert_close(db, sums[1], dtype)
    # <dx, x> = <dy, y without bias> for every x: the two are transposed to each other.
    dx = device.conv2d_input_grad(dy, w, hw, strides, pads)
    other = normal(rng, x.shape, np.float64)
    through = np.einsum("nijckl,klcf->nijf", windows_of(other, kernel, strides, pads), w.astype(np.float64))
    left, right = (dx.astype(np.float64) * other).sum(), (dy.astype(np.float64) * through).sum()
    scale = np.sqrt((dx.astype(np.float64) ** 2).sum() * (other**2).sum())
    assert abs(left - right) <= (1e-5 if dtype == np.float32 else 1e-12) * max(scale, 1e-3)


def test_nan_is_seen_and_stays_where_it_is(device):
    x = np.zeros((2, 4, 4, 1), np.float32)
    x[0, 0, 0, 0] = np.nan
    y = device.conv2d(x, np.ones((2, 2, 1, 3), np.float32), None, (1, 1), ((0, 0), (0, 0)))
    assert np.isnan(y[0, 0, 0]).all()
    assert np.isnan(y).sum() == 3


def test_results_are_fresh_arrays(device):
    x, w = np.ones((1, 3, 3, 1)), np.ones((1, 1, 1, 1))
    first = device.conv2d(x, w, None, (1, 1), ((0, 0), (0, 0)))
    second = device.conv2d(x, w, None, (1, 1), ((0, 0), (0, 0)))
    assert not np.shares_memory(first, second)
    assert not np.shares_memory(first, x)


def test_a_batch_of_no_examples_has_gradients_of_zero(device):
    x, dy, window = np.zeros((0, 5, 5, 2)), np.zeros((0, 3, 3, 4)), ((3, 3), (1, 1), ((0, 0), (0, 0)))
    for gradient in (device.conv2d_weight_grad(x, dy, *window), device.depthwise_conv2d_weight_grad(x, dy, *window)):
        assert gradient.size
        assert not gradient.any()
