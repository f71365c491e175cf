"""Augmentation: the kernel against loops, what settings mean, random numbers from key, pass and number alone."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from compare import Unchanged, assert_close, dtypes, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

import scratchnet as sn
from scratchnet import config, reference
from scratchnet.augment import USES, affine, draws
from scratchnet.devices import Device, register, unregister
from scratchnet.kernels.interface import FILL_MODES
from scratchnet.preprocessing.image import ImageDataGenerator

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 9, 8, 3), dtype=np.uint8)
EVERYTHING = {
    "crop_padding": 2,
    "vertical_flip": True,
    "rotation": 30,
    "zoom": 0.2,
    "width_shift": 0.1,
    "height_shift": 0.2,
    "brightness": 0.3,
    "contrast": 0.4,
    "cutout": 3,
    "seed": 5,
}

# The kernel.

sizes = st.tuples(st.integers(1, 7), st.integers(1, 7), st.sampled_from([1, 2, 3]))
modes = st.sampled_from(FILL_MODES)


def drawn(rng, count, C, whole):
    """Matrices, colours, holes, scales and offsets; matrices that move and mirror by whole pixels, or any."""
    matrix = rng.normal(0, 1, (count, 6)) * (1, 1, 6, 1, 1, 6)
    if whole:
        matrix = np.round(matrix)
        matrix[:, [0, 4]] = rng.choice([-1.0, 1.0], (count, 2))
        matrix[:, [1, 3]] = 0
    colour = np.stack([rng.uniform(0, 2, count), rng.uniform(0, 2, count), rng.uniform(-50, 50, count)], axis=1)
    colour[::2] = 1, 1, 0
    hole = np.sort(rng.integers(-3, 10, (count, 2, 2)), axis=2).reshape(count, 4)
    return matrix, rng.uniform(0, 255, C), colour, hole, *rng.normal(size=(2, C))


@given(sizes, modes, st.booleans(), st.sampled_from(["uint8", "float32", "float64", "int16"]), dtypes, seeds)
def test_the_kernel_is_the_loops(device, size, mode, whole, source, dtype, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (3, *size)).astype(source)
    index = rng.integers(0, 3, 4)
    matrix, fill, colour, hole, scale, offset = drawn(rng, 4, size[2], whole)
    expected = reference.augment(x, index, matrix, mode, fill, colour, (10, 240), hole, scale, offset)
    with Unchanged(x, index, matrix, colour, hole):
        y = device.augment(x, index, matrix, mode, fill, colour, (10, 240), hole, scale, offset, dtype)
    assert_close(y, expected, dtype)


@given(sizes, modes, st.integers(-20, 20), st.integers(-20, 20), st.booleans(), st.booleans(), seeds)
def test_moved_by_whole_pixels_the_bits_are_the_source_s(device, size, mode, down, right, mirror, upside_down, seed):
    H, W, C = size
    x = np.random.default_rng(seed).normal(size=(1, H, W, C)).astype(np.float32)
    pad = {"reflect": "symmetric", "nearest": "edge"}.get(mode, mode)
    wide = np.pad(x[0], ((20, 20), (20, 20), (0, 0)), pad)
    expected = wide[20 + down : 20 + down + H, 20 + right : 20 + right + W]
    expected = expected[:: -1 if upside_down else 1, :: -1 if mirror else 1]
    matrix = affine((H, W), 1, 0.0, (down, right), 0.0, (1, 1), (upside_down, mirror))
    np.testing.assert_array_equal(device.augment(x, [0], matrix, mode)[0], expected)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns(device, quarters):
    x = np.random.default_rng(0).normal(size=(1, 6, 6, 2))
    y = device.augment(x, [0], affine((6, 6), 1, quarters * np.pi / 2), "nearest", dtype=np.float64)
    np.testing.assert_allclose(y[0], np.rot90(x[0], quarters), atol=1e-12)


def test_a_plane_stays_one_when_it_is_turned_zoomed_and_sheared(device):
    """Bilinear interpolation is exact where brightness is linear: the places themselves can be read off."""
    H, W = 12, 9
    rows, columns = np.mgrid[:H, :W].astype(np.float64)
    x = np.stack([rows, columns], axis=-1)[None]
    matrix = affine((H, W), 1, 0.3, (0.4, -0.7), 0.2, (0.5, 0.6), (True, False))
    y = device.augment(x, [0], matrix, "constant", -100, dtype=np.float64)[0]
    centre = np.array([(H - 1) / 2, (W - 1) / 2])
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    shear = np.array([[np.cos(0.2), 0], [-np.sin(0.2), 1]])
    place = turn @ shear @ np.diag([-0.5, 0.6]) @ (np.array([4.0, 5.0]) - centre) + turn @ [0.4, -0.7] + centre
    np.testing.assert_allclose(y[4, 5], place, atol=1e-12)


def test_pictures_in_a_file_and_not_in_order(tmp_path):
    np.save(tmp_path / "x.npy", PICTURES)
    augment = sn.Augment(**EVERYTHING)
    expected = augment(PICTURES, [3, 17, 3])
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(augment(mapped, [3, 17, 3]), expected)
    for layout in (np.asfortranarray(PICTURES), np.repeat(PICTURES, 2, axis=2)[:, :, ::2]):
        np.testing.assert_array_equal(augment(layout, [3, 17, 3]), expected)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"x": PICTURES[0]}, ValueError, r"pictures x of shape \(N, H, W, C\), got \(9, 8, 3\)"),
        ({"index": [40, 0]}, IndexError, "from 0 to 39, got 40"),
        ({"matrix": np.zeros((3, 6))}, ValueError, r"matrix of shape \(2, 6\), a row for each picture, got \(3, 6\)"),
        ({"matrix": np.full((2, 6), np.nan)}, ValueError, "at most a million in matrix, got NaN"),
        ({"matrix": np.full((2, 6), -1e7)}, ValueError, "at most a million in matrix"),
        ({"colour": np.zeros((2, 2))}, ValueError, r"colour of shape \(2, 3\)"),
        ({"hole": np.zeros(4)}, ValueError, r"hole of shape \(2, 4\)"),
        ({"fill": [1, 2]}, ValueError, "fill to be one number or one for each of the 3 channels"),
    ],
)
def test_what_the_kernel_refuses(device, change, error, match):
    arguments = {"x": PICTURES, "index": [0, 1], "matrix": affine((9, 8), 2)}
    with pytest.raises(error, match=match):
        device.augment(**{**arguments, **change})


class Elsewhere:
    """Pictures on another device: what would make NumPy's of them is refused."""

    shape, ndim, dtype = PICTURES.shape, 4, PICTURES.dtype

    def __len__(self):
        return len(PICTURES)

    def __array__(self, *_, **__):
        raise TypeError("these are not NumPy's")


