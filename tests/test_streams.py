"""Batches from a PyDataset, a generator or another iterable: fit, evaluate and predict on them, and what is named."""

import contextlib
import itertools
import threading
import warnings

import numpy as np
import pytest
from devices import gpu_registered

import scratchnet as sn
from scratchnet.training.streams import PyDataset

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 4)).astype(np.float32), RNG.integers(0, 3, 20)


def build(metrics=("accuracy",)):
    sn.set_random_seed(1)
    model = sn.Sequential([sn.Dense(5, activation="relu", input_shape=(4,)), sn.Dense(3, activation="softmax")])
    model.compile(sn.Adam(0.01), "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


class Parts(PyDataset):
    """X and Y in batches of four; notes what is asked of it."""

    def __init__(self, size=4, **options):
        super().__init__(**options)
        self.size, self.asked, self.hooks = size, [], []

    def __len__(self):
        return -(-len(X) // self.size)

    def __getitem__(self, index):
        self.asked.append(index)
        part = slice(index * self.size, (index + 1) * self.size)
        return X[part], Y[part]

    def on_epoch_begin(self):
        self.hooks.append("begin")

    def on_epoch_end(self):
        self.hooks.append("end")


class Forgetful(Parts):
    """As many scripts have it: without super().__init__()."""

    def __init__(self):
        self.size, self.asked, self.hooks = 4, [], []


class Loader:
    """As a PyTorch loader is: it can be gone through again and again."""

    def __iter__(self):
        return iter([(X[:8], Y[:8]), (X[8:], Y[8:])])


def once(size=4):
    for start in range(0, len(X), size):
        yield X[start : start + size], Y[start : start + size]


def forever(size=4):
    while True:
        yield from once(size)


class Counted(sn.Callback):
    """How many batches each epoch has."""

    def on_train_begin(self, logs=None):
        self.batches, self.steps = [], self.params["steps"]

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.batches[-1] += 1
        assert batch == self.batches[-1] - 1


def test_a_stream_of_the_same_batches_trains_to_the_same_bits_as_arrays():
    weights, histories = [], []
    for data in ((X, Y), (Parts(),), (Parts(workers=3, max_queue_size=2),), (Forgetful(),), (forever(),)):
        model = build()
        steps = 5 if len(data) == 1 and not isinstance(data[0], PyDataset) else None
        history = model.fit(*data, batch_size=4, epochs=3, shuffle=False, verbose=0, steps_per_epoch=steps)
        weights.append(model.get_weights())
        histories.append(history.history)
    for other, theirs in zip(weights[1:], histories[1:]):
        assert theirs == histories[0]
        for ours, own in zip(other, weights[0]):
            np.testing.assert_array_equal(ours, own)


def test_evaluate_and_predict_on_streams():
    model = build()
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    for data in (Parts(), once(), Loader(), iter([(X[:3], Y[:3]), (X[3:], Y[3:])])):
        np.testing.assert_allclose(model.evaluate(data, verbose=0), [loss, accuracy], rtol=1e-6)
    for data in (Parts(), once(), (x for x, _ in once()), ((x,) for x, _ in once()), ([x, y] for x, y in once())):
        np.testing.assert_allclose(model.predict(data), model.predict(X), rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(forever(), steps=5, verbose=0)[0], loss, rtol=1e-6)
    assert model.predict(forever(), steps=2).shape == (8, 3)
    assert model.predict(X, batch_size=3, steps=2).shape == (6, 3)
    with pytest.warns(UserWarning, match=r"evaluate: the generator gave 5 batches, and 7 were wanted"):
        model.evaluate(once(), steps=7, verbose=0)


def test_weights_and_class_weights_of_batches():
    weight = np.linspace(0.5, 2, 20)
    one, other, third = build(), build(), build()
    one.fit(X, Y, sample_weight=weight, batch_size=20, shuffle=False, verbose=0)
    other.fit(iter([(X, Y, weight)]), verbose=0)
    np.testing.assert_array_equal(one.get_weights()[0], other.get_weights()[0])
    one.fit(X, Y, class_weight={0: 2.0, 1: 0.5}, batch_size=20, shuffle=False, verbose=0)
    third.set_weights(other.get_weights())
    third.optimizer.set_state(other.optimizer.get_state(other.params), third.params)
    third.fit(iter([(X, Y)]), class_weight={0: 2.0, 1: 0.5}, verbose=0)
    np.testing.assert_array_equal(one.get_weights()[0], third.get_weights()[0])


def test_the_order_of_the_batches():
    data = Parts()
    build().fit(data, epochs=2, verbose=0)
    first, second = data.asked[:5], data.asked[5:]
    assert sorted(first) == sorted(second) == list(range(5))
    assert first != list(range(5)) or second != list(range(5))
    assert data.hooks == ["begin", "end"] * 2
    again = Parts()
    build().fit(again, epochs=2, verbose=0)
    assert again.asked == data.asked  # the package's random numbers


def test_the_model_is_built_for_the_first_batch():
    for data in (Parts(), once(), Loader()):
        model = sn.Sequential([sn.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        counted = Counted()
        model.fit(data, verbose=0, callbacks=counted, shuffle=False)
        assert model.input_shape == (None, 4)
        assert counted.batches[0] == (2 if isinstance(data, Loader) else 5)  # the first one is trained on, too


def test_batches_of_many_sizes_count_by_their_examples():
    cuts = [0, 1, 6, 8, 20]
    model = build()
    model.optimizer.learning_rate = 0.0
    mixed = model.fit(iter([(X[a:b], Y[a:b]) for a, b in itertools.pairwise(cuts)]), verbose=0).history
    whole = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert mixed["loss"][0] == pytest.approx(whole["loss"], rel=1e-6)
    assert mixed["accuracy"][0] == whole["accuracy"]


@pytest.mark.parametrize(
    ("make", "steps", "epochs", "batches", "warned"),
    [
        (lambda: (X, Y), 2, 4, [2, 2, 1, 2], True),  # 5 batches a pass: the epoch ends where the pass does
        (lambda: (X, Y), 7, 2, [5, 5], True),
        (lambda: (X, Y), 5, 2, [5, 5], False),
        (lambda: (Parts(),), 2, 4, [2, 2, 1, 2], True),
        (lambda: (forever(),), 3, 3, [3, 3, 3], False),
        (lambda: (Loader(),), 1, 3, [1, 1, 1], False),
        (lambda: (Loader(),), None, 2, [2, 2], False),
        (lambda: (once(),), None, 1, [5], False),
        (lambda: (once(),), 3, 3, [3, 2], True),
        (lambda: (once(),), None, 3, [5], True),
    ],
)
def test_steps_per_epoch(make, steps, epochs, batches, warned):
    """As in Keras 3, but that a generator that has given out ends the training, where Keras goes on with its first."""
    counted, model = Counted(), build()
    with warnings.catch_warnings() if not warned else pytest.warns(UserWarning, match="batches"):
        if not warned:
            warnings.simplefilter("error")
        history = model.fit(*make(), batch_size=4, steps_per_epoch=steps, epochs=epochs, verbose=0, callbacks=counted)
    assert counted.batches == batches
    assert len(history.history["loss"]) == len(batches)


def test_steps_that_are_no_pass_still_take_every_example_once_a_pass():
    data = Parts()
    build().fit(data, steps_per_epoch=1, epochs=10, verbose=0)
    assert sorted(data.asked[:5]) == sorted(data.asked[5:]) == list(range(5))


def test_validation_on_streams_and_how_often():
    model = build()
    wanted = model.evaluate(X, Y, verbose=0)[0]
    model.optimizer.learning_rate = 0.0
    for data, steps in ((Parts(), None), (forever(), 5), (Loader(), None), (once(), None)):
        history = model.fit(X, Y, validation_data=data, validation_steps=steps, verbose=0).history
        np.testing.assert_allclose(history["val_loss"], [wanted], rtol=1e-6)
    for freq, count in ((2, 2), ([1, 4], 2), (1, 5), ((5,), 1), (7, 0)):
        history = model.fit(X, Y, validation_data=(X, Y), validation_freq=freq, epochs=5, verbose=0)
        assert len(history.history.get("val_loss", [])) == count
    with pytest.warns(UserWarning, match="validation: the generator has no more batches; nothing is measured"):
        history = model.fit(X, Y, validation_data=once(), epochs=2, verbose=0).history
    assert (len(history["loss"]), len(history["val_loss"])) == (2, 1)


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_line_of_an_epoch_has_the_batches_that_there_were(verbose, capsys):
    build().fit(once(), verbose=verbose)
    assert "Epoch 1/1 - 0s - " in capsys.readouterr().out
    model = build()
    model.evaluate(once(), verbose=verbose)
    assert capsys.readouterr().out.startswith("5/5 - 0s - ")
    model.predict(once(), verbose=verbose)
    assert capsys.readouterr().out.startswith("5/5 - 0s - ")
    model.predict(X)
    assert capsys.readouterr().out == ""


BAD = {
    "rank": ((X[:, 0], Y), r"expected x of shape \(N, 4\)|batch axis"),
    "length": ((X, Y[:3]), "expected one label an example"),
    "nan": ((X * np.nan, Y), "NaN or infinity in x"),
    "label": ((X, Y + 5), "labels from 0 to 2, got"),
    "text": ((X, np.array(["a"] * 20)), "expected y to be an array of numbers"),
    "no labels": (X, "labels y are missing"),
    "four": ((X, Y, Y, Y), r"expected a batch as \(x, y\) or \(x, y, sample_weight\)"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_batch_is_named(fault):
    bad, message = BAD[fault]
    model = build()
    for method in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=rf"(fit|evaluate): batch 1 of the list_iterator:? .*({message})"):
            method(iter([(X, Y), bad]), verbose=0)


def test_what_goes_with_streams_and_what_does_not():
    model = build()
    for arguments, message in (
        ({"y": Y}, "got y beside the batches of a generator"),
        ({"sample_weight": np.ones(20)}, "got sample_weight beside"),
        ({"augment": sn.Augment()}, "got augment beside"),
        ({"validation_split": 0.5}, "validation_split needs arrays, got the generator. Give validation_data"),
        ({"steps_per_epoch": 0}, "expected steps_per_epoch to be a whole number of at least 1"),
        ({"validation_freq": 0}, "expected validation_freq"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(once(), verbose=0, **arguments)
    for empty in (iter(()), Parts(size=4)):
        if isinstance(empty, Parts):
            type(empty).__len__, before = (lambda self: 0), type(empty).__len__
        try:
            with pytest.raises(ValueError, match=r"gave no batch\. At least one is needed"):
                model.fit(empty, verbose=0)
            with pytest.raises(ValueError, match=r"gave no batch\. At least one is needed"):
                model.evaluate(empty, verbose=0)
        finally:
            if isinstance(empty, Parts):
                type(empty).__len__ = before
    assert model.optimizer.iterations == 0
    for method in (model.train_on_batch, model.test_on_batch, model.predict_on_batch):
        with pytest.raises(TypeError, match=r"expected x as an array, .*, got the generator\. Batches of a stream go"):
            method(once())
    gan = sn.GAN(sn.Sequential([sn.Dense(4)]), sn.Sequential([sn.Dense(1)]), 3)
    gan.compile()
    with pytest.raises(TypeError, match=r"GAN 'gan': fit: expected x as an array, .* got a generator"):
        gan.fit(once())


def test_a_data_set_with_places_but_without_batches_is_named():
    class Dataset:  # as torch.utils.data.Dataset is: it gives examples by number
        def __len__(self):
            return 2

        def __getitem__(self, number):
            return X[number], Y[number]

    with pytest.raises(TypeError, match=rf"fit: expected x as an array, .*, got a Dataset of {__name__}"):
        build().fit(Dataset(), verbose=0)
    with pytest.raises(NotImplementedError, match="define __len__"):
        build().fit(PyDataset(), verbose=0)


class Stop(Exception):
    pass


class Break(sn.Callback):
    """Breaks off after so many batches, as a killed process would be."""

    every_batch = True

    def __init__(self, after):
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Stop


@pytest.mark.parametrize(("steps", "after"), [(None, 7), (2, 7), (3, 3), (None, 5)])
def test_a_run_on_a_data_set_is_resumed_to_the_same_bits(tmp_path, steps, after):
    def run(folder, *callbacks):
        model = build()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # epochs that are cut short
            model.fit(
                Parts(), epochs=4, verbose=0, steps_per_epoch=steps, validation_data=Parts(), validation_steps=2,
                callbacks=[sn.BackupAndRestore(folder, save_freq=1), *callbacks],
            )  # fmt: skip
        return model

    whole = run(tmp_path / "whole")
    with contextlib.suppress(Stop):
        run(tmp_path / "part", Break(after))
    resumed = run(tmp_path / "part", Break(10**6))
    assert resumed.history.history == whole.history.history
    for one, other in zip(resumed.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_a_run_of_arrays_cut_into_epochs_is_resumed_to_the_same_bits(tmp_path):
    def run(*callbacks):
        model = build()
        with pytest.warns(UserWarning, match="the epoch ends early"):
            model.fit(X, Y, 3, 6, 0, [sn.BackupAndRestore(tmp_path, save_freq=1), *callbacks], steps_per_epoch=3)
        return model

    whole = run(Break(10**6))
    with contextlib.suppress(Stop):
        run(Break(11))
    for one, other in zip(run(Break(10**6)).get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_a_generator_cannot_be_resumed(tmp_path):
    with pytest.raises(ValueError, match=r"a run on the generator cannot be kept and resumed.*PyDataset"):
        build().fit(once(), verbose=0, callbacks=[sn.BackupAndRestore(tmp_path)])


def test_workers_fetch_ahead_in_order_and_end(monkeypatch):
    before, data = threading.active_count(), Parts(workers=4, max_queue_size=3)
    build().fit(data, shuffle=False, verbose=0)
    assert sorted(data.asked) == list(range(5))
    assert threading.active_count() == before
    with pytest.raises(ValueError, match="expected max_queue_size"):
        Parts(max_queue_size=0)


def test_a_loss_that_diverges_names_the_batch():
    model = build()
    model.optimizer.learning_rate = 1e30
    with pytest.raises(sn.DivergedError, match="epoch 1, batch"):
        model.fit(forever(), steps_per_epoch=50, verbose=0)


def test_batches_come_to_the_gpu_one_by_one():
    with gpu_registered():
        with sn.device("gpu"):
            model = build()
        model.fit(forever(), steps_per_epoch=5, epochs=2, shuffle=False, verbose=0, validation_data=Parts())
        assert model.device.name == "gpu"
        found = model.evaluate(Parts(), verbose=0), model.predict(once())
    other = build()
    other.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(found[0], other.evaluate(X, Y, verbose=0), rtol=1e-4)
    np.testing.assert_allclose(found[1], other.predict(X), rtol=1e-3, atol=1e-5)


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


def test_a_generator_without_an_end_says_so(monkeypatch):
    """It would train for ever: after so many batches an error names the argument, and what was learnt is kept."""
    monkeypatch.setattr("scratchnet.training.streams.LONGEST", 20)
    model = sn.Sequential([sn.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.ones((2, 4), np.float32), np.arange(2)

    def batches(count=None):
        while count is None or count > 0:
            yield x, y
            count = None if count is None else count - 1

    before = model.get_weights()[0]
    with pytest.raises(ValueError, match=r"fit: the generator has given 20 batches and goes on.* by steps_per_epoch="):
        model.fit(batches(), verbose=0)
    assert not np.array_equal(model.get_weights()[0], before)
    with pytest.raises(ValueError, match=r"evaluate: the generator .* by steps="):
        model.evaluate(batches(), verbose=0)
    with pytest.raises(ValueError, match=r"predict: the generator .* by steps="):
        model.predict((x for x, _ in batches()), verbose=0)
    assert len(model.fit(batches(), steps_per_epoch=50, epochs=2, verbose=0).history["loss"]) == 2
    model.fit(batches(20), verbose=0)
