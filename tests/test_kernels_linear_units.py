"""The linear units' kernels against the loops of the reference: kinks, large numbers, infinities, NaN."""

import math

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference
from scratchnet.kernels import cpu

# Each kernel with its settings.
UNITS = [
    ("elu", ()),
    ("elu", (0.3,)),
    ("elu", (1.7, 1.05)),
    ("elu", (0.5, 1.0, 0.5)),
    ("softplus", ()),
    ("gelu", ()),
    ("gelu", (True,)),
    ("mish", ()),
    ("hard_sigmoid", ()),
    ("hard_silu", ()),
]
KINKS = [-3.0, 0.0, 3.0]
shapes = st.lists(st.integers(1, 7), min_size=1, max_size=4).map(tuple)


def both(functions, name, settings, dy, x):
    """(y, dx) by a device's kernels or by the reference."""
    return getattr(functions, name)(x, *settings), getattr(functions, f"{name}_backward")(dy, x, *settings)


@pytest.mark.parametrize(("name", "settings"), UNITS)
@given(shape=shapes, size=st.sampled_from([1, 10]), dtype=dtypes, layout=layouts, seed=seeds)
def test_values_and_gradients(device, name, settings, shape, size, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, shape, dtype, layout) * dtype(size), normal(rng, shape, dtype, layout)
    x[rng.random(shape) < 0.2] = rng.choice(KINKS)
    with Unchanged(x, dy):
        y, dx = both(device, name, settings, dy, x)
    expected = both(reference, name, settings, dy.astype(np.float64), x.astype(np.float64))
    assert_close(y, expected[0], dtype)
    assert_close(dx, expected[1], dtype)


@given(shape=shapes, dtype=dtypes, layout=layouts, seed=seeds)
def test_prelu(device, shape, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, shape, dtype, layout), normal(rng, shape, dtype, layout)
    alpha = normal(rng, shape[-1:], dtype, layout)
    x[rng.random(shape) < 0.2] = 0
    with Unchanged(x, dy, alpha):
        y, (dx, share) = device.prelu(x, alpha), device.prelu_backward(dy, x, alpha)
    x, dy, alpha = (a.astype(np.float64) for a in (x, dy, alpha))
    assert_close(y, reference.prelu(x, alpha), dtype)
    for actual, expected in zip((dx, share), reference.prelu_backward(dy, x, alpha)):
        assert_close(actual, expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_and_their_last_elements(device, dtype):
    x = np.linspace(-6, 6, 2 * 4096 + 5, dtype=dtype)
    for name, settings in UNITS:
        y, dx = both(device, name, settings, np.ones_like(x), x)
        expected = both(reference, name, settings, np.ones(x.size), x.astype(np.float64))
        assert_close(y, expected[0], dtype)
        assert_close(dx, expected[1], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_numbers(device, dtype):
    huge = np.finfo(dtype).max
    x, one = np.array([-huge, -1e4, 1e4, huge], dtype), np.ones(4, dtype)
    zero, above = np.zeros(2), x[2:]
    for name, settings, below, slopes in (
        ("elu", (0.5,), [-0.5, -0.5], [0, 0, 1, 1]),
        ("elu", (0.5, 1.0, 0.5), [-0.5, -0.5], [0, 0, 1, 1]),
        *((name, (), zero, [0, 0, 1, 1]) for name in ("softplus", "gelu", "mish", "hard_silu")),
        ("gelu", (True,), zero, [0, 0, 1, 1]),
    ):
        y, dx = both(device, name, settings, one, x)
        np.testing.assert_array_equal(y, [*below, *above], f"{name} {settings}")
        np.testing.assert_array_equal(dx, slopes, f"{name} {settings}")
    y, dx = both(device, "hard_sigmoid", (), one, x)
    assert (y.tolist(), dx.tolist()) == ([0, 0, 1, 1], [0, 0, 0, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinities(device, dtype):
    x = np.array([-np.inf, np.inf], dtype)
    assert device.elu(x, 2.0).tolist() == [-2, np.inf]
    assert device.softplus(x).tolist() == [0, np.inf]
    assert device.hard_sigmoid(x).tolist() == [0, 1]
    assert device.hard_silu(x).tolist() == [0, np.inf]
    for name in ("gelu", "mish"):
        assert getattr(device, name)(x)[1] == np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_small_numbers_keep_their_digits(device, dtype):
    tiny = np.array([-1e-6, -1e-20], dtype)
    np.testing.assert_allclose(device.elu(tiny), tiny, rtol=1e-6)
    far = np.array([-30.0, -60.0], dtype)
    np.testing.assert_allclose(device.softplus(far), np.exp(far), rtol=1e-5)
    np.testing.assert_allclose(device.mish(far), far * np.exp(far), rtol=1e-5)
    tail = np.array([-3.0, -6.0], dtype)
    share = [math.erfc(-v / math.sqrt(2)) / 2 for v in tail.tolist()]
    np.testing.assert_allclose(device.gelu(tail), tail * share, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_passes(device, dtype):
    x, one = np.array([1.0, np.nan, -1.0], dtype), np.ones(3, dtype)
    for name, settings in UNITS:
        y, dx = both(device, name, settings, one, x)
        assert np.isnan(y).tolist() == [False, True, False], name
        assert np.isnan(dx).tolist() == [False, name != "hard_sigmoid", False], name
        assert np.isnan(both(device, name, settings, x, one)[1]).tolist() == [False, True, False], name
    alpha = np.full(3, 0.5, dtype)
    assert np.isnan(device.prelu(x, alpha)).tolist() == [False, True, False]
    for array in (*device.prelu_backward(x, -one, alpha), device.prelu_backward(one, x, alpha)[1]):
        assert np.isnan(array).tolist() == [False, True, False]


def test_same_bits_for_any_number_of_threads(device):
    x = np.random.default_rng(0).normal(size=(700, 31)).astype(np.float32)
    for name, settings in UNITS:
        for one, two in zip(*(with_threads(k, both, device, name, settings, x, x) for k in (1, 2))):
            np.testing.assert_array_equal(one, two)
    for one, two in zip(*(with_threads(k, device.prelu_backward, x, x, x[0]) for k in (1, 2))):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_cpu_s_formulas_are_exact_to_the_last_bits(dtype):
    x = np.concatenate([np.linspace(-9, 9, 4001), np.logspace(-12, 0, 500), -np.logspace(-12, 0, 500)]).astype(dtype)
    x = x[x != 0]
    for name, formula in (
        ("softplus", lambda v: max(v, 0) + math.log1p(math.exp(-abs(v)))),
        ("elu", lambda v: v if v > 0 else math.expm1(v)),
        ("gelu", lambda v: v * math.erfc(-v / math.sqrt(2)) / 2),
        ("mish", lambda v: v * math.tanh(max(v, 0) + math.log1p(math.exp(-abs(v))))),
    ):
        expected = np.array([formula(v) for v in x.tolist()])
        worst = np.abs((getattr(cpu, name)(x) - expected) / expected).max()
        # In float64, the C library's own erfc and tanh have a few bits' error, and x^2 / 2 is rounded before its exp.
        assert worst < (3e-14 if dtype == np.float64 else 1.2e-7), name
