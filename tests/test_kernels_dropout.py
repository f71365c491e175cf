"""Dropout's masks: those of the reference's Philox, their share, their independence, their repeatability."""

import numpy as np
import pytest
from compare import Unchanged, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference


def mask(device, size, rate=0.5, key=1, step=1):
    return device.dropout(np.ones(size), rate, key, step) != 0


def test_the_mask_is_philox_of_key_step_and_index(device):
    size, key, step = 2 * 4096 + 7, 0x0123456789ABCDEF, 2**32 + 5  # more than two blocks, and all words of the counter
    expected = reference.dropout(np.ones(size), 0.3, key, step)
    np.testing.assert_array_equal(mask(device, size, 0.3, key, step), expected != 0)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=4), st.floats(0, 0.99), dtypes, layouts, seeds)
def test_kept_elements_are_scaled_the_others_zero(device, shape, rate, dtype, layout, seed):
    x = normal(np.random.default_rng(seed), tuple(shape), dtype, layout)
    with Unchanged(x):
        y = device.dropout(x, rate, seed, 3)
    kept = mask(device, x.size, rate, seed, 3).reshape(x.shape)  # the same in both precisions, and for the backward
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.where(kept, x * dtype(1 / (1 - rate)), 0))


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_share_of_zeros(device, rate):
    n = 200_000
    dropped = n - mask(device, n, rate).sum()
    assert abs(dropped - rate * n) <= 5 * np.sqrt(n * rate * (1 - rate))
    assert device.dropout(np.ones(n), rate, 1, 1).mean() == pytest.approx(1, abs=0.02)


def test_masks_of_other_keys_steps_and_places_are_independent(device):
    n = 100_000
    base = mask(device, n)
    others = [
        mask(device, n, key=2),
        mask(device, n, key=1 + 2**32),
        mask(device, n, step=2),
        mask(device, n, step=1 + 2**32),
        np.roll(base, 1),
        np.roll(base, 4),
    ]
    for other in others:
        assert abs((base == other).mean() - 0.5) < 5 * 0.5 / np.sqrt(n)
    np.testing.assert_array_equal(mask(device, n), base)


def test_nan_in_a_kept_element_passes(device):
    y = device.dropout(np.full(1000, np.nan), 0.5, 1, 1)
    np.testing.assert_array_equal(np.isnan(y), mask(device, 1000))


def test_same_bits_for_any_number_of_threads(device):
    x = np.random.default_rng(0).normal(size=50_001).astype(np.float32)
    one, two = (with_threads(k, device.dropout, x, 0.4, 2**64 - 1, 9) for k in (1, 2))
    np.testing.assert_array_equal(one, two)
