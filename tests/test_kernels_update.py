"""The optimizers' updates against the reference's loops and against formulas for one number at a time, in float64."""

import math

import numpy as np
import pytest
from compare import DTYPES, Unchanged, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference

STEPS = 4
shapes = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple)
rates = st.sampled_from([1e-4, 1e-2, 0.5])


def check(update, formula, memories, shape, dtype, layout, seed):
    """STEPS updates by update(t, p, g, *memories) in place, and by formula(t, p, g, *memories) for each number."""
    rng = np.random.default_rng(seed)
    arrays = [normal(rng, shape, dtype), *(np.zeros(shape, dtype) for _ in range(memories))]
    numbers = [[float(a[i]) for a in arrays] for i in np.ndindex(shape)]
    for t in range(1, STEPS + 1):
        g = normal(rng, shape, dtype, layout)
        with Unchanged(g):
            update(t, arrays[0], g, *arrays[1:])
        numbers = [list(formula(t, p, float(g[i]), *m)) for i, (p, *m) in zip(np.ndindex(shape), numbers)]
    for array, expected in zip(arrays, zip(*numbers)):
        tolerance = (1e-5 if dtype == np.float32 else 1e-12) * max(1, np.abs(expected).max())
        np.testing.assert_allclose(array.reshape(-1), expected, rtol=0, atol=tolerance)


@given(shapes, rates, st.sampled_from([0.0, 0.5, 0.9]), st.booleans(), dtypes, layouts, seeds)
def test_sgd(device, shape, lr, momentum, nesterov, dtype, layout, seed):
    def formula(t, p, g, m):
        m = momentum * m - g * lr
        return (p + momentum * m - g * lr if nesterov else p + m), m

    def update(t, p, g, m):
        device.sgd([(p, np.ascontiguousarray(g), m)], lr, momentum, nesterov)

    check(update, formula, 1, shape, dtype, layout, seed)


@given(shapes, rates, st.sampled_from([0.0, 0.9]), st.booleans(), dtypes, layouts, seeds)
def test_rmsprop(device, shape, lr, momentum, centered, dtype, layout, seed):
    rho, epsilon = 0.9, 1e-3  # centered, v - average^2 may be nearly 0: a small epsilon shows only the rounding

    def formula(t, p, g, v, average, m):
        v = rho * v + (1 - rho) * g**2
        average = rho * average + (1 - rho) * g if centered else 0
        m = momentum * m + lr * g / math.sqrt(v - average**2 + epsilon)
        return p - m, v, average, m

    def update(t, p, g, v, average, m):
        device.rmsprop([(p, np.ascontiguousarray(g), v, average, m)], lr, rho, momentum, epsilon, centered)

    check(update, formula, 3, shape, dtype, layout, seed)


@given(shapes, rates, st.sampled_from([0.5, 0.9]), st.sampled_from([0.0, 0.004]), dtypes, layouts, seeds)
def test_adam(device, shape, lr, beta_1, decay, dtype, layout, seed):
    beta_2, epsilon = 0.999, 1e-7

    def formula(t, p, g, m, v):
        p -= p * decay * lr
        m += (g - m) * (1 - beta_1)
        v += (g**2 - v) * (1 - beta_2)
        first, second = (float(np.float32(beta)) for beta in (beta_1, beta_2))  # rounded here, as in Keras
        alpha = lr * math.sqrt(1 - second**t) / (1 - first**t)
        return p - m * alpha / (math.sqrt(v) + epsilon), m, v

    def update(t, p, g, m, v):
        device.adam([(p, np.ascontiguousarray(g), m, v)], lr, beta_1, beta_2, epsilon, t, decay)

    check(update, formula, 2, shape, dtype, layout, seed)


# For each: the memories, and its settings in step t with a learning rate.
UPDATES = {
    "sgd": (1, lambda t, lr: (lr, 0.9, True)),
    "rmsprop": (3, lambda t, lr: (lr, 0.9, 0.5, 1e-3, True)),
    "adam": (2, lambda t, lr: (lr, 0.9, 0.999, 1e-7, t, 0.01)),
    "adam, amsgrad": (3, lambda t, lr: (lr, 0.5, 0.9, 1e-7, t, 0.01, True)),
    "adagrad": (1, lambda t, lr: (lr, 1e-3)),
    "adadelta": (2, lambda t, lr: (lr, 0.9, 1e-3)),
    "adamax": (2, lambda t, lr: (lr / (1 - 0.9**t), 0.9, 0.99, 1e-3)),
    "nadam": (2, lambda t, lr: ((lr * t, lr / t, 1.5), 0.9, 0.99, 1e-3)),
    "lion": (1, lambda t, lr: (lr, 0.9, 0.99)),
}


