"""What the kernel tests share: arrays of odd layouts, drawn shapes, and comparison with the reference."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

DTYPES = (np.float64, np.float32)
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
SMALLEST = {np.float64: 1e-3, np.float32: 0.1}  # scale: a sum whose terms cancel has lost digits that it had


def at_least(examples):
    """So many drawn examples, or those of the profile, if they are more."""
    return max(examples, settings().max_examples)


def assert_close(actual, expected, dtype=np.float64):
    """The same shape and dtype, and the same numbers within a small part of the largest."""
    assert actual.shape == np.shape(expected)
    assert actual.dtype == dtype
    scale = max(SMALLEST[dtype], float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


def normal(rng, shape, dtype=np.float64, layout="plain"):
    """Random numbers; with layout "strided" or "transposed" as a view that is not contiguous."""
    if layout == "strided":
        wide = rng.normal(size=(*shape[:-1], 2 * shape[-1])).astype(dtype)
        return wide[..., ::2]
    if layout == "transposed":
        return rng.normal(size=shape[::-1]).astype(dtype).T
    return rng.normal(size=shape).astype(dtype)


layouts = st.sampled_from(["plain", "strided", "transposed"])
dtypes = st.sampled_from(DTYPES)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def windows(draw, largest_kernel=4):
    """(N, (H, W), (KH, KW), strides, pads) such that the window fits at least once; pads may differ on all sides."""
    axes = []
    for _ in range(2):
        kernel, stride = draw(st.integers(1, largest_kernel)), draw(st.integers(1, 5))
        pads = draw(st.integers(0, kernel - 1)), draw(st.integers(0, kernel - 1))
        size = draw(st.integers(max(1, kernel - sum(pads)), 9))
        axes.append((size, kernel, stride, pads))
    sizes, kernels, strides, pads = zip(*axes)
    return draw(st.integers(1, 3)), sizes, kernels, strides, pads


class Unchanged:
    """A context in which arrays must not change."""

    def __init__(self, *arrays):
        self.arrays, self.before = arrays, [a.copy() for a in arrays]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for array, before in zip(self.arrays, self.before):
            np.testing.assert_array_equal(array, before)
