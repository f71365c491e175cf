"""image_dataset_from_directory and flow_from_directory: batches that are read when they are asked for."""

import os

import numpy as np
import pytest
from PIL import Image

import scratchnet as sn
from scratchnet.preprocessing.image import ImageDataGenerator
from scratchnet.utils import image_dataset_from_directory

NAMES = ["cats/a.png", "cats/b.jpg", "cats/deep/c.bmp", "dogs/a.gif", "dogs/b.PNG", "dogs/c.jpeg", "dogs/d.png"]


def save(path, value, size=(6, 5)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)


@pytest.fixture
def folder(tmp_path):
    """Seven pictures, each of one grey by its place: 10, 20, ..."""
    for i, name in enumerate(NAMES):
        save(tmp_path / name, 10 * (i + 1))
    return tmp_path


def made(folder, **named):
    named = {"image_size": 4, "batch_size": 2, "verbose": False, "shuffle": False, **named}
    return image_dataset_from_directory(folder, **named)


def greys(x):
    """One number a picture: what it was made of, to the nearest ten, JPEG or not."""
    return (np.rint(np.atleast_1d(x[..., 0, 0, 0]) / 10) * 10).astype(int).tolist()


def flat(dataset):
    return [grey for batch in dataset for grey in greys(batch[0] if isinstance(batch, tuple) else batch)]


def test_batches_labels_and_names(folder, capsys):
    data = image_dataset_from_directory(folder, image_size=(4, 3), batch_size=2, shuffle=False)
    assert capsys.readouterr().out == "Found 7 files belonging to 2 classes.\n"
    assert isinstance(data, sn.utils.PyDataset)
    assert (len(data), data.num_batches, data.cardinality()) == (4, 4, 4)
    assert data.class_names == ["cats", "dogs"]
    assert data.file_paths == [str(folder / name) for name in NAMES]
    x, y = data[0]
    assert (x.shape, x.dtype, y.tolist(), y.dtype) == ((2, 4, 3, 3), np.float32, [0, 0], np.int32)
    assert greys(x) == [10, 20]
    assert data[3][0].shape == (1, 4, 3, 3)
    assert flat(data) == flat(data) == [10, 20, 30, 40, 50, 60, 70]
    with pytest.raises(IndexError, match="ImageDataset: expected a batch from 0 to 3, got 4"):
        data[4]


def test_what_labels_there_are(folder):
    assert made(folder, label_mode="categorical")[1][1].tolist() == [[1, 0], [0, 1]]
    assert made(folder, label_mode="binary")[1][1].tolist() == [[0], [1]]
    assert made(folder, label_mode="binary", class_names=["dogs", "cats"])[0][1].dtype == np.float32
    assert made(folder, class_names=["dogs"]).class_names == ["dogs"]
    for none in ({"label_mode": None}, {"labels": None}):
        data = made(folder, **none)
        assert isinstance(data[0], np.ndarray)
        assert data.class_names is None
        assert flat(data) == [10, 20, 30, 40, 50, 60, 70]
    data = made(folder, labels=[3, 1, 4, 1, 5, 9, 2])
    assert data.class_names == ["1", "2", "3", "4", "5", "9"]
    assert data[1][1].tolist() == [4, 1]


def test_single_pictures(folder):
    data = made(folder, batch_size=None, color_mode="grayscale", label_mode="categorical")
    x, y = data[4]
    assert (x.shape, y.tolist(), len(data)) == ((4, 4, 1), [0, 1], 7)
    assert flat(data) == [10, 20, 30, 40, 50, 60, 70]


def test_the_order_changes_from_pass_to_pass(folder):
    one, same, other = (made(folder, shuffle=True, seed=seed) for seed in (1, 1, 2))
    first, second = flat(one), flat(one)
    assert first != second
    assert (flat(same), flat(same)) == (first, second)
    assert flat(other) != first
    assert sorted(first) == [10, 20, 30, 40, 50, 60, 70]
    sn.set_random_seed(3)
    a = flat(made(folder, shuffle=True))
    sn.set_random_seed(3)
    assert flat(made(folder, shuffle=True)) == a