@pytest.mark.parametrize("name", UPDATES)
@given(shapes, rates, dtypes, layouts, seeds)
def test_every_update_is_the_reference_s(device, name, shape, lr, dtype, layout, seed):
    (memories, settings), name = UPDATES[name], name.split(",")[0]
    rng = np.random.default_rng(seed)
    ours = [normal(rng, shape, dtype), *(np.zeros(shape, dtype) for _ in range(memories))]
    expected = [array.astype(np.float64) for array in ours]
    for t in range(1, STEPS + 1):
        g = normal(rng, shape, dtype, layout)
        with Unchanged(g):
            getattr(device, name)([(ours[0], np.ascontiguousarray(g), *ours[1:])], *settings(t, lr))
        getattr(reference, name)([(expected[0], g.astype(np.float64), *expected[1:])], *settings(t, lr))
    for a, b in zip(ours, expected):
        tolerance = (1e-5 if dtype == np.float32 else 1e-12) * max(1, np.abs(b).max())
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


def test_moving_average_is_the_reference_s(device):
    rng = np.random.default_rng(0)
    average, p = rng.normal(size=(2, 3, 5))
    expected = average.copy()
    with Unchanged(p):
        device.moving_average([(average, p)], 0.9)
    reference.moving_average([(expected, p)], 0.9)
    np.testing.assert_allclose(average, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UPDATES)
def test_nan_stays_where_it_is(device, name, dtype):
    """In one gradient of one step; from there it goes on in the memories, and to no other weight."""
    (memories, settings), name = UPDATES[name], name.split(",")[0]
    p, *known = np.zeros((1 + memories, 5000), dtype)
    for t, value in enumerate((1.0, np.nan, 1.0), start=1):
        g = np.full(5000, 2.0, dtype)
        g[4097] = value
        getattr(device, name)([(p, g, *known)], *settings(t, 0.1))
    assert np.isnan(p).nonzero()[0].tolist() == [4097]
    for memory in known:
        assert np.isnan(memory).nonzero()[0].tolist() == [4097]


def test_lion_of_a_mean_of_zero_stands_still(device):
    p, m = np.ones((2, 3))
    device.lion([(p, np.full(3, -1.0), m)], 0.1, 0.5, 0.5)
    np.testing.assert_array_equal(p, 1)
    np.testing.assert_array_equal(m, 0)


def test_float32_memories_follow_the_float64_ones(device):
    # 1 - 0.999 worked out in float32 is off by 5e-5, and so would v be.
    g = np.random.default_rng(0).normal(size=100)
    v = {}
    for dtype in DTYPES:
        p, m, v[dtype] = np.zeros((3, 100), dtype)
        device.adam([(p, g.astype(dtype), m, v[dtype])], 1e-3, 0.9, 0.999, 1e-7, 1)
    np.testing.assert_allclose(v[np.float32], v[np.float64], rtol=5e-7)


def test_the_first_adam_step_is_the_rate(device):
    for g in (1e-3, 1.0, 1e3):
        p, m, v = np.zeros((3, 5))
        device.adam([(p, np.full(5, g), m, v)], 0.01, 0.9, 0.999, 1e-7, 1)
        np.testing.assert_allclose(p, -0.01, rtol=0.01)


def test_a_scalar_and_more_than_one_block(device):
    p, m = np.array(1.0), np.array(0.0)
    device.sgd([(p, np.array(2.0), m)], 0.25, 0.0, False)
    assert p == 0.5
    p = np.arange(2 * 4096 + 3.0)
    g = p.copy()
    device.sgd([(p, g, np.zeros_like(p))], 1.0, 0.0, False)
    np.testing.assert_array_equal(p, 0)


def test_nan_is_seen(device):
    p, m, v = np.zeros((3, 2))
    device.adam([(p, np.array([np.nan, 1.0]), m, v)], 1e-3, 0.9, 0.999, 1e-7, 1)
    assert np.isnan(p).tolist() == [True, False]


