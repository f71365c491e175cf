"""One seed fixes all of the package's random numbers, and nothing else's."""

import numpy as np
import pytest

from scratchnet import random


def test_same_seed_same_numbers():
    random.set_random_seed(7)
    numbers, key = random.generator().normal(size=5), random.new_key()
    random.set_random_seed(7)
    np.testing.assert_array_equal(random.generator().normal(size=5), numbers)
    assert random.new_key() == key
    random.set_random_seed(8)
    assert not np.array_equal(random.generator().normal(size=5), numbers)


def test_keys_are_64_bits_and_differ():
    random.set_random_seed(np.int64(0))
    keys = [random.new_key() for _ in range(1000)]
    assert all(isinstance(key, np.uint64) for key in keys)
    assert len(set(keys)) == len(keys)
    assert max(keys) > 2**63 > min(keys)


def test_numpys_own_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the very thing under test
    random.set_random_seed(1)
    random.generator().normal()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match="set_random_seed: expected seed to be a whole number of at least 0"):
        random.set_random_seed(seed)
