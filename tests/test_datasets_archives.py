"""Files of data sets are read without trust: right in all their forms, and each fault is named."""

import gzip
import hashlib
import pickle
import tarfile

import numpy as np
import pytest
import small_cifar
import small_idx
from small_idx import idx

from scratchnet.datasets import archives, cifar10, collection, fashion_mnist

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize("form", small_cifar.FORMS)
def test_each_form_gives_the_same_arrays_then_and_later(folder, form):
    small_cifar.lay(folder, form)
    for _ in range(2):
        loaded = cifar10.load_data()
        assert small_cifar.same(loaded)
        (x, y), (x_test, y_test) = loaded
        assert {a.dtype for a in (x, y, x_test, y_test)} == {np.dtype(np.uint8)}
        assert type(x) is np.ndarray
        x[:] = 0  # the caller's own: the file stays
    assert not list(folder.glob("*.part"))


def test_the_real_shapes_names_and_constants():
    shapes = fashion_mnist.DESCRIPTION.shapes
    assert shapes == ((60000, 28, 28), (60000,), (10000, 28, 28), (10000,))
    assert len(cifar10.CLASS_NAMES) == len(fashion_mnist.CLASS_NAMES) == 10
    assert len(cifar10.MEAN) == len(cifar10.STD) == 3
    assert 0 < fashion_mnist.MEAN < fashion_mnist.STD < 1


@pytest.mark.parametrize("size", [0, 1, 3, 1000, -1000, -10, -1])
def test_a_truncated_archive_is_named(folder, size):
    whole = small_cifar.tar_gz(small_cifar.members(binary=True))
    (folder / small_cifar.FORMS[2]).write_bytes(whole[:size] if size >= 0 else whole[: len(whole) + size])
    with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz.*Delete"):
        cifar10.load_data()


def test_a_flipped_bit_in_an_archive_is_noticed(folder):
    whole = bytearray(small_cifar.tar_gz(small_cifar.members(binary=True)))
    for place in (5000, len(whole) // 2, len(whole) - 6):
        whole[place] ^= 4
        (folder / small_cifar.FORMS[2]).write_bytes(whole)
        with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz"):
            cifar10.load_data()
        whole[place] ^= 4


def test_archives_write_nothing_and_follow_no_links(folder):
    contents = small_cifar.members(binary=True)
    (folder / small_cifar.FORMS[2]).write_bytes(small_cifar.tar_gz({"../outside": b"x", "/outside": b"x", **contents}))
    assert small_cifar.same(cifar10.load_data())  # passed over
    assert not (folder.parent / "outside").exists()
    name = "cifar-10-batches-bin/test_batch.bin"
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
    (folder / small_cifar.FORMS[2]).write_bytes(small_cifar.tar_gz({**contents, name: link}))
    with pytest.raises(ValueError, match=r"test_batch.bin as a plain file.*a link"):
        cifar10.load_data()
    (folder / small_cifar.FORMS[2]).write_bytes(small_cifar.tar_gz({**contents, name: bytes(10**6)}))
    with pytest.raises(ValueError, match=r"test_batch.bin.*at most.*found 1,000,000 bytes"):
        cifar10.load_data()
    del contents[name]
    (folder / small_cifar.FORMS[2]).write_bytes(small_cifar.tar_gz(contents))
    with pytest.raises(ValueError, match=r"lacks cifar-10-batches-bin/test_batch.bin"):
        cifar10.load_data()
    padded = gzip.decompress(small_cifar.tar_gz(contents)) + bytes(archives.TAIL + 20_000)
    (folder / small_cifar.FORMS[2]).write_bytes(gzip.compress(padded, 1))
    with pytest.raises(ValueError, match="goes on after"):
        cifar10.load_data()


def test_archives_that_would_fill_the_memory(folder, monkeypatch):
    """Headers that announce what they have not, or have: names and PAX fields of gigabytes, endless zeros."""
    path = folder / small_cifar.FORMS[2]
    contents = small_cifar.members(binary=True)
    size = 1 << 30
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
        header = tarfile.TarInfo("large")
        header.type, header.size = kind, size
        plain = header.tobuf(tarfile.GNU_FORMAT)
        path.write_bytes(gzip.compress(plain + bytes(1 << 20)))
        with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz.*a header announces 1,073,741,824 bytes"):
            cifar10.load_data()
    header = tarfile.TarInfo("other")
    header.size = size
    path.write_bytes(gzip.compress(header.tobuf() + bytes(10 << 20), 1))  # passed over, but not for ever
    with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz: unpacks to more than .* bytes"):
        cifar10.load_data()
    header.size = 10**18
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT), 1))  # nor until there were so many
    with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz is damaged or truncated: it ends within a member"):
        cifar10.load_data()
    many = {f"{i}": b"" for i in range(archives.MOST + 1)}
    path.write_bytes(small_cifar.tar_gz({**many, **contents}))
    with pytest.raises(ValueError, match="has over 1000 members"):
        cifar10.load_data()


