"""Training: `fit` is the loop written by hand, it averages right, and it gives the same bits each time."""

import inspect
import re

import numba
import numpy as np
import pytest

import scratchnet as sn
from scratchnet.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from scratchnet.training.data import batches


def data(n=40, seed=0):
    """Noise with a bright or dark left half: two classes that a small network tells apart."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = rng.normal(0, 0.3, (n, 8, 8, 1))
    x[:, :, :4] += (2 * y - 1)[:, None, None, None]
    return x.astype(np.float32), y


def network(seed=0, outputs=2, activation="softmax", dtype="float32"):
    sn.set_random_seed(seed)
    layers = [Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)), MaxPooling2D(2), Flatten()]
    return sn.Sequential([*layers, Dense(outputs, activation=activation)], dtype=dtype)


def compiled(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=("accuracy",), **options):
    model = network(**options)
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def assert_same_weights(a, b):
    assert len(a.get_weights()) == len(b.get_weights())
    for one, other in zip(a.get_weights(), b.get_weights()):
        np.testing.assert_array_equal(one, other)


# The loop.


@pytest.mark.parametrize("n", [32, 37])
def test_fit_is_the_loop_by_hand(n):
    x, y = data(n)
    model = compiled()
    history = model.fit(x, y, epochs=3, batch_size=8, verbose=0)

    by_hand, expected = network(), []
    loss, optimizer = sn.SparseCategoricalCrossentropy(from_logits=True), sn.Adam()
    generator = sn.random.generator()
    for _ in range(3):
        order, total = generator.permutation(n), 0.0
        for start in range(0, n, 8):
            batch = order[start : start + 8]
            z = by_hand.forward(x[batch], training=True, logits=True)
            value, dz = loss.value_and_gradient(y[batch], z)
            by_hand.zero_grads()
            by_hand.backward(dz, logits=True, input_grad=False)
            optimizer.update(by_hand.params, by_hand.grads)
            total += value * len(batch)
        expected.append(total / n)
    assert history.history["loss"] == expected
    assert_same_weights(model, by_hand)


def test_train_step_is_the_whole_step_and_short():
    x, y = data(8)
    model, by_hand = compiled(), network()
    value, z = sn.train_step(model, model.loss, model.optimizer, x, y)
    expected = by_hand.forward(x, training=True, logits=True)
    np.testing.assert_array_equal(z, expected)
    assert value == sn.SparseCategoricalCrossentropy(True)(y, expected)
    assert model.optimizer.iterations == 1
    source = inspect.getsource(sn.train_step)
    assert len(source.replace(inspect.getdoc(sn.train_step), "").splitlines()) <= 30


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_hold_every_example_once(shuffle):
    parts = list(batches(10, 4, shuffle))
    assert [len(part) for part in parts] == [4, 4, 2]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(10))
    if not shuffle:
        np.testing.assert_array_equal(np.concatenate(parts), np.arange(10))


@pytest.mark.parametrize("optimizer", ["adam", sn.RMSprop(0.003), sn.SGD(0.1, momentum=0.9), sn.AdamW(0.003)])
def test_it_learns(optimizer):
    x, y = data(200)
    model = compiled(optimizer)
    history = model.fit(x, y, epochs=8, batch_size=20, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert history["accuracy"][-1] > 0.95
    x_new, y_new = data(200, seed=1)
    assert model.evaluate(x_new, y_new, verbose=0)[1] > 0.95
    assert (model.predict(x_new).argmax(axis=1) == y_new).mean() > 0.95


@pytest.mark.parametrize(
    ("outputs", "activation", "loss", "label"),
    [
        (2, "softmax", "sparse_categorical_crossentropy", lambda y: y),
        (2, None, sn.SparseCategoricalCrossentropy(from_logits=True), lambda y: y),
        (2, "softmax", "categorical_crossentropy", lambda y: np.eye(2)[y]),
        (1, "sigmoid", "binary_crossentropy", lambda y: y),
        (1, None, sn.BinaryCrossentropy(from_logits=True), lambda y: y[:, None]),
        (1, "sigmoid", "mse", lambda y: y),
        (2, "softmax", "mse", lambda y: np.eye(2)[y]),
    ],
)
def test_every_loss_trains(outputs, activation, loss, label):
    x, y = data(120)
    model = compiled(sn.Adam(0.01), loss, ["accuracy"], outputs=outputs, activation=activation)
    history = model.fit(x, label(y), epochs=5, batch_size=20, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert history["accuracy"][-1] > 0.95


def test_fused_and_plain_softmax_train_alike():
    x, y = data(40)
    fused, plain = compiled("sgd", dtype="float64"), network(activation=None, dtype="float64")
    plain.compile("sgd", sn.SparseCategoricalCrossentropy(from_logits=True))
    for model in (fused, plain):
        model.astype(np.float64)
        model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert_same_weights(fused, plain)


# Labels, averages, splits.


def test_labels_as_a_row_or_a_column_train_alike():
    x, y = data(30)
    models = [compiled() for _ in range(2)]
    histories = []
    for model, labels in zip(models, (y.astype(np.uint8), y[:, None])):
        sn.set_random_seed(1)
        histories.append(model.fit(x, labels, epochs=2, batch_size=8, validation_data=(x, labels), verbose=0).history)
        assert model.evaluate(x, labels, verbose=0) == model.evaluate(x, y, verbose=0)
    assert histories[0] == histories[1]
    assert_same_weights(*models)
    assert models[0].train_on_batch(x, y) == models[1].train_on_batch(x, y[:, None])


def test_means_weigh_a_short_last_batch_by_its_size():
    x, y = data(37)
    model = compiled(optimizer=sn.SGD(0.0))  # nothing moves, so that each epoch measures the same network
    history = model.fit(x, y, epochs=1, batch_size=16, validation_data=(x, y), verbose=0).history
    loss, accuracy = model.evaluate(x, y, batch_size=37, verbose=0)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-6)
    assert history["val_loss"][0] == pytest.approx(loss, rel=1e-6)
    assert history["accuracy"][0] == history["val_accuracy"][0] == pytest.approx(accuracy)
    assert model.evaluate(x, y, batch_size=10, verbose=0)[0] == pytest.approx(loss, rel=1e-6)


def test_validation_split_is_the_last_part_and_not_trained_on():
    x, y = data(40)
    split, given = compiled(), compiled()
    sn.set_random_seed(3)
    a = split.fit(x, y, epochs=2, batch_size=8, validation_split=0.25, verbose=0).history
    sn.set_random_seed(3)
    b = given.fit(x[:30], y[:30], epochs=2, batch_size=8, validation_data=(x[30:], y[30:]), verbose=0).history
    assert a == b
    assert_same_weights(split, given)


def test_shuffle_off_keeps_the_order():
    x, y = data(20)
    model, again = compiled(), compiled()
    model.fit(x, y, batch_size=5, shuffle=False, verbose=0)
    for start in range(0, 20, 5):
        again.train_on_batch(x[start : start + 5], y[start : start + 5])
    assert_same_weights(model, again)


def test_evaluate_and_predict_change_nothing():
    x, y = data(20)
    model = compiled()
    before = model.get_weights()
    model.evaluate(x, y, verbose=0)
    p = model.predict(x, batch_size=6)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert p.shape == (20, 2)
    assert p.dtype == np.float32
    np.testing.assert_array_equal(p, model.forward(x))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)


def test_the_history_has_metrics_under_the_names_they_were_given():
    x, y = data(10)
    names = ["acc", "sparse_categorical_accuracy", "top_2_accuracy"]
    model = compiled(metrics=[*names, sn.Accuracy(name="mine")])
    history = model.fit(x, y, validation_data=(x, y), verbose=0).history
    assert list(history) == ["loss", *names, "mine", "val_loss", *(f"val_{name}" for name in [*names, "mine"])]
    assert history["acc"] == history["sparse_categorical_accuracy"] == history["mine"]


def test_train_on_batch_and_evaluate_return_one_number_without_metrics():
    x, y = data(10)
    model = compiled(metrics=())
    assert isinstance(model.train_on_batch(x, y), float)
    assert isinstance(model.evaluate(x, y, verbose=0), float)
    assert len(compiled(metrics=["accuracy", "top_2_accuracy"]).train_on_batch(x, y)) == 3


def test_metrics_see_probabilities_though_the_loss_is_fused():
    seen = []

    class Largest(sn.Metric):
        name = "largest"

        def reset_state(self):
            self.largest = 0.0

        def update_state(self, y_true, y_pred):
            seen.append(y_pred)
            self.largest = max(self.largest, float(y_pred.max()))

        def result(self):
            return self.largest

    x, y = data(12)
    model = compiled(sn.SGD(0.0), metrics=[Largest()])
    model.train_on_batch(x, y)
    model.evaluate(x, y, verbose=0)
    for p in seen:
        np.testing.assert_allclose(p, model.predict(x), rtol=1e-6)


# Dtypes.


def test_whole_numbers_are_spoken_of_unless_the_first_layers_scale_them():
    x = np.arange(4 * 6 * 6, dtype=np.uint8).reshape(4, 6, 6, 1)
    prepare = sn.Sequential([sn.Resizing(4, 4), sn.Rescaling(1 / 255)])
    sn.Sequential([sn.Input((6, 6, 1)), prepare, sn.Flatten(), sn.Dense(2)]).predict(x, verbose=0)
    moving = sn.Sequential([sn.Resizing(4, 4), sn.Flatten()])
    with pytest.warns(UserWarning, match=r"whole numbers \(uint8, up to 143\)"):
        sn.Sequential([sn.Input((6, 6, 1)), moving, sn.Dense(2)]).predict(x, verbose=0)


def test_float64_data_train_in_float32_without_a_copy_of_the_whole():
    x, y = data(30)
    a, b = compiled(), compiled()
    for model, pictures in ((a, x), (b, x.astype(np.float64))):
        sn.set_random_seed(0)
        model.fit(pictures, y, epochs=2, verbose=0)
        assert all(w.dtype == np.float32 for w in model.get_weights())
    assert_same_weights(a, b)


def test_a_float64_model_stays_in_float64():
    x, y = data(20)
    model = compiled(dtype="float64")
    model.fit(x, y, epochs=1, verbose=0)
    assert all(w.dtype == np.float64 for w in model.get_weights())
    assert model.predict(x).dtype == np.float64


# Reproducibility.


def whole_run(seed, threads):
    """A fit with everything in it that could depend on order or chance: the history and the weights."""
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        sn.set_random_seed(seed)
        head = [Conv2D(8, 3, padding="same", input_shape=(8, 8, 1)), BatchNormalization(), sn.ReLU(), MaxPooling2D(2)]
        model = sn.Sequential(
            [*head, Dropout(0.3), Flatten(), Dense(70, activation="silu"), Dense(2, activation="softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        x, y = data(75)
        history = model.fit(x, y, epochs=2, batch_size=32, validation_split=0.2, verbose=0).history
        return history, model.get_weights(), model.predict(x)
    finally:
        numba.set_num_threads(before)


def test_same_seed_same_bits_for_one_thread_and_for_two():
    runs = [whole_run(5, 1), whole_run(5, 1), whole_run(5, min(2, numba.config.NUMBA_NUM_THREADS))]
    for history, weights, predicted in runs[1:]:
        assert history == runs[0][0]
        for w, first in zip(weights, runs[0][1]):
            assert w.tobytes() == first.tobytes()
        assert predicted.tobytes() == runs[0][2].tobytes()
    assert whole_run(6, 1)[0] != runs[0][0]


# What is printed, what is called.


def test_history():
    x, y = data(20)
    model = compiled()
    history = model.fit(x, y, epochs=3, validation_data=(x, y), verbose=0)
    assert history is model.history
    assert history.epoch == [0, 1, 2]
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(len(values) == 3 for values in history.history.values())
    assert all(isinstance(value, float) for values in history.history.values() for value in values)
    assert len(model.fit(x, y, verbose=0).epoch) == 1  # each fit has its own


NUMBER = r"\d+\.\d{4}(e-\d+)?"


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_a_line_an_epoch_as_keras_prints_it(verbose, capsys):
    x, y = data(20)
    compiled().fit(x, y, epochs=2, batch_size=8, validation_data=(x, y), verbose=verbose)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert len(lines) == 2
    names = ["accuracy", "loss", "val_accuracy", "val_loss"]
    values = r" - \d+s - \d+(ms|us)/step" + "".join(rf" - {name}: {NUMBER}" for name in names)
    for epoch, line in enumerate(lines, 1):
        assert re.fullmatch(f"Epoch {epoch}/2{values}", line), line
    assert err == ""  # no bar where nobody watches


def test_with_a_bar_the_values_take_its_place(capsys, monkeypatch):
    x, y = data(20)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    compiled().fit(x, y, epochs=2, batch_size=8)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[::2] == ["Epoch 1/2", "Epoch 2/2"]
    assert len(lines) == 4
    assert all(re.match(r"3/3 - \d+s - \d+(ms|us)/step - accuracy: ", line) for line in lines[1::2])
    assert "Epoch 2/2:" in err
    compiled().fit(x, y, epochs=2, batch_size=8, verbose=2)
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert err == ""


def test_silence(capsys):
    x, y = data(20)
    model = compiled()
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x)
    model.train_on_batch(x, y)
    assert capsys.readouterr() == ("", "")


def test_callbacks_are_called_in_order_and_as_keras_calls_them():
    calls, measures = [], {"loss", "accuracy"}

    class Diary(sn.Callback):
        def on_train_begin(self, logs=None):
            assert self.params == {"epochs": 2, "steps": 2, "verbose": 0}
            calls.append(("train", logs))

        def on_epoch_begin(self, epoch, logs=None):
            calls.append((f"epoch {epoch}", logs))

        def on_train_batch_begin(self, batch, logs=None):
            self.before = self.model.optimizer.iterations
            calls.append((f"batch {batch}", logs))

        def on_train_batch_end(self, batch, logs=None):
            assert self.model.optimizer.iterations == self.before + 1
            calls.append((f"batch {batch} done", logs))

        def on_epoch_end(self, epoch, logs=None):
            calls.append((f"epoch {epoch} done", logs))

        def on_train_end(self, logs=None):
            calls.append(("trained", logs))

    x, y = data(10)
    model, diary = compiled(), Diary()
    model.fit(x, y, epochs=2, batch_size=5, validation_data=(x, y), callbacks=[diary], verbose=0)
    assert diary.model is model
    batch = ["batch 0", "batch 0 done", "batch 1", "batch 1 done"]
    epochs = [name for e in (0, 1) for name in (f"epoch {e}", *batch, f"epoch {e} done")]
    assert [name for name, _ in calls] == ["train", *epochs, "trained"]
    for name, logs in calls:
        validated = name == "trained" or re.fullmatch(r"epoch \d done", name)
        expected = measures | {f"val_{m}" for m in measures} if validated else measures if "done" in name else set()
        assert set(logs) == expected, name
    assert calls[-1][1] == {name: values[-1] for name, values in model.history.history.items()}


def test_hooks_have_keras_signatures():
    for hook, first in (("train", []), ("epoch", ["epoch"]), ("train_batch", ["batch"])):
        for moment in ("begin", "end"):
            for kind in (sn.Callback, sn.History):
                parameters = inspect.signature(getattr(kind, f"on_{hook}_{moment}")).parameters
                assert list(parameters) == ["self", *first, "logs"]
                assert parameters["logs"].default is None


@pytest.mark.parametrize(("verbose", "shown"), [("auto", 1), (1, 1), (2, 2), (0, 0), (True, 1), (False, 0)])
def test_callbacks_get_their_model_and_params_through_the_setters(verbose, shown, capsys):
    class Setters(sn.Callback):
        def set_params(self, params):
            super().set_params(params | {"own": 7})

        def set_model(self, model):
            super().set_model(model)
            self.name = model.name

    x, y = data(10)
    model, callback = compiled(), Setters()
    assert callback.model is None
    assert callback.params is None
    model.fit(x, y, batch_size=4, callbacks=callback, verbose=verbose)
    assert callback.name == model.name
    assert callback.params == {"epochs": 1, "steps": 3, "verbose": shown, "own": 7}
    assert bool(capsys.readouterr().out) == bool(shown)


def test_fit_goes_on_where_it_stopped():
    x, y = data(20)
    once, twice = compiled(), compiled()
    once.fit(x, y, epochs=2, shuffle=False, verbose=0)
    twice.fit(x, y, epochs=1, shuffle=False, verbose=0)
    twice.fit(x, y, epochs=1, shuffle=False, verbose=0)
    assert_same_weights(once, twice)
