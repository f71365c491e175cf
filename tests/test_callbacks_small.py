"""LambdaCallback, TerminateOnNaN, TensorBoard; callbacks of evaluate and predict; hooks under their older names."""

import warnings

import numpy as np
import pytest

import scratchnet as sn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 4)).astype(np.float32), RNG.integers(0, 3, 20)


def build():
    sn.set_random_seed(1)
    model = sn.Sequential([sn.Dense(5, activation="relu", input_shape=(4,)), sn.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_functions_are_called_as_methods_are():
    told = []
    callback = sn.LambdaCallback(
        on_epoch_end=lambda epoch, logs: told.append(("epoch", epoch, sorted(logs))),
        on_train_batch_end=lambda batch, logs: told.append(("batch", batch)),
        on_train_begin=lambda logs: told.append(("begin",)),
        on_test_end=lambda logs: told.append(("test", sorted(logs))),
    )
    build().fit(X, Y, batch_size=10, verbose=0, callbacks=[callback], validation_split=0.5)
    names = ["accuracy", "loss"]
    assert told == [
        ("begin",), ("batch", 0), ("test", names), ("epoch", 0, [*names, "val_accuracy", "val_loss"]),
    ]  # fmt: skip
    assert callback.every_batch
    assert not sn.LambdaCallback(on_test_batch_end=print, on_epoch_end=print).every_batch
    with pytest.raises(TypeError, match="a Callback has no method 'on_epoch'"):
        sn.LambdaCallback(on_epoch=print)
    with pytest.raises(TypeError, match="expected on_test_end to be a function, got 3"):
        sn.LambdaCallback(on_test_end=3)


def test_training_ends_at_nan_with_the_history_so_far(capsys):
    one_hot = np.eye(3, dtype=np.float32)[Y]
    for callback in (sn.TerminateOnNaN(), [sn.TerminateOnNaN(), sn.History()]):
        model = sn.Sequential([sn.Dense(3, input_shape=(4,))])
        model.compile(sn.SGD(1e20), "mse")
        history = model.fit(X, one_hot, epochs=9, verbose=0, callbacks=callback)
        assert len(history.history["loss"]) < 9
        assert all(np.isfinite(weight).all() for weight in model.get_weights())
        assert "TerminateOnNaN ends training. Sequential" in capsys.readouterr().out
    with pytest.raises(sn.DivergedError):
        model.fit(X, one_hot, epochs=9, verbose=0, callbacks=[sn.TerminateOnNaN(raise_error=True)])


def test_tensorboard_says_what_to_take_instead():
    with pytest.raises(NotImplementedError, match=r"CSVLogger\('log.csv'\).*LiveCurve\(\)"):
        sn.callbacks.TensorBoard(log_dir="logs", histogram_freq=1)


def test_callbacks_of_evaluate_and_predict():
    class Watch(sn.Callback):
        def __init__(self):
            self.outputs, self.steps, self.losses = [], [], []

        def on_test_begin(self, logs=None):
            self.steps.append((self.params["steps"], self.model.full_name))

        def on_test_batch_end(self, batch, logs=None):
            self.losses.append(logs["loss"])

        def on_predict_batch_end(self, batch, logs=None):
            self.outputs.append(logs["outputs"])

    model, watch = build(), Watch()
    logs = model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=watch, return_dict=True)
    assert watch.steps == [(3, model.full_name)]
    assert len(watch.losses) == 3
    assert watch.losses[-1] == logs["loss"]
    y = model.predict(X, batch_size=8, callbacks=[watch])
    np.testing.assert_array_equal(np.concatenate(watch.outputs), y)
    for method, data in ((model.evaluate, (X, Y)), (model.predict, (X,))):
        with pytest.raises(TypeError, match="expected callbacks"):
            method(*data, callbacks=[print])


def test_the_older_names_of_the_batch_hooks():
    class Older(sn.Callback):
        def __init__(self):
            self.seen = []

        def on_batch_begin(self, batch, logs=None):
            self.seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            self.seen.append(("end", batch, "loss" in logs))

    older = Older()
    assert older.every_batch
    build().fit(X, Y, batch_size=10, verbose=0, callbacks=older)
    assert older.seen == [("begin", 0), ("end", 0, True), ("begin", 1), ("end", 1, True)]


def test_grey_pictures_without_their_last_axis_and_the_other_way_round():
    pictures = RNG.random((6, 5, 5)).astype(np.float32)
    model = sn.Sequential([sn.Conv2D(2, 3, padding="same", input_shape=(5, 5, 1)), sn.Conv2D(1, 3, padding="same")])
    model.compile("sgd", "mse", metrics=["mse"] if "mse" in sn.metrics.METRICS else None)
    same = model.evaluate(pictures[..., None], pictures[..., None], verbose=0)
    assert model.evaluate(pictures, pictures, verbose=0) == same
    assert model.predict(pictures).shape == (6, 5, 5, 1)
    model.fit(pictures, pictures, verbose=0, validation_data=(pictures, pictures))
    flat = sn.Sequential([sn.Dense(3, input_shape=(4,))])
    np.testing.assert_array_equal(flat.predict(X[..., None]), flat.predict(X))
    one = sn.Sequential([sn.Dense(3, input_shape=(1,))])
    np.testing.assert_array_equal(one.predict(X[:, 0]), one.predict(X[:, :1]))


def test_metrics_by_weight():
    model, weight = build(), np.r_[np.ones(5), np.zeros(15)]
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
    logs = model.evaluate(X, Y, sample_weight=weight, verbose=0, return_dict=True)
    assert logs["accuracy"] == model.evaluate(X, Y, verbose=0, return_dict=True)["accuracy"]
    assert logs["weighted_accuracy"] == model.evaluate(X[:5], Y[:5], verbose=0, return_dict=True)["accuracy"]
    assert model.metrics_names == ["loss", "accuracy", "weighted_accuracy"]
    metric = sn.Accuracy()
    metric.update_state(np.array([0, 1]), np.eye(2), [3.0, 1.0])
    metric.update_state(np.array([1, 1]), np.eye(2), [3.0, 1.0])
    assert metric.result() == 5 / 8
    with pytest.raises(ValueError, match="sample_weight"):
        metric.update_state(np.array([0, 1]), np.eye(2), [1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.reset_metrics()
