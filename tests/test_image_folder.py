"""A reader's own pictures: sizes, turns, colours, order, and files that cannot be read."""

import sys

import numpy as np
import pytest
from PIL import Image

from scratchnet.datasets import image_folder

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.fixture
def folder(tmp_path):
    """Two classes, three pictures in all."""
    save(tmp_path / "dogs" / "b.png", plain(RED))
    save(tmp_path / "dogs" / "a.png", plain(GREEN))
    save(tmp_path / "cats" / "z.bmp", plain(BLUE))
    return tmp_path


def plain(colour, height=8, width=8):
    return Image.new("RGB", (width, height), colour)


def save(path, image, **options):
    path.parent.mkdir(exist_ok=True, parents=True)
    image.save(path, **options)


def only(path, size):
    """The single picture of a folder that holds one."""
    x, _, _ = image_folder(path, size)
    assert len(x) == 1
    return x[0]


def test_classes_and_pictures_come_by_name(folder):
    save(folder / "dogs" / "deep" / "c.PNG", plain((9, 8, 7)))
    (folder / "dogs" / "notes.txt").write_text("no picture")
    (folder / "dogs" / ".hidden.png").write_text("no picture")
    (folder / ".git").mkdir()
    (folder / "readme.png").write_text("not in a class")
    x, y, names = image_folder(folder, (4, 6))
    assert (x.shape, x.dtype, y.dtype, names) == ((4, 4, 6, 3), np.uint8, np.uint8, ("cats", "dogs"))
    assert y.tolist() == [0, 1, 1, 1]
    assert [tuple(p[0, 0].tolist()) for p in x] == [BLUE, GREEN, RED, (9, 8, 7)]
    again = image_folder(str(folder), (4, 6))
    assert np.array_equal(again[0], x)
    assert x.flags.c_contiguous
    assert x.flags.writeable


@pytest.mark.parametrize(("height", "width"), [(40, 120), (120, 40)])
def test_the_shorter_side_fits_and_the_middle_stays(tmp_path, height, width):
    """Three squares side by side: only the middle one is seen."""
    pixels = np.zeros((height, width, 3), np.uint8)
    middle = (slice(40, 80), slice(None)) if height > width else (slice(None), slice(40, 80))
    pixels[middle] = GREEN
    save(tmp_path / "k" / "x.png", Image.fromarray(pixels))
    x = only(tmp_path, 10)
    assert x.shape == (10, 10, 3)
    assert (x[2:-2, 2:-2] == GREEN).all()
    assert (x[..., 1] > 230).all()  # at the cut, as in a picture scaled first, a little of what lies beyond


