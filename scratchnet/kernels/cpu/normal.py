"""The standard normal distribution as a formula that becomes vector instructions, for GELU.

    p(x) = exp(-x^2 / 2) / sqrt(2 * pi)         the density
    P(x) = erfc(-x / sqrt(2)) / 2               the share below x

For z = |x| / sqrt(2), erfc(z) = exp(-z^2) * f(z) * 3 / (z + 3). f changes little and is a polynomial of
t = (z - 3) / (z + 3), which runs from -1 to 1: exact to a few of float64's last bits, for every z. The exponential and
the polynomial are all there is: no case for small z and another for large ones, as in the C library's erfc.

Source of the idea: Schonfelder, "Chebyshev expansions for the error and related functions", Math. Comp. 32 (1978).
"""

from __future__ import annotations

import math

import numba
import numpy as np

from scratchnet.kernels.cpu.exponential import exp_of
from scratchnet.kernels.cpu.runtime.jit import inlined_in_order

_PER_ROOT_2, _PER_ROOT_2_PI = 1 / math.sqrt(2), 1 / math.sqrt(2 * math.pi)
# f's polynomial, the highest power first, even and odd powers apart: its Chebyshev series, from numbers of 60 digits,
# written in powers of t. Compilers unroll a loop over twelve numbers, but not one over twenty-four.
# fmt: off
_EVEN = (
    2.3183140775046786e-12, -1.1893885619092368e-09, 1.6652640553590825e-08, -1.3722842699705352e-07,
    9.225829640201406e-07, -5.823857407636006e-06, 3.585392363681283e-05, -0.00018276991424949872,
    -0.00040413887394316183, 0.039842587095666314, 0.19674278570136933, 0.3580023023627799,
)
_ODD = (
    2.703562432063331e-10, -2.897924756345276e-09, 1.7060807323373566e-08, -7.795122669713508e-08,
    3.3293900476369915e-07, -1.5830094253678585e-06, 1.0132683861908937e-05, -9.225927134071366e-05,
    0.001011353998686046, -0.008942411541350472, -0.1034890873001944, -0.29446481772329447,
)
# fmt: on


@inlined_in_order
def normal_of(x):
    """(P(x), p(x)), both float64; NaN for NaN."""
    x = np.float64(x)
    bell = exp_of(-0.5 * x * x)
    z = abs(x) * _PER_ROOT_2
    t = 1 - 6 / (z + 3)  # for infinity, too
    square, even, odd = t * t, _EVEN[0], _ODD[0]
    for c in numba.literal_unroll(_EVEN[1:]):
        even = even * square + c
    for c in numba.literal_unroll(_ODD[1:]):
        odd = odd * square + c
    f = even + t * odd
    tail = 0.5 * bell * f * (3 / (z + 3))  # the share beyond |x|
    return (1 - tail if x > 0 else tail), bell * _PER_ROOT_2_PI
