"""Pictures in another size, and the gradient, against the loops of the reference."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference

sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(st.integers(1, 3), sizes, sizes, st.integers(1, 3), st.booleans(), dtypes, layouts, seeds)
def test_resize2d(device, N, old, new, C, bilinear, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, (N, *old, C), dtype, layout), normal(rng, (N, *new, C), dtype, layout)
    with Unchanged(x, dy):
        y = device.resize2d(x, new, bilinear)
        dx = device.resize2d_backward(dy, old, bilinear)
    assert_close(y, reference.resize2d(x.astype(np.float64), new, bilinear), dtype)
    assert_close(dx, reference.resize2d_backward(dy.astype(np.float64), old, bilinear), dtype)


@given(sizes, sizes, st.booleans(), seeds)
def test_the_backward_is_the_transposed_of_the_forward(device, old, new, bilinear, seed):
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(1, *old, 2)), rng.normal(size=(1, *new, 2))
    forth = (device.resize2d(x, new, bilinear) * dy).sum()
    back = (x * device.resize2d_backward(dy, old, bilinear)).sum()
    assert forth == pytest.approx(back, abs=1e-12 * max(1, np.abs(x).sum() * np.abs(dy).max()))


@pytest.mark.parametrize("bilinear", [True, False])
def test_the_same_size_changes_nothing(device, bilinear):
    x = np.random.default_rng(0).normal(size=(2, 5, 7, 3))
    x[0, 0, 0] = [np.inf, np.nan, -np.inf]
    y = device.resize2d(x, (5, 7), False)
    np.testing.assert_array_equal(y, x)
    x[0, 0, 0] = 0
    np.testing.assert_array_equal(device.resize2d(x, (5, 7), bilinear), x)
    np.testing.assert_array_equal(device.resize2d_backward(x, (5, 7), bilinear), x)


def test_twice_the_size_is_thirds_and_quarters(device):
    x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    assert device.resize2d(x, (1, 4)).reshape(-1).tolist() == [0, 1, 3, 4]
    assert device.resize2d(x, (1, 4), False).reshape(-1).tolist() == [0, 0, 4, 4]
    assert device.resize2d(x, (1, 1)).item() == 2
    assert device.resize2d(np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1), (1, 1), False).item() == 2


def test_nan_comes_out_where_it_had_a_part(device):
    x = np.zeros((1, 3, 3, 2))
    x[0, 1, 1, 0] = np.nan
    y = device.resize2d(x, (6, 6))
    assert np.isnan(y[0, 1:5, 1:5, 0]).all()
    assert not np.isnan(y[..., 1]).any()
    assert not np.isnan(y[0, 0]).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_for_any_number_of_threads(device, dtype):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 17, 13, 3)).astype(dtype), rng.normal(size=(2, 31, 40, 3)).astype(dtype)
    for one, two in zip(
        *(
            (
                with_threads(k, device.resize2d, x, (31, 40)),
                with_threads(k, device.resize2d_backward, dy, (17, 13)),
            )
            for k in (1, 2)
        )
    ):
        np.testing.assert_array_equal(one, two)