def test_weights_that_cannot_be_updated_in_place(device):
    k, to_device, _ = device.under  # arrays that are made there: on the way, strides may get lost
    p, flat = to_device(np.zeros((4, 6)))[:, ::2], to_device(np.zeros((4, 3)))
    for update in (
        lambda: k.sgd([(p, flat, flat)], 0.1, 0.0, False),
        lambda: k.rmsprop([(p, flat, flat, flat, flat)], 0.1, 0.9, 0.0, 1e-7, False),
        lambda: k.adam([(flat, flat, p, flat)], 0.1, 0.9, 0.999, 1e-7, 1),
        lambda: k.adam([(flat, flat, flat, flat, p)], 0.1, 0.9, 0.999, 1e-7, 1, 0.0, True),
        lambda: k.adagrad([(flat, flat, p)], 0.1, 1e-7),
        lambda: k.adadelta([(flat, flat, flat, p)], 0.1, 0.9, 1e-7),
        lambda: k.adamax([(flat, flat, flat, p)], 0.1, 0.9, 0.999, 1e-7),
        lambda: k.nadam([(flat, flat, flat, p)], (0.1, 0.1, 1.0), 0.9, 0.999, 1e-7),
        lambda: k.lion([(flat, flat, p)], 0.1, 0.9, 0.99),
    ):
        with pytest.raises(ValueError, match=r"contiguous arrays to update in place, got one of shape \(4, 3\)"):
            update()


@pytest.mark.parametrize("name", UPDATES)
def test_same_bits_for_any_number_of_threads(device, name):
    (memories, settings), name = UPDATES[name], name.split(",")[0]
    rng = np.random.default_rng(0)
    start, g = rng.normal(size=30_001).astype(np.float32), rng.normal(size=30_001).astype(np.float32)
    moved = []
    for threads in (1, 2):
        p, *known = start.copy(), *(np.zeros_like(start) for _ in range(memories))
        with_threads(threads, getattr(device, name), [(p, g, *known)], *settings(1, 1e-3))
        moved.append([p, *known])
    np.testing.assert_array_equal(*moved)


def test_many_arrays_in_one_pass(device):
    """Small and large arrays together move as they do alone, each by its own numbers."""
    rng = np.random.default_rng(0)
    shapes = [(3,), (4096,), (1,), (70, 61), (4097,), ()]
    together = [tuple(rng.random(shape) for _ in range(4)) for shape in shapes]
    alone = [tuple(a.copy() for a in arrays) for arrays in together]
    device.adam(together, 1e-2, 0.9, 0.999, 1e-7, 3)
    for arrays, single in zip(together, alone):
        device.adam([single], 1e-2, 0.9, 0.999, 1e-7, 3)
        for a, b in zip(arrays, single):
            np.testing.assert_array_equal(a, b)


def test_arrays_that_do_not_belong_together_are_an_error(device):
    p = np.zeros(3)
    with pytest.raises(ValueError, match=r"expected arrays of shape \(3,\) and dtype float64, got \(2,\), float64"):
        device.sgd([(p, np.zeros(2), p)], 0.1, 0.0, False)
    with pytest.raises(ValueError, match=r"and dtype float64, got .* float32"):
        device.sgd([(p, p, p), (np.zeros(3, np.float32),) * 3], 0.1, 0.0, False)


def test_rows_of_another_length_are_an_error_for_known_arrays_too(device):
    kernels, to_device, _ = device.under
    arrays = [to_device(np.ones(3)) for _ in range(4)]
    rows = [tuple(arrays[:2]), tuple(arrays[2:])]
    kernels.moving_average(rows, 0.5)
    with pytest.raises(ValueError, match=r"adam: expected rows of 4 .*arrays, got"):
        kernels.adam(rows, 0.1, 0.9, 0.999, 1e-7, 1)
    kernels.adam([tuple(arrays)], 0.1, 0.9, 0.999, 1e-7, 1)
    with pytest.raises(ValueError, match=r"moving_average: expected rows of 2 .*arrays, got"):
        kernels.moving_average([tuple(arrays)], 0.5)
    with pytest.raises(ValueError, match=r"adam: expected rows of 4 .*arrays, got"):
        kernels.adam(rows, 0.1, 0.9, 0.999, 1e-7, 1)
