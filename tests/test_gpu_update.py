"""The optimizers' updates on the GPU: what they read from its memory, and the table of addresses that they go by."""

import numpy as np
import pytest
from devices import DEVICES

if "gpu" not in DEVICES:
    pytest.skip("neither a GPU nor what plays one", allow_module_level=True)

from scratchnet import replay
from scratchnet.kernels.gpu import update

gpu, to_device, to_numpy = DEVICES["gpu"]
UPDATES = {
    "sgd": (3, (0.1, 0.9, True)),
    "rmsprop": (5, (0.1, 0.9, 0.5, 1e-7, True)),
    "adam": (4, (0.1, 0.9, 0.999, 1e-7, 3, 0.01)),
    "adam, amsgrad": (5, (0.1, 0.9, 0.999, 1e-7, 3, 0.01, True)),
    "adagrad": (3, (0.1, 1e-7)),
    "adadelta": (4, (0.1, 0.9, 1e-7)),
    "adamax": (4, (0.1, 0.9, 0.999, 1e-7)),
    "nadam": (4, (to_device(np.array([0.1, 0.2, 3.0])), 0.9, 0.999, 1e-7)),
    "lion": (3, (0.1, 0.9, 0.99)),
    "moving_average": (2, (0.9,)),
}


def positive(*shape, dtype=np.float32):
    return np.random.default_rng(0).random(shape).astype(dtype)


def there(*rows):
    return [tuple(map(to_device, row)) for row in rows]


def recorded(*steps):
    """A graph of the steps, each of which gets its number; and the counter, which each counts on."""
    counted = []
    graph = gpu.GRAPH()

    def number():
        counted.append(len(counted) + 1)
        return counted[-1]

    graph.record(lambda: [step(replay.fresh(number)) for step in steps])
    return graph, counted


def test_a_recorded_adam_step_reads_its_rate_and_its_number_at_each_replay():
    settings = 0.9, 0.999, 1e-7
    here = [positive(4, 1030), positive(4, 3, 5)]
    rows, rate = there(*here), iter([0.1, 0.03, 0.5, 0.02, 0.4, 0.6])
    expected = there(*here)
    for t, lr in enumerate((0.1, 0.03, 0.5, 0.02, 0.4, 0.6), start=1):
        gpu.adam(expected, lr, *settings, t, 0.01)
    graph, counted = recorded(
        *[lambda t: gpu.adam(rows, replay.fresh(lambda: next(rate)), *settings, t, 0.01) for _ in range(2)]
    )
    np.testing.assert_array_equal(to_numpy(rows[0][0]), here[0][0])  # nothing is computed yet
    for _ in range(3):
        graph.replay()
    assert counted == [1, 2, 3, 4, 5, 6]
    for row, other in zip(rows, expected):
        for a, b in zip(row, other):
            np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-6)


@pytest.mark.parametrize("name", UPDATES)
def test_recorded_updates_are_the_eager_ones(name):
    count, (rate, *settings) = UPDATES[name]
    name = name.split(",")[0]
    here = [positive(count, 7, 3), positive(count, 1500)]
    rows, expected = there(*here), there(*here)
    for step in (1, 2, 3):
        getattr(gpu, name)(expected, rate / step, *settings)
    graph, _ = recorded(lambda step: getattr(gpu, name)(rows, rate / step, *settings))
    for _ in range(3):
        graph.replay()
    for row, other in zip(rows, expected):
        np.testing.assert_allclose([to_numpy(a) for a in row], [to_numpy(a) for a in other], rtol=1e-5)


@pytest.mark.parametrize("name", UPDATES)
def test_from_a_loss_on_that_is_not_finite_nothing_changes(name):
    (count, settings), name = UPDATES[name], name.split(",")[0]
    here = [positive(count, 7, 3), positive(count, 1500)]
    rows, losses = there(*here), iter([1.0, np.nan, 1.0])

    def step(_):
        replay.finite(replay.fresh(lambda: next(losses)))
        getattr(gpu, name)(rows, *settings)

    graph, _ = recorded(step)
    graph.replay()
    moved = [[to_numpy(a) for a in row] for row in rows]
    assert (moved[1][0] != here[1][0]).all()
    for _ in range(2):
        graph.replay()
        for row, before in zip(rows, moved):
            np.testing.assert_array_equal([to_numpy(a) for a in row], before)


def test_a_recording_keeps_the_table_that_it_reads():
    rows = there(positive(2, 5))
    gpu.moving_average(rows, 1.0)
    graph, _ = recorded(lambda _: gpu.moving_average(rows, 0.5))
    update._tables.clear()
    average, p = map(to_numpy, rows[0])
    graph.replay()
    np.testing.assert_allclose(to_numpy(rows[0][0]), (average + p) / 2, rtol=1e-6)


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
