"""What is particular to the GPU's convolutions and dense layers: the rungs of the ladder, precision, how sums are cut.

That the contract's functions are right for drawn shapes is in test_kernels_conv.py and test_kernels_dense.py, for all
devices.
"""

import cuda_on_cpu
import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, normal
from devices import DEVICES, Kernels

from scratchnet import reference
from scratchnet.kernels import cpu
from scratchnet.shapes import output_hw

if DEVICES["gpu"] is None:
    pytest.skip(f"no GPU, and {cuda_on_cpu.missing()}", allow_module_level=True)

from scratchnet.kernels.gpu.conv import rungs
from scratchnet.kernels.gpu.gemm import parts
from scratchnet.kernels.gpu.runtime import source
from scratchnet.kernels.gpu.runtime.precision import current_precision, precision

NAMES = {"naive": rungs.NAIVE, "shared tile": rungs.SHARED_TILE, "register tile": rungs.REGISTER_TILE}
NAMES |= {"tile of 16": rungs.NARROW_TILE_16, "tile of 32": rungs.NARROW_TILE_32}
NAMES |= {"tf32": rungs.TF32, "3xtf32": rungs.TF32X3}
NONE = ((0, 0), (0, 0))

# (N, (H, W), (KH, KW), strides, pads, C, F)
WINDOWS = {
    "a picture of colours": (2, (6, 5), (3, 3), (1, 1), ((1, 1), (1, 1)), 3, 10),
    "fours": (1, (7, 9), (3, 2), (2, 3), ((2, 1), (0, 1)), 20, 24),
    "few fours": (2, (6, 9), (2, 3), (1, 2), ((2, 1), (0, 1)), 4, 8),
    "strides beyond the window": (2, (4, 5), (2, 2), (3, 3), NONE, 8, 4),
    "one cell": (3, (9, 9), (1, 1), (2, 2), NONE, 5, 1),
    "strides beyond the picture": (1, (3, 3), (2, 3), (5, 5), ((1, 1), (2, 2)), 1, 3),
    "several tiles": (2, (6, 7), (3, 3), (1, 1), ((1, 1), (1, 1)), 68, 72),
    "several parts": (3, (9, 8), (2, 3), (1, 2), ((0, 1), (2, 0)), 40, 6),
    "no example": (0, (4, 4), (3, 3), (1, 1), NONE, 2, 3),
}
PRODUCTS = [(1, 1, 1), (5, 3, 10), (65, 40, 68), (3, 1000, 12), (300, 7, 5), (0, 4, 4), (33, 17, 130)]  # (N, D, U)


@pytest.fixture(params=cuda_on_cpu.SCHEDULES, ids=str)
def schedule(request):
    with cuda_on_cpu.scheduled(request.param):
        yield


def kernels(rung):
    """Its functions, for NumPy's arrays."""
    return Kernels(DEVICES["gpu"]._replace(kernels=rung))


def check(rung, dtype, actual, expected):
    """TF32 has three digits, all others those of the dtype."""
    if rung is rungs.TF32:
        scale = np.abs(expected).max(initial=1e-3)
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-3 * scale)
    else:
        assert_close(actual, expected, dtype)


def check_convolution(rung, case, dtype, formulas=cpu):
    """All of a rung's kernels for one of WINDOWS; in float64 the formulas are exact enough."""
    N, hw, kernel, strides, pads, C, F = WINDOWS[case]
    rng = np.random.default_rng(0)
    x, w, b = normal(rng, (N, *hw, C), dtype), normal(rng, (*kernel, C, F), dtype), normal(rng, (F,), dtype)
    dy, bias = normal(rng, (N, *output_hw(hw, kernel, strides, pads), F), dtype), normal(rng, (C,), dtype)
    dw, db = normal(rng, w.shape, dtype), normal(rng, (F,), dtype)
    only_db = db.copy()
    X, W, B, DY, BIAS, DW, DB = (a.astype(np.float64) for a in (x, w, b, dy, bias, dw, db))
    y, dx = formulas.conv2d(X, W, B, strides, pads), cpu.conv2d_input_grad(DY, W, hw, strides, pads)
    sums = cpu.conv2d_weight_grad(X, DY, kernel, strides, pads)
    of = kernels(rung)
    with Unchanged(x, w, b, dy, bias):
        check(rung, dtype, of.conv2d(x, w, b, strides, pads), y)
        check(rung, dtype, of.conv2d(x, w, None, strides, pads, True), np.maximum(y - B, 0))
        check(rung, dtype, of.conv2d_input_grad(dy, w, hw, strides, pads), dx)
        check(rung, dtype, of.conv2d_transpose(dy, w, bias, strides, pads, hw, True), np.maximum(dx + BIAS, 0))
        check(rung, dtype, of.conv2d_weight_grad(x, dy, kernel, strides, pads), sums)
        of.conv2d_weight_grad(x, dy, kernel, strides, pads, dw, db)
        of.conv2d_weight_grad(x, dy, kernel, strides, pads, None, only_db)
    check(rung, dtype, dw, sums + DW)
    assert_close(db, DY.sum((0, 1, 2)) + DB, dtype)
    assert_close(only_db, DY.sum((0, 1, 2)) + DB, dtype)


