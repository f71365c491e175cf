"""The same on the stand-in device and on the CPU: what is made twice, and what must then be the same."""

import numpy as np
from stand_in import Array, put

import scratchnet as sn

SEED = 3
RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(24, 8, 8, 2)).astype(np.float32)
ROWS = PICTURES.reshape(24, -1)
LABELS = np.arange(24) % 3
SCORES = RNG.normal(size=(24, 3)).astype(np.float32)
WEIGHTS = RNG.random(24)


def same(x):
    """Where arrays of the CPU stay."""
    return x


ON = (put, same)  # onto the device, and onto the CPU


def assert_same(ours, cpus):
    """An array of the device, with the dtype and the bits of one of the CPU."""
    assert isinstance(ours, Array)
    assert ours.dtype == cpus.dtype
    np.testing.assert_array_equal(ours.get(), cpus)


def assert_same_weights(ours, cpus, parts=("params", "grads", "state")):
    for part in parts:
        some, others = getattr(ours, part), getattr(cpus, part)
        assert list(some) == list(others)
        for name in some:
            assert_same(some[name], others[name])


def twice(make, x=None, training=False):
    """(ours, the CPU's): two of the same, with the same random numbers; with an x, run forward once each."""
    pair = []
    for on in ON:
        sn.set_random_seed(SEED)
        pair.append(make())
        if x is not None:
            pair[-1].forward(on(x), training=training)
    return pair


def classifier(input_shape=None):
    model = sn.Sequential(
        [
            sn.Conv2D(4, 3, padding="same", use_bias=False, name="conv", input_shape=input_shape),
            sn.BatchNormalization(name="norm"),
            sn.ReLU(name="relu"),
            sn.Parallel([sn.Conv2D(4, 1, name="inner"), sn.Chain([], name="identity")], name="shortcut"),
            sn.MaxPooling2D(name="pool"),
            sn.Dropout(0.3, name="dropout"),
            sn.Flatten(name="flatten"),
            sn.Dense(3, activation="softmax", name="scores"),
        ],
        name="model",
    )
    model.compile(sn.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def classifiers():
    """(ours, the CPU's): a classifier whose weights are on the device, and one on the CPU."""
    return twice(classifier, PICTURES)


def fit(model, x, y, **options):
    """The history of a short training."""
    sn.set_random_seed(SEED)
    options = {"validation_split": 0.25, "augment": sn.Augment(1, value_range=(-4, 4)), **options}
    return model.fit(x, y, epochs=2, batch_size=8, verbose=0, **options).history
