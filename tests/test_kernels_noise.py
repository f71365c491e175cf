"""Normal random numbers: those of the reference's Philox, their distribution, their independence, repeatability."""

import math

import numpy as np
import pytest
from compare import DTYPES
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference


@given(st.lists(st.integers(1, 7), max_size=4), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_numbers_are_those_of_the_words(device, shape, key, step):
    expected = reference.normal(shape, np.float64, key, step)
    for dtype in DTYPES:
        y = device.normal(tuple(shape), dtype, key, step)
        assert (y.shape, y.dtype) == (tuple(shape), dtype)
        np.testing.assert_allclose(y, expected, rtol=0, atol={np.float64: 1e-12, np.float32: 1e-6}[dtype])


def test_more_than_a_block(device):
    size = 2 * 4096 + 7
    expected = reference.normal((size,), np.float64, 3, 5)
    np.testing.assert_allclose(device.normal((size,), np.float64, 3, 5), expected, rtol=0, atol=1e-12)


def test_they_are_normal(device):
    n = 200_000
    y = np.sort(device.normal((n,), np.float64, 1, 1))
    assert abs(y.mean()) < 5 / math.sqrt(n)
    assert abs(y.var() - 1) < 5 * math.sqrt(2 / n)
    share = np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in y[::100]])
    assert np.abs(share - np.arange(0, n, 100) / n).max() < 2 / math.sqrt(n)  # Kolmogorov and Smirnov


def test_those_of_other_keys_steps_and_places_are_independent(device):
    n = 100_000
    base = device.normal((n,), np.float64, 1, 1)
    others = [device.normal((n,), np.float64, *other) for other in ((2, 1), (1 + 2**32, 1), (1, 2), (1, 1 + 2**32))]
    for other in (*others, np.roll(base, 1), np.roll(base, 2), np.roll(base, 4)):
        assert abs((base * other).mean()) < 5 / math.sqrt(n)
        assert abs((base**2 * other**2).mean() - 1) < 15 / math.sqrt(n)
    np.testing.assert_array_equal(device.normal((n,), np.float64, 1, 1), base)


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_for_any_number_of_threads(device, dtype):
    one, two = (with_threads(k, device.normal, (50_001,), dtype, 2**64 - 1, 9) for k in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_nothing_asked_for(device):
    assert device.normal((0, 3), np.float32, 1, 1).shape == (0, 3)


def test_what_is_no_key_or_dtype(device):
    with pytest.raises(ValueError, match="normal: expected key to be a whole number from 0 to below"):
        device.normal((3,), np.float32, -1, 1)
    with pytest.raises(ValueError, match="normal: expected dtype float32 or float64, got int64"):
        device.normal((3,), np.int64, 1, 1)
