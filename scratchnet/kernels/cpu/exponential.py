"""The exponential function as a formula that becomes vector instructions: the C library's takes one number at a time.

    exp(x) = 2^n * exp(r),  n = x / ln 2 rounded,  r = x - n * ln 2,  |r| <= ln 2 / 2

exp(r) is its Taylor polynomial, and 2^n is put together from its bits. All is worked out in float64.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from scratchnet.kernels.cpu.runtime.jit import serial_in_order

_PER_LN2 = 1 / math.log(2)
# ln 2 as the sum of two numbers, the first with so many zero bits at its end that n times it is exact.
_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
_LOWEST = -708.0  # exp of less is 0 here: it would have no full precision
# 1/13!, ..., 1/2!, 1: the next term is below 2^-57 of the sum.
_C = tuple(1 / math.factorial(n) for n in range(13, 0, -1))


@serial_in_order
def exp_parts(x):
    """(q, s) with exp(x) = s + s*q and exp(x) - 1 = (s - 1) + s*q, for x <= 0: both are exact to the last bits."""
    z = x if x > _LOWEST else _LOWEST  # NaN is not above
    n = np.int32(z * _PER_LN2 - 0.5)
    r = (z - n * _LN2_HIGH) - n * _LN2_LOW
    q = _C[0]
    for c in numba.literal_unroll(_C[1:]):
        q = q * r + c
    return q * r, np.int64((np.int64(n) + 1023) << 52).view(np.float64)


@serial_in_order
def exp_of(x):
    """exp(x) for x <= 0, as float64; NaN for NaN."""
    q, s = exp_parts(np.float64(x))
    return s + s * q if x > _LOWEST else (np.float64(0) if x <= _LOWEST else np.float64(x))


@serial_in_order
def sigmoid_of(x):
    """1 / (1 + exp(-x)) as float64: only exponents of negative numbers, no overflow at either end."""
    e = exp_of(-abs(x))
    return (1.0 if x >= 0 else e) / (1 + e)


@serial_in_order
def tanh_of(x):
    """(1 - exp(-2|x|)) / (1 + exp(-2|x|)) with the sign of x, as float64; exact near 0 too."""
    twice = -2 * abs(np.float64(x))
    q, s = exp_parts(twice)
    less = (s - 1) + s * q  # exp(-2|x|) - 1
    size = -less / (2 + less) if twice > _LOWEST else 1.0
    return math.copysign(size, x) if x == x else np.float64(x)


@serial_in_order
def expm1_of(x):
    """exp(x) - 1 for x <= 0, as float64; exact near 0 too; NaN for NaN."""
    q, s = exp_parts(np.float64(x))
    return (s - 1) + s * q if x > _LOWEST else (np.float64(-1) if x <= _LOWEST else np.float64(x))


# log(1 + u) = 2 * atanh(r), r = u / (2 + u), which is 2 * (r + r^3 / 3 + r^5 / 5 + ...). r is at most 1 / 3: the next
# term is below 2^-56 of the sum.
_ATANH = tuple(1 / n for n in range(31, 0, -2))


@serial_in_order
def log1p_of(u):
    """log(1 + u) for u from 0 to 1, as float64; exact near 0 too; NaN for NaN."""
    r = u / (2 + u)
    square, total = r * r, _ATANH[0]
    for c in numba.literal_unroll(_ATANH[1:]):
        total = total * square + c
    return 2 * r * total