def test_forged_archives_are_a_value_error_or_the_data_set(folder):
    """Bytes of the tar changed, so that gzip's checksum is right, its headers above all; or bytes of the gzip."""
    path = folder / small_cifar.FORMS[3]
    plain = gzip.decompress(small_cifar.tar_gz(small_cifar.members(binary=False)))
    headers = [i for i in range(0, len(plain), 512) if plain[i : i + 7] == b"cifar-1"]
    rng, refused = np.random.default_rng(0), 0
    for number in range(300):
        data = bytearray(plain)
        for _ in range(rng.integers(1, 4)):
            place = rng.choice(headers) + rng.integers(512) if number % 3 else rng.integers(len(data))
            data[place] = rng.choice([rng.integers(256), 0, 255, ord("7"), data[place] ^ 1])
        if number % 3 == 1:  # with the header's own checksum right
            start = rng.choice(headers)
            field = rng.choice([0, 100, 124, 135, 156, 157, 257, 263, 345, 386, 482])  # size, type, sparse map, ...
            for k in range(rng.integers(1, 12)):
                data[start + field + k] = rng.choice([rng.integers(256), 0, 255, 0x80, *b"7LKxgS"])
            block = data[start : start + 512]
            block[148:156] = b" " * 8
            data[start + 148 : start + 156] = b"%06o\0 " % sum(block)
        packed = bytearray(gzip.compress(bytes(data), 1))
        if number % 10 == 0:
            packed[rng.integers(len(packed))] ^= 1 << rng.integers(8)
        path.write_bytes(packed)
        (folder / "cifar10.npy").unlink(missing_ok=True)
        try:
            (x, _), _ = cifar10.load_data()
            assert len(x) == 5 * small_cifar.PER_BATCH
        except ValueError as error:
            refused += 1
            named = str(error)
        else:
            named = path.name
        assert path.name in named, named
    assert 100 < refused < 290


@pytest.fixture
def originals(folder, monkeypatch):
    """What the files of the small CIFAR-10 have, as ORIGINALS are what those of the whole one have."""
    sums = {}
    for binary in (False, True):
        for name, data in small_cifar.members(binary).items():
            sums[name.split("/")[1]] = hashlib.md5(data).hexdigest()
    monkeypatch.setattr(cifar10, "DESCRIPTION", cifar10.DESCRIPTION._replace(originals=sums))


