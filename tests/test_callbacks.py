"""The callbacks beside training: what they do to the model, what they write, and what they say."""

import csv
import os
import stat
import subprocess
import sys
import warnings

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.callbacks.monitor import LARGER, SMALLER, Monitor
from scratchnet.generation.callback import NAMES

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def compiled(rate=0.1):
    sn.set_random_seed(0)
    model = sn.Sequential([sn.Dense(2, activation="softmax", input_shape=(4,))])
    model.compile(sn.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Scripted(sn.Callback):
    """Puts given values into the logs, in place of measured ones."""

    def __init__(self, **values):
        self.values = values
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        logs.update({name: values[epoch] for name, values in self.values.items()})
        self.weights.append(self.model.get_weights())


def run(callbacks, epochs, model=None, **values):
    model, scripted = model or compiled(), Scripted(**values)
    model.fit(X, Y, 20, epochs, callbacks=[scripted, *callbacks], verbose=0)
    return model, scripted


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b))


# Early stopping


@pytest.mark.parametrize(
    ("values", "patience", "trained", "best", "stopped"),
    [
        ([5, 4, 3, 2, 1], 1, 5, 4, 0),
        ([5, 4, 6, 7, 1], 2, 4, 1, 3),
        ([5, 4, 6, 3, 7, 8], 2, 6, 3, 5),
        ([5, 5, 5], 0, 2, 0, 1),
        ([5, np.nan, np.nan, 1], 2, 3, 0, 2),
    ],
)
def test_early_stopping(values, patience, trained, best, stopped):
    stopping = sn.EarlyStopping(patience=patience, restore_best_weights=True)
    model, scripted = run([stopping], len(values), val_loss=values)
    assert model.history.epoch == list(range(trained))
    assert stopping.best_epoch == best
    assert stopping.stopped_epoch == stopped
    assert same(model.get_weights(), scripted.weights[best])


def test_without_restoring_the_last_weights_stay():
    model, scripted = run([sn.EarlyStopping(patience=1)], 9, val_loss=[1, 2, 3, 0, 0, 0, 0, 0, 0])
    assert model.history.epoch == [0, 1]
    assert same(model.get_weights(), scripted.weights[1])


def test_which_values_are_better():
    values = dict(val_accuracy=[0.1, 0.2, 0.2, 0.2, 0.5])
    assert len(run([sn.EarlyStopping("val_accuracy", patience=2)], 5, **values)[0].history.epoch) == 4
    assert len(run([sn.EarlyStopping("val_accuracy", patience=2, mode="min")], 5, **values)[0].history.epoch) == 3
    assert len(run([sn.EarlyStopping("val_accuracy", 0.15, patience=2)], 5, **values)[0].history.epoch) == 3
    assert len(run([sn.EarlyStopping("val_accuracy", patience=1, baseline=0.4)], 5, **values)[0].history.epoch) == 3
    assert len(run([sn.EarlyStopping("val_accuracy", patience=1, baseline=0.05)], 5, **values)[0].history.epoch) == 3
    later = sn.EarlyStopping("val_accuracy", patience=1, start_from_epoch=3)
    assert len(run([later], 5, **values)[0].history.epoch) == 5


def test_early_stopping_says_it(capsys):
    run([sn.EarlyStopping(patience=1, verbose=1)], 9, val_loss=[1, 2, 3])
    assert "Epoch 2: early stopping; the best was epoch 1." in capsys.readouterr().out


def test_it_begins_anew_with_each_fit():
    stopping = sn.EarlyStopping(patience=1)
    for _ in range(2):
        model, _ = run([stopping], 3, val_loss=[3, 2, 1])
        assert len(model.history.epoch) == 3


def test_a_value_that_is_not_there_is_said():
    model = compiled()
    with pytest.warns(
        UserWarning, match="EarlyStopping: there is no 'val_loss' to watch, only accuracy, loss. Give fit"
    ):
        model.fit(X, Y, callbacks=sn.EarlyStopping(), verbose=0)
    only = "only accuracy, learning_rate, loss.$"
    with pytest.warns(UserWarning, match=f"ReduceLROnPlateau: there is no 'los' to watch, {only}"):
        model.fit(X, Y, callbacks=sn.ReduceLROnPlateau("los", mode="min"), verbose=0)


