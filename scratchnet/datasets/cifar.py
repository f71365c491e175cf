"""The files of CIFAR-10 and CIFAR-100: in Python's version or the binary one, in an archive or unpacked."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scratchnet.datasets import archives
from scratchnet.datasets.collection import Description, Source
from scratchnet.datasets.download import locate


class Layout(NamedTuple):
    """How the files are named, and where in them the labels are."""

    title: str  # the data set's name in errors
    python: str  # the folder of pickles
    binary: str  # the folder of records
    archives: tuple[str, str]  # that hold such folders: (Python's version, binary one)
    training: tuple[str, ...]  # files with an equal part of the training pictures each
    test: str
    labels: tuple[str, ...]  # keys in the pickles, in the order of the records' label bytes


def find(layout: Layout, description: Description, folder: Path) -> Source | None:
    """The first of the four forms of the data set that the folder has."""
    forms = (
        (layout.binary, True),
        (layout.python, False),
        (layout.archives[1], True),
        (layout.archives[0], False),
    )
    for name, binary in forms:
        if (place := locate(name, folder)) is not None:
            inside = [place / file for file in _names(layout, binary)] if place.is_dir() else []
            files = tuple(sorted(file for file in inside if file.exists())) or (place,)
            return Source(files, partial(_decode, layout, description, place, binary))
    return None


def _names(layout: Layout, binary: bool) -> list[str]:
    ending = ".bin" if binary else ""
    return [f"{batch}{ending}" for batch in (*layout.training, layout.test)]


def _decode(layout: Layout, description: Description, place: Path, binary: bool) -> list[np.ndarray]:
    """All arrays from a folder or an archive of either version."""
    inner = layout.binary if binary else layout.python
    names = _names(layout, binary)
    x_train, y_train, x_test, y_test = (np.empty(shape, np.uint8) for shape in description.shapes)
    height, width, channels = x_train.shape[1:]
    row, count = height * width * channels, len(x_train) // len(layout.training)
    # A pickle has some 50 bytes a picture besides the pixels: its file name and its labels.
    largest = max(count, len(x_test)) * (row + 200) + 10_000
    members = None if place.is_dir() else archives.read_members(place, [f"{inner}/{name}" for name in names], largest)
    found: dict[str, str] = {}
    for i, name in enumerate(names):
        if members is not None:
            data, label = members.pop(f"{inner}/{name}"), f"{name} in {place.name}"
        else:
            data, label = _read_file(place / name, largest), str(place / name)
        if name in description.originals:
            found[name] = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if binary:
            pixels, labels = archives.read_records(data, label, row, len(layout.labels))
        else:
            pixels, labels = archives.unpickle_batch(data, label, row, layout.labels)
        x, y = (x_train[i * count : (i + 1) * count], y_train[i * count : (i + 1) * count])
        if i == len(layout.training):
            x, y = x_test, y_test
        archives.check_batch(pixels, labels, label, len(x), description.classes)
        # Stored as all red bytes, then all green, then all blue; channels come last here.
        x[:] = pixels.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
        y[:] = labels
    if found:
        archives.check_originals(found, description.originals, place, layout.title)
    return [x_train, y_train, x_test, y_test]


def _read_file(path: Path, largest: int) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path.parent} lacks {path.name}. Complete the folder, or remove it, then load again.")
    with open(path, "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise ValueError(f"{path}: expected at most {largest:,} bytes, found more.")
    return data
