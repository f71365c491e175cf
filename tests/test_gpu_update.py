"""The optimizers' updates on the GPU: what they read from its memory, and the table of addresses that they go by."""

import numpy as np
import pytest
from devices import DEVICES

if "gpu" not in DEVICES:
    pytest.skip("neither a GPU nor what plays one", allow_module_level=True)

from scratchnet.kernels.gpu import update
from scratchnet.kernels.gpu.runtime import replay

gpu, to_device, to_numpy = DEVICES["gpu"]
UPDATES = {
    "sgd": (3, (0.1, 0.9, True)),
    "rmsprop": (5, (0.1, 0.9, 0.5, 1e-7, True)),
    "adam": (4, (0.1, 0.9, 0.999, 1e-7, 3, 0.01)),
    "moving_average": (2, (0.9,)),
}


def positive(*shape, dtype=np.float32):
    return np.random.default_rng(0).random(shape).astype(dtype)


def there(*rows):
    return [tuple(map(to_device, row)) for row in rows]


@pytest.mark.parametrize("name", UPDATES)
def test_a_step_that_is_skipped_changes_nothing(name):
    count, settings = UPDATES[name]
    here = [positive(count, 7, 3), positive(count, 1500)]
    rows = there(*here)
    replay.skip()[...] = 1
    try:
        getattr(gpu, name)(rows, *settings)
    finally:
        replay.skip()[...] = 0
    for row, before in zip(rows, here):
        np.testing.assert_array_equal([to_numpy(a) for a in row], before)
    getattr(gpu, name)(rows, *settings)
    assert (to_numpy(rows[1][0]) != here[1][0]).all()


def test_a_captured_step_is_replayed_with_other_numbers(monkeypatch):
    """The rate is read at each replay, from the address that it had at the capture."""
    ((p, g, m),) = rows = there(positive(3, 1030, dtype=np.float64))
    expected, gradient, memory = map(to_numpy, rows[0])
    numbers = to_device(np.zeros(2))
    monkeypatch.setattr(replay, "numbers", lambda values, dtype: numbers)
    gpu.sgd(rows, 0.0, 0.0, False)  # brings the table to the GPU, and makes the flag: in a capture neither is possible
    memory = 0 * memory
    stream = gpu.ARRAY_MODULE.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        gpu.sgd(rows, 0.0, 0.0, False)
        graph = stream.end_capture()
        for lr, momentum in ((0.1, 0.0), (0.7, 0.5), (0.01, 0.9)):
            numbers.set(np.array([lr, momentum]))
            graph.launch(stream)
            memory = momentum * memory - lr * gradient
            expected = expected + memory
        stream.synchronize()
    np.testing.assert_allclose(to_numpy(p), expected)
    np.testing.assert_allclose(to_numpy(m), memory)
    np.testing.assert_array_equal(to_numpy(g), gradient)


@pytest.mark.parametrize("size", [0, 1, update._PART - 1, update._PART, 2 * update._PART + 1])
def test_moving_average(size):
    average, p = positive(2, size)
    rows = there((average, p), (p[:0], p[:0]), (average[:1], p[:1]))
    gpu.moving_average(rows, 0.75)
    expected = average + np.float32(0.25) * (p - average)
    np.testing.assert_allclose(to_numpy(rows[0][0]), expected, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(rows[2][0]), expected[:1], rtol=1e-6)
    np.testing.assert_array_equal(to_numpy(rows[0][1]), p)


def test_a_view_is_updated_where_it_lies():
    whole, g, m = (to_device(a) for a in positive(3, 10))
    before = to_numpy(whole)
    gpu.sgd([(whole[3:8], g[3:8], m[:5])], 1.0, 0.0, False)
    expected = before.copy()
    expected[3:8] -= to_numpy(g)[3:8]
    np.testing.assert_array_equal(to_numpy(whole), expected)


def test_tables_are_kept_for_the_same_arrays_and_no_others(monkeypatch):
    made = []
    make = update._make_table
    monkeypatch.setattr(update, "_make_table", lambda *args: made.append(args) or make(*args))
    rows = there(positive(2, 5), positive(2, 5))
    for _ in range(3):
        gpu.moving_average(rows, 0.9)
    assert len(made) == 1
    gpu.moving_average(rows[:1], 0.9)
    assert len(made) == 2
    gpu.adam([rows[0] + rows[1]], *UPDATES["adam"][1])  # the same arrays, but one row
    assert len(made) == 3
    with pytest.raises(ValueError, match="adam: expected rows of 4 CuPy arrays"):
        gpu.adam(rows, *UPDATES["adam"][1])
    for _ in range(2 * update._MOST_TABLES):  # each dies at once: its id, and its memory, may go to the next
        ((average, _),) = new = there(np.stack([np.zeros(4, np.float32), np.ones(4, np.float32)]))
        gpu.moving_average(new, 0.5)
        np.testing.assert_array_equal(to_numpy(average), np.full(4, 0.5))
    assert len(update._tables) == update._MOST_TABLES


def test_what_is_no_array_of_the_gpu_s_is_refused():
    p, g, m = positive(3, 4)
    with pytest.raises(ValueError, match=r"sgd: expected rows of 3 CuPy arrays, got \['ndarray'"):
        gpu.sgd([(p, g, m)], 0.1, 0.0, False)
    with pytest.raises(ValueError, match="sgd: expected rows of 3 arrays, got none"):
        gpu.sgd([], 0.1, 0.0, False)
    with pytest.raises(ValueError, match="sgd: expected dtype float32 or float64, got int32"):
        gpu.sgd(there(np.zeros((3, 4), np.int32)), 0.1, 0.0, False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_square_sum(dtype):
    x = np.random.default_rng(0).normal(size=(3, 9000)).astype(dtype)  # parts of 8192
    for a in (x, x[:, ::2], x.T, x[0, :1], x[:, :0]):
        result = gpu.square_sum(to_device(a))
        assert type(result) is float
        assert result == pytest.approx(np.square(a, dtype=np.float64).sum(), rel=1e-12)
    assert np.isnan(gpu.square_sum(to_device(np.array([1, np.nan], dtype))))
    # As long as this a sum in float32 would stick.
    assert gpu.square_sum(to_device(np.full(2**15, 1.0, dtype) * dtype(2**12 + 1))) == 2**15 * (2**12 + 1) ** 2
