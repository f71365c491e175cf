"""Examples on their way into a network on the GPU: data sets of any dtype, tables from both sides, large examples."""

from importlib import import_module

import numpy as np
import pytest
from compare import assert_close
from devices import DEVICES

if "gpu" not in DEVICES:
    pytest.skip("neither a GPU nor what plays one", allow_module_level=True)

from scratchnet import reference, replay
from scratchnet.augment import affine
from scratchnet.kernels.interface import FILL_MODES

gpu, to_device, to_numpy = DEVICES["gpu"]
gathering = import_module("scratchnet.kernels.gpu.gather")  # the package has a function of this name
RNG = np.random.default_rng(0)


def assert_same_bits(y, expected):
    """The same numbers, zeros of the same sign; any NaN for a NaN."""
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(expected))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_float16(dtype):
    x = np.arange(2**16, dtype=np.uint16).view(np.float16).reshape(256, 256)
    assert_same_bits(to_numpy(gpu.gather(to_device(x), np.arange(256), dtype)), x.astype(dtype))


@pytest.mark.parametrize("source", gathering.TYPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_of_every_dtype_are_rounded_as_numpy_s(source, dtype):
    if np.dtype(source).kind == "f":
        x = np.array([0.0, -0.0, np.nan, -np.inf, np.pi, -1e-3, np.finfo(source).max, np.finfo(source).tiny], source)
    else:
        limits = np.iinfo(source)
        near = [2.0**24 + 1, 2.0**24 + 3, 2.0**53 - 1, 2.0**63 - 2.0**33, -(2.0**24) - 1, -77.0]
        x = np.array([limits.min, limits.max, 3, *(int(v) for v in near if limits.min <= v <= limits.max)], source)
    with np.errstate(over="ignore"):
        expected = x.astype(dtype)
    assert_same_bits(to_numpy(gpu.gather(to_device(x), np.arange(len(x)), dtype)), expected)
    pictures = np.repeat(x, 4).reshape(-1, 2, 2, 1)
    moved = gpu.augment(to_device(pictures), np.arange(len(x)), affine((2, 2), len(x)), dtype=dtype)
    assert_same_bits(to_numpy(moved), expected.repeat(4).reshape(pictures.shape))


def test_what_is_no_data_set_of_the_gpu_s():
    x, matrix = RNG.normal(size=(3, 4, 4, 2)), affine((4, 4), 1)
    for name, arguments in (("gather", ([0], np.float32)), ("augment", ([0], matrix))):
        with pytest.raises(TypeError, match=f"{name}: expected a CuPy array as x, got ndarray"):
            getattr(gpu, name)(x, *arguments)
        with pytest.raises(ValueError, match=f"{name}: expected x of numbers, of dtype bool, uint8, .*got complex128"):
            getattr(gpu, name)(to_device(x.astype(complex)), *arguments)
    with pytest.raises(TypeError, match="translate: expected a CuPy array as x, got ndarray"):
        gpu.translate(x, np.zeros((3, 2), int))


def test_tables_come_from_numpy_or_the_gpu():
    x, index = to_device(RNG.integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)), np.array([4, 0, 4])
    settings = (
        *(index, affine((6, 7), 3, 0.3), "wrap", np.array([1.0, 2.0, 3.0]), np.array([[0.5, 1.2, 3.0]] * 3), (0, 200)),
        *(np.array([[1, 3, 2, 4]] * 3), np.array([0.1, 0.2, 0.3]), np.array([0.5])),
    )
    for name, arguments in (
        ("gather", (x, index, np.float32, np.array([1.0, 2.0, 3.0]), np.array(4.0))),
        ("augment", (x, *settings)),
        ("translate", (to_device(RNG.normal(size=(3, 4, 4, 1))), np.array([[1, 0], [-1, 2], [9, 9]]))),
        ("uniform", (3, 4, index, 5)),
    ):
        over = [to_device(a) if isinstance(a, np.ndarray) else a for a in arguments]
        here, from_there = getattr(gpu, name)(*arguments), getattr(gpu, name)(*over)
        np.testing.assert_array_equal(to_numpy(here), to_numpy(from_there))


@pytest.mark.parametrize("most_blocks", [1, 2, 65535])
def test_examples_of_more_numbers_than_their_threads(monkeypatch, most_blocks):
    monkeypatch.setattr(gathering, "_MOST_BLOCKS", most_blocks)
    x, index, scale, offset = RNG.random((3, 20, 30, 2)), np.array([2, 0]), np.array([2.0, 3.0]), np.array([1.0, 0.5])
    y = gpu.gather(to_device(x), index, np.float64, scale, offset)
    assert_close(to_numpy(y), x[index] * scale + offset)
    matrix, colour, hole = (
        affine((20, 30), 2, 0.5),
        np.array([[0.5, 1.2, 0.1], [1, 1, 0]]),
        np.array([[2, 9, 3, 20]] * 2),
    )
    settings = index, matrix, "reflect", np.array([0.1, 0.2]), colour, (0, 1), hole, scale, offset
    y = gpu.augment(to_device(x), *settings, dtype=np.float64)
    assert_close(to_numpy(y), reference.augment(x, *settings))
    y = to_numpy(gpu.translate(to_device(x), np.array([[3, -4], [0, 0], [-20, 1]])))
    expected = np.zeros_like(x)
    expected[0, 3:, :-4], expected[1] = x[0, :-3, 4:], x[1]
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("offsets", [(0, 0), (2, -1), (-3, 2), (4, 0), (0, -5), (2**62, 0), (0, -(2**63))])
def test_translate(offsets):
    x = RNG.normal(size=(2, 4, 5, 3))
    y = to_numpy(gpu.translate(to_device(x), np.array([offsets, (1, 1)])))
    expected = np.zeros_like(x)
    for n, h, v in np.ndindex(2, 4, 5):
        a, b = (h - offsets[0], v - offsets[1]) if n == 0 else (h - 1, v - 1)
        if 0 <= a < 4 and 0 <= b < 5:
            expected[n, h, v] = x[n, a, b]
    np.testing.assert_array_equal(y, expected)


