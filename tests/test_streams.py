"""Generators, iterators and Datasets in place of arrays: the message says what came and what to do."""

import numpy as np
import pytest

import scratchnet as sn


def generator():
    while True:
        yield np.ones((2, 4), np.float32), np.zeros(2)


class Dataset:
    """As torch.utils.data.Dataset and keras.utils.PyDataset are: with a length and places."""

    def __len__(self):
        return 2

    def __getitem__(self, number):
        return np.ones((2, 4), np.float32), np.zeros(2)


class Stream:
    """As tf.data.Dataset is: it can only be gone through."""

    def __iter__(self):
        return generator()


STREAMS = {
    "generator": (generator, "a generator"),
    "iterator": (lambda: iter([np.ones((2, 4))]), "a list_iterator"),
    "zip": (lambda: zip(np.ones((2, 4)), np.ones(2)), "a zip"),
    "Dataset": (Dataset, f"a Dataset of {__name__}"),
    "Stream": (Stream, f"a Stream of {__name__}"),
}
TAKES = {
    "fit": lambda model, data: model.fit(data, verbose=0),
    "fit with labels": lambda model, data: model.fit(data, np.zeros(4), verbose=0),
    "evaluate": lambda model, data: model.evaluate(data, verbose=0),
    "predict": lambda model, data: model.predict(data),
    "train_on_batch": lambda model, data: model.train_on_batch(data, np.zeros(4)),
}


@pytest.mark.parametrize("take", TAKES)
@pytest.mark.parametrize("kind", STREAMS)
def test_what_hands_out_batches_is_named(kind, take):
    make, name = STREAMS[kind]
    model = sn.Sequential([sn.Dense(3, input_shape=(4,))])
    model.compile("sgd", sn.SparseCategoricalCrossentropy(from_logits=True))
    message = rf"{take.split()[0]}: expected x as an array, .*, got {name}\. .*concatenate.*datagen.flow\(x, y\)"
    with pytest.raises(TypeError, match=message):
        TAKES[take](model, make())
    assert model.optimizer.iterations == 0


def test_what_hands_out_batches_is_named_elsewhere():
    model = sn.Sequential([sn.Dense(3, input_shape=(4,))])
    model.compile("sgd", sn.SparseCategoricalCrossentropy(from_logits=True))
    x = np.ones((4, 4), np.float32)
    with pytest.raises(TypeError, match=r"fit: expected validation_data as an array, .* got a generator"):
        model.fit(x, np.zeros(4), validation_data=generator(), verbose=0)
    with pytest.raises(TypeError, match=r"fit: expected y as an array, .* got a generator"):
        model.fit(x, generator(), verbose=0)
    gan = sn.GAN(sn.Sequential([sn.Dense(4)]), sn.Sequential([sn.Dense(1)]), 3)
    gan.compile()
    with pytest.raises(TypeError, match=r"GAN 'gan': fit: expected x as an array, .* got a generator"):
        gan.fit(generator())


def test_lists_and_ranges_are_arrays_enough():
    model = sn.Sequential([sn.Dense(3, input_shape=(4,))])
    model.compile("sgd", sn.SparseCategoricalCrossentropy(from_logits=True))
    start = model.get_weights()
    weights = []
    for x, y in (([[1.0, 2.0, 3.0, 4.0]] * 3, range(3)), ([(1.0, 2.0, 3.0, 4.0)] * 3, (0, 1, 2))):
        model.set_weights(start)
        model.fit(x, y, verbose=0)
        weights.append(model.get_weights()[0])
    np.testing.assert_array_equal(*weights)
    assert (weights[0] != start[0]).any()
