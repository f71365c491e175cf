"""Philox against its published vectors, and dropout's masks: their share, their independence, their repeatability."""

import numpy as np
import pytest
from compare import Unchanged, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.dropout import philox

# counter, key, result: Random123's kat_vectors, "philox4x32 10".
VECTORS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize(("counter", "key", "result"), VECTORS)
def test_known_answers(counter, key, result):
    counter, key, result = ([np.uint64(int(word, 16)) for word in words.split()] for words in (counter, key, result))
    assert list(philox(*key, *counter)) == result


def mask(size, rate=0.5, key=1, step=1):
    return cpu.dropout(np.ones(size), rate, key, step) != 0


def test_the_mask_is_philox_of_key_step_and_index():
    size, key, step = 2 * 4096 + 7, 0x0123456789ABCDEF, 2**32 + 5
    words = []
    for group in range(-(-size // 4)):
        counter = (group, 0, step & 0xFFFFFFFF, step >> 32)
        words += philox(*(np.uint64(word) for word in (key & 0xFFFFFFFF, key >> 32, *counter)))
    np.testing.assert_array_equal(mask(size, 0.3, key, step), np.array(words[:size]) < round(0.7 * 2**32))


@given(st.lists(st.integers(1, 7), min_size=1, max_size=4), st.floats(0, 0.99), dtypes, layouts, seeds)
def test_kept_elements_are_scaled_the_others_zero(shape, rate, dtype, layout, seed):
    x = normal(np.random.default_rng(seed), tuple(shape), dtype, layout)
    with Unchanged(x):
        y = cpu.dropout(x, rate, seed, 3)
    kept = mask(x.size, rate, seed, 3).reshape(x.shape)  # the same in both precisions, and for the backward
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.where(kept, x * dtype(1 / (1 - rate)), 0))


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_share_of_zeros(rate):
    n = 200_000
    dropped = n - mask(n, rate).sum()
    assert abs(dropped - rate * n) <= 5 * np.sqrt(n * rate * (1 - rate))
    assert cpu.dropout(np.ones(n), rate, 1, 1).mean() == pytest.approx(1, abs=0.02)


def test_masks_of_other_keys_steps_and_places_are_independent():
    n = 100_000
    base = mask(n)
    others = [
        mask(n, key=2),
        mask(n, key=1 + 2**32),
        mask(n, step=2),
        mask(n, step=1 + 2**32),
        np.roll(base, 1),
        np.roll(base, 4),
    ]
    for other in others:
        assert abs((base == other).mean() - 0.5) < 5 * 0.5 / np.sqrt(n)
    np.testing.assert_array_equal(mask(n), base)


def test_nan_in_a_kept_element_passes():
    y = cpu.dropout(np.full(1000, np.nan), 0.5, 1, 1)
    np.testing.assert_array_equal(np.isnan(y), mask(1000))


def test_same_bits_for_any_number_of_threads():
    x = np.random.default_rng(0).normal(size=50_001).astype(np.float32)
    one, two = (with_threads(k, cpu.dropout, x, 0.4, 2**64 - 1, 9) for k in (1, 2))
    np.testing.assert_array_equal(one, two)