@pytest.mark.usefixtures("originals")
@pytest.mark.parametrize("form", small_cifar.FORMS)
def test_a_pixel_that_changed_is_noticed(folder, form):
    small_cifar.lay(folder, form)
    assert small_cifar.same(cifar10.load_data())
    contents = small_cifar.members("bin" in form)
    name = next(name for name in contents if "data_batch_3" in name)
    middle = len(contents[name]) // 2  # a pixel's
    contents[name] = contents[name][:middle] + bytes([contents[name][middle] ^ 1]) + contents[name][middle + 1 :]
    if form.endswith(".tar.gz"):
        (folder / form).write_bytes(small_cifar.tar_gz(contents))
    else:
        (folder / name).write_bytes(contents[name])
    with pytest.raises(ValueError, match=rf"{form}: data_batch_3\S* is damaged: expected the MD5 .* Delete"):
        cifar10.load_data()


@pytest.mark.usefixtures("originals")
@pytest.mark.parametrize("form", small_cifar.FORMS)
def test_another_copy_of_the_data_set_is_taken_with_a_warning(folder, form):
    small_cifar.lay(folder, form, seed=1)
    with pytest.warns(UserWarning, match=rf"{form}: none of its 6 files is CIFAR-10's original one") as said:
        assert small_cifar.same(cifar10.load_data(), seed=1)
    assert said[0].filename == __file__
    assert small_cifar.same(cifar10.load_data(), seed=1)  # from the decoded file: it was said


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("data_batch_3.bin", lambda data: data[:-1], r"data_batch_3.bin: expected records of 3073 bytes.*truncated"),
        ("data_batch_3.bin", lambda data: data[:-3073], r"data_batch_3.bin: expected 7 pictures.*found 6"),
        ("data_batch_3.bin", lambda data: data * 2, r"data_batch_3.bin: expected at most"),
        ("test_batch.bin", lambda data: b"\x0a" + data[1:], r"test_batch.bin: expected labels from 0 to 9, found 10"),
        ("test_batch.bin", lambda data: None, r"lacks test_batch.bin"),
    ],
)
def test_faults_of_an_unpacked_folder_are_named(folder, name, change, message):
    small_cifar.lay(folder, small_cifar.FORMS[0])
    path = folder / small_cifar.FORMS[0] / name
    data = change(path.read_bytes())
    path.unlink() if data is None else path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        cifar10.load_data()


