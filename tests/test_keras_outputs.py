"""Several inputs and outputs, and batches from data sets, as in Keras 3. Skipped where Keras is not installed."""

import numpy as np
import pytest
from with_keras import keras, report  # noqa: F401 - report is a fixture

import scratchnet as sn

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(24, 4)).astype(np.float32), RNG.normal(size=(24, 3)).astype(np.float32)
KINDS, SWITCH = RNG.integers(0, 3, 24), RNG.integers(0, 2, (24, 1)).astype(np.float32)
LOSSES = ["sparse_categorical_crossentropy", "binary_crossentropy"]
WEIGHTS = [RNG.random(24).astype(np.float32), RNG.random(24).astype(np.float32)]


def network(module, layers, as_dicts=False):
    left, right = module.Input((4,), name="left"), module.Input((3,), name="right")
    hidden = layers.Dense(6, activation="relu")(layers.Concatenate()([left, right]))
    kind = layers.Dense(3, activation="softmax", name="kind")(hidden)
    switch = layers.Dense(1, activation="sigmoid", name="switch")(hidden)
    if as_dicts:
        return module.Model({"left": left, "right": right}, {"kind": kind, "switch": switch})
    return module.Model([left, right], [kind, switch])


def pair(as_dicts=False, optimizer="SGD", **options):
    """Keras's model and ours, with the same weights."""
    theirs, ours = network(keras, keras.layers, as_dicts), network(sn, sn.layers, as_dicts)
    ours.set_weights(theirs.get_weights())
    for model, module in ((theirs, keras.optimizers), (ours, sn.optimizers)):
        model.compile(getattr(module, optimizer)(0.05), **options)
    return theirs, ours


def assert_same(ours, theirs, alike=True):
    """`alike` says whether all batches have one size.

    If not, Keras on TensorFlow takes the mean of an output's loss over batches, whatever their sizes, since a compiled
    step does not know them; ours are over examples, and add up to the loss.
    """
    assert set(ours) == set(theirs)
    for name in theirs:
        if not alike and name.removeprefix("val_") in ("kind_loss", "switch_loss"):
            continue
        np.testing.assert_allclose(ours[name], theirs[name], rtol=2e-4, atol=1e-6, err_msg=name)


COMPILED = {
    "lists": {"loss": LOSSES},
    "dicts, weights": {
        "loss": dict(zip(("kind", "switch"), LOSSES)),
        "loss_weights": {"switch": 2.0, "kind": 0.5},
        "metrics": {"kind": ["accuracy"], "switch": ["accuracy"]},
    },
    "weighted metrics": {
        "loss": LOSSES,
        "metrics": [["accuracy"], ["accuracy"]],
        "weighted_metrics": [["accuracy"], ["accuracy"]],
    },
    "one without a loss": {"loss": [LOSSES[0], None]},
}


@pytest.mark.parametrize("case", COMPILED)
@pytest.mark.parametrize("weight", [None, "one", "each"])
def test_fit_and_evaluate(case, weight):
    if case == "one without a loss" and weight is not None:
        pytest.skip("Keras asks for weights of the outputs that have a loss")
    theirs, ours = pair(**COMPILED[case])
    weight = {None: None, "one": WEIGHTS[0], "each": WEIGHTS}[weight]
    options = {
        "batch_size": 6, "epochs": 4, "shuffle": False, "verbose": 0, "sample_weight": weight, "validation_freq": 2,
        "validation_data": ([A, B], [KINDS, SWITCH]),
    }  # fmt: skip
    histories = [model.fit([A, B], [KINDS, SWITCH], **options).history for model in (ours, theirs)]
    assert_same(*histories)
    values = [model.evaluate([A, B], [KINDS, SWITCH], verbose=0) for model in (ours, theirs)]
    np.testing.assert_allclose(*values, rtol=2e-4)
    for found, expected in zip(ours.predict([A, B]), theirs.predict([A, B], verbose=0)):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-6)
    logs = [model.train_on_batch([A, B], [KINDS, SWITCH], return_dict=True) for model in (ours, theirs)]
    assert_same(*logs)
    logs = [model.test_on_batch([A, B], [KINDS, SWITCH], return_dict=True) for model in (ours, theirs)]
    assert_same(*logs)


