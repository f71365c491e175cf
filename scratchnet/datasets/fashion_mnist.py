"""Fashion-MNIST whole: 70,000 grey pictures of clothes, 28 x 28, ten classes; 31 MB to download, once.

Its four files are found in the data folder ($SCRATCHNET_DATA, or the user's cache folder) or in fashion-mnist/ there,
and downloaded where they are not. `fashion_mnist_small`, a tenth of it, comes with the package.

Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
arXiv 1708.07747. MIT licence, Zalando SE.
"""

from __future__ import annotations

from pathlib import Path

from scratchnet.datasets import collection, idx
from scratchnet.datasets.collection import Description, Source, Split
from scratchnet.datasets.download import RemoteFile
from scratchnet.datasets.fashion_mnist_small import CLASS_NAMES

__all__ = ["CLASS_NAMES", "MEAN", "STD", "load_data"]

# Of x / 255 over the training pictures: (x / 255 - MEAN) / STD has mean 0 and variance 1.
MEAN = 0.2860
STD = 0.3530

MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/{name}",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/{name}",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/{name}",
)
DESCRIPTION = Description(
    name="fashion_mnist",
    shapes=((60000, 28, 28), (60000,), (10000, 28, 28), (10000,)),
    files=(
        RemoteFile("train-images-idx3-ubyte.gz", 26_421_880, "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d", MIRRORS),
        RemoteFile("train-labels-idx1-ubyte.gz", 29_515, "md5:25c81989df183df01b3e8a0aad5dffbe", MIRRORS),
        RemoteFile("t10k-images-idx3-ubyte.gz", 4_422_102, "md5:bef4ecab320f06d8554ea6380940ec79", MIRRORS),
        RemoteFile("t10k-labels-idx1-ubyte.gz", 5_148, "md5:bb300cfdad3c16e7a12a480ee83cd310", MIRRORS),
    ),
    subfolder="fashion-mnist",
    contents=(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
    also="All four files are needed; a folder fashion-mnist there is searched too.",
)


def find(description: Description, folder: Path) -> Source | None:
    """The four files, each from the first folder that has it; None where one is missing."""
    return idx.find(description, folder, "Fashion-MNIST")


def load_data() -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test), all uint8: x (60000, 28, 28) and (10000, 28, 28), y (60000,) and (10000,).

    As in Keras: pixels from 0 (black) to 255 (white); labels from 0 to 9, named by CLASS_NAMES. The first time it is
    decoded, and downloaded where it is not found; later the arrays are mapped into memory from a file. They may be
    written to: the file stays as it is.

    Raises:
        ConnectionError: not found, and no mirror gave it; what was tried, and what to do.
        ValueError: a file is damaged or not Fashion-MNIST's; it is named.
        OSError: the folder cannot be written, or a file not read.
    """
    return collection.load(DESCRIPTION, find)
