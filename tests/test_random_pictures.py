"""Layers that change pictures at random: what they draw, against loops, and what they leave outside of training."""

import re

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import layers, reference
from scratchnet.kernels.interface import FILL_MODES

X = np.random.default_rng(0).uniform(0, 255, (300, 7, 5, 3))
MOVES = {
    "RandomRotation": lambda *how, **options: sn.RandomRotation(0.4, *how, **options),
    "RandomZoom": lambda *how, **options: sn.RandomZoom(0.9, (-0.3, 0.8), *how, **options),
    "RandomTranslation": lambda *how, **options: sn.RandomTranslation(0.9, -1.0, *how, **options),
}


def trained(layer, x=X):
    return layer.forward(x, training=True)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("mode", FILL_MODES)
@pytest.mark.parametrize("kind", MOVES)
def test_moves_are_the_loops(kind, mode, interpolation):
    for shape in ((3, 6, 5, 2), (2, 1, 4, 1), (2, 3, 1, 3)):
        x = np.random.default_rng(1).normal(size=shape)
        layer = MOVES[kind](mode, interpolation, seed=3, fill_value=0.7)
        y = trained(layer, x)
        fill = [0.7] * shape[3]
        expected = reference.move(x, layer.now, mode, fill, interpolation)
        np.testing.assert_allclose(y, expected, atol=1e-12)
        # y is linear in x but for the fill value, so that dx is known from any two pictures.
        dy, other = np.random.default_rng(2).normal(size=(2, *shape))
        step = reference.move(other, layer.now, mode, [0] * shape[3], interpolation)
        np.testing.assert_allclose((layer.backward(dy) * other).sum(), (dy * step).sum(), atol=1e-10)


def test_rotation_turns_to_the_left():
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 1))
    y = trained(sn.RandomRotation((0.25, 0.25)), x)
    np.testing.assert_allclose(y, np.rot90(x, axes=(1, 2)), atol=1e-9)
    angles = np.arctan2(*(trained(layer := sn.RandomRotation((-0.1, 0.3), seed=1)), layer.now[:, [1, 0]].T)[1])
    assert -0.1 <= angles.min() / (2 * np.pi) < -0.08
    assert 0.28 < angles.max() / (2 * np.pi) <= 0.3


def test_zoom():
    trained(layer := sn.RandomZoom((-0.2, 0.5), seed=1))
    rows, columns = layer.now[:, 0], layer.now[:, 4]
    np.testing.assert_array_equal(rows, columns)
    assert 0.8 <= rows.min() < 0.82
    assert 1.48 < rows.max() <= 1.5
    trained(layer := sn.RandomZoom(0.1, -0.2, seed=1))
    assert 0.9 <= layer.now[:, 0].min() < 0.91
    assert 0.8 <= layer.now[:, 4].min() < 0.82
    assert abs(np.corrcoef(layer.now[:, 0], layer.now[:, 4])[0, 1]) < 0.2


def test_translation_goes_down_and_to_the_right():
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 1))
    y = trained(sn.RandomTranslation((0.25, 0.25), (0.4, 0.4), "constant", fill_value=9), x)
    np.testing.assert_array_equal(y[:, 1:, 2:], x[:, :-1, :-2])
    assert (y[:, 0] == 9).all()
    assert (y[:, :, :2] == 9).all()


def test_flips():
    options = {(a, b): X[:, :: 1 - 2 * a, :: 1 - 2 * b] for a in (0, 1) for b in (0, 1)}
    for mode, known in (
        ("horizontal", [(0, 0), (0, 1)]),
        ("vertical", [(0, 0), (1, 0)]),
        ("horizontal_and_vertical", list(options)),
    ):
        y = trained(sn.RandomFlip(mode, seed=1))
        shares = [(y == options[one]).all(axis=(1, 2, 3)).mean() for one in known]
        assert sum(shares) == 1
        assert all(abs(share - 1 / len(known)) < 0.1 for share in shares)


def test_contrast_is_about_the_mean_of_each_channel():
    layer = sn.RandomContrast((0.2, 0.4), (20, 200), seed=1)
    y, f, m = trained(layer), layer.now[:, None, None, None], X.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(y, np.clip(m + f * (X - m), 20, 200))
    assert 0.8 <= f.min() < 0.82
    assert 1.38 < f.max() <= 1.4
    trained(layer := sn.RandomContrast(0.3, seed=1))
    assert 0.7 <= layer.now.min() < 0.72
    assert 1.28 < layer.now.max() <= 1.3


def test_brightness_is_a_share_of_the_range():
    layer = sn.RandomBrightness((-0.1, 0.3), seed=1)
    np.testing.assert_allclose(trained(layer), np.clip(X + layer.now[:, None, None, None], 0, 255))
    assert -25.5 <= layer.now.min() < -23
    assert 74 < layer.now.max() <= 76.5
    trained(layer := sn.RandomBrightness(0.5, (0, 1), seed=1))
    assert -0.5 <= layer.now.min() < -0.48


def test_a_crop_is_the_same_for_all_of_a_batch_and_another_in_the_next():
    layer, places = sn.RandomCrop(3, 4, seed=1), set()
    for _ in range(60):
        y = trained(layer)
        top, left = -layer.now[0]
        np.testing.assert_array_equal(y, X[:, top : top + 3, left : left + 4])
        places.add((int(top), int(left)))
    assert places == {(top, left) for top in range(5) for left in range(2)}


