"""CIFAR-10 with few pictures, in each of its four forms, for tests: also what a process of its own loads."""

import gzip
import io
import struct
import sys
import tarfile
from pathlib import Path

import numpy as np

from scratchnet.datasets import cifar10, collection
from scratchnet.datasets.download import RemoteFile

FORMS = ("cifar-10-batches-bin", "cifar-10-batches-py", "cifar-10-binary.tar.gz", "cifar-10-python.tar.gz")
PER_BATCH, TEST = 7, 4
NAMES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
ARCHIVE = FORMS[3]


def description(*mirrors, checksum="md5:0", size=1):
    shapes = ((5 * PER_BATCH, 32, 32, 3), (5 * PER_BATCH, 1), (TEST, 32, 32, 3), (TEST, 1))
    file = RemoteFile(ARCHIVE, size, checksum, mirrors)
    return cifar10.DESCRIPTION._replace(shapes=shapes, files=(file,), originals={})


def arrays(seed=0):
    """x_train, y_train, x_test, y_test."""
    rng = np.random.default_rng(seed)
    shapes = description().shapes
    return [rng.integers(0, 10 if len(s) == 2 else 256, s).astype(np.uint8) for s in shapes]


def batches(seed=0):
    """Name, pixels (N, 3072) in the files' order, labels."""
    x_train, y_train, x_test, y_test = arrays(seed)
    x = x_train.transpose(0, 3, 1, 2).reshape(5, PER_BATCH, -1)
    y = y_train.reshape(5, PER_BATCH)
    return [*zip(NAMES[:5], x, y), (NAMES[5], x_test.transpose(0, 3, 1, 2).reshape(TEST, -1), y_test[:, 0])]


def text(value):
    """A string of Python 2, pickled."""
    return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<I", len(value)) + value


def number(value):
    return b"J" + struct.pack("<i", value)


def pickled(
    pixels, labels, call=b"cnumpy.core.multiarray\n_reconstruct\n", kind=b"u1", shape=None, fortran=False, also=None
):
    """A batch as Python 2 pickled it in 2009, protocol 2: its opcodes by hand, as Python 3 writes others.

    With `also`, other lists of labels by their keys, the labels are the fine ones of CIFAR-100.
    """
    rows, row = shape or pixels.shape
    array = (
        call + b"cnumpy\nndarray\n" + number(0) + b"\x85" + text(b"b") + b"\x87R"  # an empty array, and then its state
        b"(K\x01" + number(rows) + number(row) + b"\x86"
        b"cnumpy\ndtype\n"
        + text(kind)
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|")
        + b"NNN"
        + number(-1) * 2
        + b"K\x00tb"
        + (b"\x88" if fortran else b"\x89")
        + text(pixels.tobytes("F" if fortran else "C"))
        + b"tb"
    )

    def listed(labels):
        return b"](" + b"".join(number(int(label)) for label in labels) + b"e"

    names = b"](" + b"".join(text(b"picture_s_%06d.png" % i) for i in range(len(labels))) + b"e"
    keyed = {b"fine_labels": labels, **also} if also else {b"labels": labels}
    lists = {key: listed(values) for key, values in keyed.items()}
    pairs = {b"batch_label": text(b"a batch"), **lists, b"data": array, b"filenames": names}
    return b"\x80\x02}(" + b"".join(text(key) + value for key, value in pairs.items()) + b"u."


def members(binary, seed=0):
    """Name within the archive: contents."""
    if binary:
        return {
            f"cifar-10-batches-bin/{name}.bin": np.hstack([y[:, None], x]).tobytes() for name, x, y in batches(seed)
        }
    return {f"cifar-10-batches-py/{name}": pickled(x, y) for name, x, y in batches(seed)}


def tar(contents):
    """An archive's bytes, not packed; a value may be a TarInfo instead of bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in contents.items():
            if isinstance(data, tarfile.TarInfo):
                archive.addfile(data)
                continue
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def tar_gz(contents):
    """An archive's bytes."""
    return gzip.compress(tar(contents), 1, mtime=0)


def lay(folder, form, seed=0):
    """Put the data set into a folder in one of its forms."""
    contents = members("bin" in form, seed)
    if form.endswith(".tar.gz"):
        (folder / form).write_bytes(tar_gz(contents))
        return
    for name, data in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


def same(loaded, seed=0):
    """Whether load_data() gave what is expected."""
    (a, b), (c, d) = loaded
    return all(np.array_equal(x, y) for x, y in zip((a, b, c, d), arrays(seed)))


if __name__ == "__main__":  # ADDRESS CHECKSUM GATE: loads as soon as the file GATE is there
    address, checksum, gate = sys.argv[1:]
    print("ready", flush=True)
    while not Path(gate).exists():
        pass
    size = len(tar_gz(members(binary=False)))
    assert same(collection.load(description(address, checksum=checksum, size=size), cifar10.find))
    print("same")
