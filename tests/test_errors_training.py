"""Bad input to compile, fit, evaluate, predict and set_weights: the message says what came and what to do."""

import warnings

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.layers import Conv2D, Dense, Flatten


@pytest.fixture
def model():
    sn.set_random_seed(0)
    model = sn.Sequential([Flatten(input_shape=(4, 4, 1)), Dense(3, activation="softmax")], name="net")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


X, Y = np.random.default_rng(0).normal(size=(10, 4, 4, 1)).astype(np.float32), np.arange(10) % 3


def methods(model):
    return [model.fit, model.evaluate, model.train_on_batch]


def test_before_compile():
    model = sn.Sequential([Flatten(), Dense(3)], name="net")
    for method in methods(model):
        with pytest.raises(
            RuntimeError, match=rf"Sequential 'net': {method.__name__} before compile.*model\.compile\("
        ):
            method(X, Y)
    assert model.predict(X).shape == (10, 3)  # needs no loss


def test_unknown_names(model):
    with pytest.raises(
        ValueError,
        match=r"unknown optimizer 'adm'\. Did you mean 'adam'\? Known: adadelta, adagrad, adam, adamax, adamw",
    ):
        model.compile("adm", "mse")
    with pytest.raises(ValueError, match=r"unknown loss 'sparse_categorical_crossentropi'\. Did you mean 'sparse_cat"):
        model.compile("adam", "sparse_categorical_crossentropi")
    with pytest.raises(ValueError, match=r"unknown metric 'acurracy'\. Did you mean 'accuracy'"):
        model.compile("adam", "mse", metrics=["acurracy"])
    with pytest.raises(ValueError, match="needs a loss"):
        model.compile("adam")


