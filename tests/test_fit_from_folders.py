"""fit, evaluate and predict on pictures that are read from folders while a network is trained."""

import numpy as np
import pytest
from PIL import Image

import scratchnet as sn
from scratchnet.preprocessing.image import ImageDataGenerator
from scratchnet.utils import image_dataset_from_directory


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dark and light noise, twenty pictures each."""
    place, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name, grey in (("dark", 80), ("light", 170)):
        (place / name).mkdir()
        for i in range(20):
            pixels = rng.normal(grey, 30, (12, 10, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(place / name / f"{i}.png")
    return place


def network(units=2, activation="softmax", loss="sparse_categorical_crossentropy"):
    sn.set_random_seed(0)
    layers = [sn.Rescaling(1 / 127.5, offset=-1, input_shape=(8, 8, 3)), sn.Conv2D(4, 3, activation="relu")]
    model = sn.Sequential([*layers, sn.GlobalAveragePooling2D(), sn.Dense(units, activation=activation)])
    model.compile(sn.Adam(0.03), loss, metrics=["accuracy"])
    return model


def sets(folder, **named):
    named = {"image_size": (8, 8), "batch_size": 8, "validation_split": 0.25, "seed": 1, "verbose": False, **named}
    return image_dataset_from_directory(folder, subset="both", **named)


def test_a_data_set_is_trained_on_as_a_tutorial_writes_it(folder):
    train, validation = sets(folder)
    train = train.cache().shuffle(1000).prefetch(buffer_size=-1)
    model = network()
    history = model.fit(train, validation_data=validation.cache(), epochs=8, verbose=0)
    assert history.history["val_accuracy"][-1] == 1
    loss, accuracy = model.evaluate(validation, verbose=0)
    assert accuracy == 1
    assert loss == pytest.approx(history.history["val_loss"][-1], rel=1e-5)
    assert model.predict(validation, verbose=0).shape == (10, 2)


def test_the_same_as_with_the_arrays(folder):
    train = sets(folder, shuffle=False)[0]
    model, other = network(), network()
    losses = model.fit(train, epochs=2, shuffle=False, verbose=0).history["loss"]
    x, y = (np.concatenate(parts) for parts in zip(*train))
    assert losses == pytest.approx(other.fit(x, y, 8, 2, 0, shuffle=False).history["loss"], rel=1e-6)
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("label_mode", ["categorical", "binary"])
def test_other_labels(folder, label_mode):
    train, validation = sets(folder, label_mode=label_mode)
    one = label_mode == "binary"
    model = network(1 if one else 2, "sigmoid" if one else "softmax", f"{label_mode}_crossentropy")
    model.fit(train.map(lambda x, y: (x[:, ::-1], y)), epochs=8, verbose=0)
    assert model.evaluate(validation, verbose=0)[1] == 1


def test_a_flow_of_a_directory_is_trained_on(folder):
    generator = ImageDataGenerator(horizontal_flip=True, rotation_range=10, validation_split=0.2)
    named = {"target_size": (8, 8), "batch_size": 8, "class_mode": "binary"}
    train = generator.flow_from_directory(folder, subset="training", **named)
    validation = ImageDataGenerator(validation_split=0.2).flow_from_directory(
        folder, subset="validation", shuffle=False, **named
    )
    model = network(1, "sigmoid", "binary_crossentropy")
    history = model.fit(
        train, steps_per_epoch=train.samples // train.batch_size, epochs=8, validation_data=validation, verbose=0
    )
    assert history.history["val_accuracy"][-1] == 1
    found = model.predict(validation, verbose=0)[:, 0] > 0.5
    assert found.tolist() == validation.classes.astype(bool).tolist()


def test_the_same_seed_gives_the_same_network(folder):
    runs = []
    for _ in range(2):
        model = network()
        generator = ImageDataGenerator(width_shift_range=0.2)
        flow = generator.flow_from_directory(folder, (8, 8), class_mode="sparse", batch_size=8)
        model.fit(flow, epochs=2, verbose=0)
        runs.append(model.get_weights())
    for a, b in zip(*runs):
        np.testing.assert_array_equal(a, b)


def test_a_damaged_picture_is_named_in_the_middle_of_fit(folder, tmp_path):
    for name in ("dark", "light"):
        (tmp_path / name).mkdir()
        for path in (folder / name).iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "light" / "7.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"7\.png cannot be read as a picture"):
        network().fit(image_dataset_from_directory(tmp_path, image_size=8, verbose=False), epochs=1, verbose=0)