def test_bad_arguments():
    for make, message in (
        (lambda: sn.EarlyStopping(patience=-1), "patience to be a whole number of at least 0, got -1"),
        (lambda: sn.EarlyStopping(patience="3"), "patience to be a whole number, got '3'"),
        (lambda: sn.EarlyStopping(mode="mim"), "Did you mean 'min'"),
        (lambda: sn.ReduceLROnPlateau(factor=1), "factor to be a finite number from 0 to below 1, got 1"),
        (lambda: sn.ReduceLROnPlateau(min_delta="1"), "min_delta to be a number, got '1'"),
        (lambda: sn.ExponentialMovingAverage(1), "momentum to be a finite number from 0 to below 1, got 1"),
        (lambda: Monitor("loss", min_delta=np.nan), "min_delta to be a number, got nan"),
    ):
        with pytest.raises(ValueError, match=message):
            make()


def test_the_names_of_generation_metrics_are_all_known():
    assert set(NAMES) <= LARGER | SMALLER


# Learning rates


def test_learning_rate_scheduler(capsys):
    rates = []

    class Rates(sn.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rates.append(self.model.optimizer.learning_rate)

    run([sn.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1), Rates()], 3)
    assert rates == [0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125]
    assert "Epoch 2: learning rate 0.025" in capsys.readouterr().out
    rates.clear()
    run([sn.LearningRateScheduler(lambda epoch: 1 / (1 + epoch)), Rates()], 2)
    assert rates == [1, 1, 0.5, 0.5]
    with pytest.raises(TypeError, match=r"expected schedule to return a rate of at least 0, .*, got None"):
        run([sn.LearningRateScheduler(lambda epoch: None)], 1)


def test_a_schedule_is_not_replaced_in_silence():
    for callback in (sn.LearningRateScheduler(lambda epoch: 0.1), sn.ReduceLROnPlateau("loss")):
        model = compiled(sn.CosineDecay(0.1, 10))
        with pytest.raises(ValueError, match=f"{type(callback).__name__}: the optimizer has a CosineDecay"):
            model.fit(X, Y, callbacks=callback, verbose=0)
        assert model.optimizer.iterations == 0
    with pytest.raises(TypeError, match=r"expected schedule to be a function, got 0.1. .* of \(epoch, rate\)"):
        sn.LearningRateScheduler(0.1)


def test_reduce_on_plateau(capsys):
    seen = []

    class Rates(sn.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(round(self.model.optimizer.learning_rate, 9))

    values = [5, 4, 4, 4, 3, 3, 3, 3, 3, 3]
    reduce = sn.ReduceLROnPlateau(patience=2, cooldown=1, min_lr=0.004, verbose=1)
    run([reduce, Rates()], 10, val_loss=values)
    #             4 twice       3 twice, then one epoch to cool
    assert seen == [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.004, 0.004, 0.004, 0.004]
    assert "Epoch 4: learning rate lowered to 0.01" in capsys.readouterr().out


# Checkpoints


def test_the_best_and_the_last(tmp_path, capsys):
    best = sn.ModelCheckpoint(tmp_path / "new" / "best.safetensors", "val_accuracy", 1, save_best_only=True)
    last = sn.ModelCheckpoint(str(tmp_path / "last.safetensors"))
    _, scripted = run([best, last], 4, val_accuracy=[0.5, 0.7, 0.7, 0.6])
    assert same(sn.load_model(tmp_path / "new" / "best.safetensors").get_weights(), scripted.weights[1])
    assert same(sn.load_model(tmp_path / "last.safetensors").get_weights(), scripted.weights[3])
    out = capsys.readouterr().out
    assert "Epoch 2: val_accuracy is 0.70000 (before: 0.50000)" in out
    assert "Epoch 3: val_accuracy is 0.70000 (before: 0.70000), not better\n" in out
    assert "Epoch 3: saved" not in out


def test_a_file_an_epoch(tmp_path):
    path = tmp_path / "m_{epoch:02d}_{val_loss:.1f}.safetensors"
    run([sn.ModelCheckpoint(path, save_weights_only=True)], 2, val_loss=[3, 2.5])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m_01_3.0.safetensors", "m_02_2.5.safetensors"]
    model = compiled()
    model.load_weights(tmp_path / "m_01_3.0.safetensors")
    with pytest.raises(ValueError, match=r"\{val_los\} in .* is none of epoch, accuracy, loss"):
        run([sn.ModelCheckpoint(tmp_path / "{val_los}")], 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("m_{}.safetensors", r"'m_\{\}.safetensors': \{\} holds no name. Expected names .* \{epoch:02d\}"),
        ("m_{0}", r"\{0\} holds no name"),
        ("m_{loss:02d}", "Unknown format code 'd'"),
        ("m_{epoch", "expected '}' before end of string"),
        ("m_}", "Single '}'"),
    ],
)
def test_braces_that_cannot_be_filled(name, message):
    with pytest.raises(ValueError, match=f"ModelCheckpoint: filepath .*{message}"):
        sn.ModelCheckpoint(name)


