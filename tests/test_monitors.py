"""Early stopping, checkpoints and falling rates decide as Keras does: the same values give the same decisions."""

import math

import monitors
import numpy as np
import pytest

import scratchnet as sn
from scratchnet.callbacks.monitor import Monitor

X, Y = np.random.default_rng(0).standard_normal((32, 3)).astype(np.float32), np.arange(32) % 3


class Fixed(sn.Metric):
    """A metric of a reader's."""

    def __init__(self, name, direction):
        super().__init__(name=name)
        self.direction = direction


def ours(kind, settings, fits):
    callback = getattr(sn, kind)(**monitors.arguments(kind, settings))
    return monitors.decisions(callback, monitors.Model(sn.SGD(1.0)), callback.monitor, fits)


@pytest.mark.parametrize("case", monitors.CASES)
def test_decisions_are_keras_s(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ours(*monitors.CASES[case]) == monitors.stored()["decisions"][case]


def test_every_stored_decision_is_of_a_case():
    assert monitors.stored()["decisions"].keys() == monitors.CASES.keys()


def direction(name, metrics=monitors.METRICS):
    monitor = Monitor(name)
    monitor.set_model(monitors.Model(sn.SGD(), [Fixed(*one) for one in metrics.items()]))
    monitor.on_train_begin()
    return "up" if monitor.larger_is_better else "down"


@pytest.mark.parametrize("name", monitors.NAMES)
def test_directions_are_keras_s_and_none_is_guessed(name):
    expected = monitors.stored()["directions"][name]
    if expected is not None:
        assert direction(name) == expected
        return
    with pytest.raises(ValueError, match=f"Monitor: is a larger or a smaller '{name}' better\\? .* mode='max' or mode"):
        direction(name)


@pytest.mark.parametrize("name", ["accuracy", "val_acc", "top_5_accuracy", "binary_accuracy", "auc", "val_precision"])
def test_names_of_metrics_are_known_without_them(name):
    assert direction(name, {}) == "up"


@pytest.mark.parametrize("name", ["fcd", "kid", "val_binary_crossentropy", "mse"])
def test_names_of_losses_and_distances_are_known(name):
    assert direction(name, {}) == "down"


@pytest.mark.parametrize("name", ["top_x_accuracy", "my_accuracy", "separation", "d_gradient", "g_loss"])
def test_a_name_that_only_resembles_one_is_not_guessed(name):
    with pytest.raises(ValueError, match=f"larger or a smaller '{name}'"):
        direction(name, {})


def test_the_metric_of_the_model_goes_before_the_name():
    assert direction("val_accuracy", {"accuracy": "down"}) == "down"


def test_a_mode_needs_no_name():
    for mode, larger in (("max", True), ("min", False)):
        monitor = Monitor("whatever", mode)
        monitor.on_train_begin()
        assert monitor.larger_is_better is larger


@pytest.mark.parametrize(
    "callback",
    [sn.EarlyStopping("score"), sn.ReduceLROnPlateau("score"), sn.ModelCheckpoint("m", "score", save_best_only=True)],
)
def test_an_unknown_direction_is_said_before_training(callback):
    model = sn.Sequential([sn.Dense(3, activation="softmax", input_shape=(3,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=f"{type(callback).__name__}: is a larger or a smaller 'score' better"):
        model.fit(X, Y, callbacks=callback, verbose=0)
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize("kind", ["EarlyStopping", "ReduceLROnPlateau"])
def test_nan_is_never_the_best(kind):
    """Here Keras differs: a NaN that comes first is its best for ever."""
    (seen,) = ours(kind, {"patience": 5}, [[math.nan, 3.0, math.nan, 2.0]])
    assert seen["best"] == 2.0


def test_a_checkpoint_writes_no_nan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (seen,) = ours("ModelCheckpoint", {"save_best_only": True}, [[math.nan, 3.0, math.nan, 2.0]])
    assert seen["saved"] == ["2", "4"]


@pytest.mark.parametrize("between", ["nothing", "compile"])
def test_a_worse_model_of_a_second_fit_is_not_written(tmp_path, between):
    class Values(sn.Callback):
        runs_first = True
        values = iter([0.5, 0.2, 0.9, 0.8, 0.1])

        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = next(self.values)

    model = sn.Sequential([sn.Dense(3, activation="softmax", input_shape=(3,))])
    path = tmp_path / "best.safetensors"
    best, values = sn.ModelCheckpoint(path, save_best_only=True), Values()
    kept = []
    for first, last in ((0, 2), (2, 4), (4, 5)):
        if not first or between == "compile":
            model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(X, Y, epochs=last, initial_epoch=first, verbose=0, callbacks=[values, best])
        kept.append(sn.load_model(path).get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(kept[0], kept[1]))
    assert all(np.array_equal(a, b) for a, b in zip(kept[2], model.get_weights()))
    assert best.best == 0.1


@pytest.mark.parametrize("callback", [sn.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)), "plateau"])
def test_the_history_has_the_learning_rate(callback, tmp_path):
    model = sn.Sequential([sn.Dense(3, activation="softmax", input_shape=(3,))])
    model.compile(sn.SGD(0.1), "sparse_categorical_crossentropy")
    if callback == "plateau":
        callback = sn.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100)
    log = tmp_path / "log.csv"
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[callback, sn.CSVLogger(log)]).history
    falling = [0.1, 0.1 / 2, 0.1 / 3]
    # As in Keras: the rate with which the epoch was trained, before the callback lowers it.
    assert history["learning_rate"] == ([0.1, 0.1, 0.05] if isinstance(callback, Monitor) else falling)
    assert log.read_text().splitlines()[0].split(",") == ["epoch", "learning_rate", "loss"]


def test_the_history_of_a_gan_has_the_generator_s_rate():
    generator = sn.Sequential([sn.Dense(2, input_shape=(3,))])
    gan = sn.GAN(generator, sn.Sequential([sn.Dense(1, input_shape=(2,))]), 3)
    gan.compile(sn.Adam(0.5), sn.Adam(0.25))
    callback = sn.LearningRateScheduler(lambda epoch, rate: rate / 2)
    assert gan.fit(X[:, :2], 16, 2, 0, callback).history["learning_rate"] == [0.25, 0.125]