@pytest.mark.parametrize("augment", [sn.Augment(seed=1), ImageDataGenerator(rotation_range=9, rescale=0.5)])
def test_the_device_of_the_pictures_does_the_work(augment):
    def kernel(x, index, *_, **__):
        return type(x), index.tolist()

    there = SimpleNamespace(augment=kernel)
    register(Device("elsewhere", Elsewhere, np, lambda: there, lambda x: PICTURES))
    try:
        assert augment(Elsewhere(), [3, 4]) == (Elsewhere, [3, 4])
    finally:
        unregister("elsewhere")


# The random numbers.


def test_random_numbers_are_philox_of_key_pass_and_number(device):
    key, step, numbers = 0x0123456789ABCDEF, 7, np.array([0, 5, 2**33 + 1])
    np.testing.assert_array_equal(device.uniform(key, step, numbers, 6), reference.uniform(key, step, numbers, 6))


def test_random_numbers_are_even_and_independent(device):
    u = device.uniform(3, 0, np.arange(20_000), 4)
    assert u.min() >= 0
    assert u.max() < 1
    assert np.abs(u.mean(axis=1) - 0.5).max() < 0.01
    others = [device.uniform(3, 1, np.arange(20_000), 4), device.uniform(4, 0, np.arange(20_000), 4), u[[1, 2, 3, 0]]]
    for other in others:
        assert np.abs([np.corrcoef(a, b)[0, 1] for a, b in zip(u, other)]).max() < 0.03


def test_a_picture_s_changes_depend_on_nothing_but_key_pass_and_number():
    augment = sn.Augment(**EVERYTHING)
    everyone = augment(PICTURES, step=3)
    order = np.random.default_rng(1).permutation(40)
    for index in (order, order[:7], order[7:8], np.array([5, 5, 5])):
        np.testing.assert_array_equal(augment(PICTURES, index, step=3), everyone[index])
    one, two = (with_threads(k, augment, PICTURES, order, 3) for k in (1, 2))
    np.testing.assert_array_equal(one, two)
    for other in (augment(PICTURES, step=4), augment(PICTURES, step=3, key=6)):
        assert (other != everyone).any(axis=(1, 2, 3)).all()


def test_a_setting_does_not_change_the_random_numbers_of_another():
    assert list(draws(1, 0, np.arange(3))) == list(USES)
    moved = sn.Augment(crop_padding=2, seed=1)(PICTURES)
    cut = sn.Augment(crop_padding=2, cutout=4, cval=-1, seed=1)(PICTURES)
    np.testing.assert_array_equal(cut[cut != -1], moved[cut != -1])


