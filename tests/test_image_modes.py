"""Every mode of Pillow's: read right, or refused with its name."""

import numpy as np
import pytest

from scratchnet.datasets import image_folder, pictures

PIL = pytest.importorskip("PIL.Image")
GREY = (np.arange(16).reshape(4, 4) * 16).astype(np.uint8)
RED = np.zeros((4, 4, 3), np.uint8) + np.array([200, 40, 40], np.uint8)


def rgb(image):
    return np.asarray(pictures.to_rgb(image, pictures.pillow_for("here")))


def grey(image):
    found = rgb(image)
    assert (found == found[..., :1]).all()
    return found[..., 0]


@pytest.mark.parametrize("mode", ["L", "LA", "La", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV", "CMYK", "P", "PA"])
def test_grey_in_modes_of_bytes(mode):
    image = PIL.fromarray(GREY)
    steps = {"La": ["LA", "La"], "RGBa": ["RGBA", "RGBa"], "YCbCr": ["RGB", "YCbCr"], "HSV": ["RGB", "HSV"],
             "CMYK": ["RGB", "CMYK"], "PA": ["P", "PA"], "RGBX": ["RGB", "RGBX"]}.get(mode, [mode])  # fmt: skip
    for step in steps:
        image = image.convert(step)
    assert image.mode == mode
    assert np.abs(grey(image).astype(int) - GREY).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "YCbCr", "HSV", "CMYK"])
def test_colours(mode):
    found = rgb(PIL.fromarray(RED).convert(mode))
    assert np.abs(found.astype(int) - RED).max() <= 3


def test_one_bit():
    assert set(np.unique(grey(PIL.fromarray(GREY > 100)))) == {0, 255}


@pytest.mark.parametrize("mode", ["LA", "RGBA", "La", "RGBa", "PA"])
def test_transparent_is_white(mode):
    image = PIL.new("LA" if mode in ("LA", "La") else "RGBA", (4, 4), 0)
    image = image if mode == image.mode else image.convert(mode) if mode != "PA" else image.convert("P").convert("PA")
    if mode == "PA":
        image.putalpha(0)
    assert (rgb(image) == 255).all()


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_sixteen_bits(order):
    deep = GREY.astype(np.uint16) * 257
    mode = {"<u2": "I;16", ">u2": "I;16B"}[order]
    image = PIL.frombytes(mode, (4, 4), deep.astype(order).tobytes())
    assert image.mode == mode
    np.testing.assert_array_equal(grey(image), GREY)


def test_sixteen_bits_in_other_modes():
    np.testing.assert_array_equal(grey(PIL.fromarray(GREY.astype(np.int32))), GREY)
    np.testing.assert_array_equal(grey(PIL.fromarray(GREY.astype(np.int32) * 257)), GREY)


@pytest.mark.parametrize("scale", [1 / 255, 1, 257])
def test_floats(scale):
    assert np.abs(grey(PIL.fromarray((GREY.astype(float) * scale).astype(np.float32))).astype(int) - GREY).max() <= 1


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf, 1e6])
def test_floats_without_a_known_range_are_refused(wrong):
    numbers = GREY.astype(np.float32)
    numbers[1, 2] = wrong
    with pytest.raises(ValueError, match="expected grey numbers of mode F from 0 to 1, 255 or 65535, got"):
        rgb(PIL.fromarray(numbers))
    if np.isfinite(wrong):
        with pytest.raises(ValueError, match="grey numbers of mode I "):
            rgb(PIL.fromarray(numbers.astype(np.int32)))


def test_lab_is_refused_by_name():
    with pytest.raises(ValueError, match="pictures of mode LAB are not read; save it as RGB"):
        rgb(PIL.new("LAB", (4, 4)))


def test_a_refused_picture_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    PIL.fromarray(-GREY.astype(np.float32)).save(tmp_path / "a" / "below.tiff")
    with pytest.raises(ValueError, match=r"below\.tiff: ValueError: expected grey numbers of mode F .* got -240 to 0"):
        image_folder(tmp_path, 4)
