"""MNIST whole, small ones of it in both forms, and CIFAR-100 with both its labels."""

import gzip
import hashlib
import zipfile

import numpy as np
import pytest
import small_cifar
import small_idx
from small_idx import SHAPES

from scratchnet.datasets import cifar100, collection, mnist

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def digits(monkeypatch):
    """A small MNIST: its arrays."""
    monkeypatch.setattr(mnist, "DESCRIPTION", small_idx.small(mnist.DESCRIPTION))
    return small_idx.arrays()


def lay(place, arrays, pack=gzip.compress):
    small_idx.lay(place, mnist.DESCRIPTION, arrays, pack)


def lay_npz(path, arrays, monkeypatch, save=np.savez):
    save(path, **dict(zip(mnist.NAMES, arrays)))
    monkeypatch.setattr(mnist, "NPZ", hashlib.sha256(path.read_bytes()).hexdigest())


def same(loaded, arrays):
    (x, y), (x_test, y_test) = loaded
    return all(np.array_equal(a, b) and b.dtype == np.uint8 for a, b in zip(arrays, (x, y, x_test, y_test)))


def test_the_real_shapes_and_names():
    assert mnist.DESCRIPTION.shapes == ((60000, 28, 28), (60000,), (10000, 28, 28), (10000,))
    assert (len(mnist.CLASS_NAMES), len(cifar100.CLASS_NAMES), len(cifar100.COARSE_NAMES)) == (10, 100, 20)
    assert list(cifar100.CLASS_NAMES) == sorted(set(cifar100.CLASS_NAMES))
    assert len(cifar100.MEAN) == len(cifar100.STD) == 3
    assert 0 < mnist.MEAN < mnist.STD < 1
    sums = (*mnist.DESCRIPTION.contents, *cifar100.DESCRIPTION.originals.values())
    assert {len(bytes.fromhex(sum)) for sum in sums} == {16}
    assert len(bytes.fromhex(mnist.NPZ)) == 32


@pytest.mark.parametrize("sub", [".", "mnist"])
@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_mnist_then_and_later(folder, digits, sub, pack):
    lay(folder / sub, digits, pack)
    for _ in range(2):
        loaded = mnist.load_data()
        assert same(loaded, digits)
        loaded[0][0][:] = 0  # the caller's own: the file stays
    assert (folder / "mnist.npy").exists()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("name", ["mnist.npz", "other.npz", "mnist/mnist.npz"])
def test_kerass_file_does_as_well(folder, digits, monkeypatch, name, save):
    (folder / "mnist").mkdir()
    lay_npz(folder / name, digits, monkeypatch, save)
    for _ in range(2):
        assert same(mnist.load_data(name), digits)
        assert same(mnist.load_data(folder / name), digits)
        assert same(mnist.load_data(path=str(folder / name)), digits)


def test_another_npz_is_taken_with_a_warning(folder, digits):
    np.savez(folder / "mnist.npz", **dict(zip(mnist.NAMES, digits)))
    with pytest.warns(UserWarning, match=r"mnist.npz: not MNIST's original file\. What") as said:
        assert same(mnist.load_data(), digits)
    assert said[0].filename == __file__


def test_fashion_mnist_s_files_are_told_from_mnist_s(folder, digits):
    lay(folder, [255 - digits[0], *digits[1:]])
    with pytest.raises(ValueError, match=r"train-images.*not MNIST's: expected the MD5.*a folder of its own"):
        mnist.load_data()


