"""The gradient of rows taken by their numbers: added up in the order of the batch, by nobody twice."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference


@given(st.integers(0, 9), st.integers(1, 5), st.integers(1, 4), dtypes, layouts, seeds)
def test_against_the_loops(device, N, M, D, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    dy, dx, index = normal(rng, (N, D), dtype, layout), normal(rng, (M, D), dtype), rng.integers(0, M, N)
    before = dx.astype(np.float64)
    with Unchanged(dy, index):
        result = device.gather_backward(dy, index, dx)
    np.testing.assert_array_equal(result, dx)
    assert_close(dx, reference.gather_backward(dy.astype(np.float64), index, before), dtype)


@pytest.mark.parametrize("kind", [np.int32, np.uint8, np.int64])
def test_numbers_of_any_width(device, kind):
    dx = np.zeros((200, 2))
    device.gather_backward(np.ones((3, 2)), np.array([150, 7, 150], kind), dx)
    assert dx[:, 0].nonzero()[0].tolist() == [7, 150]
    assert dx[150].tolist() == [2, 2]


def test_many_of_one_row_are_added_up_exactly(device):
    """In float32 alone the sum would stick at 2**24."""
    dy, dx = np.full((30_000, 1), 1 + 2**-12, np.float32), np.zeros((3, 1), np.float32)
    device.gather_backward(dy, np.ones(len(dy), np.int64), dx)
    assert dx[1, 0] == np.float32(30_000 * (1 + 2**-12))


@pytest.mark.parametrize("wrong", [-1, 3, 2**62])
def test_a_number_out_of_range_changes_nothing(device, wrong):
    dx = np.zeros((3, 2))
    with pytest.raises(IndexError, match=f"from 0 to 2, got {wrong}"):
        device.gather_backward(np.ones((2, 2)), np.array([1, wrong]), dx)
    assert not dx.any()


def test_shapes_that_do_not_fit(device):
    with pytest.raises(ValueError, match=r"gather_backward: expected index of shape \(2,\), to fit .*got \(3,\)"):
        device.gather_backward(np.ones((2, 2)), np.array([1, 0, 1]), np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"gather_backward: expected dx of shape \((M|3), 2\), .*got \(3, 3\)"):
        device.gather_backward(np.ones((2, 2)), np.array([1, 0]), np.zeros((3, 3)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_for_any_number_of_threads(device, dtype):
    rng = np.random.default_rng(0)
    dy, index = rng.normal(size=(999, 5)).astype(dtype), rng.integers(0, 40, 999)
    one, two = (with_threads(k, device.gather_backward, dy, index, np.zeros((40, 5), dtype)) for k in (1, 2))
    np.testing.assert_array_equal(one, two)
