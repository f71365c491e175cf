"""One-hot labels, arrays of length one, and single pictures from files and back."""

import io

import numpy as np
import pytest
from PIL import Image

import scratchnet as sn
from scratchnet.utils import array_to_img, img_to_array, load_img, normalize, save_img, split_dataset, to_categorical

RNG = np.random.default_rng(0)


def test_one_hot_rows():
    assert to_categorical([0, 2, 1]).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert to_categorical(np.array([[3], [0]], np.uint8), 5).tolist() == [[0, 0, 0, 1, 0], [1, 0, 0, 0, 0]]
    assert to_categorical(1, 2).tolist() == [0, 1]
    assert to_categorical([[1.0, 0.0]]).shape == (1, 2, 2)
    assert to_categorical(np.zeros((0,), int), 3).shape == (0, 3)
    assert to_categorical([True, False]).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("x", "classes", "message"),
    [
        ([0, 3], 3, r"labels from 0 to num_classes - 1 = 2, got 3. Labels that begin at 1"),
        ([0, -1], None, "got -1"),
        ([0, 1.5], None, "whole numbers, labels from 0, got 1.5"),
        ([0, np.nan], None, "got nan"),
        (np.inf, None, "got inf"),
        ([], None, "expected labels in x, got none.*Give num_classes"),
        (["cat"], None, "expected x to be an array of numbers"),
        (None, None, "expected x to be an array of numbers"),
        ([0], -2, "expected num_classes"),
        (7, 7, "got 7"),
    ],
)
def test_labels_that_are_none(x, classes, message):
    with pytest.raises(ValueError, match=rf"to_categorical: .*{message}"):
        to_categorical(x, classes)


def test_norms():
    x = RNG.normal(size=(2, 3, 4)).astype(np.float32)
    for axis in (-1, 0, 1, 2):
        np.testing.assert_allclose(np.linalg.norm(normalize(x, axis), axis=axis), 1, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(normalize(x, None)), 1, rtol=1e-6)
    np.testing.assert_allclose(np.abs(normalize(x, order=1)).sum(-1), 1, rtol=1e-6)
    assert normalize(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert normalize([3, 4]).tolist() == [0.6, 0.8]
    with pytest.raises(ValueError, match="normalize: expected axis from -1 to 0"):
        normalize([3, 4], 1)


def test_two_parts_of_arrays():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    (a, b), (c, d) = split_dataset((x, y), left_size=0.7)
    assert (b.tolist(), d.tolist()) == ([0, 1, 2, 3, 4, 5, 6], [7, 8, 9])
    assert (a[:, 0].tolist(), c[:, 0].tolist()) == ((2 * b).tolist(), (2 * d).tolist())
    assert [part.tolist() for part in split_dataset(y, right_size=2)] == [list(range(8)), [8, 9]]
    assert [part.tolist() for part in split_dataset(y, 2, 0.3)] == [[0, 1], [7, 8, 9]]
    assert isinstance(split_dataset([x, y], 5)[0], list)
    left, right = split_dataset(y, 0.5, shuffle=True, seed=1)
    assert sorted([*left, *right]) == y.tolist()
    assert left.tolist() == split_dataset(y, 0.5, shuffle=True, seed=1)[0].tolist() != list(range(5))
    sn.set_random_seed(0)
    left, right = split_dataset((x, y), 3, shuffle=True)
    assert (left[0][:, 0] == 2 * left[1]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(5),), "expected left_size or right_size.*None for both"),
        ((np.zeros(5), 5), "left_size to be a share"),
        ((np.zeros(5), 0.0), "left_size to be a share"),
        ((np.zeros(5), None, 1.5), "right_size to be a share"),
        ((np.zeros(5), 3, 3), "two parts of 5 examples, got 3 and 3"),
        ((np.zeros(5), 0.05), "got 0 and 5"),
        (((np.zeros(5), np.zeros(4)), 0.5), "arrays of one length"),
        (((), 0.5), "arrays of one length, got none"),
        ((3, 0.5), "arrays of one length, got 3.*take and skip"),
    ],
)
def test_parts_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=f"split_dataset: .*{message}"):
        split_dataset(*arguments)


def test_seed_and_data_set_are_the_package_s():
    assert sn.utils.set_random_seed is sn.set_random_seed
    assert sn.utils.Sequence is sn.utils.PyDataset


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "tiff", "webp", "gif", "PNG"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_saved_comes_back(tmp_path, ending, channels):
    x = RNG.integers(0, 256, (5, 7, channels)).astype(np.float32)
    x[0, 0], x[0, 1] = 0, 255
    path = tmp_path / f"x.{ending}"
    save_img(path, x, **({"lossless": True} if ending == "webp" else {}))
    back = img_to_array(load_img(path, "grayscale" if channels == 1 else "rgb"))
    assert (back.shape, back.dtype) == (x.shape, np.float32)
    assert np.abs(back - x).max() <= (120 if ending == "gif" and channels == 3 else 1)  # which has 256 colours
    assert list(tmp_path.iterdir()) == [path]