def forged(path, change):
    """The .npz with its member x_train.npy changed."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["x_train.npy"] = change(contents["x_train.npy"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], r"x_train has 15,679 bytes for shape"),
        (lambda data: data + bytes(10**6), r"x_train has 1,01\S* bytes, and at most"),
        (lambda data: data.replace(b"|u1", b"|O "), r"x_train has shape .* dtype object|mnist.npz: expected"),
        (lambda data: data.replace(b"(20,", b"(21,"), r"x_train has shape \(21, 28, 28\)"),
        (lambda data: b"\x93NUMPY\x03\x00" + data[8:], r"header of version \(3, 0\)"),
        (lambda data: b"", r"mnist.npz: expected the arrays x_train"),
        (lambda data: data.replace(b"False", b"f()  "), r"mnist.npz: expected the arrays x_train"),
    ],
)
def test_faults_of_an_npz_are_named(folder, digits, change, message):
    path = folder / "mnist.npz"
    np.savez(path, **dict(zip(mnist.NAMES, digits)))
    forged(path, change)
    with pytest.raises(ValueError, match=message):
        mnist.load_data()


def test_damage_to_an_npz_is_a_value_error_or_nothing(folder, digits, monkeypatch):
    path = folder / "mnist.npz"
    lay_npz(path, digits, monkeypatch, np.savez_compressed)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"mnist.npz: expected the arrays .* Delete"):
        mnist.load_data()
    for _ in range(200):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 2):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:
            arrays = mnist.read_npz(path, dict(zip(mnist.NAMES, SHAPES)))
        except ValueError as error:
            said = str(error)
        else:
            said = path.name
            assert [a.shape for a in arrays] == list(SHAPES)
        assert path.name in said


def test_labels_of_an_npz_are_checked(folder, digits, monkeypatch):
    lay_npz(folder / "mnist.npz", [digits[0], digits[1] + np.uint8(9), *digits[2:]], monkeypatch)
    with pytest.raises(ValueError, match=r"mnist.npz: expected labels from 0 to 9"):
        mnist.load_data()


def test_what_to_do_without_a_network(folder, digits, monkeypatch):
    files = tuple(f._replace(mirrors=("http://127.0.0.1:9/{name}",)) for f in mnist.DESCRIPTION.files)
    monkeypatch.setattr(mnist, "DESCRIPTION", mnist.DESCRIPTION._replace(files=files))
    with pytest.raises(ConnectionError, match=r"train-images-idx3-ubyte.gz(.|\n)*Keras's mnist.npz.*fashion_mnist_sma"):
        mnist.load_data("nowhere.npz")
    assert collection.state(mnist.DESCRIPTION, mnist.find).startswith("not here")


TRAIN, TEST = 6, 4
FORMS = ("cifar-100-binary", "cifar-100-python", "cifar-100-binary.tar.gz", "cifar-100-python.tar.gz")


def of_hundred(binary):
    """(what is to come out, name within the archive: contents) of a small CIFAR-100."""
    rng, arrays, contents = np.random.default_rng(1), {}, {}
    for name, count in (("train", TRAIN), ("test", TEST)):
        x = rng.integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)
        coarse, fine = (rng.integers(0, most, count).astype(np.uint8) for most in (20, 100))
        arrays[name] = x, coarse[:, None], fine[:, None]
        rows = x.transpose(0, 3, 1, 2).reshape(count, -1)
        if binary:
            data = np.hstack([coarse[:, None], fine[:, None], rows]).tobytes()
            contents[f"cifar-100-binary/{name}.bin"] = data
        else:
            contents[f"cifar-100-python/{name}"] = small_cifar.pickled(rows, fine, also={b"coarse_labels": coarse})
    return arrays, contents


@pytest.fixture
def hundred(folder, monkeypatch):
    """Lays a small CIFAR-100, as it is or changed; gives what is to come out."""
    shapes = ((TRAIN, 32, 32, 3), (TRAIN, 2), (TEST, 32, 32, 3), (TEST, 2))
    sums = {name.split("/")[1]: hashlib.md5(data).hexdigest() for name, data in of_hundred(False)[1].items()}
    monkeypatch.setattr(cifar100, "DESCRIPTION", cifar100.DESCRIPTION._replace(shapes=shapes, originals=sums))

    def lay(form, change=lambda contents: None):
        arrays, contents = of_hundred("binary" in form)
        change(contents)
        if form.endswith(".gz"):
            (folder / form).write_bytes(small_cifar.tar_gz(contents))
        else:
            (folder / form).mkdir()
            for name, data in contents.items():
                (folder / name).write_bytes(data)
        return arrays

    return lay


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_cifar100_gives_both_labels(folder, hundred, form):
    arrays = hundred(form)
    for mode, column in (("fine", 2), ("coarse", 1), ("fine", 2)):
        (x, y), (x_test, y_test) = cifar100.load_data(mode)
        assert np.array_equal(x, arrays["train"][0])
        assert np.array_equal(y, arrays["train"][column])
        assert np.array_equal(x_test, arrays["test"][0])
        assert np.array_equal(y_test, arrays["test"][column])
        assert (y.shape, y.dtype) == ((TRAIN, 1), np.uint8)
        y[:] = 99  # the caller's own
        x[:] = 0
    assert np.array_equal(cifar100.load_data()[0][1], arrays["train"][2])


def test_another_label_mode_is_refused():
    with pytest.raises(ValueError, match=r"load_data: unknown label_mode 'fime'. Did you mean 'fine'"):
        cifar100.load_data("fime")
    with pytest.raises(ValueError, match=r"load_data: expected label_mode to be text, got 3"):
        cifar100.load_data(3)


@pytest.mark.parametrize(
    ("form", "name", "change", "message"),
    [
        (FORMS[0], "cifar-100-binary/train.bin", lambda d: b"\x14" + d[1:], r"train.bin: expected labels from 0 to 19"),
        (FORMS[2], "cifar-100-binary/test.bin", lambda d: d[:1] + b"\x64" + d[2:], r"test.bin .* labels from 0 to 99"),
        (FORMS[2], "cifar-100-binary/test.bin", lambda d: d[:-1], r"test.bin .* expected records of 3074 bytes"),
        (FORMS[1], "cifar-100-python/train", lambda d: d.replace(b"coarse_l", b"course_l"), r"'coarse_labels', 'fine_"),
        (
            FORMS[3],
            "cifar-100-python/train",
            lambda d: d[:-9000] + b"\0" + d[-8999:],
            r"train is damaged.*expected",
        ),
    ],
)
def test_faults_of_cifar100_are_named(hundred, form, name, change, message):
    hundred(form, lambda contents: contents.update({name: change(contents[name])}))
    with pytest.raises(ValueError, match=message):
        cifar100.load_data()
