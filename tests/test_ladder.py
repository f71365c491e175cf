"""Every rung of the ladder against the reference; the machine's roof above all of them."""

import numpy as np
import pytest
from compare import DTYPES, assert_close, normal, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet import ladder, plot, reference

small = st.integers(1, 4)


@pytest.mark.parametrize("name", [name for name in ladder.RUNGS if name != "fewer multiplications"])
@settings(max_examples=15)
@given(small, small, small, small, small, small, st.sampled_from(DTYPES), seeds)
def test_every_rung_is_the_convolution(name, N, KH, KW, more, C, F, dtype, seed):
    rng = np.random.default_rng(seed)
    x, w = normal(rng, (N, KH + more, KW + more - 1, C), dtype), normal(rng, (KH, KW, C, F), dtype)
    expected = reference.conv2d(x.astype(np.float64), w.astype(np.float64), None, (1, 1), ((0, 0), (0, 0)))
    assert_close(ladder.RUNGS[name](x, w), expected, dtype)


@settings(max_examples=15)
@given(small, st.sampled_from([2, 3]), small, st.integers(1, 3), st.integers(1, 3), st.sampled_from(DTYPES), seeds)
def test_fewer_multiplications_are_the_convolution_too(N, K, more, vectors, filters, dtype, seed):
    rng, lanes = np.random.default_rng(seed), ladder.VECTOR_BYTES // np.dtype(dtype).itemsize
    C, F = vectors * lanes, filters * lanes
    x, w = normal(rng, (N, K + more, K + more - 1, C), dtype), normal(rng, (K, K, C, F), dtype)
    expected = reference.conv2d(x.astype(np.float64), w.astype(np.float64), None, (1, 1), ((0, 0), (0, 0)))
    assert_close(ladder.fewer_multiplications(x, w), expected, dtype)


@pytest.mark.parametrize("shape", [(4, 4, 64, 64), (3, 2, 64, 64), (3, 3, 63, 64), (3, 3, 64, 63)])
def test_fewer_multiplications_where_they_cannot_be(shape):
    with pytest.raises(ValueError, match="multiples of"):
        ladder.fewer_multiplications(np.zeros((1, 8, 8, shape[2]), np.float32), np.zeros(shape, np.float32))


def test_work_and_traffic():
    task = ladder.task(N=2, H=5, C=3, F=4)
    assert task.work == 2 * (2 * 3 * 3) * (3 * 3 * 3) * 4
    assert task.traffic == 4 * (2 * 5 * 5 * 3 + 3 * 3 * 3 * 4 + 2 * 3 * 3 * 4)


def test_the_roof():
    peak = ladder.tile_speed(ladder.HEIGHTS[0])
    assert peak > 0.1
    assert ladder.memory_speed(megabytes=8) > 0.1
    with pytest.raises(ValueError, match="expected a height among"):
        ladder.tile_speed(99)
    figure = plot.roofline(100.0, 10.0, {"a": (84.0, 50.0), "b": (0.5, 3.0)})
    assert len(figure.axes[0].lines) == 3
