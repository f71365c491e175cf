"""Examples taken by index: the same bits as NumPy's, from any dtype, layout and file."""

import numpy as np
import pytest
from compare import Unchanged, assert_close, layouts, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

RNG = np.random.default_rng(0)


def examples(shape, dtype, layout="plain", seed=0):
    wide = np.random.default_rng(seed).integers(0, 256, (*shape[:-1], 2 * shape[-1])).astype(dtype)
    if layout == "strided":
        return wide[..., ::2]
    if layout == "transposed":
        return np.ascontiguousarray(wide[..., : shape[-1]].T).T
    return np.ascontiguousarray(wide[..., : shape[-1]])


shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
sources = st.sampled_from(["uint8", "float32", "float64", "int64", "bool", "float16", ">f4"])
targets = st.sampled_from([np.float32, np.float64])


@given(shapes, sources, targets, layouts, st.integers(0, 7), seeds)
def test_without_scale_it_is_numpy_s_indexing(device, shape, source, dtype, layout, count, seed):
    x = examples(shape, source, layout, seed)
    index = np.random.default_rng(seed).integers(0, len(x), count)
    with Unchanged(x, index):
        y = device.gather(x, index, dtype)
    np.testing.assert_array_equal(y, x[index].astype(dtype))
    assert y.dtype == dtype
    assert y.flags.c_contiguous
    assert not np.may_share_memory(x, y)


@given(shapes, sources, targets, layouts, st.booleans(), st.booleans(), seeds)
def test_with_scale_and_offset(device, shape, source, dtype, layout, each, only_one, seed):
    x, rng = examples(shape, source, layout, seed), np.random.default_rng(seed)
    index = rng.integers(0, len(x), 4)
    channels = shape[-1] if len(shape) > 1 and each else 1
    scale, offset = rng.normal(size=(2, channels))
    y = device.gather(x, index, dtype, scale, None if only_one else offset)
    assert_close(y, x[index].astype(np.float64) * scale + (0 if only_one else offset), dtype)


def test_nan_passes(device):
    x = np.array([[1.0, np.nan], [np.inf, 2.0]])
    np.testing.assert_array_equal(device.gather(x, [1, 0, 1], np.float32), x[[1, 0, 1]].astype(np.float32))


def test_from_a_file(device, tmp_path):
    x = examples((9, 4, 3, 3), np.uint8)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    y = device.gather(mapped, [8, 0, 3], np.float32)
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(y, x[[8, 0, 3]])


def test_same_bits_for_any_number_of_threads(device):
    x, index = examples((50, 7, 5, 3), np.uint8), RNG.integers(0, 50, 33)
    arguments = x, index, np.float32, [0.1, 0.2, 0.3], [1.0, 2.0, 3.0]
    one, two = (with_threads(k, device.gather, *arguments) for k in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("index", [[0, 3], [-1], [2**40], np.array([2**64 - 1], np.uint64)])
def test_numbers_of_examples_that_there_are_not(device, index):
    with pytest.raises(IndexError, match="examples from 0 to 2, got"):
        device.gather(np.zeros((3, 2)), index, np.float32)


@pytest.mark.parametrize("index", [[[0, 1]], [0.0, 1.0], [True, False, True], 1])
def test_what_is_no_index(device, index):
    with pytest.raises(ValueError, match="whole numbers along one axis"):
        device.gather(np.zeros((3, 2)), index, np.float32)


def test_scales_that_do_not_fit(device):
    with pytest.raises(ValueError, match=r"scale to be one number or one for each of the 3 channels, got \[1.0, 2.0\]"):
        device.gather(np.zeros((4, 5, 3)), [0], np.float32, [1, 2])
    with pytest.raises(ValueError, match="offset to be one number"):
        device.gather(np.zeros((4, 5, 3)), [0], np.float32, 1, np.zeros((3, 1)))
