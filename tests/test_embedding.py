"""Embedding: rows of a table by whole numbers, their gradient, and what is no such number. It is not in EVERY: its
input is not any array.
"""

import numpy as np
import pytest
from compare import DTYPES
from devices import gpu_registered
from threads import with_threads

import scratchnet as sn

NUMBERS = np.array([[0, 3, 3], [2, 0, 3]])


def made(numbers=NUMBERS, **options):
    sn.set_random_seed(1)
    layer = sn.Embedding(4, 5, **options)
    layer.build((None, *numbers.shape[1:]))
    return layer


@pytest.mark.parametrize("numbers", [NUMBERS, NUMBERS[0], NUMBERS[:, :1], NUMBERS[None]])
@pytest.mark.parametrize("kind", [np.int32, np.uint8, np.int64, np.float32, np.float64])
def test_rows_by_their_numbers(numbers, kind):
    layer = made(numbers)
    y = layer.forward(numbers.astype(kind))
    assert y.dtype == (np.float64 if kind == np.float64 else np.float32)
    np.testing.assert_array_equal(y, layer.params["embeddings"][numbers])
    assert layer.output_shape == (None, *numbers.shape[1:], 5)
    dy = np.random.default_rng(0).normal(size=y.shape).astype(y.dtype)
    dx = layer.backward(dy)
    assert dx.shape == numbers.shape
    assert not dx.any()
    expected = np.zeros((4, 5))
    np.add.at(expected, numbers, dy)
    np.testing.assert_allclose(layer.grads["embeddings"], expected, atol=1e-6)
    layer.backward(dy, param_grads=False)
    np.testing.assert_allclose(layer.grads["embeddings"], expected, atol=1e-6)


def test_it_starts_as_keras_s():
    w = made().params["embeddings"]
    assert np.abs(w).max() <= 0.05
    assert w.shape == (4, 5)
    assert sn.Embedding(4, 5, embeddings_initializer="ones").embeddings_initializer.draw((1,), None).item() == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[0, 1], [4, 9]], r"whole numbers from 0 to 3, got 4 at x\[1, 0\]\. input_dim is the largest number plus 1"),
        ([[0, -1]], r"got -1 at x\[0, 1\]"),
        ([0, 1.5], r"got 1.5 at x\[1\]"),
        ([0, np.nan], r"got nan at x\[1\]"),
        ([[2**40, 0]], r"got 1.09951e\+12 at x\[0, 0\]"),
        (np.zeros((0, 3)), r"a batch, .* got \(0, 3\)"),
    ],
)
def test_what_is_no_number_of_a_row(wrong, message):
    layer = sn.Embedding(4, 5)
    with pytest.raises(ValueError, match=f"Embedding 'embedding.*': expected .*{message}"):
        layer.forward(np.asarray(wrong))


def test_what_cannot_be_made():
    with pytest.raises(ValueError, match="expected input_dim to be a whole number of at least 1 and at most 16777216"):
        sn.Embedding(2**24 + 1, 5)
    with pytest.raises(ValueError, match=r"Embedding.*: expected an input shape"):
        sn.Embedding(3, 5).build((None, None))
    with pytest.raises(ValueError, match="Embedding: mask_zero=True is not there"):
        sn.Embedding(3, 5, mask_zero=True)


def test_every_number_of_the_largest_table_is_told_apart():
    layer = sn.Embedding(2**24, 1, embeddings_initializer="zeros")
    last = 2**24 - 1
    layer.build((None,))
    layer.params["embeddings"][last] = 7
    assert layer.forward(np.array([last, last - 1])).tolist() == [[7], [0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_for_any_number_of_threads(dtype):
    def gradient():
        layer = sn.Embedding(7, 3, embeddings_initializer="ones")
        numbers = np.random.default_rng(0).integers(0, 7, (50, 9)).astype(dtype)
        y = layer.forward(numbers)
        layer.backward(np.random.default_rng(1).normal(size=y.shape).astype(dtype))
        return layer.grads["embeddings"]

    np.testing.assert_array_equal(*(with_threads(k, gradient) for k in (1, 2)))


def classifier(shape=()):
    sn.set_random_seed(3)
    layers = [sn.Embedding(6, 4, input_shape=shape)] if shape else [sn.Embedding(6, 4)]
    layers += [sn.Flatten()] if shape else []
    model = sn.Sequential([*layers, sn.Dense(3, activation="softmax")])
    model.compile(optimizer=sn.Adam(0.05), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("kind", [np.int32, np.float32, np.uint8])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_model_learns_from_numbers(kind, shape):
    x = np.random.default_rng(0).integers(0, 6, (120, *shape)).astype(kind)
    y = (x if not shape else x[:, 0]).astype(np.int64) % 3
    model = classifier(shape)
    history = model.fit(x, y, batch_size=20, epochs=25, verbose=0)
    assert history.history["accuracy"][-1] == 1
    np.testing.assert_array_equal(model.predict(x, verbose=0).argmax(axis=1), y)


def test_a_number_out_of_range_stops_fit():
    with pytest.raises(ValueError, match="expected whole numbers from 0 to 5, got 6"):
        classifier((2,)).fit(np.full((4, 2), 6), np.zeros(4, int), epochs=1, verbose=0)


def test_its_gradient_in_a_model_is_checked():
    model = sn.Sequential([sn.Embedding(6, 4), sn.Flatten(), sn.Dense(3, activation="tanh")])
    report = sn.gradcheck(model, np.random.default_rng(0).integers(0, 6, (5, 2)))
    assert report.passed, report
    assert [row.name for row in report.rows] == ["0_embedding/embeddings", "2_dense/kernel", "2_dense/bias"]


def test_it_is_saved(tmp_path):
    model = classifier((2,))
    x = np.array([[1, 2], [5, 0]])
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(sn.load_model(tmp_path / "model.safetensors").forward(x), model.forward(x))


def test_on_the_gpu():
    with gpu_registered() as gpu:
        ours, theirs = made().to("gpu"), made()
        dy = np.random.default_rng(0).normal(size=(*NUMBERS.shape, 5)).astype(np.float32)
        for numbers in (NUMBERS, NUMBERS.astype(np.float32)):
            y = ours.forward(gpu.module.asarray(numbers))
            np.testing.assert_array_equal(gpu.to_numpy(y), theirs.forward(numbers))
            dx = ours.backward(gpu.module.asarray(dy))
            np.testing.assert_array_equal(gpu.to_numpy(dx), theirs.backward(dy))
            np.testing.assert_array_equal(gpu.to_numpy(ours.grads["embeddings"]), theirs.grads["embeddings"])
        with pytest.raises(ValueError, match=r"from 0 to 3, got 4 at x\[1, 2\]"):
            ours.forward(gpu.module.asarray(NUMBERS + np.array([[0, 0, 0], [0, 0, 1]])))
