"""Pictures of any range: what augmentation does to those that do not go from 0 to 255, and settings that do nothing."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.preprocessing.image import ImageDataGenerator

RNG = np.random.default_rng(0)
SHAPE = (3, 6, 6, 2)
PICTURES = {
    "0 to 1": RNG.random(SHAPE).astype(np.float32),
    "-1 to 1": RNG.uniform(-1, 1, SHAPE).astype(np.float32),
    "normalized": RNG.standard_normal(SHAPE).astype(np.float32),
    "float64": RNG.uniform(-300, 300, SHAPE),
    "negative": RNG.uniform(-5, -1, SHAPE).astype(np.float32),
    "0 to 255": RNG.uniform(0, 255, SHAPE).astype(np.float32),
    "bytes": RNG.integers(0, 256, SHAPE).astype(np.uint8),
    "uint16": RNG.integers(0, 65536, SHAPE).astype(np.uint16),
    "int64": RNG.integers(0, 256, SHAPE),
}
KINDS = pytest.mark.parametrize("x", PICTURES.values(), ids=PICTURES)
NOTHING = {
    "brightness_range": (1, 1),
    "zoom_range": (1, 1),
    "rotation_range": 0,
    "shear_range": 0,
    "width_shift_range": 0,
    "channel_shift_range": 0,
    "rescale": 1,
}


@KINDS
@pytest.mark.parametrize("name", [*NOTHING, "all"])
def test_settings_of_the_generator_that_do_nothing(x, name):
    settings = NOTHING if name == "all" else {name: NOTHING[name]}
    y = ImageDataGenerator(**settings, dtype="float64").flow(x, batch_size=3, shuffle=False)[0]
    np.testing.assert_array_equal(y, x)


@KINDS
def test_settings_of_augment_that_do_nothing(x):
    y = sn.Augment(crop_padding=0, horizontal_flip=False)(x, dtype=np.float64)
    np.testing.assert_array_equal(y, x)


@KINDS
def test_brightness_1_of_apply_transform(x):
    y = ImageDataGenerator(dtype="float64").apply_transform(x[0], {"brightness": 1})
    np.testing.assert_array_equal(y, x[0])


@KINDS
@pytest.mark.parametrize("operation", [{"rotation_range": 30}, {"zoom_range": 0.3}, {"horizontal_flip": True}])
def test_moves_keep_the_range(x, operation):
    y = ImageDataGenerator(**operation, dtype="float64").flow(x, batch_size=3, shuffle=False, seed=0)[0]
    assert x.min() <= y.min() <= y.max() <= x.max()
    assert y.max() - y.min() > 0.3 * (float(x.max()) - float(x.min()))


@KINDS
def test_channel_shift_stays_within_each_picture_s_own_range(x):
    y = ImageDataGenerator(channel_shift_range=0.3, dtype="float64").flow(x, batch_size=3, shuffle=False, seed=0)[0]
    for before, after in zip(x.astype(np.float64), y):
        assert before.min() <= after.min() <= after.max() <= before.max()
        assert 0 < np.abs(after - before).max() <= 0.3


@pytest.mark.parametrize(
    ("name", "low", "high", "value_range"),
    [
        ("0 to 1", 0, 1, None),
        ("0 to 255", 0, 255, None),
        ("bytes", 0, 255, None),
        ("uint16", 0, 65535, None),
        ("int64", 0, 255, None),
        ("-1 to 1", -1, 1, (-1, 1)),
        ("float64", -300, 300, (-300, 300)),
    ],
)
def test_brightness_goes_from_black_to_white(name, low, high, value_range):
    x = PICTURES[name]
    for factor in (0.0, 0.5, 1.5):
        generator = ImageDataGenerator(brightness_range=(factor, factor), dtype="float64", value_range=value_range)
        y = generator.flow(x, batch_size=3, shuffle=False)[0]
        np.testing.assert_allclose(y, np.clip(low + factor * (x.astype(np.float64) - low), low, high), rtol=1e-12)


@pytest.mark.parametrize("name", ["-1 to 1", "normalized", "float64", "negative"])
def test_brightness_needs_to_know_what_black_is(name):
    flow = ImageDataGenerator(brightness_range=(0.5, 0.6)).flow(PICTURES[name])
    with pytest.raises(ValueError, match=r"brightness_range takes pictures from 0 to .* Say .* value_range=\(-1, 1\)"):
        flow[0]


def test_value_range_belongs_to_the_settings():
    generator = ImageDataGenerator(brightness_range=(0.5, 1), value_range=(-1, 1))
    assert generator.get_config()["value_range"] == (-1, 1)
    with pytest.raises(ValueError, match=r"expected value_range as \(black, white\), got \(1, -1\)"):
        ImageDataGenerator(value_range=(1, -1))


@KINDS
@pytest.mark.parametrize("change", [{"brightness": 0.2}, {"contrast": 0.2}])
def test_augment_recolours_within_the_range_that_it_is_told(x, change):
    low, high = float(x.min()), float(x.max())
    plain = {"crop_padding": 0, "horizontal_flip": False, "seed": 1}
    y = sn.Augment(**change, **plain, value_range=(low, high))(x, dtype=np.float64)
    assert low <= y.min() <= y.max() <= high
    assert 0 < np.abs(y - x).max() <= 0.2 * (high - low)
    with pytest.raises(ValueError, match=r"brightness and contrast keep .* pictures from .*, and these go from"):
        sn.Augment(**change, **plain, value_range=((low + high) / 2, high))(x)
