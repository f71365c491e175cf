"""Convolutions with fewer multiplications, against sums over views of the windows: any size, stride, padding, batch."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, at_least, dtypes, normal, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kernels_conv import windows_of

from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.conv import conv2d
from scratchnet.kernels.cpu.conv.weight_grad import FEW_CHANNELS
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES
from scratchnet.kernels.cpu.winograd import conv2d as winograd
from scratchnet.kernels.cpu.winograd import transforms
from scratchnet.kernels.cpu.winograd.magnitude import is_even
from scratchnet.shapes import output_hw

# Numbers in a vector, but no fewer than the channels that col2im takes for itself.
LANES = {dtype: max(FEW_CHANNELS, VECTOR_BYTES // np.dtype(dtype).itemsize) for dtype in DTYPES}


@pytest.fixture
def everywhere(monkeypatch):
    """This way wherever it can go, also where it is not faster."""
    monkeypatch.setattr(winograd, "FEWEST_TILES", 0)
    monkeypatch.setattr(winograd, "FEWEST_CHANNELS", 1)
    monkeypatch.setattr(winograd, "LARGEST_PART", np.inf)


@pytest.fixture
def calls(monkeypatch):
    """The names of the kernels of this way that were called."""
    called = []

    def spy(name, kernel):
        def call(*arguments):
            called.append(name)
            kernel(*arguments)

        monkeypatch.setattr(conv2d, name, call)

    for name in ("winograd_conv2d", "winograd_weight_grad"):
        spy(name, getattr(conv2d, name))
    return called


algorithms = st.sampled_from(sorted(transforms.POINTS))


@st.composite
def tiled_windows(draw, r):
    """(N, (H, W), (KH, KW), strides, pads) whose kernel has r x r cells for each remainder by the strides."""
    axes = []
    for _ in range(2):
        stride = draw(st.integers(1, 3))
        kernel = r * stride
        pads = draw(st.integers(0, kernel - 1)), draw(st.integers(0, kernel - 1))
        size = draw(st.integers(max(1, kernel - sum(pads)), kernel + 7))
        axes.append((size, kernel, stride, pads))
    sizes, kernels, strides, pads = zip(*axes)
    return draw(st.sampled_from([1, 2, 5, 9])), sizes, kernels, strides, pads


@given(algorithms, seeds)
def test_the_transforms_are_those_of_a_sum_over_a_kernel(algorithm, seed):
    """y = A^T ((G g) * (B^T d)), for the outputs and for the gradient of the weights."""
    rng, matrices = np.random.default_rng(seed), transforms.MATRICES
    d = rng.normal(size=algorithm.n)
    for G, A, cells in (
        (transforms.FILTER, transforms.OUTPUT, algorithm.r),
        (transforms.OUTPUT_GRAD, transforms.FILTER_GRAD, algorithm.m),
    ):
        g = rng.normal(size=cells)
        products = (matrices[G[algorithm]] @ g) * (matrices[transforms.INPUT[algorithm]] @ d)
        np.testing.assert_allclose(matrices[A[algorithm]] @ products, np.correlate(d, g), atol=1e-13)


@settings(max_examples=at_least(60))
@given(algorithms, st.data(), st.integers(1, 5), st.integers(1, 5), st.booleans(), st.booleans(), dtypes, seeds)
def test_all_three_kernels(algorithm, data, channels, filters, relu, use_bias, dtype, seed):
    N, hw, kernel, strides, pads = data.draw(tiled_windows(algorithm.r))
    C, F, rng = channels * LANES[dtype], filters * LANES[dtype], np.random.default_rng(seed)
    x, w = normal(rng, (N, *hw, C), dtype), normal(rng, (*kernel, C, F), dtype)
    b = normal(rng, (F,), dtype) if use_bias else None
    dy = normal(rng, (N, *output_hw(hw, kernel, strides, pads), F), dtype)
    with pytest.MonkeyPatch.context() as patch, Unchanged(x, w, dy):
        everywhere.__wrapped__(patch)
        patch.setattr(winograd, "POINTS", {algorithm: ()})  # no other to choose
        called = calls.__wrapped__(patch)
        y = cpu.conv2d(x, w, b, strides, pads, relu)
        dw, db = normal(rng, w.shape, dtype), normal(rng, (F,), dtype)
        before = dw.astype(np.float64), db.astype(np.float64)
        cpu.conv2d_weight_grad(x, dy, kernel, strides, pads, dw, db)
        assert called == ["winograd_conv2d", "winograd_weight_grad"]
        dx = cpu.conv2d_input_grad(dy, w, hw, strides, pads)
        phases = min(strides[0], hw[0]) * min(strides[1], hw[1])
        assert called[2:] == ["winograd_conv2d"] * phases
    views = windows_of(x, kernel, strides, pads)
    expected = np.einsum("nijckl,klcf->nijf", views, w.astype(np.float64)) + (0 if b is None else b)
    assert_close(y, np.maximum(expected, 0) if relu else expected, dtype)
    assert_close(dw, before[0] + np.einsum("nijckl,nijf->klcf", views, dy.astype(np.float64)), dtype)
    assert_close(db, before[1] + dy.sum((0, 1, 2), np.float64), dtype)
    expected = np.zeros((N, hw[0] + sum(pads[0]), hw[1] + sum(pads[1]), C))
    columns = np.einsum("nijf,klcf->nijklc", dy.astype(np.float64), w.astype(np.float64))
    for i, j, k, l in np.ndindex(columns.shape[1:5]):  # noqa: E741
        expected[:, strides[0] * i + k, strides[1] * j + l] += columns[:, i, j, k, l]
    inside = expected[:, pads[0][0] : pads[0][0] + hw[0], pads[1][0] : pads[1][0] + hw[1]]
    assert_close(dx, inside, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("size", "kernel", "stride"), [(13, 3, 1), (12, 4, 2)])
def test_layers_with_many_channels_go_this_way(dtype, size, kernel, stride, calls):
    """Without being asked to; a batch in many blocks and chunks, weights beyond the first-level cache."""
    rng = np.random.default_rng(0)
    x, w = normal(rng, (40, size, size, 320), dtype), normal(rng, (kernel, kernel, 320, 64), dtype)
    pads, strides = ((1, 1), (1, 1)), (stride, stride)
    y = cpu.conv2d(x, w, None, strides, pads)
    views = windows_of(x, (kernel, kernel), strides, pads)
    assert_close(y, np.einsum("nijckl,klcf->nijf", views, w.astype(np.float64), optimize=True), dtype)
    dw = cpu.conv2d_weight_grad(x, y, (kernel, kernel), strides, pads)
    assert_close(dw, np.einsum("nijckl,nijf->klcf", views, y.astype(np.float64), optimize=True), dtype)
    assert calls == ["winograd_conv2d", "winograd_weight_grad"]


@pytest.mark.parametrize(
    ("shape", "kernel", "hw", "filters"),
    [
        ((32, 16, 16, 63), Window(3, 3, 1, 1, 1, 1), (16, 16), 64),  # channels that leave a rest
        ((32, 16, 16, 64), Window(3, 3, 1, 1, 1, 1), (16, 16), 65),
        ((32, 16, 16, 64), Window(5, 5, 1, 1, 2, 2), (16, 16), 64),
        ((32, 16, 16, 64), Window(3, 2, 1, 1, 1, 1), (16, 16), 64),
        ((32, 16, 16, 64), Window(3, 3, 2, 2, 1, 1), (8, 8), 64),  # remainders with kernels of several sizes
        ((32, 16, 16, 32), Window(3, 3, 1, 1, 1, 1), (16, 16), 64),  # few channels
        ((1, 16, 16, 64), Window(3, 3, 1, 1, 1, 1), (16, 16), 64),  # few tiles
        ((512, 2, 2, 64), Window(2, 2, 1, 1, 0, 0), (1, 1), 64),  # one output of four is needed
    ],
)
def test_where_it_does_not_go(shape, kernel, hw, filters):
    assert winograd.choose_algorithm(shape, kernel, hw, filters, 4) is None


@pytest.mark.parametrize(
    ("N", "size", "for_weights", "algorithm"),
    [
        (64, 16, False, (4, 2)),
        (64, 8, False, (2, 2)),  # 256 tiles are few for the filter transforms of four remainders, 25 numbers each
        (64, 8, True, (4, 2)),
        (24, 8, True, (2, 2)),
        (64, 6, True, (2, 2)),  # two tiles of four outputs would reach over the edge
    ],
)
def test_which_algorithm(N, size, for_weights, algorithm):
    window, hw = Window(4, 4, 2, 2, 1, 1), (size, size)
    assert winograd.choose_algorithm((N, 2 * size, 2 * size, 64), window, hw, 128, 4, for_weights) == algorithm


def test_a_nan_is_seen_in_its_tile_and_nowhere_else(everywhere):
    x, w = np.zeros((1, 8, 8, LANES[np.float32]), np.float32), np.ones((3, 3, *[LANES[np.float32]] * 2), np.float32)
    x[0, 0, 0, 0] = np.nan
    y = cpu.conv2d(x, w, None, (1, 1), ((0, 0), (0, 0)))
    assert np.isnan(y[0, 0, 0]).all()
    assert not np.isnan(y[0, 2:]).any()
    assert not np.isnan(y[0, :, 2:]).any()


def direct_transpose(x, w):
    """Conv2DTranspose(F, 4, strides=2, padding="same") in float64."""
    (_, H, W, _), y = x.shape, np.zeros((len(x), 2 * x.shape[1] + 2, 2 * x.shape[2] + 2, w.shape[2]))
    for i in range(H):
        for j in range(W):
            y[:, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += np.einsum("nc,klfc->nklf", x[:, i, j], w)
    return y[:, 1:-1, 1:-1]


@pytest.mark.parametrize("value", [1e4, 1e5, 1e20, 1e30])
def test_a_huge_pixel_leaves_its_neighbours_alone(value):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 12, 12, 64)).astype(np.float32), rng.normal(size=(4, 4, 64, 64)).astype(np.float32) / 32
    for channels in (slice(None), slice(3, 4)):
        x[0, 5, 5, channels] = value
        y = cpu.conv2d_transpose(x, w, None, (2, 2), ((1, 1), (1, 1)), (24, 24))
        error = np.abs(y - direct_transpose(x.astype(np.float64), w.astype(np.float64)))
        error[0, 9:13, 9:13] = 0
        assert error.max() < 1e-4


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("relu", [False, True])
def test_what_is_not_finite_reaches_only_those_that_see_it(value, relu):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 16, 16, 64)).astype(np.float32), rng.normal(size=(3, 3, 64, 64)).astype(np.float32)
    right = cpu.conv2d(x, w, None, (1, 1), ((1, 1), (1, 1)), relu)
    x[1, 6, 9, 5] = value
    y = cpu.conv2d(x, w, None, (1, 1), ((1, 1), (1, 1)), relu)
    sees = np.zeros(y.shape, bool)
    sees[1, 5:8, 8:11] = True
    np.testing.assert_allclose(y[~sees], right[~sees], atol=1e-3)
    assert (~np.isfinite(y[sees])).any()


def test_usual_pictures_go_winograd_s_way():
    """Noise, what a ReLU leaves of it, few large numbers among small ones, and nothing at all."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 16, 16, 64)).astype(np.float32)
    for usual in (x, np.maximum(x, 0), np.maximum(x - 2, 0), x * 1e15, x**5, np.zeros_like(x), x.astype(np.float64)):
        assert is_even(usual)