def check_dense(rung, sizes, dtype):
    N, D, U = sizes
    rng = np.random.default_rng(0)
    x, w, b, dy, dw, db = (normal(rng, shape, dtype) for shape in ((N, D), (D, U), (U,), (N, U), (D, U), (U,)))
    X, W, B, DY, DW, DB = (a.astype(np.float64) for a in (x, w, b, dy, dw, db))
    of = kernels(rung)
    with Unchanged(x, w, b, dy):
        check(rung, dtype, of.dense(x, w, b), X @ W + B)
        check(rung, dtype, of.dense(x, w, None, True), np.maximum(X @ W, 0))
        check(rung, dtype, of.dense_input_grad(dy, w), DY @ W.T)
        check(rung, dtype, of.dense_weight_grad(x, dy), X.T @ DY)
        of.dense_weight_grad(x, dy, dw, db)
    check(rung, dtype, dw, X.T @ DY + DW)
    assert_close(db, DY.sum(0) + DB, dtype)


def dtypes_of(rung):
    return DTYPES if rung.name[:4] != "tf32" else (np.float32,)


@pytest.mark.parametrize("case", WINDOWS)
@pytest.mark.parametrize("name", NAMES)
def test_every_rung_computes_the_convolutions(name, case):
    for dtype in dtypes_of(NAMES[name]):
        check_convolution(NAMES[name], case, dtype)


@pytest.mark.parametrize("name", NAMES)
def test_every_rung_in_every_schedule(schedule, name):
    for case in ("fours", "a picture of colours"):
        check_convolution(NAMES[name], case, np.float32, formulas=reference)
    check_dense(NAMES[name], (33, 70, 68), np.float32)


@pytest.mark.parametrize("sizes", PRODUCTS)
@pytest.mark.parametrize("name", NAMES)
def test_every_rung_computes_the_products_of_a_dense_layer(name, sizes):
    for dtype in dtypes_of(NAMES[name]):
        check_dense(NAMES[name], sizes, dtype)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_that_do_not_begin_at_16_bytes(name):
    """Sizes are fours, but loads of four numbers at once are not allowed."""
    rung, module = NAMES[name], DEVICES["gpu"].kernels.ARRAY_MODULE
    rng = np.random.default_rng(0)

    def moved(a):
        wide = np.zeros(a.size + 1, a.dtype)
        wide[1:] = a.ravel()
        return module.asarray(wide)[1:].reshape(a.shape)

    x, w, dy = (normal(rng, shape, np.float32) for shape in ((2, 5, 5, 8), (3, 3, 8, 12), (2, 3, 3, 12)))
    X, W, DY = (a.astype(np.float64) for a in (x, w, dy))
    y = rung.conv2d(moved(x), moved(w), None, (1, 1), NONE)
    check(rung, np.float32, module.asnumpy(y), cpu.conv2d(X, W, None, (1, 1), NONE))
    dx = rung.conv2d_input_grad(moved(dy), moved(w), (5, 5), (1, 1), NONE)
    check(rung, np.float32, module.asnumpy(dx), cpu.conv2d_input_grad(DY, W, (5, 5), (1, 1), NONE))
    dw = moved(w)
    rung.conv2d_weight_grad(moved(x), moved(dy), (3, 3), (1, 1), NONE, dw)
    check(rung, np.float32, module.asnumpy(dw), W + cpu.conv2d_weight_grad(X, DY, (3, 3), (1, 1), NONE))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bits_in_every_schedule(name):
    rng = np.random.default_rng(0)
    x, dy = normal(rng, (3, 9, 9, 5), np.float32), normal(rng, (3, 9, 9, 6), np.float32)
    of, found = kernels(NAMES[name]), set()
    for schedule in cuda_on_cpu.SCHEDULES:
        with cuda_on_cpu.scheduled(schedule):
            found.add(of.conv2d_weight_grad(x, dy, (1, 1), (1, 1), NONE).tobytes())
    assert len(found) == 1


