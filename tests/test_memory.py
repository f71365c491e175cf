"""Memory is used again only when nobody can see it any more, and a training run does not grow."""

import gc
import weakref

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.runtime import jit, memory
from scratchnet.kernels.cpu.runtime.memory import SMALLEST, empty
from scratchnet.training.step import train_step

SHAPE = (SMALLEST // 4, 3)


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("shape", [(3,), SHAPE, (1, *SHAPE)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_an_array_as_any_other(shape, dtype):
    a = empty(shape, dtype)
    assert (a.shape, a.dtype) == (shape, dtype)
    assert a.flags.writeable
    assert a.flags.c_contiguous
    a[...] = 7
    assert (a == 7).all()


def test_memory_comes_back_when_the_last_view_is_gone():
    a = empty(SHAPE, np.float32)
    place, view = address(a), a[5:, 1]
    del a
    gc.collect()
    assert address(empty(SHAPE, np.float32)) != place
    view[...] = 1  # still ours
    del view
    gc.collect()
    assert address(empty(SHAPE, np.float32)) == place


def test_sizes_that_nobody_asks_for_make_room(monkeypatch):
    """A notebook trains many models: what the first ones left must not keep the last from their memory."""
    monkeypatch.setattr(memory, "_STORE", memory._Store())
    monkeypatch.setattr(memory, "MOST", 10 * SMALLEST)
    for n in range(1, 9):
        empty((n * SMALLEST,), np.uint8)  # dies at once
        gc.collect()
        assert memory._STORE.held <= memory.MOST
    assert sum(block.size for blocks in memory._STORE.free.values() for block in blocks) == memory._STORE.held
    place = address(empty((8 * SMALLEST,), np.uint8))
    assert address(empty((8 * SMALLEST,), np.uint8)) == place
    empty((11 * SMALLEST,), np.uint8)  # more than may be held at all
    assert memory._STORE.held <= memory.MOST


def test_a_result_stays_the_caller_s():
    x = np.linspace(-1, 1, 3 * SMALLEST, dtype=np.float32)
    first = cpu.relu(x)
    kept = first.copy()
    for _ in range(5):
        cpu.relu(-x)
    np.testing.assert_array_equal(first, kept)


def test_vectors_begin_at_a_cache_line():
    assert all(address(empty((SMALLEST + n,), np.uint8)) % 64 == 0 for n in range(5))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_a_kernel_writes_over_begins_at_a_cache_line(monkeypatch, dtype):
    """However little it is: two threads never write to one line."""
    for size in (1, 100, SMALLEST + 3):
        monkeypatch.setattr(jit, "_scratch", {})
        parts = jit.scratch(size, np.dtype(dtype))
        assert parts.shape[1] >= size
        assert all(address(part) % 64 == 0 for part in parts)


def test_steps_need_no_more_memory_than_the_first_two():
    resource = pytest.importorskip("resource", reason="page faults cannot be counted on this system")
    rng = np.random.default_rng(0)
    model = sn.Sequential(
        [
            sn.Conv2D(32, 3, activation="relu", input_shape=(32, 32, 3)),
            sn.BatchNormalization(),
            sn.MaxPooling2D(),
            sn.Conv2D(32, 3, activation="tanh"),
            sn.Dropout(0.2),
            sn.Flatten(),
            sn.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = rng.random((32, 32, 32, 3), dtype=np.float32), rng.integers(0, 10, 32)
    for _ in range(5):
        train_step(model, model.loss, model.optimizer, x, y)
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(20):
        train_step(model, model.loss, model.optimizer, x, y)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_maxrss - before.ru_maxrss < 2 << 10  # KiB: the largest array alone has 3.6 MB
    # Fresh memory for that one array would cost 900 faults a step.
    assert (after.ru_minflt - before.ru_minflt) / 20 < 100


def test_what_a_caller_does_to_an_output_does_not_change_the_gradient():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(4, 6, 6, 3)), rng.normal(size=(4, 4 * 4 * 5))
    for activation in ("relu", "sigmoid", "softmax", "silu", "leaky_relu"):
        for behind in ([sn.Flatten()], [sn.Flatten(), sn.Dropout(0.5)], [sn.Reshape((80,))]):
            model = sn.Sequential([sn.Conv2D(5, 3, activation=activation), *behind])
            model.forward(x)
            expected = model.backward(dy)
            y = model.forward(x)
            y[...] = -1
            np.testing.assert_array_equal(model.backward(dy), expected)


def test_after_fit_the_model_keeps_no_data():
    model = sn.Sequential([sn.Dense(2, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.ones((12, 4), np.float32)
    alive = weakref.ref(x)
    model.fit(x, np.arange(12) % 2, verbose=0)
    del x
    assert alive() is None
