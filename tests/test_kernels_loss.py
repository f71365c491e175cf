"""The fused losses against the loops of the reference, and where the unfused ones would overflow."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference

rows, classes = st.integers(1, 9), st.integers(1, 11)


def check(result, expected, dtype):
    """A plain float, and an array in the dtype of the scores."""
    (loss, dz), (expected_loss, expected_dz) = result, expected
    assert type(loss) is float
    assert loss == pytest.approx(
        expected_loss, rel=1e-5 if dtype == np.float32 else 1e-12, abs=1e-6 if dtype == np.float32 else 1e-13
    )
    assert_close(dz, expected_dz, dtype)


@given(rows, classes, st.sampled_from([1, 20]), dtypes, layouts, seeds)
def test_softmax_cross_entropy(device, N, K, size, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    z = normal(rng, (N, K), dtype, layout) * dtype(size)
    labels = rng.integers(0, K, N).astype(rng.choice([np.uint8, np.int32, np.int64]))
    with Unchanged(z, labels):
        result = device.softmax_cross_entropy(z, labels)
    check(result, reference.softmax_cross_entropy(z.astype(np.float64), labels), dtype)


@given(rows, classes, st.sampled_from([1, 20]), st.booleans(), dtypes, layouts, seeds)
def test_softmax_cross_entropy_onehot(device, N, K, size, soft, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    z = normal(rng, (N, K), dtype, layout) * dtype(size)
    # Soft targets need not sum to one: the loss is linear in them, and so is its gradient.
    t = rng.random((N, K)).astype(dtype) if soft else np.eye(K, dtype=dtype)[rng.integers(0, K, N)]
    with Unchanged(z, t):
        result = device.softmax_cross_entropy_onehot(z, t)
    check(result, reference.softmax_cross_entropy_onehot(z.astype(np.float64), t.astype(np.float64)), dtype)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3), st.sampled_from([1, 20]), dtypes, layouts, seeds)
def test_sigmoid_binary_cross_entropy(device, shape, size, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    z, t = normal(rng, tuple(shape), dtype, layout) * dtype(size), rng.random(shape).astype(dtype)
    t = t.round() if seed % 2 else t
    with Unchanged(z, t):
        result = device.sigmoid_binary_cross_entropy(z, t)
    check(result, reference.sigmoid_binary_cross_entropy(z.astype(np.float64), t.astype(np.float64)), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_scores(device, dtype):
    z = np.array([[1e4, 0, -1e4]], dtype)
    for label, expected in enumerate((0, 1e4, 2e4)):
        onehot = np.eye(3, dtype=dtype)[label : label + 1]
        softmax = np.array([[1, 0, 0]])
        for loss, dz in (
            device.softmax_cross_entropy(z, np.array([label])),
            device.softmax_cross_entropy_onehot(z, onehot),
        ):
            assert loss == expected
            np.testing.assert_array_equal(dz, softmax - onehot)
    loss, dz = device.sigmoid_binary_cross_entropy(
        np.array([1e4, -1e4, 1e4, -1e4], dtype), np.array([1, 0, 0, 1], dtype)
    )
    assert loss == 5e3
    np.testing.assert_array_equal(dz, [0, 0, 0.25, -0.25])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_class_ruled_out_by_minus_infinity(device, dtype):
    z, t = np.array([[0, 0, -np.inf]], dtype), np.array([[0, 1, 0]], dtype)
    for loss, dz in (device.softmax_cross_entropy(z, np.array([1])), device.softmax_cross_entropy_onehot(z, t)):
        assert loss == pytest.approx(np.log(2))
        np.testing.assert_allclose(dz, [[0.5, -0.5, 0]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_nan_makes_the_loss_nan(device, dtype, place):
    z = np.zeros((2, 3), dtype)
    z[1, place] = np.nan
    t = np.eye(3, dtype=dtype)[[0, 1]]
    for loss, dz in (device.softmax_cross_entropy(z, np.array([0, 1])), device.softmax_cross_entropy_onehot(z, t)):
        assert np.isnan(loss)
        assert np.isnan(dz).tolist() == [[False] * 3, [True] * 3]
    loss, dz = device.sigmoid_binary_cross_entropy(z, t)
    assert np.isnan(loss)
    np.testing.assert_array_equal(np.isnan(dz), np.isnan(z))


def test_sums_over_many_examples(device):
    # More than one block, and a float32 running sum that would drift.
    z = np.zeros((100_000, 10), np.float32)
    labels = np.zeros(len(z), np.int64)
    assert device.softmax_cross_entropy(z, labels)[0] == pytest.approx(np.log(10), rel=1e-6)
    assert device.sigmoid_binary_cross_entropy(z, z)[0] == pytest.approx(np.log(2), rel=1e-6)


def test_same_bits_for_any_number_of_threads(device):
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(3001, 7)).astype(np.float32), rng.integers(0, 7, 3001)
    t = np.eye(7, dtype=np.float32)[labels]
    for kernel, target in (
        (device.softmax_cross_entropy, labels),
        (device.softmax_cross_entropy_onehot, t),
        (device.sigmoid_binary_cross_entropy, t),
    ):
        (one, d_one), (two, d_two) = with_threads(1, kernel, z, target), with_threads(2, kernel, z, target)
        assert one == two
        np.testing.assert_array_equal(d_one, d_two)
