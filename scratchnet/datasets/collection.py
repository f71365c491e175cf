"""A data set as arrays: from the file of decoded arrays, or else from the original files, or else from a download.

`cifar10`, `cifar100`, `fashion_mnist` and `mnist` describe their files with `Description`, and define how these are
found and decoded; `load` tries the three in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from scratchnet.datasets import decoded
from scratchnet.datasets.decoded import Shape
from scratchnet.datasets.download import RemoteFile, data_folder, fetch, locate

Split = tuple[np.ndarray, np.ndarray]
EMBEDDED = "Without a network these serve instead: sn.datasets.shapes10 and sn.datasets.fashion_mnist_small."


class Description(NamedTuple):
    """What files and arrays a data set consists of."""

    name: str
    shapes: tuple[Shape, Shape, Shape, Shape]  # of x_train, y_train, x_test, y_test
    files: tuple[RemoteFile, ...]  # to be downloaded where they are not found
    subfolder: str = ""  # of the data folder, for the files; they are found in the data folder itself, too
    contents: tuple[str, ...] = ()  # MD5 of the unpacked files, where there is one for each of the arrays
    originals: Mapping[str, str] = MappingProxyType({})  # MD5 of the files within an archive; empty: unknown
    also: str = ""  # a sentence for errors: which other files are read where they are found
    classes: tuple[int, ...] = (10,)  # how many there are, for each label that a picture has

    def places(self, folder: Path) -> list[Path]:
        """Where its files may lie."""
        return [folder / self.subfolder, folder] if self.subfolder else [folder]


class Source(NamedTuple):
    """A data set's files, found."""

    files: tuple[Path, ...]
    decode: Callable[[], list[np.ndarray]]  # x_train, y_train, x_test, y_test; a ValueError names what is wrong


Find = Callable[[Description, Path], "Source | None"]


def state(description: Description, find: Find) -> str:
    """Where a data set is found, in words."""
    folder = data_folder()
    if (source := find(description, folder)) is not None:
        return f"found in {source.files[0].parent}"
    if decoded.read(folder / f"{description.name}.npy", description.shapes, None) is not None:
        return f"decoded in {folder}"
    return "not here yet: load_data() downloads it"


def load(description: Description, find: Find) -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test), uint8 arrays of the described shapes.

    Args:
        description: of the data set.
        find: its source in a folder, or None.

    Raises:
        ConnectionError: neither found nor downloaded; what was tried, and what to do.
        ValueError: a file is damaged, or not what it should be.
        OSError: the folder cannot be written, or a file not read.
    """
    folder = data_folder()
    path = folder / f"{description.name}.npy"
    source = find(description, folder)
    # Where the original files are gone, perhaps to make room, the arrays decoded from them are still good.
    arrays = decoded.read(path, description.shapes, None if source is None else decoded.stamp_of(source.files))
    if arrays is None:
        if source is None:
            places = description.places(folder)
            for file in description.files:
                if locate(file.name, *places) is None:
                    fetch(file, places[0], f"{description.also} {EMBEDDED}".strip())
            source = find(description, folder)
            assert source is not None  # all its files are there now
        stamp = decoded.stamp_of(source.files)  # before it is read: a change while we read is noticed next time
        arrays = source.decode()
        decoded.write(path, arrays, stamp)  # a folder that cannot be written: decoded again the next time
    x_train, y_train, x_test, y_test = arrays
    return (x_train, y_train), (x_test, y_test)
