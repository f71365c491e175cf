"""Tensor cores in NumPy: the layout of the fragments, the rounding to TF32, and three products for one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.blocks import fragment_a, fragment_b, fragment_c, mma, split, tf32, tf32_product


@pytest.mark.parametrize(
    ("fragment", "shape", "count"),
    [(fragment_a, (16, 8), 4), (fragment_b, (8, 8), 2), (fragment_c, (16, 8), 4)],
)
def test_each_number_lies_in_one_register(fragment, shape, count):
    rows, columns = fragment()
    assert rows.shape == columns.shape == (32, count)
    seen = np.zeros(shape, int)
    np.add.at(seen, (rows, columns), 1)
    assert (seen == 1).all()


def test_layout_is_that_of_the_instruction_set():
    """PTX ISA, mma.m16n8k8: with g = lane / 4 and q = lane % 4."""
    for lane in range(32):
        g, q = divmod(lane, 4)
        places = [list(zip(*(part[lane].tolist() for part in fragment()))) for fragment in (fragment_a, fragment_b)]
        assert places[0] == [(g, q), (g + 8, q), (g, q + 4), (g + 8, q + 4)]
        assert places[1] == [(q, g), (q + 4, g)]
        rows, columns = fragment_c()
        assert list(zip(rows[lane].tolist(), columns[lane].tolist())) == [
            (g, 2 * q), (g, 2 * q + 1), (g + 8, 2 * q), (g + 8, 2 * q + 1),
        ]  # fmt: skip


def test_lanes_multiply_matrices_and_add():
    rng = np.random.default_rng(0)
    a, b, c = (rng.normal(size=shape).astype(np.float32) for shape in ((16, 8), (8, 8), (16, 8)))
    y = np.zeros((16, 8), np.float32)
    y[fragment_c()] = mma(a[fragment_a()], b[fragment_b()], c[fragment_c()])
    expected = c + tf32(a).astype(np.float64) @ tf32(b)
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_tf32_is_the_nearest_of_eleven_bits(x):
    x = np.float32(x)
    rounded = tf32(x)
    if not np.isfinite(rounded):
        assert abs(x) > 3.4e38
        return
    assert rounded.view(np.uint32) & 0x1FFF == 0
    assert abs(float(rounded) - float(x)) <= 2.0**-11 * abs(float(x))


def test_tf32_keeps_what_is_no_number():
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], np.float32)
    np.testing.assert_array_equal(tf32(x), x)
    assert np.signbit(tf32(x))[4]


def test_two_numbers_hold_nearly_all_digits():
    x = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    large, small = split(x)
    assert np.abs((large.astype(np.float64) + small) / x - 1).max() < 2.0**-21


def test_three_products_have_the_error_of_float32():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(50, 288)).astype(np.float32), rng.normal(size=(288, 16)).astype(np.float32)
    exact = x.astype(np.float64) @ w

    def error(y):
        return np.abs(y - exact).max() / np.abs(exact).max()

    assert error(tf32_product(x, w, 3)) < 3 * error(x @ w)
    assert 100 * error(x @ w) < error(tf32_product(x, w)) < 1e-3
    with pytest.raises(ValueError, match="1 or 3 products"):
        tf32_product(x, w, 2)