@pytest.mark.parametrize("n", [9, 11])
def test_pictures_and_labels_of_different_length(model, n):
    y = np.zeros(n, int)
    for method in methods(model):
        with pytest.raises(ValueError, match=rf"\(10, 4, 4, 1\).*\({n},\)"):
            method(X, y)
    with pytest.raises(ValueError, match="validation_data"):
        model.fit(X, Y, validation_data=(X, y))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_infinity(model, bad, dtype):
    x, before = X.astype(dtype), model.get_weights()
    x[7, 2, 1, 0] = bad
    for method in methods(model):
        with pytest.raises(ValueError, match=r"NaN or infinity in x, first in x\[7\]"):
            method(x, Y)
    with pytest.raises(ValueError, match="validation_data found NaN or infinity"):
        model.fit(X, Y, validation_data=(x, Y))
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(("label", "column"), [(3, False), (-1, False), (3, True)])
def test_labels_out_of_range(model, label, column):
    y, before = Y.copy(), model.get_weights()
    y[-1] = label  # in the last batch: said before the first one is trained on
    y = y[:, None] if column else y
    for method in methods(model):
        with pytest.raises(ValueError, match=f"labels from 0 to 2, got {label}"):
            method(X, y)
    with pytest.raises(ValueError, match=f"labels from 0 to 2, got {label}"):
        model.fit(X, Y, validation_data=(X, y), verbose=0)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_labels_out_of_range_of_a_model_that_is_not_built_yet():
    model = sn.Sequential([Flatten(), Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="labels from 0 to 2, got 3"):
        model.fit(X, np.full(10, 3), verbose=0)


def test_labels_of_the_other_kind(model):
    with pytest.raises(ValueError, match="One-hot labels go with categorical_crossentropy"):
        model.fit(X, np.eye(3)[Y], verbose=0)
    model.compile("adam", "categorical_crossentropy")
    with pytest.raises(ValueError, match="Class numbers go with sparse_categorical_crossentropy"):
        model.fit(X, Y, verbose=0)


def test_nothing_to_learn_from(model):
    for method in methods(model):
        with pytest.raises(ValueError, match=r"at least one example, got x of shape \(0, 4, 4, 1\)"):
            method(X[:0], Y[:0])
    with pytest.raises(ValueError, match="at least one example"):
        model.predict(X[:0])
    with pytest.raises(RuntimeError, match="Add at least one layer"):
        sn.Sequential().forward(X)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[..., 0, 0], "Flat pictures need their shape back"),
        (np.repeat(X, 3, axis=3).transpose(0, 3, 1, 2), "Channels come last"),
        (np.repeat(X, 2, axis=3), r"got \(10, 4, 4, 2\)"),
    ],
)
def test_pictures_of_the_wrong_shape(x, message):
    channels = 3 if x.shape[1] == 3 else 1
    model = sn.Sequential([Conv2D(2, 2, input_shape=(4, 4, channels)), Flatten(), Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    for method in methods(model):
        with pytest.raises(ValueError, match=message):
            method(x, Y)
    with pytest.raises(ValueError, match=message):
        model.predict(x)


@pytest.mark.parametrize(
    "arguments",
    [
        {"epochs": 0},
        {"epochs": 1.5},
        {"batch_size": 0},
        {"batch_size": -4},
        {"validation_split": 1.0},
        {"validation_split": -0.1},
        {"validation_split": 0.95},  # leaves nothing to train on
    ],
)
def test_arguments_of_fit(model, arguments):
    with pytest.raises(ValueError, match=f"expected {next(iter(arguments))}"):
        model.fit(X, Y, verbose=0, **arguments)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_integer_pictures_are_taken_and_mentioned_once(model, dtype):
    pictures = np.random.default_rng(0).integers(0, 256, (10, 4, 4, 1)).astype(dtype)
    with pytest.warns(UserWarning, match=rf"net.*{np.dtype(dtype)}.*x / 255"):
        model.fit(pictures, Y, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(pictures, Y, verbose=0)
        model.evaluate(pictures, Y, verbose=0)
        model.predict(pictures)
        model.train_on_batch(pictures, Y)
    assert all(w.dtype == np.float32 for w in model.get_weights())
    np.testing.assert_array_equal(model.predict(pictures), model.predict(pictures.astype(np.float32)))


def test_integer_pictures_are_not_mentioned_where_the_first_layer_brings_them_to_scale():
    for first in (sn.BatchNormalization(), sn.GroupNormalization(1)):
        model = sn.Sequential([first, Flatten(), Dense(3)])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            y = model.predict(np.full((2, 4, 4, 1), 200, np.uint8))
        assert y.shape == (2, 3)


def test_softmax_twice_is_mentioned(model):
    model.compile("adam", sn.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.warns(UserWarning, match="ends in softmax, and its loss has from_logits=True"):
        model.fit(X, Y, verbose=0)


def test_weights_of_wrong_shapes(model):
    before = model.get_weights()
    w, b = before
    for wrong, message in (
        ([w], "expected weights as 2 arrays.*got 1"),
        ([w, b, b], "expected weights as 2 arrays.*got 3"),
        ([w.T, b], r"Dense.*kernel of shape \(16, 3\), got \(3, 16\)"),
        ([w + 1, b[:2]], r"Dense.*bias of shape \(3,\), got \(2,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            model.set_weights(wrong)
        for old, new in zip(before, model.get_weights()):
            np.testing.assert_array_equal(old, new)  # all or nothing
    with pytest.raises(RuntimeError, match="set_weights before build"):
        sn.Sequential([Dense(3)]).set_weights(before)


def test_backward_before_forward(model):
    with pytest.raises(RuntimeError, match="backward before forward"):
        model.backward(np.ones((1, 3)))


def small_model(loss="mse", first=None):
    model = sn.Sequential([first or sn.Dense(2, input_shape=(3,))])
    model.compile("sgd", loss)
    return model


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.array([["a", "b", "c"]]), np.ones((1, 2)), "expected x to be an array of numbers"),
        (np.ones((1, 3), complex), np.ones((1, 2)), "expected x to be an array of numbers"),
        ([[1.0, 2.0, 3.0], [1.0]], np.ones((2, 2)), "x to be an array of numbers, .* Give all rows the same length"),
        (np.ones((1, 3)), np.array(["cat"]), "expected y to be an array of numbers"),
        (np.ones((2, 3)), np.array([[1.0, 2.0], [np.nan, 0.0]]), r"NaN or infinity in y, first in y\[1\]"),
    ],
)
def test_what_is_no_data_is_named(x, y, message):
    with pytest.raises(ValueError, match=message):
        small_model().fit(x, y, verbose=0)


@pytest.mark.parametrize("data", [(np.ones((1, 3)),), (1, 2, 3, 4), np.ones((4, 3)), 7])
def test_validation_data_that_is_no_pair(data):
    with pytest.raises(ValueError, match=r"expected validation_data (as a pair \(x, y\)|to be a list of arrays)"):
        small_model().fit(np.ones((2, 3)), np.ones((2, 2)), validation_data=data, verbose=0)


def test_channels_first_into_a_model_that_starts_with_flatten():
    model = small_model(first=sn.Flatten(input_shape=(4, 5, 1)))
    with pytest.raises(ValueError, match=r"Channels come last: x.transpose\(0, 2, 3, 1\)"):
        model.predict(np.ones((2, 1, 4, 5)))


def test_classes_without_brackets_and_names_twice():
    model = sn.Sequential([sn.Dense(2, input_shape=(3,))])
    with pytest.raises(ValueError, match=r"A class needs its brackets: MeanSquaredError\(\)"):
        model.compile("sgd", sn.MeanSquaredError)
    with pytest.raises(ValueError, match=r"A class needs its brackets: Adam\(\)"):
        model.compile(sn.Adam, "mse")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy", "accuracy"])
    assert [metric.name for metric in model.metrics] == ["accuracy", "accuracy_1"]
    for callbacks, message in (
        ([print], r"got \[<built-in"),
        ([sn.History], r"History\(\)"),
        (sn.History, r"History\(\)"),
    ):
        with pytest.raises(TypeError, match=f"expected callbacks.*{message}"):
            small_model().fit(np.ones((2, 3)), np.ones((2, 2)), callbacks=callbacks, verbose=0)
    with pytest.raises(ValueError, match=r"A class needs its brackets: Accuracy\(\)"):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=[sn.metrics.Accuracy])