def test_products_keep_float32_s_digits_by_three_of_tf32():
    """The largest error over many sums: 3xTF32 is as near as float32, TF32 is a thousand times farther off."""
    rng = np.random.default_rng(0)
    x, w = normal(rng, (64, 256), np.float32), normal(rng, (256, 64), np.float32)
    exact = x.astype(np.float64) @ w.astype(np.float64)
    error = {name: np.abs(kernels(rung).dense(x, w, None) - exact).max() for name, rung in NAMES.items()}
    assert error["3xtf32"] < 2 * error["naive"]
    assert 100 * error["naive"] < error["tf32"] < 1e-3 * np.abs(exact).max()


@pytest.mark.parametrize("rounded", [np.nan, np.inf, -np.inf, 3e38])
def test_numbers_that_are_not_finite_or_large(rounded):
    x = np.array([[rounded], [1]], np.float32)
    for name in ("register tile", "tf32"):
        y = kernels(NAMES[name]).dense(x, np.ones((1, 20), np.float32), None)
        np.testing.assert_allclose(y, x + np.zeros(20, np.float32), rtol=1e-3)


@pytest.mark.parametrize("pooling", [((2, 2), (2, 2), NONE), ((3, 2), (2, 1), ((1, 0), (0, 1)))])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_through_a_pooling(schedule, pooling, dtype):
    gpu, rng = Kernels(DEVICES["gpu"]), np.random.default_rng(0)
    x, w = normal(rng, (2, 7, 8, 5), dtype), normal(rng, (2, 3, 5, 6), dtype)
    window = (1, 2), ((1, 0), (1, 1))
    y = normal(rng, (2, *output_hw((7, 8), (2, 3), *window), 6), dtype)
    pooled, argmax = cpu.max_pool2d(np.maximum(y, 0), *pooling, True)
    dy, dw, db = normal(rng, pooled.shape, dtype), normal(rng, w.shape, dtype), normal(rng, (6,), dtype)
    DW, DB = dw.astype(np.float64), db.astype(np.float64)
    X, W, DY = (a.astype(np.float64) for a in (x, w, dy))
    expected = cpu.conv2d_max_pool2d_backward(DY, X, W, argmax, *window, pooling, DW, DB, True)
    with Unchanged(x, w, dy, argmax):
        dx = gpu.conv2d_max_pool2d_backward(dy, x, w, argmax, *window, pooling, dw, db, True)
        only_dx = gpu.conv2d_max_pool2d_backward(dy, x, w, argmax, *window, pooling, None, None, True)
        assert gpu.conv2d_max_pool2d_backward(dy, x, w, argmax, *window, pooling, None, None, False) is None
    for actual, right in ((dx, expected), (only_dx, expected), (dw, DW), (db, DB)):
        assert_close(actual, right, dtype)


# The setting


def test_precision_picks_the_kernels():
    gpu = Kernels(DEVICES["gpu"])
    rng = np.random.default_rng(0)
    x, w = normal(rng, (2, 5, 5, 20), np.float32), normal(rng, (3, 3, 20, 24), np.float32)
    dy = normal(rng, (2, 3, 3, 24), np.float32)

    def all_three(dtype=np.float32):
        a, b, c = (array.astype(dtype) for array in (x, w, dy))
        results = (
            gpu.conv2d(a, b, None, (1, 1), NONE),
            gpu.conv2d_input_grad(c, b, (5, 5), (1, 1), NONE),
            gpu.conv2d_weight_grad(a, c, (3, 3), (1, 1), NONE),
            gpu.dense(a.reshape(-1, 4), b.reshape(4, -1), None),
        )
        return [result.tobytes() for result in results]

    assert current_precision() == "float32"
    plain, double = all_three(), all_three(np.float64)
    with precision("tf32"):
        rounded = all_three()
        assert all_three(np.float64) == double
        with precision("3xtf32"):
            split = all_three()
        assert all_three() == rounded
    assert all_three() == plain
    for a, b, c in zip(plain, rounded, split):
        assert len({a, b, c}) == 3
    with pytest.raises(KeyError), precision("tf32"):
        raise KeyError
    assert current_precision() == "float32"
    with pytest.raises(ValueError, match="expected one of 'float32', 'tf32', '3xtf32', got 'half'"), precision("half"):
        pass