def test_every_so_many_batches(tmp_path):
    run([sn.ModelCheckpoint(tmp_path / "{epoch}", save_freq=3)], 4)  # two batches an epoch: after batches 3 and 6
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2", "3"]


def test_batches_are_counted_on_in_a_second_fit(tmp_path):
    checkpoint = sn.ModelCheckpoint(tmp_path / "{epoch}_{batch}", save_freq=3)
    model, _ = run([checkpoint], 2)  # the fourth batch is the first of the next three
    run([checkpoint], 1, model)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1_2", "2_1"]


def test_a_threshold(tmp_path):
    run([sn.ModelCheckpoint(tmp_path / "m", save_best_only=True, initial_value_threshold=1)], 2, val_loss=[3, 2])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="save_best_only goes with save_freq='epoch'"):
        sn.ModelCheckpoint(tmp_path / "m", save_best_only=True, save_freq=3)


# The log


def test_csv(tmp_path):
    model, _ = run([sn.CSVLogger(tmp_path / "log.csv")], 3)
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "accuracy", "loss"]
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    assert [float(row["loss"]) for row in rows] == model.history.history["loss"]  # to the last bit


def test_csv_goes_on_in_a_file_that_was_through_a_spreadsheet(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xef\xbb\xbfepoch,loss\r\n0,1.5\r\n")
    run([sn.CSVLogger(path, append=True)], 1)
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0][:2] == ["epoch", "loss"]
    assert rows[1][:2] == ["0", "1.5"]
    assert rows[2][0] == "0"
    assert float(rows[2][1]) > 0
    with pytest.raises(ValueError, match=r"expected a column 'epoch' in .*, separated by ';', got"):
        run([sn.CSVLogger(path, ";", append=True)], 1)