def test_training_and_validation_have_nothing_in_common(folder):
    named = {"validation_split": 0.3, "seed": 5, "shuffle": True}
    train, validation = (made(folder, subset=subset, **named) for subset in ("training", "validation"))
    assert sorted(flat(train) + flat(validation)) == [10, 20, 30, 40, 50, 60, 70]
    assert len(validation.file_paths) == 2
    both = made(folder, subset="both", **named)
    assert isinstance(both, list)
    assert [one.file_paths for one in both] == [train.file_paths, validation.file_paths]
    assert flat(both[1]) == flat(both[1])


def test_tf_data_s_methods(folder):
    data = made(folder)
    scaled = data.map(lambda x, y: (x / 255, y), num_parallel_calls=-1).prefetch(buffer_size=-1)
    np.testing.assert_array_equal(scaled[1][0], data[1][0] / 255)
    assert scaled.class_names == data.class_names
    assert [x.shape for x in data.map(lambda x, y: x)] == [(2, 4, 4, 3)] * 3 + [(1, 4, 4, 3)]
    assert flat(made(folder, labels=None).map(lambda x: x + 100)) == [110, 120, 130, 140, 150, 160, 170]
    assert flat(data.take(1)) == [10, 20]
    assert flat(data.skip(2)) == [50, 60, 70]
    assert flat(data.skip(1).take(2)) == [30, 40, 50, 60]
    assert flat(data.take(-1)) == flat(data.as_numpy_iterator()) == flat(data)
    shuffled = data.shuffle(1000, seed=1)
    assert sorted(flat(shuffled)) == flat(data) != flat(shuffled)
    assert len(list(zip(data, data))) == 4


def test_cache_reads_each_file_once(folder):
    plain = made(folder, shuffle=True, seed=1)
    data = plain.cache().map(lambda x, y: (x + 1, y))
    first = flat(data)
    for name in NAMES:
        (folder / name).unlink()
    assert sorted(flat(data)) == sorted(first)
    with pytest.raises(FileNotFoundError):
        flat(plain)


def test_what_is_not_there_says_what_to_do(folder):
    data = made(folder)
    for name, advice in (("batch", "batch_size"), ("unbatch", "batch_size=None"), ("repeat", "epochs")):
        with pytest.raises(AttributeError, match=rf"ImageDataset has no {name}, as tf.data has.*{advice}"):
            getattr(data, name)
    with pytest.raises(AttributeError, match="'ImageDataset' object has no attribute 'colour'"):
        data.colour  # noqa: B018
    with pytest.raises(ValueError, match=r"map: expected the function to return arrays.*None"):
        data.map(lambda x, y: None)[0]


def test_a_damaged_file_is_named_when_it_is_read(folder):
    data, flow = made(folder), ImageDataGenerator().flow_from_directory(folder, (4, 4), shuffle=False)
    for damage in (b"", b"no picture", (folder / NAMES[0]).read_bytes()[:40]):
        (folder / NAMES[2]).write_bytes(damage)
        data[0]
        with pytest.raises(ValueError, match=r"image_dataset_from_directory: .*c\.bmp cannot be read as a picture"):
            data[1]
        with pytest.raises(ValueError, match=r"load_img: .*c\.bmp cannot be read as a picture.*Mend"):
            flow[0]
    (folder / NAMES[2]).unlink()
    with pytest.raises(FileNotFoundError, match=r"c\.bmp"):
        data[1]


def test_what_is_passed_over(folder):
    for name in ("cats/.a.png", "cats/.hidden/a.png", ".git/a.png", "top.png"):
        save(folder / name, 90)
    (folder / "cats" / "notes.txt").write_text("no picture")
    (folder / "dogs" / "folder.png").mkdir()
    assert made(folder).file_paths == [str(folder / name) for name in NAMES]
    assert made(folder).class_names == ["cats", "dogs"]
    flow = ImageDataGenerator().flow_from_directory(folder, (4, 4))
    assert flow.n == 6  # no GIF, as in Keras
    assert flow.class_indices == {"cats": 0, "dogs": 1}