def test_results_of_few_columns_have_narrow_tiles(monkeypatch):
    asked, x = [], np.ones((3, 5), np.float32)
    for name, rung in NAMES.items():
        monkeypatch.setattr(rung._source, "launch", lambda *_, name=name: asked.append(name))
    for columns in (1, 16, 17, 32, 33):
        for name in ("register tile", "tf32", "3xtf32"):
            kernels(NAMES[name]).dense(x, np.ones((5, columns), np.float32), None)
    few, some = ["tile of 16"] * 3, ["tile of 32", "tf32", "3xtf32"]
    assert asked == [*few, *few, *some, *some, "register tile", "tf32", "3xtf32"]


# How sums are cut


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 64, 129, 4096, 4097, 100_000, 2**31 - 2000])
@pytest.mark.parametrize("blocks", [0, 1, 3, 255, 256, 10**6])
def test_sums_are_cut_without_a_rest(length, blocks):
    count, share = parts.cut(length, blocks)
    assert count * share >= length > (count - 1) * share or (length == 0 and count == 1)
    assert share % 16 == 0
    assert count <= 65535
    assert length > 65535 * 4096 or share <= 4096
    assert blocks * count <= max(blocks, 256, blocks * -(-length // 4096) * 2)


def test_what_does_not_fit_into_32_bits():
    with pytest.raises(ValueError, match=r"at most 2147352576 pixels.*got 70000 \* 300 \* 300 = 6300000000"):
        parts.count_of(70000, 300, 300)


# Bugs that are planted in a copy of the text, by file


@pytest.mark.parametrize(
    ("name", "file", "right", "wrong"),
    [
        ("shared tile", "gemm/shared_tile.cuh", "__syncthreads();  // the tile is complete", "// the tile is complete"),
        ("shared tile", "gemm/shared_tile.cuh", "__syncthreads();  // everybody", "// everybody"),
        ("register tile", "gemm/register_tile.cuh", "__syncthreads();", ""),
        ("register tile", "gemm/register_tile.cuh", "half ^= 1", "half = 0"),
        ("register tile", "gemm/operands.cuh", "y * p.W + z", "z * p.H + y"),
        ("register tile", "gemm/register_tile.cuh", "if (m >= result.rows ||", "if ("),
        ("register tile", "conv/pixel_class.cuh", "i0 = (h0 + top) / sh", "i0 = h0 / sh"),
        ("tf32", "gemm/tensor_tile.cuh", "__syncthreads();", ""),
        ("tf32", "gemm/tensor_tile.cuh", "wait_for_copies();", ""),
        ("tf32", "gemm/tensor_tile.cuh", "s ^= 1)", "s = 0)"),
    ],
)
def test_planted_bugs_are_found(monkeypatch, name, file, right, wrong):
    text = source.cuda_text
    rung = NAMES[name]

    def planted(path):
        before = text(path)
        head, start, rest = before.partition(f'#line 1 "{file}"')
        assert right in rest
        return head + start + rest.replace(right, wrong, 1)

    monkeypatch.setattr(source, "cuda_text", planted)
    broken = rungs.Rung(rung.name, rung.tile, rung.threads)  # and without a narrow one
    found = 0
    for schedule in cuda_on_cpu.SCHEDULES:
        with cuda_on_cpu.scheduled(schedule):
            try:
                check_convolution(broken, "a picture of colours", np.float32)
                check_convolution(broken, "fours", np.float32)
            except (AssertionError, cuda_on_cpu.KernelError):
                found += 1
    assert found