@pytest.mark.parametrize("size", [(3, 4), (7, 5), (9, 4), (14, 10)])
def test_a_crop_outside_of_training_or_of_small_pictures(size):
    layer, middle = sn.RandomCrop(*size), sn.CenterCrop(*size)
    assert layer.compute_output_shape((None, 7, 5, 3)) == (None, *size, 3)
    for training in (False, True):
        if training and size == (3, 4):
            continue
        np.testing.assert_array_equal(layer.forward(X, training=training), middle.forward(X))
        dy = np.random.default_rng(0).normal(size=(len(X), *size, 3))
        np.testing.assert_array_equal(layer.backward(dy), middle.backward(dy))


def test_called_alone_they_change_pictures_as_keras_s():
    layer = sn.RandomRotation(0.3, seed=1)
    assert (layer(X) != X).any()
    np.testing.assert_array_equal(layer(X, training=False), X)
    inputs = sn.Input((7, 5, 3))
    model = sn.Model(inputs, layer(inputs))
    np.testing.assert_array_equal(model(X), X)
    assert (model(X, training=True) != X).any()


def test_a_model_of_nothing_else_changes_pictures_too():
    model = sn.Sequential([sn.Resizing(7, 5), sn.RandomFlip(seed=1), sn.Sequential([sn.RandomZoom(0.1)])])
    assert (model(X) != X).any()
    np.testing.assert_array_equal(model(X, training=False), X)
    np.testing.assert_array_equal(model.predict(X, verbose=0), X.astype(np.float32))
    model = sn.Sequential([sn.RandomFlip(seed=1), sn.Conv2D(1, 1)])
    np.testing.assert_array_equal(model(X), model.forward(X))
    assert not sn.Sequential([sn.Rescaling(2.0)]).changes_alone


def test_bytes_come_out_as_float32():
    y = trained(sn.RandomFlip(seed=1), X.astype(np.uint8))
    assert y.dtype == np.float32


def network():
    sn.set_random_seed(1)
    model = sn.Sequential(
        [
            sn.Input((7, 5, 3)),
            sn.RandomFlip("horizontal"),
            sn.RandomRotation(0.1),
            sn.RandomCrop(5, 5),
            sn.RandomBrightness(0.1),
            sn.Rescaling(1 / 255),
            sn.Conv2D(2, 3),
            sn.RandomZoom(0.1),
            sn.Flatten(),
            sn.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    return model


def test_a_saved_model_goes_on_with_the_same_numbers(tmp_path):
    x, y = X[:20].astype(np.float32), np.ones((20, 1), np.float32)
    model = network()
    model.fit(x, y, epochs=1, verbose=0, shuffle=False)
    model.save(tmp_path / "model.npz")
    other = sn.load_model(tmp_path / "model.npz")
    losses = [m.train_on_batch(x, y) for m in (model, other) for _ in range(2)]
    assert losses[:2] == losses[2:]
    np.testing.assert_array_equal(model.predict(x, verbose=0), other.predict(x, verbose=0))


def test_bytes_are_taken_as_they_are_where_rescaling_follows(recwarn):
    inputs = sn.Input((7, 5, 3))
    mixed = sn.Sequential([sn.RandomFlip(), sn.RandomContrast(0.1)])(sn.RandomRotation(0.1)(inputs))
    model = sn.Model(inputs, sn.Dense(1)(sn.Flatten()(sn.Rescaling(1 / 255)(mixed))))
    model.compile("sgd", "mse")
    model.fit(X[:4].astype(np.uint8), np.ones((4, 1)), verbose=0)
    assert not recwarn.list


BAD = {
    "rotation": (lambda: sn.RandomRotation(1.5), "expected factor to be a finite number from -1 to 1, got 1.5"),
    "two of three": (lambda: sn.RandomRotation((0, 1, 2)), "expected factor as one number or two, (lowest, highest)"),
    "text": (lambda: sn.RandomZoom("a"), "height_factor"),
    "zoom to nothing": (lambda: sn.RandomZoom(-1.0), "height_factor"),
    "zoom of columns": (lambda: sn.RandomZoom(0.1, (-0.1, 2)), "width_factor"),
    "shift": (lambda: sn.RandomTranslation(0.1, 1.1), "expected width_factor to be a finite number from -1 to 1"),
    "contrast": (lambda: sn.RandomContrast(-0.1), "expected factor to be a finite number from 0 to 1, got -0.1"),
    "brightness": (lambda: sn.RandomBrightness((0, 2)), "expected factor to be a finite number from -1 to 1, got 2"),
    "range": (lambda: sn.RandomBrightness(0.1, (1, 0)), "expected value_range as (lowest, highest), the second larger"),
    "range of three": (lambda: sn.RandomContrast(0.1, (1, 2, 3)), "expected value_range as (lowest, highest), got"),
    "mode": (lambda: sn.RandomFlip("horizontaly"), "Did you mean 'horizontal'?"),
    "fill_mode": (lambda: sn.RandomZoom(0.1, fill_mode="mirror"), "unknown fill_mode 'mirror'"),
    "interpolation": (lambda: sn.RandomRotation(0.1, interpolation="bicubic"), "unknown interpolation 'bicubic'"),
    "fill_value": (lambda: sn.RandomRotation(0.1, fill_value=np.nan), "expected fill_value to be a number, got nan"),
    "height": (lambda: sn.RandomCrop(0, 3), "expected height to be a whole number of at least 1"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_arguments(what):
    make, text = BAD[what]
    with pytest.raises(ValueError, match=re.escape(text)):
        make()


@pytest.mark.parametrize("name", sorted(n for n in layers.__all__ if n.startswith("Random")))
def test_what_they_take_is_in_their_config(name):
    layer = {"RandomCrop": lambda: sn.RandomCrop(2, 3, seed=4), **MOVES}.get(name)
    layer = layer() if layer else getattr(sn, name)(**({} if name == "RandomFlip" else {"factor": 0.2}))
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
