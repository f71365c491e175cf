"""What a resumed run remembers of its settings, what the program may change, and what stops it early."""

import numpy as np
import pytest
from resumed_run import X, Y, make

import scratchnet as sn


class Kill(Exception):
    """As if the process ended."""


def test_optimizer_metrics_and_validation(tmp_path):
    """What differs is named; the learning rate and the number of epochs may differ."""

    def fit(optimizer="sgd", metrics=("accuracy",), epochs=2, **options):
        model = make()
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=list(metrics))
        model.fit(
            X,
            Y,
            8,
            epochs,
            callbacks=sn.BackupAndRestore(tmp_path / "b", delete_checkpoint=False),
            verbose=0,
            **options,
        )
        return model

    validation = (X[:9], Y[:9])
    fit(validation_data=validation)
    for options, named in (
        (
            {"optimizer": "adam", "validation_data": validation},
            "its optimizer was optimizers.SGD, this one's is optimizers.Adam",
        ),
        (
            {"metrics": ["accuracy", "top_2_accuracy"], "validation_data": validation},
            "its metrics.1 was None, this one's is metrics.",
        ),
        ({}, r"its validation was \(9, 8, 8, 2\) .*, this one's is none"),
        (
            {"validation_data": (X[1:10], Y[1:10])},
            r"its validation was \(9, 8, 8, 2\) .*, this one's is \(9, 8, 8, 2\)",
        ),
        ({"validation_data": (*validation, np.ones(9))}, "its validation was"),
    ):
        with pytest.raises(ValueError, match=f"is the backup of another run: {named}"):
            fit(**options)
    assert len(fit(sn.SGD(0.001), validation_data=validation, epochs=3).history.epoch) == 3
    (tmp_path / "b" / "run.safetensors").unlink()
    fit()
    with pytest.raises(ValueError, match=r"its validation was none, this one's is \(9, 8, 8, 2\)"):
        fit(validation_data=validation)


def test_another_learning_rate_is_taken_unless_one_was_set(tmp_path):
    """A rate that the program gives the optimizer is the program's; one that a callback has set is the run's."""

    class Rates(sn.Callback):
        def __init__(self):
            self.seen = []

        def on_train_batch_begin(self, batch, logs=None):
            self.seen.append(round(self.model.optimizer.learning_rate, 9))

    def fit(path, rate, epochs, *more):
        rates, model = Rates(), make()
        model.compile(sn.SGD(rate), "sparse_categorical_crossentropy")
        model.fit(
            X,
            Y,
            42,
            epochs,
            callbacks=[rates, *more, sn.BackupAndRestore(tmp_path / path, delete_checkpoint=False)],
            verbose=0,
        )
        return rates.seen

    assert fit("a", 0.5, 1) == [0.5] * 2
    assert fit("a", 0.25, 2) == [0.25] * 2
    assert fit("b", 0.5, 2, sn.ReduceLROnPlateau("loss", 0.5, 1, min_delta=100)) == [0.5] * 4
    assert fit("b", 0.5, 3, sn.ReduceLROnPlateau("loss", 0.5, 1, min_delta=100)) == [0.25] * 2


def stops_early(path=None, after=None):
    """A run whose rates fall, and which is ended early; broken off after so many batches, if that is wanted."""
    sn.set_random_seed(0)
    model = sn.Sequential([sn.Dense(5, activation="relu", input_shape=(4,)), sn.Dense(2, activation="softmax")])
    model.compile(sn.Adam(0.3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    watchers = [
        sn.EarlyStopping("loss", 0.02, patience=4, restore_best_weights=True),
        sn.ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=0.05, cooldown=1),
        sn.LearningRateScheduler(lambda epoch, rate: rate * 0.95),
    ]
    if path is not None:
        watchers.append(sn.BackupAndRestore(path, 2, delete_checkpoint=False))
    if after is not None:
        watchers.append(KilledAfter(after))
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    try:
        model.fit(x, np.arange(40) % 2, 8, 30, callbacks=watchers, verbose=0)
    except Kill:
        return None
    return model


def test_early_stopping_and_rates_that_fall_are_resumed(tmp_path):
    reference = stops_early()
    epochs = len(reference.history.epoch)
    assert 5 < epochs < 30
    for after in range(1, 5 * epochs, 4):
        assert stops_early(tmp_path / str(after), after) is None
        model = stops_early(tmp_path / str(after))
        assert model.history.history == reference.history.history
        assert model.optimizer.learning_rate == reference.optimizer.learning_rate
        for resumed, expected in zip(model.get_weights(), reference.get_weights()):
            np.testing.assert_array_equal(resumed, expected)


class KilledAfter(sn.Callback):
    """Ends training at once after so many batches of all epochs."""

    runs_last = True

    def __init__(self, after):
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise Kill