def test_saving_to_a_file_that_is_open_and_by_format(tmp_path):
    x = np.full((4, 4, 4), 128.0)
    file = io.BytesIO()
    save_img(file, x, file_format="png", scale=False)
    file.seek(0)
    assert img_to_array(load_img(file, "rgba")).tolist() == x.tolist()
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        save_img(tmp_path / "x.jpg", x, scale=False, quality=95)
    assert load_img(str(tmp_path / "x.jpg")).size == (4, 4)
    assert load_img(bytes(tmp_path / "x.jpg")).size == (4, 4)
    save_img(tmp_path / "x", x[..., :3], file_format="jpg")


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.png"
    save_img(path, np.zeros((2, 2, 3)))
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError, AttributeError)):
        save_img(path, np.zeros((2, 2, 3)), pnginfo="nonsense")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("path", "x", "message"),
    [
        ("x", np.zeros((2, 2, 3)), "a picture's ending on path, or file_format"),
        ("x.exe", np.zeros((2, 2, 3)), "a picture's ending"),
        (io.BytesIO(), np.zeros((2, 2, 3)), "a picture's ending"),
        (3, np.zeros((2, 2, 3)), "expected path as text or a path, or a file"),
        ("x.png", np.zeros((2, 2)), r"array_to_img: expected x of shape \(H, W, 1\).*x\[..., None\]"),
        ("x.png", np.zeros((2, 2, 5)), r"got \(2, 2, 5\)"),
        ("x.png", np.zeros((0, 2, 3)), r"got \(0, 2, 3\)"),
        ("x.png", np.full((2, 2, 3), np.nan), "finite numbers"),
    ],
)
def test_what_cannot_be_saved(tmp_path, monkeypatch, path, x, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        save_img(path, x)
    assert not list(tmp_path.iterdir())


def test_numbers_beyond_bytes():
    assert np.asarray(array_to_img([[[-3.0, 300.0, 7.9]]], scale=False)).tolist() == [[[0, 255, 7]]]
    grey = array_to_img([[[-3.0], [70000.0]]], scale=False)
    assert (grey.mode, np.asarray(grey).tolist()) == ("I", [[-3, 70000]])
    assert np.asarray(array_to_img(np.ones((1, 2, 3)))).tolist() == [[[0] * 3] * 2]


def test_arrays_of_arrays_and_dtypes():
    assert img_to_array(np.zeros((2, 3), np.uint8)).shape == (2, 3, 1)
    picture = Image.new("RGB", (3, 2), "red")
    assert img_to_array(picture, dtype="uint8").dtype == np.uint8
    assert img_to_array(picture, dtype=np.float64, data_format="channels_last").shape == (2, 3, 3)
    for bad in (None, "text", np.zeros(3), np.zeros((1, 2, 3, 4)), [["a"]]):
        with pytest.raises(ValueError, match="img_to_array: expected img as a picture"):
            img_to_array(bad)
    for dtype in ("floatt", "O", "S3", 7):
        with pytest.raises(ValueError, match=r"img_to_array: expected dtype to be one of numbers"):
            img_to_array(picture, dtype=dtype)


def test_sixteen_bits_are_not_cut_off(tmp_path):
    Image.fromarray(np.full((2, 2), 40000, np.uint16)).save(tmp_path / "x.png")
    assert img_to_array(load_img(tmp_path / "x.png", "grayscale")).max() == 40000
    assert img_to_array(load_img(tmp_path / "x.png")).tolist() == np.full((2, 2, 3), 40000 // 256).tolist()


def test_transparency_is_dropped_and_pictures_are_not_turned_as_in_keras(tmp_path):
    Image.new("RGBA", (3, 2), (200, 100, 50, 0)).save(tmp_path / "x.png")
    assert img_to_array(load_img(tmp_path / "x.png"))[0, 0].tolist() == [200, 100, 50]
    exif = Image.Exif()
    exif[274] = 6  # held sideways
    Image.new("RGB", (30, 20)).save(tmp_path / "x.jpg", exif=exif)
    assert load_img(tmp_path / "x.jpg").size == (30, 20)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(20), b"text", b"\xff\xd8\xff\xe0"])
def test_files_that_are_no_pictures(tmp_path, data):
    path = tmp_path / "x.png"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"load_img: .*x\.png cannot be read as a picture: .*Mend or remove it"):
        load_img(path)
    with pytest.raises(ValueError, match="load_img: the file cannot be read as a picture"):
        load_img(io.BytesIO(data))


def test_damage_is_a_value_error_or_a_picture(tmp_path):
    for ending in ("png", "jpg", "gif", "bmp", "tif"):
        path = tmp_path / f"x.{ending}"
        Image.fromarray(RNG.integers(0, 256, (9, 9, 3)).astype(np.uint8)).save(path)
        whole = path.read_bytes()
        for _ in range(60):
            data = bytearray(whole)
            for place in RNG.integers(0, len(data), 3):
                data[place] = RNG.integers(256)
            path.write_bytes(data[: RNG.choice([len(data), len(data) // 2])])
            try:
                image = load_img(path)
            except ValueError as error:
                said = str(error)
            else:
                said = path.name
                assert image.mode == "RGB"
            assert path.name in said


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_that_would_fill_the_memory(tmp_path, monkeypatch):
    Image.new("1", (20000, 20000)).save(tmp_path / "x.png")
    with pytest.raises(ValueError, match=r"x\.png cannot be read as a picture: Image size .* exceeds limit"):
        load_img(tmp_path / "x.png")


def test_bad_arguments_of_load_img(tmp_path):
    Image.new("RGB", (3, 2)).save(tmp_path / "x.png")
    for named, message in (
        ({"color_mode": "bgr"}, "load_img: unknown color_mode 'bgr'"),
        ({"interpolation": "cubic"}, "unknown interpolation 'cubic'. Did you mean 'bicubic'"),
        ({"target_size": 3}, "expected target_size"),
        ({"target_size": (0, 3)}, "expected target_size"),
    ):
        with pytest.raises(ValueError, match=message):
            load_img(tmp_path / "x.png", **named)
    with pytest.raises(FileNotFoundError):
        load_img(tmp_path / "y.png")
    assert load_img(tmp_path / "x.png", target_size=(1, 90), keep_aspect_ratio=True).size == (90, 1)
