"""Augmentation in training: what is trained on is changed, what is measured is not; resumed runs have the same bits."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.preprocessing.image import ImageDataGenerator

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (50, 8, 8, 2), dtype=np.uint8)
Y = np.arange(50) % 3


def network():
    sn.set_random_seed(3)
    layers = [sn.Rescaling(1 / 255), sn.Conv2D(4, 3, activation="relu"), sn.Dropout(0.2), sn.Flatten()]
    model = sn.Sequential([*layers, sn.Dense(3, activation="softmax")])
    model.compile(sn.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def assert_same_run(one, other):
    for a, b in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert one.history.history == other.history.history


def settings(**changes):
    return sn.Augment(**{"crop_padding": 1, "rotation": 10, "brightness": 0.1, "cutout": 2, **changes})


class Seen(sn.layers.Layer):
    """Keeps what went through."""

    def call(self, x, training):
        self.batches = [*getattr(self, "batches", []), (training, x.copy())]
        return x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_only_what_is_trained_on_is_changed(dtype):
    sn.set_random_seed(0)
    seen, augment = Seen(), settings(seed=9)
    model = sn.Sequential([seen, sn.Flatten(), sn.Dense(3, activation="softmax")], dtype=dtype)
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = X.astype(np.float64) / 255
    model.fit(x, Y, 16, 2, validation_split=0.2, shuffle=False, verbose=0, augment=augment)
    model.evaluate(x, Y, verbose=0)
    model.predict(x)
    for epoch in range(2):
        trained = [b for training, b in seen.batches[4 * epoch : 4 * epoch + 3] if training]
        np.testing.assert_array_equal(np.concatenate(trained), augment(x[:40], step=epoch, dtype=dtype))
        training, validated = seen.batches[4 * epoch + 3]
        assert not training
        np.testing.assert_array_equal(validated, x[40:].astype(dtype))
    for training, batch in seen.batches[8:]:
        assert not training
        np.testing.assert_array_equal(batch, x.astype(dtype))


def test_each_run_has_its_own_changes_and_the_package_s_seed_repeats_them():
    runs = []
    for seed in (1, 1, 2):
        model = network()
        sn.set_random_seed(seed)
        model.fit(X, Y, 16, 2, shuffle=False, verbose=0, augment=settings())
        runs.append(model)
    assert_same_run(runs[0], runs[1])
    assert runs[0].history.history != runs[2].history.history


class Stop(sn.Callback):
    """Ends the run in the middle of an epoch as Ctrl-C does not: at once, with nothing saved."""

    def __init__(self, steps):
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def datagen():
    return ImageDataGenerator(rotation_range=20, width_shift_range=0.2, brightness_range=(0.5, 1.5), zoom_range=0.1)


SOURCES = {
    "Augment": lambda: (X, Y, {"augment": settings(), "batch_size": 8, "validation_split": 0.2}),
    "flow": lambda: (datagen().flow(X, Y, 8), None, {"validation_data": datagen().flow(X, Y, 8)}),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("stop", [1, 5, 9, 13])
def test_a_run_that_breaks_off_goes_on_to_the_same_bits(source, stop, tmp_path):
    def train(*callbacks, seed=3):
        model = network()
        x, y, options = SOURCES[source]()
        sn.set_random_seed(seed)
        model.fit(x, y, epochs=3, verbose=0, callbacks=callbacks, **options)
        return model

    whole = train()
    with pytest.raises(KeyboardInterrupt):
        train(sn.BackupAndRestore(tmp_path, save_freq=3, delete_checkpoint=False), Stop(stop))
    # Another seed: order and changes come from the file, or where there is none yet, it is the same one.
    resumed = train(sn.BackupAndRestore(tmp_path, save_freq=3, delete_checkpoint=False), seed=3 if stop < 3 else 77)
    assert_same_run(whole, resumed)


def test_a_backup_of_other_changes_is_refused(tmp_path):
    network().fit(
        X, Y, 16, 1, verbose=0, augment=settings(), callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False)
    )
    for augment in (None, settings(rotation=11), datagen()):
        with pytest.raises(ValueError, match="backup of another run: its augmentation was Augment with"):
            network().fit(
                X,
                Y,
                16,
                1,
                verbose=0,
                augment=augment,
                callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False),
            )


def test_a_generator_as_augment_is_its_flow():
    runs = []
    for flow in (True, False):
        model, generator = network(), datagen()
        if flow:
            flow = generator.flow(X, Y, 16, seed=5)
            sn.set_random_seed(1)
            model.fit(flow, epochs=2, verbose=0)
        else:
            generator.seed = 5
            sn.set_random_seed(1)
            model.fit(X, Y, 16, 2, verbose=0, augment=generator)
        runs.append(model)
    assert_same_run(*runs)


def test_a_flow_is_measured_with_its_own_scale():
    model, scaled = network(), ImageDataGenerator(rescale=2.0)
    flow = scaled.flow(X, Y, 8, sample_weight=1.0 + np.arange(50))
    doubled = 2.0 * X
    assert model.evaluate(flow, verbose=0) == model.evaluate(doubled, Y, verbose=0, sample_weight=1.0 + np.arange(50))
    np.testing.assert_array_equal(model.predict(flow), model.predict(doubled))
    history = model.fit(flow, validation_data=flow, verbose=0).history
    assert history["val_loss"] == [model.evaluate(flow, verbose=0)[0]]


def test_what_fit_refuses():
    model, flow = network(), datagen().flow(X, Y)
    with pytest.raises(
        TypeError, match=r"fit: expected augment to be an Augmentation or None, got <class .*brackets: Augment\(\)"
    ):
        model.fit(X, Y, augment=sn.Augment)
    with pytest.raises(ValueError, match="fit: labels y are missing"):
        model.fit(X)
    with pytest.raises(ValueError, match="got y beside the batches of a generator"):
        model.fit(flow, Y)
    with pytest.raises(ValueError, match="got augment beside the batches of a generator"):
        model.fit(flow, augment=sn.Augment())
    with pytest.raises(ValueError, match="validation_split needs arrays; a generator has subset= for validation"):
        model.fit(flow, validation_split=0.2)
    with pytest.raises(ValueError, match=r"no labels. Give them to it: datagen.flow\(x, y\)"):
        model.fit(datagen().flow(X))
    model.build((None, 8, 8, 2))
    with pytest.raises(ValueError, match="labels from 0 to 2, got 3"):
        model.fit(datagen().flow(X, Y + 1))