def test_links_are_followed_where_that_is_wanted(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    save(outside / "x.png", 80)
    os.symlink(outside, folder / "cats" / "link")
    assert len(made(folder).file_paths) == 7
    assert len(made(folder, follow_links=True).file_paths) == 8
    assert ImageDataGenerator().flow_from_directory(folder, follow_links=True).n == 7


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"labels": "guessed"}, "expected labels to be \"inferred\".*'guessed'"),
        ({"labels": [1, 2]}, "one for each of the 7 files.*got 2"),
        ({"labels": [-1] * 7}, "expected labels to be whole numbers of at least 0"),
        ({"labels": [0] * 7, "class_names": ["cats"]}, 'class_names needs labels="inferred"'),
        ({"label_mode": "one-hot"}, "unknown label_mode 'one-hot'"),
        ({"label_mode": "binary", "class_names": ["cats"]}, r"needs two classes, got \['cats'\]"),
        ({"class_names": ["cats", "mice"]}, r"class_names to be names of folders.*There are: \['cats', 'dogs'\]"),
        ({"class_names": ["cats", "../cats"]}, "class_names to be names of folders"),
        ({"class_names": ["cats", "cats"]}, "each once"),
        ({"class_names": []}, "class_names to be names of folders"),
        ({"color_mode": "bgr"}, "unknown color_mode 'bgr'"),
        ({"image_size": (3, 4, 5)}, "expected image_size"),
        ({"image_size": 0}, "expected image_size"),
        ({"interpolation": "cubic"}, "unknown interpolation 'cubic'. Did you mean 'bicubic'"),
        ({"batch_size": 0}, "expected batch_size"),
        ({"seed": -1}, "expected seed"),
        ({"validation_split": 0.2}, "must be given together"),
        ({"subset": "training"}, "must be given together"),
        ({"validation_split": 1.5, "subset": "training"}, "expected validation_split"),
        ({"validation_split": 0.2, "subset": "test"}, "unknown subset 'test'"),
        ({"validation_split": 0.2, "subset": "training", "shuffle": True}, "a seed must be given"),
        ({"validation_split": 0.01, "subset": "validation"}, "no pictures in .* for validation, of 7 in all"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "only one of"),
        ({"data_format": "channels_first"}, "is not there, only Keras's default"),
        ({"format": "grain"}, "is not there, only Keras's default"),
    ],
)
def test_bad_arguments(folder, named, message):
    with pytest.raises(ValueError, match=rf"image_dataset_from_directory: .*{message}"):
        made(folder, **named)


def test_folders_without_pictures(tmp_path):
    for bad in (tmp_path / "nowhere", __file__):
        with pytest.raises(NotADirectoryError, match="expected directory to be a folder"):
            made(bad)
        with pytest.raises(NotADirectoryError, match="expected directory to be a folder"):
            made(bad, labels=None)
        with pytest.raises(NotADirectoryError, match="flow_from_directory: expected directory"):
            ImageDataGenerator().flow_from_directory(bad)
    with pytest.raises(ValueError, match="expected folders in directory, one a class"):
        made(tmp_path)
    (tmp_path / "cats").mkdir()
    with pytest.raises(ValueError, match=r"no pictures in .*Read are \.bmp"):
        made(tmp_path)
    with pytest.raises(ValueError, match=r"flow_from_directory: no pictures in .*of 0 in all. Read are .bmp"):
        ImageDataGenerator().flow_from_directory(tmp_path)


def flow(folder, generator=None, **named):
    named = {"target_size": (4, 4), "batch_size": 2, "shuffle": False, **named}
    return (generator or ImageDataGenerator()).flow_from_directory(folder, **named)