def test_dicts():
    theirs, ours = pair(True, "Adam", loss=dict(zip(("kind", "switch"), LOSSES)), metrics={"kind": ["accuracy"]})
    x, y = {"left": A, "right": B}, {"kind": KINDS, "switch": SWITCH}
    options = {"batch_size": 6, "epochs": 3, "shuffle": False, "verbose": 0}
    assert_same(*[model.fit(x, y, **options).history for model in (ours, theirs)])
    found, expected = ours.predict(x), theirs.predict(x, verbose=0)
    for name in ("kind", "switch"):
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-4, atol=1e-6)


def data_set(base, size):
    class Parts(base):
        def __len__(self):
            return -(-24 // size)

        def __getitem__(self, index):
            part = slice(index * size, (index + 1) * size)
            return (A[part], B[part]), (KINDS[part], SWITCH[part])

    return Parts()


@pytest.mark.parametrize(("size", "steps"), [(5, None), (6, None), (5, 2), (6, 2)])
def test_data_sets(size, steps):
    theirs, ours = pair(loss=LOSSES, metrics=[["accuracy"], []])
    histories = []
    for model, base in ((ours, sn.training.streams.PyDataset), (theirs, keras.utils.PyDataset)):
        data = data_set(base, size)
        with pytest.warns(UserWarning, match="batches") if size == 5 and steps else _nothing():
            history = model.fit(
                data, steps_per_epoch=steps, epochs=4, shuffle=False, verbose=0, validation_data=data
            ).history
        histories.append(history)
    assert_same(*histories, alike=size == 6)


def test_generators():
    def forever():
        while True:
            for part in (slice(0, 7), slice(7, 16), slice(16, 24)):
                yield (A[part], B[part]), (KINDS[part], SWITCH[part])

    theirs, ours = pair(loss=LOSSES)
    options = {"steps_per_epoch": 2, "epochs": 3, "shuffle": False, "verbose": 0}
    assert_same(*[model.fit(forever(), **options).history for model in (ours, theirs)], alike=False)
    values = [model.evaluate(forever(), steps=3, verbose=0)[0] for model in (ours, theirs)]
    np.testing.assert_allclose(*values, rtol=2e-4)


class _nothing:
    def __enter__(self):
        return None

    def __exit__(self, *_):
        return None


def test_grey_pictures_without_their_last_axis():
    pictures = RNG.random((12, 6, 6)).astype(np.float32)

    def auto_encoder(module, layers):
        return module.Sequential([
            layers.Input((6, 6, 1)) if module is keras else layers.InputLayer((6, 6, 1)),
            layers.Conv2D(2, 3, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ])  # fmt: skip

    theirs, ours = auto_encoder(keras, keras.layers), auto_encoder(sn, sn.layers)
    ours.set_weights(theirs.get_weights())
    histories = []
    for model in (ours, theirs):
        model.compile("sgd", "mse")
        histories.append(model.fit(pictures, pictures, batch_size=4, epochs=2, shuffle=False, verbose=0).history)
    assert_same(*histories)
    np.testing.assert_allclose(ours.predict(pictures), theirs.predict(pictures, verbose=0), rtol=1e-4)


class Told:
    """The names of the methods that were called, with the batch and the names in the logs."""

    def __init__(self):
        super().__init__()
        self.calls = []


def _tell(name):
    def hook(self, *args, logs=None):
        given = dict(logs or (args[-1] if args and isinstance(args[-1], dict) else {}))
        self.calls.append((name, *[a for a in args if isinstance(a, int)], *sorted(given)))

    return hook


HOOKS = [
    f"on_{what}_{when}" for what in ("train", "epoch", "train_batch", "test", "test_batch", "predict", "predict_batch")
    for when in ("begin", "end")
]  # fmt: skip


def test_callbacks_are_called_in_keras_order():
    seen = []
    for module in (sn, keras):
        hooks = {name: _tell(name) for name in HOOKS}
        told = type("Recorder", (Told, module.callbacks.Callback), hooks)()
        theirs, ours = pair(loss=LOSSES)
        model = ours if module is sn else theirs
        model.fit([A, B], [KINDS, SWITCH], batch_size=12, verbose=0, callbacks=[told], validation_split=0.5)
        model.evaluate([A, B], [KINDS, SWITCH], batch_size=12, verbose=0, callbacks=[told])
        model.predict([A, B], batch_size=12, verbose=0, callbacks=[told])
        seen.append(told.calls)
    assert seen[0] == seen[1]
