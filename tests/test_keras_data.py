"""Optional: pictures, labels and data sets from folders against Keras 3 on TensorFlow."""

import numpy as np
import pytest
from with_keras import keras, tf

import scratchnet as sn
from scratchnet.preprocessing import image
from scratchnet.utils import resizing

PIL = pytest.importorskip("PIL.Image", reason="the comparison reads pictures: pip install pillow")
RNG = np.random.default_rng(0)
SIZES = [(40, 30), (17, 64), (9, 11), (64, 64), (128, 50)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three classes, with pictures in other folders within them, of many formats and sizes."""
    place = tmp_path_factory.mktemp("pictures")
    names = ["b/0.png", "b/1.PNG", "b/deep/2.PNG", "b/deep/er/x.png", "a/10.png", "a/9.png", "a/z.png", "C/1.png"]
    names += [f"C/{i}.png" for i in range(20, 29)] + ["a/notes.txt"]
    for i, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".txt"):
            (place / name).write_text("no picture")
            continue
        height, width = SIZES[i % len(SIZES)]
        channels = {0: 3, 1: 3, 2: 1, 3: 3}[i % 4]
        pixels = RNG.integers(0, 256, (height, width, channels)).astype(np.uint8)
        PIL.fromarray(pixels[..., 0] if channels == 1 else pixels).save(place / name)
    return place


@pytest.mark.parametrize("shape", [(7,), (7, 1), (3, 2), (1,), (1, 1), ()])
@pytest.mark.parametrize("classes", [None, 5, 9])
def test_to_categorical(shape, classes):
    x = RNG.integers(0, 5, shape)
    ours, theirs = sn.utils.to_categorical(x, classes), keras.utils.to_categorical(x, classes)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(sn.utils.to_categorical(x.tolist(), classes), theirs)


@pytest.mark.parametrize("sizes", [(0.7, None), (None, 0.33), (3, 0.5), (4, 5)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_split_dataset(sizes, shuffle):
    data = (RNG.normal(size=(11, 2)), np.arange(11))
    for ours, theirs in zip(*(u.split_dataset(data, *sizes, shuffle, 7) for u in (sn.utils, keras.utils))):
        for i, (x, y) in enumerate(theirs):
            np.testing.assert_array_equal(ours[0][i], x)
            assert ours[1][i] == y
        assert len(ours[0]) == len(theirs)


@pytest.mark.parametrize("order", [1, 2, np.inf, 3])
def test_normalize(order):
    x = RNG.normal(size=(4, 5))
    x[2] = 0
    np.testing.assert_array_equal(sn.utils.normalize(x, order=order), keras.utils.normalize(x, order=order))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
@pytest.mark.parametrize("color_mode", ["rgb", "grayscale", "rgba"])
def test_load_img_of_each_mode(tmp_path, mode, color_mode):
    pixels = RNG.integers(0, 256, (8, 9, 4)).astype(np.uint8)
    if mode in ("I;16", "I"):
        if color_mode != "grayscale":
            return  # Keras, that is Pillow, cuts off above 255
        picture = PIL.fromarray(
            (pixels[..., 0].astype(np.int64) * 256).astype({"I;16": np.uint16, "I": np.int32}[mode])
        )
    else:
        picture = PIL.fromarray(pixels).convert(mode)
    path = tmp_path / ("x.tif" if mode in ("CMYK", "I") else "x.png")
    picture.save(path)
    ours, theirs = sn.utils.load_img(path, color_mode), keras.utils.load_img(path, color_mode)
    assert ours.mode == theirs.mode
    a, b = sn.utils.img_to_array(ours), keras.utils.img_to_array(theirs)
    np.testing.assert_array_equal(a, b)
    assert a.dtype == b.dtype


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"])
@pytest.mark.parametrize("keep", [False, True])
def test_load_img_interpolation(folder, interpolation, keep):
    for path in sorted((folder / "C").iterdir()):
        for size in ((20, 30), (64, 64), (5, 50), (3, 2)):
            ours = sn.utils.load_img(path, "rgb", size, interpolation, keep)
            theirs = keras.utils.load_img(path, "rgb", size, interpolation, keep)
            np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [True, False])
def test_array_to_img(channels, scale):
    for x in (RNG.random((5, 6, channels)) * 255, np.zeros((5, 6, channels)), RNG.normal(size=(5, 6, channels))):
        if not scale and x.min() < 0:
            continue
        ours, theirs = sn.utils.array_to_img(x, scale=scale), keras.utils.array_to_img(x, scale=scale)
        assert ours.mode == theirs.mode
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def sets(folder, **named):
    return [utils.image_dataset_from_directory(folder, verbose=False, **named) for utils in (sn.utils, keras.utils)]


@pytest.mark.parametrize("subset", ["training", "validation", "both", None])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("classes", [None, ["b", "C"]])
def test_files_classes_and_split(folder, subset, shuffle, classes):
    split = None if subset is None else 0.3
    ours, theirs = sets(
        folder, subset=subset, validation_split=split, shuffle=shuffle, seed=123, class_names=classes, image_size=4
    )
    for a, b in zip(*((one if subset == "both" else [one]) for one in (ours, theirs))):
        assert a.class_names == b.class_names
        assert a.file_paths == b.file_paths
        assert len(a) == len(b)
        if not shuffle:
            for (x, y), (u, v) in zip(a, b):
                np.testing.assert_array_equal(y, v)
                assert (x.shape, y.dtype) == (u.shape, v.numpy().dtype)


@pytest.mark.parametrize("label_mode", ["int", "categorical", None])
@pytest.mark.parametrize("color_mode", ["rgb", "grayscale", "rgba"])
@pytest.mark.parametrize("batch_size", [4, None])
def test_batches(folder, label_mode, color_mode, batch_size):
    ours, theirs = sets(
        folder, label_mode=label_mode, color_mode=color_mode, batch_size=batch_size, shuffle=False, image_size=(12, 13)
    )
    assert ours.class_names == theirs.class_names
    tolerance = 1.1 if color_mode == "grayscale" else 1e-2  # how colours become grey
    count = 0
    for a, b in zip(ours, theirs):
        (x, y), (u, v) = (a, b) if label_mode else ((a, ()), (b, ()))
        np.testing.assert_allclose(x, u, atol=tolerance)
        assert x.dtype == u.numpy().dtype
        if label_mode:
            np.testing.assert_array_equal(y, v)
            assert np.asarray(y).dtype == v.numpy().dtype
        count += 1
    assert count == len(ours) == len(theirs)


def test_binary_labels_and_a_list_of_labels(folder):
    ours, theirs = sets(folder, label_mode="binary", class_names=["b", "a"], shuffle=False, image_size=5)
    for (_, y), (_, v) in zip(ours, theirs):
        np.testing.assert_array_equal(y, v)
        assert y.dtype == v.numpy().dtype
    ours, theirs = sets(folder / "C", labels=[5, 3] * 5, shuffle=False, image_size=5)
    assert (ours.class_names, ours.file_paths) == (theirs.class_names, theirs.file_paths)
    np.testing.assert_array_equal(ours[0][1], next(iter(theirs))[1])


@pytest.mark.parametrize("method", sorted(resizing.METHODS))
@pytest.mark.parametrize("size", [(5, 7), (40, 30), (100, 90), (1, 3)])
def test_resizing(method, size):
    x = RNG.integers(0, 256, (40, 30, 3)).astype(np.uint8)
    expected = tf.image.resize(x, size, method).numpy()
    # TensorFlow rounds the place of "bicubic" to 1/1024 of a pixel.
    np.testing.assert_allclose(resizing.resized(x, size, method), expected, atol=0.5 if method == "bicubic" else 2e-2)


@pytest.mark.parametrize("named", [{"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}])
@pytest.mark.parametrize("size", [(12, 13), (13, 40), (50, 8)])
def test_proportions(folder, named, size):
    for x, u in zip(*sets(folder, labels=None, shuffle=False, image_size=size, **named)):
        np.testing.assert_allclose(x, u, atol=1e-2)


@pytest.mark.parametrize("class_mode", ["categorical", "binary", "sparse", "input", None])
@pytest.mark.parametrize("subset", ["training", "validation", None])
def test_flow_from_directory(folder, class_mode, subset):
    pytest.importorskip("scipy", reason="Keras moves pictures with SciPy")
    flows = []
    for generator in (image.ImageDataGenerator, keras.src.legacy.preprocessing.image.ImageDataGenerator):
        made = generator(rescale=1 / 255, validation_split=0.4)
        classes = ["C", "a", "b"]
        flows.append(
            made.flow_from_directory(
                folder, (14, 9), class_mode=class_mode, classes=classes, batch_size=4, shuffle=False, subset=subset
            )
        )
    ours, theirs = flows
    assert (ours.filenames, ours.class_indices, ours.n, ours.samples, ours.num_classes, ours.image_shape) == (
        theirs.filenames, theirs.class_indices, theirs.n, theirs.samples, theirs.num_classes, theirs.image_shape,
    )  # fmt: skip
    np.testing.assert_array_equal(ours.classes, theirs.classes)
    assert len(ours) == len(theirs)
    for _ in range(len(ours) + 2):
        a, b = next(ours), next(theirs)
        for x, u in zip(*((one if class_mode else (one,)) for one in (a, b))):
            np.testing.assert_allclose(x, u, rtol=1e-6)
            assert x.dtype == u.dtype