class Hostile:
    """Pickled, it calls a function when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_run_no_code(folder, protocol):
    mark = folder / "mark"
    for hostile in (Hostile(open, str(mark), "w"), Hostile(eval, f"open({str(mark)!r}, 'w')"), Hostile(print, "x")):
        data = pickle.dumps({b"data": hostile, b"labels": []}, protocol=protocol)
        with pytest.raises(ValueError, match=r"test_batch is no pickle of pictures: it asks for"):
            archives.unpickle_batch(data, "test_batch", 3072)
    assert not mark.exists()


def test_pickles_know_no_function_of_numpy_either():
    pixels, labels = np.zeros((2, 12), np.uint8), [0, 1]
    for call in (b"cnumpy\nfromfile\n", b"cnumpy\nload\n", b"cnumpy\nndarray.tofile\n", b"cbuiltins\ngetattr\n"):
        with pytest.raises(ValueError, match="it asks for"):
            archives.unpickle_batch(small_cifar.pickled(pixels, labels, call=call), "x", 12)
    huge = b"\x80\x02}r\xff\xff\xff\xff."  # room for 2^32 objects
    with pytest.raises(ValueError, match="expected a dictionary"):
        archives.unpickle_batch(huge, "x", 12)
    with pytest.raises(ValueError, match="outside of it"):
        archives.unpickle_batch(b"\x80\x02U\x01aQ.", "x", 12)


def test_faults_of_pickles_are_named():
    pixels, labels = np.arange(24, dtype=np.uint8).reshape(2, 12), [3, 1]
    x, y = archives.unpickle_batch(small_cifar.pickled(pixels, labels), "x", 12)
    assert np.array_equal(x, pixels)
    assert y.tolist() == [[label] for label in labels]
    x, _ = archives.unpickle_batch(small_cifar.pickled(pixels, labels, fortran=True), "x", 12)
    assert np.array_equal(x, pixels)
    whole = small_cifar.pickled(pixels, labels)
    cases = [
        (whole[:-20], 12, "no pickle"),
        (b"", 12, "no pickle"),
        (pickle.dumps([1, 2], protocol=2), 12, "expected a dictionary"),
        (pickle.dumps({"data": 1}, protocol=2), 12, "expected a dictionary"),
        (small_cifar.pickled(pixels, labels, kind=b"O8"), 12, "no array of unsigned bytes"),
        (small_cifar.pickled(pixels, labels, shape=(3, 12)), 12, "expected 2 pictures of 12 bytes"),
        (small_cifar.pickled(pixels, labels, shape=(2, 13)), 13, "found 24 bytes"),
        (small_cifar.pickled(pixels, [1]), 12, "expected 1 pictures"),
        (small_cifar.pickled(pixels, [1, 300]), 12, "found 300"),
        (small_cifar.pickled(pixels, [1, -1]), 12, "found -1"),
    ]
    for data, row, message in cases:
        with pytest.raises(ValueError, match=message):
            archives.unpickle_batch(data, "x", row)


def test_random_damage_to_a_pickle_is_a_value_error_or_nothing():
    whole = small_cifar.pickled(np.arange(24, dtype=np.uint8).reshape(2, 12), [3, 1])
    whole = whole.replace(b"](", b"]r\x01\0\0\0(")  # with entries of the memo too
    rng = np.random.default_rng(0)
    for _ in range(2000):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(256)
        try:
            x, y = archives.unpickle_batch(bytes(data), "x", 12)
        except ValueError:
            continue
        assert x.shape == (len(y), 12)


@pytest.fixture
def clothes(monkeypatch):
    """A small Fashion-MNIST: its arrays."""
    monkeypatch.setattr(fashion_mnist, "DESCRIPTION", small_idx.small(fashion_mnist.DESCRIPTION))
    return small_idx.arrays()


def lay_clothes(place, arrays, pack=gzip.compress):
    small_idx.lay(place, fashion_mnist.DESCRIPTION, arrays, pack)


@pytest.mark.parametrize("sub", [".", "fashion-mnist"])
@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_fashion_mnist_then_and_later(folder, clothes, sub, pack):
    lay_clothes(folder / sub, clothes, pack)
    for _ in range(2):
        (x, y), (x_test, y_test) = fashion_mnist.load_data()
        assert all(np.array_equal(a, b) for a, b in zip((x, y, x_test, y_test), clothes))
        x[:] = 0


def test_faults_of_fashion_mnist_are_named(folder, clothes):
    train, labels = (folder / fashion_mnist.DESCRIPTION.files[i].name for i in range(2))
    cases = [
        (train, gzip.compress(idx(clothes[0][:-1])), "train-images.*expected an array of shape"),
        (train, gzip.compress(idx(clothes[0]))[:-5], "train-images.*damaged or truncated.*Delete"),
        (train, gzip.compress(idx(clothes[0]) + b"x"), "train-images.*expected 15680 bytes"),
        (train, gzip.compress(idx(clothes[0]) + bytes(100)), "train-images.*expected at most"),
        (train, gzip.compress(idx(255 - clothes[0])), "train-images.*not Fashion-MNIST's.*MNIST's"),
        (labels, gzip.compress(idx(clothes[1] + np.uint8(9))), "train-labels.*expected labels from 0 to 9"),
    ]
    for path, data, message in cases:
        lay_clothes(folder, clothes)
        path.write_bytes(data)
        with pytest.raises(ValueError, match=message):
            fashion_mnist.load_data()


def test_state_says_where(folder):
    def say():
        return collection.state(cifar10.DESCRIPTION, cifar10.find)

    assert say().startswith("not here")
    small_cifar.lay(folder, small_cifar.FORMS[3])
    assert say() == f"found in {folder}"
    cifar10.load_data()
    (folder / small_cifar.FORMS[3]).unlink()
    assert say() == f"decoded in {folder}"
