"""MNIST whole: 70,000 grey pictures of handwritten digits, 28 x 28; 12 MB to download, once.

Its four files, or Keras's mnist.npz, are found in the data folder ($SCRATCHNET_DATA, or the user's cache folder) or in
mnist/ there, and downloaded where they are not.

Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
"""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path

import numpy as np

from scratchnet.annotations import checked
from scratchnet.datasets import archives, collection, idx
from scratchnet.datasets.collection import Description, Source, Split
from scratchnet.datasets.download import RemoteFile, locate
from scratchnet.datasets.npz import read_npz

CLASS_NAMES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
# Of x / 255 over the training pictures: (x / 255 - MEAN) / STD has mean 0 and variance 1.
MEAN = 0.1307
STD = 0.3081

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/{name}",
    "https://ossci-datasets.s3.amazonaws.com/mnist/{name}",
    "https://raw.githubusercontent.com/fgnt/mnist/master/{name}",
)
DESCRIPTION = Description(
    name="mnist",
    shapes=((60000, 28, 28), (60000,), (10000, 28, 28), (10000,)),
    files=(
        RemoteFile(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            MIRRORS,
        ),
        RemoteFile(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            MIRRORS,
        ),
        RemoteFile(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            MIRRORS,
        ),
        RemoteFile(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            MIRRORS,
        ),
    ),
    subfolder="mnist",
    contents=(
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
    also="All four files are needed, or Keras's mnist.npz; a folder mnist there is searched too.",
)
NAMES = ("x_train", "y_train", "x_test", "y_test")  # in mnist.npz
# SHA-256 of mnist.npz, by Keras's source (keras/src/datasets/mnist.py).
NPZ = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def find(description: Description, folder: Path, name: str | os.PathLike[str] = "mnist.npz") -> Source | None:
    """The four files, each from the first folder that has it, or else the .npz; None where there is neither."""
    source = idx.find(description, folder, "MNIST")
    if source is None and (path := locate(os.fspath(name), *description.places(folder))) is not None:
        return Source((path,), partial(_decode, description, path))
    return source


def _decode(description: Description, path: Path) -> list[np.ndarray]:
    arrays = read_npz(path, dict(zip(NAMES, description.shapes)))
    for x, y in (arrays[:2], arrays[2:]):
        archives.check_batch(x, y[:, None], str(path), len(x), description.classes)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    archives.check_originals({path.name: found}, {path.name: NPZ}, path, "MNIST")
    return arrays


@checked
def load_data(path: str | os.PathLike = "mnist.npz") -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test), all uint8: x (60000, 28, 28) and (10000, 28, 28), y (60000,) and (10000,).

    As in Keras: pixels from 0 (black) to 255 (white); labels from 0 to 9. The first time it is decoded, and downloaded
    where it is not found; later the arrays are mapped into memory from a file. They may be written to: the file stays
    as it is.

    Args:
        path: Keras's file of all four arrays, by its name in the data folder or its whole path. Where there is none,
            the four original files are taken.

    Raises:
        ConnectionError: not found, and no mirror gave it; what was tried, and what to do.
        ValueError: a file is damaged or not MNIST's; it is named.
        OSError: the folder cannot be written, or a file not read.
    """
    return collection.load(DESCRIPTION, partial(find, name=path))
