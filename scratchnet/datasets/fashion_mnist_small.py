"""A part of Fashion-MNIST that comes with the package: grey pictures of clothes, 28 x 28, ten classes, no download.

6,000 training pictures (600 a class) from the original's training set and 1,000 test pictures (100 a class) from its
test set, chosen and shuffled by `scratchnet.datasets.embed`. MIT licence, Zalando SE; its text lies beside the data.

Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
arXiv 1708.07747.
"""

from __future__ import annotations

import hashlib
import io
from importlib import resources

import numpy as np

CLASS_NAMES = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
FILE = "fashion_mnist_small.npz"
SHA256 = "31b9f49bb66743b640c9cb8b54aee2891040794b76a1d09024fb1e8e56d44ca5"

Split = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test), all uint8: x (6000, 28, 28) and (1000, 28, 28), y (6000,) and (1000,).

    Pixels from 0 (black) to 255 (white); labels from 0 to 9, named by CLASS_NAMES. The arrays are the caller's.

    Raises:
        RuntimeError: the package's data file is damaged.
    """
    packed = resources.files("scratchnet.datasets").joinpath("data", FILE).read_bytes()
    if (found := hashlib.sha256(packed).hexdigest()) != SHA256:
        raise RuntimeError(
            f"{FILE} is damaged: expected SHA-256 {SHA256}, found {found}. Install the package again: "
            "pip install --force-reinstall scratchnet."
        )
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