def test_scaling_averages_and_does_not_pick(tmp_path):
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    save(tmp_path / "k" / "x.png", Image.fromarray(board))
    x = only(tmp_path, 8)
    assert abs(x.astype(int) - 127).max() <= 3


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_are_turned_as_the_camera_was_held(tmp_path, turn):
    """The eight orientations of EXIF: each picture is stored turned, and comes out the same."""
    upright = np.zeros((8, 16, 3), np.uint8)
    upright[:4, :8] = RED
    upright[4:, 8:] = BLUE
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[turn]
    exif = Image.Exif()
    exif[0x0112] = turn
    save(tmp_path / "k" / "x.png", Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    assert np.array_equal(only(tmp_path, (8, 16)), upright)


def test_all_kinds_become_rgb(tmp_path):
    def one(name, image, **options):
        save(tmp_path / name / f"x.{options.pop('suffix', 'png')}", image, **options)
        return only_tuple(tmp_path / name)

    def only_tuple(path):
        holder = path.parent / "holder" / path.name
        holder.mkdir(parents=True)
        path.rename(holder / "k")
        return tuple(only(holder, 4)[1, 1].tolist())

    assert one("grey", Image.new("L", (8, 8), 100)) == (100, 100, 100)
    assert one("bit", Image.new("1", (8, 8), 1)) == (255, 255, 255)
    assert one("32_bits", Image.fromarray(np.full((8, 8), 200, np.int32)), suffix="tif") == (200, 200, 200)
    assert one("32_bits_of_16", Image.fromarray(np.full((8, 8), 40000, np.int32)), suffix="tif") == (156, 156, 156)
    assert one("deep", Image.fromarray(np.full((8, 8), 40000, np.uint16))) == (156, 156, 156)
    assert one("clear", Image.new("RGBA", (8, 8), (255, 0, 0, 0))) == (255, 255, 255)
    assert one("half", Image.new("LA", (8, 8), (0, 255))) == (0, 0, 0)
    palette = plain(RED).quantize(4)
    assert one("palette", palette) == RED
    assert one("hole", palette, transparency=palette.getpixel((0, 0))) == (255, 255, 255)
    assert one("print", Image.new("CMYK", (8, 8), (0, 0, 0, 0)), suffix="jpg") == (255, 255, 255)
    assert one("moving", plain(GREEN), suffix="gif", save_all=True, append_images=[plain(RED)]) == GREEN


def test_a_large_jpeg_file(tmp_path):
    save(tmp_path / "k" / "x.jpg", plain((200, 100, 50), 600, 800), quality=95)
    assert abs(only(tmp_path, (6, 8)).astype(int) - (200, 100, 50)).max() <= 2


@pytest.fixture
def broken(folder):
    """Two files that cannot be read, of five: one cut off, one that is no picture."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    save(folder / "cats" / "cut.png", Image.fromarray(noise))
    whole = (folder / "cats" / "cut.png").read_bytes()
    (folder / "cats" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dogs" / "fake.jpg").write_text("no picture")
    return folder


def test_broken_files_are_named(broken):
    with pytest.raises(ValueError, match=r"2 of 5 files cannot be read.*skip") as caught:
        image_folder(broken, 8)
    assert "cut.png: OSError" in str(caught.value)
    assert "fake.jpg: UnidentifiedImageError" in str(caught.value)


def test_broken_files_are_skipped_on_request(broken):
    with pytest.warns(UserWarning, match=r"2 of 5 files skipped") as caught:
        x, y, names = image_folder(broken, 8, broken="skip")
    assert "cut.png" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert (x.shape, y.tolist(), names) == ((3, 8, 8, 3), [0, 1, 1], ("cats", "dogs"))
    assert [tuple(p[0, 0].tolist()) for p in x] == [BLUE, GREEN, RED]


def test_many_broken_files_are_counted(folder):
    for i in range(14):
        (folder / "dogs" / f"{i:02}.gif").touch()
    with pytest.raises(ValueError, match=r"09.gif.*\n  and 4 more$"):
        image_folder(folder, 8)


@pytest.mark.filterwarnings("ignore:image_folder")
def test_a_class_without_a_readable_picture_is_named(folder):
    (folder / "cats" / "z.bmp").write_text("no picture")
    with pytest.raises(ValueError, match="no picture of 'cats' can be read"):
        image_folder(folder, 8, broken="skip")


def test_faults_of_the_folder_are_named(tmp_path):
    with pytest.raises(NotADirectoryError, match=r"expected a folder of folders.*missing is none"):
        image_folder(tmp_path / "missing", 8)
    with pytest.raises(ValueError, match="has no folders"):
        image_folder(tmp_path, 8)
    (tmp_path / "cats").mkdir()
    with pytest.raises(ValueError, match=r"class 'cats' has no pictures.*\.jpg"):
        image_folder(tmp_path, 8)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "8", (8,), (8, 8, 3), (8, 0), None, 10**30])
def test_sizes_are_checked(folder, size):
    with pytest.raises(ValueError, match=r"image_folder: expected size .* got "):
        image_folder(folder, size)


def test_broken_is_checked(folder):
    with pytest.raises(ValueError, match='"error" or "skip"'):
        image_folder(folder, 8, broken="ignore")


def test_without_pillow_the_error_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r'pip install "scratchnet\[images\]"'):
        image_folder(folder, 8)