def test_without_a_seed_each_call_differs_and_follows_the_package_s_seed():
    augment = sn.Augment()
    sn.set_random_seed(4)
    one, two = augment(PICTURES), augment(PICTURES)
    assert (one != two).any()
    sn.set_random_seed(4)
    np.testing.assert_array_equal(augment(PICTURES), one)


# What the settings mean.


def test_crops_and_flips_are_all_there_and_nothing_else():
    augment = sn.Augment(crop_padding=1, fill_mode="constant", seed=0)
    picture = PICTURES[:1]
    wide = np.pad(picture[0], ((1, 1), (1, 1), (0, 0)))
    crops = [wide[i : i + 9, j : j + 8] for i in range(3) for j in range(3)]
    possible = {crop.tobytes() for crop in crops} | {np.ascontiguousarray(crop[:, ::-1]).tobytes() for crop in crops}
    seen = [augment(picture, step=step)[0].astype(np.uint8).tobytes() for step in range(300)]
    assert set(seen) == possible
    assert max(seen.count(crop) for crop in possible) < 2.5 * 300 / 18


def test_nothing_switched_on_changes_nothing():
    for dtype in (np.float32, np.float64):
        y = sn.Augment(0, False)(PICTURES, dtype=dtype)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, PICTURES)


@pytest.mark.parametrize("name", ["horizontal_flip", "vertical_flip"])
def test_every_second_picture_is_mirrored(name):
    x = np.tile(PICTURES[:1], (400, 1, 1, 1))
    y = sn.Augment(**{"crop_padding": 0, "horizontal_flip": False, name: True, "seed": 0})(x)
    mirrored = (y == (x[:, :, ::-1] if name == "horizontal_flip" else x[:, ::-1])).all(axis=(1, 2, 3))
    assert ((y == x).all(axis=(1, 2, 3)) ^ mirrored).all()
    assert abs(mirrored.mean() - 0.5) < 0.1


def alone(**settings):
    return sn.Augment(**{"crop_padding": 0, "horizontal_flip": False, "seed": 0, **settings})


def test_brightness_is_a_share_of_the_range():
    for dtype, top in ((np.uint8, 255), (np.float32, 1)):
        x = np.full((300, 2, 2, 1), top // 2 if top > 1 else 0.5, dtype)
        change = (alone(brightness=0.2)(x) - x)[:, 0, 0, 0] / top
        assert -0.2 <= change.min() < -0.19
        assert 0.19 < change.max() <= 0.2
    grey = np.full((50, 2, 2, 1), 0.9)
    assert alone(brightness=0.5)(grey).max() == 1
    assert alone(brightness=0.5, value_range=(0, 2))(grey).max() > 1.5


def test_contrast_keeps_the_mean():
    x = (100 + 20 * np.random.default_rng(0).uniform(-1, 1, (200, 5, 4, 3))).astype(np.float32)
    y = alone(contrast=0.5, value_range=(0, 255))(x)
    np.testing.assert_allclose(y.mean(axis=(1, 2, 3)), x.mean(axis=(1, 2, 3)), rtol=1e-5)
    ratio = y.std(axis=(1, 2, 3)) / x.std(axis=(1, 2, 3))
    assert 0.5 <= ratio.min() < 0.52
    assert 1.48 < ratio.max() <= 1.5001


def test_cutout_is_a_square_whose_centre_is_anywhere():
    x = np.full((500, 10, 10, 3), 9, np.uint8)
    holes = (alone(cutout=4, cval=[1.0, 2.0, 3.0])(x) != 9)[..., 0]
    areas = holes.sum(axis=(1, 2))
    assert areas.max() == 16
    assert areas.min() == 4  # centred in a corner: rows 0 and 1 alone
    assert holes.any(axis=0).all()
    rows, columns = holes.any(axis=2), holes.any(axis=1)
    np.testing.assert_array_equal(holes, rows[:, :, None] & columns[:, None, :])
    y = alone(cutout=10, cval=[1.0, 2.0, 3.0])(x)
    assert set(map(tuple, y.reshape(-1, 3).tolist())) <= {(1, 2, 3), (9, 9, 9)}
    with pytest.raises(ValueError, match="smaller than the pictures, which have 10 x 10 pixels, got cutout=11"):
        alone(cutout=11)(x)


def test_rotation_and_zoom_leave_the_centre():
    x = np.zeros((50, 9, 9, 1), np.uint8)
    x[:, 3:6, 3:6] = 200
    y = alone(rotation=180, zoom=0.5)(x)
    np.testing.assert_allclose(y[:, 4, 4, 0], 200, rtol=1e-5)
    assert len(np.unique(y[:, 2, 2, 0])) > 10


def test_shifts_are_shares_of_the_size():
    x = np.zeros((400, 20, 10, 1))
    x[:] = np.arange(20)[:, None, None]
    change = alone(height_shift=0.1, fill_mode="nearest")(x, dtype=np.float64)[:, 10, 5, 0] - 10
    assert -2 <= change.min() < -1.9
    assert 1.9 < change.max() <= 2
    x[:] = np.arange(10)[None, :, None]
    change = alone(width_shift=0.1)(x, dtype=np.float64)[:, 10, 5, 0] - 5
    assert np.abs(change).max() <= 1


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"crop_padding": -1}, "crop_padding in whole pixels, 0 for none, got -1"),
        ({"crop_padding": 1.5}, r"crop_padding (in whole pixels|to be a whole number)"),
        ({"cutout": None}, "cutout to be a whole number, got None"),
        ({"rotation": 200}, "rotation as degrees from 0 to 180, got 200"),
        ({"rotation": "10"}, "rotation to be a number, got '10'"),
        ({"zoom": 1.0}, "zoom as a share from 0 to below 1, got 1.0"),
        ({"width_shift": 3}, "width_shift as a share from 0 to 1, got 3"),
        ({"height_shift": np.nan}, "height_shift to be a number, got nan"),
        ({"brightness": (0.8, 1.2)}, r"brightness to be a number, got \(0.8, 1.2\). brightness: up to this share"),
        ({"contrast": True}, "contrast to be a number, got True"),
        ({"fill_mode": "mirror"}, r"unknown fill_mode 'mirror'.*Known: constant, nearest, reflect, wrap"),
        ({"cval": np.inf}, "cval as a finite number"),
        ({"cval": "a"}, "cval as a finite number, or one for each channel, got 'a'"),
        ({"cval": None}, "cval as a finite number, or one for each channel, got None"),
        ({"cval": np.ones((2, 2))}, "cval as a finite number"),
        ({"value_range": np.array([1, 0])}, r"value_range as \(lowest, highest\) or None, got array"),
        ({"value_range": "ab"}, "value_range to be 2 numbers in brackets or None, got 'ab'"),
        ({"value_range": (1, 0)}, r"value_range as \(lowest, highest\)"),
        ({"seed": -1}, r"seed to be a whole number from 0 to below 2\*\*64"),
    ],
)
def test_bad_settings(settings, match):
    with pytest.raises(ValueError, match=match):
        sn.Augment(**settings)