def test_the_flow_of_a_directory(folder, capsys):
    files = [name for name in NAMES if not name.endswith("gif")]
    found = flow(folder, ImageDataGenerator(rescale=0.5))
    assert capsys.readouterr().out == "Found 6 images belonging to 2 classes.\n"
    assert (len(found), found.n, found.samples, found.num_classes) == (3, 6, 6, 2)
    assert found.filenames == files
    assert found.filepaths == [str(folder / name) for name in files]
    assert found.classes.tolist() == found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.image_shape == (4, 4, 3)
    x, y = found[0]
    assert (x.shape, x.dtype, y.dtype, y.tolist()) == ((2, 4, 4, 3), np.float32, np.float32, [[1, 0], [1, 0]])
    assert greys(2 * x) == [10, 20]
    seen = [next(found) for _ in range(7)]
    np.testing.assert_array_equal(seen[6][0], seen[0][0])
    found.reset()
    assert greys(2 * found.next()[0]) == [10, 20]
    with pytest.raises(IndexError, match="batch from 0 to 2, got 3"):
        found[3]


def test_class_modes_of_a_flow(folder):
    assert flow(folder, class_mode="binary")[1][1].tolist() == [0, 1]
    assert flow(folder, class_mode="sparse", classes=["dogs", "cats"])[1][1].tolist() == [0, 1]
    assert isinstance(flow(folder, class_mode=None)[0], np.ndarray)
    x, y = flow(folder, ImageDataGenerator(dtype="float64"), class_mode="input", color_mode="rgba")[0]
    np.testing.assert_array_equal(x, y)
    assert (x.dtype, x.shape, x is y) == (np.float64, (2, 4, 4, 4), False)


def test_a_flow_shuffles_and_augments_by_its_seed(folder):
    generator = ImageDataGenerator(rotation_range=30, width_shift_range=0.3, channel_shift_range=20)
    runs = [
        [x for _ in range(6) for x in next(f)]
        for f in (flow(folder, generator, shuffle=True, seed=s) for s in (1, 1, 2))
    ]
    assert all(np.array_equal(a, b) for a, b in zip(runs[0], runs[1]))
    assert not all(np.array_equal(a, b) for a, b in zip(runs[0], runs[2]))
    plain = flow(folder, shuffle=True, seed=4)
    a, b = ([grey for _ in range(3) for grey in greys(next(plain)[0])] for _ in range(2))
    assert sorted(a) == sorted(b) == [10, 20, 30, 50, 60, 70]
    assert a != b


def test_subsets_of_a_flow_are_parts_of_each_class(folder):
    generator = ImageDataGenerator(validation_split=0.34)
    assert flow(folder, generator, subset="validation").filenames == ["cats/a.png", "dogs/b.PNG"]
    assert len(flow(folder, generator, subset="training").filenames) == 4
    with pytest.raises(ValueError, match=r"flow_from_directory: subset='training' needs .*validation_split"):
        flow(folder, subset="training")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"class_mode": "other"}, "unknown class_mode 'other'"),
        ({"color_mode": "bgr"}, "unknown color_mode 'bgr'"),
        ({"interpolation": "area"}, "unknown interpolation 'area'"),
        ({"target_size": (4,)}, "expected target_size"),
        ({"classes": ["mice"]}, r"classes to be names of folders.*There are"),
        ({"batch_size": 0}, "expected batch_size"),
        ({"seed": -1}, "expected seed"),
        ({"save_to_dir": "here"}, "save_to_dir='here' is not there"),
    ],
)
def test_bad_arguments_of_a_flow(folder, named, message):
    with pytest.raises(ValueError, match=message):
        flow(folder, **named)


def test_a_flow_that_was_not_fitted(folder):
    with pytest.raises(ValueError, match=r"Call datagen\.fit"):
        flow(folder, ImageDataGenerator(featurewise_center=True))


def test_without_pillow(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    for call in (lambda: made(folder), lambda: flow(folder), lambda: sn.utils.load_img(folder / NAMES[0])):
        with pytest.raises(ImportError, match=r'Pillow.*pip install "scratchnet\[images\]"'):
            call()