def test_offsets_that_do_not_fit():
    x = to_device(RNG.normal(size=(2, 4, 5, 3)))
    with pytest.raises(ValueError, match=r"translate: expected offsets of shape \(2, 2\), to fit x, got \(3, 2\)"):
        gpu.translate(x, np.zeros((3, 2), int))
    with pytest.raises(ValueError, match="translate: expected offsets as whole numbers, got float64"):
        gpu.translate(x, np.zeros((2, 2)))


def test_nothing_asked_for():
    x, nothing = to_device(RNG.normal(size=(2, 4, 5, 3))), np.zeros(0, int)
    assert gpu.gather(x, nothing, np.float32).shape == (0, 4, 5, 3)
    assert gpu.gather(to_device(np.zeros((3, 0))), [1, 2], np.float64).shape == (2, 0)
    assert gpu.augment(x, nothing, np.zeros((0, 6))).shape == (0, 4, 5, 3)
    assert gpu.translate(x[:0], np.zeros((0, 2), int)).shape == (0, 4, 5, 3)
    assert gpu.uniform(1, 2, nothing, 3).shape == (3, 0)
    assert gpu.uniform(1, 2, [4, 5], 0).shape == (0, 2)


def test_a_recorded_step_is_replayed_with_other_numbers():
    """Masks, batches, pictures and distances are those of the numbers that are fresh at each replay."""
    x, ones = to_device(RNG.integers(0, 256, (5, 6, 7, 2), dtype=np.uint8)), to_device(np.ones(50))
    pictures, graph = to_device(RNG.normal(size=(3, 6, 7, 2)).astype(np.float32)), gpu.GRAPH()
    made = []

    def numbers():
        rng = np.random.default_rng(len(made))
        colour = rng.uniform(0.5, 1.5, (3, 3))
        made.append((
            *(2**33 + len(made), rng.integers(0, 5, 3), affine((6, 7), 3, rng.uniform(-1, 1)), colour),
            *(rng.integers(0, 6, (3, 4)), rng.integers(-3, 4, (3, 2))),
        ))  # fmt: skip
        return made[-1]

    def step(now, index, matrix, colour, hole, offsets):
        return (
            gpu.dropout(ones, 0.5, 7, now),
            gpu.gather(x, index, np.float32, 0.5),
            gpu.augment(x, index, matrix, "wrap", 3, colour, (0, 200), hole, offset=0.5),
            gpu.translate(pictures, offsets),
            gpu.square_sum(pictures),
        )

    results = graph.record(lambda: step(*replay.fresh(numbers)))
    for replayed in range(3):
        graph.replay()
        assert len(made) == replayed + 1
        for there, expected in zip(results, step(*made[-1])):
            expected = expected if isinstance(expected, float) else to_numpy(expected)
            np.testing.assert_array_equal(to_numpy(there), expected)


def test_a_recorded_index_out_of_range_gives_nan():
    x, index = to_device(np.ones((3, 2, 2, 1))), np.array([2, 3, -1, 2**40])
    graph = gpu.GRAPH()
    colour = np.full((4, 3), 2.0)
    results = graph.record(
        lambda: [
            gpu.gather(x, replay.fresh(lambda: index), np.float32),
            gpu.augment(x, replay.fresh(lambda: index), affine((2, 2), 4), colour=colour),
        ]
    )
    graph.replay()
    for y in results:
        assert np.isnan(to_numpy(y)).all(axis=(1, 2, 3)).tolist() == [False, True, True, True]


@pytest.mark.parametrize("mode", FILL_MODES)
def test_places_far_outside_of_a_picture(mode):
    x = RNG.random((1, 5, 7, 2))
    matrix = np.array([[1, 0, -999, 0, -1, 1e3], [1, 0.5, 500, 0.25, 300, -800]])
    colour, hole, one = np.array([[1, 1, 0]] * 2), np.zeros((2, 4), int), np.ones(2)
    settings = matrix, mode, np.array([0.1, 0.2]), colour, (0, 1), hole, one, 0 * one
    there = to_device(x)
    y = gpu.augment(there, [0, 0], *settings, dtype=np.float64)
    assert_close(to_numpy(y), reference.augment(x, [0, 0], *settings))
    # Nobody checks a recorded matrix; wherever it leads, nothing outside of the pictures is read.
    wild = np.array([[1, 0, np.nan, 0, 1, 0], [1e300, 0, 0, 0, -np.inf, 0]])
    graph = gpu.GRAPH()
    y = graph.record(lambda: gpu.augment(there, np.array([0, 0]), replay.fresh(lambda: wild), mode, 0.5))
    graph.replay()
    assert y.shape == (2, 5, 7, 2)


@pytest.mark.parametrize("step", [0, 1, 2**64 - 1])
def test_dropout_s_step_has_64_bits(step):
    y = to_numpy(gpu.dropout(to_device(np.ones(9)), 0.5, 2**64 - 1, step))
    np.testing.assert_array_equal(y, reference.dropout(np.ones(9), 0.5, 2**64 - 1, step))
