"""The exponential that becomes vector instructions, against NumPy's in extended precision."""

import numpy as np
import pytest

from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.exponential import exp_of, exp_parts

SIZES = np.concatenate([np.linspace(0, 3, 4001), np.logspace(-300, np.log10(707), 4001)])


def relative(actual, expected):
    return np.abs((actual - expected) / np.where(expected == 0, 1, expected)).max()


def test_exp_of_negative_numbers_is_exact_to_the_last_bits():
    eps = np.finfo(np.float64).eps
    x = -SIZES.astype(np.longdouble)
    assert relative(np.array([exp_of(float(v)) for v in x]), np.exp(x)) < 1.5 * eps
    less = np.array([(s - 1) + s * q for q, s in (exp_parts(float(v)) for v in x)])
    assert relative(less, np.expm1(x)) < 2 * eps


@pytest.mark.parametrize(("value", "expected"), [(0.0, 1), (-0.0, 1), (-708.5, 0), (-1e308, 0), (-np.inf, 0)])
def test_the_ends(value, expected):
    assert exp_of(value) == expected


def test_nan_stays():
    assert np.isnan(exp_of(np.nan))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("kernel", "formula"),
    [
        (cpu.tanh, np.tanh),
        (cpu.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
        (cpu.silu, lambda x: x / (1 + np.exp(-x))),
    ],
)
def test_activations_are_exact_to_the_last_bits(kernel, formula, dtype):
    x = np.concatenate([-SIZES, SIZES])
    x = x[(np.abs(x) < 80) & ((x == 0) | (np.abs(x) > 1e-30))].astype(dtype)  # results that float32 can hold
    y = kernel(x)
    assert y.dtype == dtype
    assert relative(y, formula(x.astype(np.longdouble))) < 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_infinities_and_nan(dtype):
    x = np.array([-np.inf, np.inf, np.nan, -0.0], dtype)
    np.testing.assert_array_equal(cpu.tanh(x), np.array([-1, 1, np.nan, 0], dtype))
    assert np.signbit(cpu.tanh(x)[3])
    np.testing.assert_array_equal(cpu.sigmoid(x), np.array([0, 1, np.nan, 0.5], dtype))