def test_csv_into_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = "import sys; print(open(sys.argv[1]).read())"
    reader = subprocess.Popen([sys.executable, "-c", code, str(pipe)], stdout=subprocess.PIPE, text=True)
    run([sn.CSVLogger(pipe)], 2)
    rows = list(csv.DictReader(reader.communicate(timeout=60)[0].strip().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(float(row["loss"]) > 0 for row in rows)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)


def test_csv_to_standard_output_that_goes_to_a_file(tmp_path):
    """The shell holds the file open: one that took its place would be written to by nobody else."""
    code = (
        "import numpy as np, scratchnet as sn; print('first', flush=True)\n"
        "m = sn.Sequential([sn.Dense(1, input_shape=(2,))]); m.compile(optimizer='sgd', loss='mse')\n"
        "log = sn.CSVLogger('/dev/stdout')\n"
        "m.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, callbacks=[log], verbose=0); print('last')"
    )
    with open(tmp_path / "out", "w") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines[:2] == ["first", "epoch,loss"]
    assert [line[:2] for line in lines[2:4]] == ["0,", "1,"]
    assert lines[4:] == ["last"]


def test_csv_that_goes_on(tmp_path):
    path = tmp_path / "log.csv"
    for append, epochs, lines in ((True, 2, 3), (True, 3, 6), (False, 1, 2)):
        run([sn.CSVLogger(path, ";", append)], epochs)
        assert len(path.read_text().splitlines()) == lines
    assert path.read_text().startswith("epoch;accuracy;loss\n0;") or path.read_text().startswith(
        "epoch;accuracy;loss\r"
    )


def test_a_value_that_comes_later_gets_a_column(tmp_path):
    class Later(sn.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                logs["later"] = 7.0

    run([Later(), sn.CSVLogger(tmp_path / "log.csv")], 3)
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["later"] for row in rows] == ["", "7.0", ""]


def test_a_log_that_cannot_be_written_is_said_before_training(tmp_path):
    for wrong in ("", ";;", 3, "\n"):
        with pytest.raises(ValueError, match=r"CSVLogger: expected (one character as separator|separator to be text)"):
            sn.CSVLogger(tmp_path / "log.csv", wrong)
    model = compiled()
    before = model.get_weights()
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        run([sn.CSVLogger(tmp_path)], 1, model)
    assert same(before, model.get_weights())
    run([sn.CSVLogger(tmp_path / "new" / "folder" / "log.csv")], 1)
    assert (tmp_path / "new" / "folder" / "log.csv").is_file()


# The moving average


def test_the_average_is_measured_saved_and_handed_back(tmp_path):
    class Watch(sn.Callback):
        """Follows the weights themselves."""

        def on_train_begin(self, logs=None):
            self.average = [w.astype(np.float64) for w in self.model.get_weights()]
            self.updates, self.at_epochs = 0, []

        def on_train_batch_end(self, batch, logs=None):
            m = min(0.9, (1 + self.updates) / (10 + self.updates))
            self.average = [m * a + (1 - m) * w for a, w in zip(self.average, self.model.get_weights())]
            self.updates += 1

        def on_epoch_end(self, epoch, logs=None):
            self.at_epochs.append(logs)

    watch, model, plain = Watch(), compiled(), compiled()
    path = tmp_path / "m.safetensors"
    watchers = [watch, sn.ExponentialMovingAverage(0.9), sn.ModelCheckpoint(path)]
    model.fit(X, Y, 10, 3, callbacks=watchers, validation_data=(X, Y), verbose=0)
    for w, a in zip(model.get_weights(), watch.average):
        np.testing.assert_allclose(w, a, rtol=1e-5, atol=1e-6)
    assert same(sn.load_model(path).get_weights(), model.get_weights())
    assert model.evaluate(X, Y, verbose=0)[0] == watch.at_epochs[-1]["val_loss"]
    sn.set_random_seed(0)
    plain = compiled()
    plain.fit(X, Y, 10, 3, validation_data=(X, Y), verbose=0)
    assert plain.history.history["loss"] == model.history.history["loss"]  # the weights themselves are trained as ever
    assert plain.history.history["val_loss"] != model.history.history["val_loss"]


def test_the_average_is_saved_wherever_it_stands(tmp_path):
    weights = []
    for n, first in enumerate((True, False)):
        average, checkpoint = sn.ExponentialMovingAverage(0.9), sn.ModelCheckpoint(tmp_path / f"{n}.safetensors")
        stopping = sn.EarlyStopping("loss", mode="max", patience=9, restore_best_weights=True)  # the first epoch's
        watchers = [average, checkpoint, stopping] if first else [checkpoint, stopping, average]
        model, _ = run(watchers, 3)
        weights.append((sn.load_model(tmp_path / f"{n}.safetensors").get_weights(), model.get_weights()))
    assert all(same(a, b) for a, b in zip(*weights))


def test_all_of_them_together_need_no_validation(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watchers = [
            sn.ExponentialMovingAverage(),
            sn.EarlyStopping("loss"),
            sn.ReduceLROnPlateau("loss"),
            sn.ModelCheckpoint(tmp_path / "m", "loss", save_best_only=True),
            sn.CSVLogger(tmp_path / "log.csv"),
        ]
        run(watchers, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log.csv", "m"]


def test_what_is_no_callback_leaves_the_history_of_the_last_run():
    model = compiled()
    history = model.fit(X, Y, verbose=0)
    with pytest.raises(TypeError, match="expected callbacks"):
        model.fit(X, Y, callbacks=[3], verbose=0)
    assert model.history is history
    assert history.epoch == [0]