def test_bad_pictures():
    with pytest.raises(ValueError, match=re.escape("pictures of shape (N, H, W, C), got (40, 9, 8). Grey pictures")):
        sn.Augment()(PICTURES[..., 0])
    with pytest.raises(IndexError, match="from 0 to 39, got 40"):
        sn.Augment()(PICTURES, [40])


@pytest.mark.parametrize("settings", [{"brightness": 0.1}, {"contrast": 0.1}])
@pytest.mark.parametrize(
    ("x", "text"),
    [
        (PICTURES.astype(np.float32), "keep float32 pictures from 0 to 1, and these go from"),
        (
            np.linspace(-1, 1, 3 * 16).reshape(1, 4, 4, 3),
            "keep float64 pictures from 0 to 1, and these go from -1 to 1",
        ),
        (np.full((1, 4, 4, 3), 60_000, np.uint16), "keep uint16 pictures from 0 to 255, and these go from 60000 to"),
    ],
)
def test_pictures_of_another_scale_are_not_clipped_in_silence(settings, x, text):
    with pytest.raises(ValueError, match=rf"{text}.*value_range=\(0, 255\)"):
        alone(**settings)(x)
    alone(**settings, value_range=(float(x.min()), float(x.max()) + 1))(x)
    sn.Augment()(x)  # moves only


def test_arrays_as_arguments():
    x = PICTURES.astype(np.float32)
    arrays = sn.Augment(**EVERYTHING, value_range=np.array([0, 255]), cval=np.array([1, 2, 3]))
    lists = sn.Augment(**EVERYTHING, value_range=(0, 255), cval=[1, 2, 3])
    np.testing.assert_array_equal(arrays(x), lists(x))
    assert arrays.identity() == lists.identity()
    assert config.make(config.describe(arrays, "it")).identity() == arrays.identity()
    with pytest.raises(ValueError, match=r"cval as one number, or one for each of the 3 channels, got \[1.0, 2.0\]"):
        sn.Augment(cval=[1, 2])(PICTURES)


def test_it_can_be_written_down_and_made_again():
    augment = sn.Augment(**EVERYTHING, value_range=(0, 255), cval=[1, 2, 3])
    again = config.make(config.describe(augment, "it"))
    assert again.identity() == augment.identity() != sn.Augment().identity()
    np.testing.assert_array_equal(again(PICTURES), augment(PICTURES))
    assert "rotation=30" in repr(augment)
