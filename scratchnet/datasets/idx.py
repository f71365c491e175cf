"""MNIST's format, IDX: one array a file, gzipped or plain. MNIST and Fashion-MNIST are four such files each."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from functools import partial
from pathlib import Path

import numpy as np

from scratchnet.datasets import archives
from scratchnet.datasets.collection import Description, Source
from scratchnet.datasets.download import locate

MAGIC = b"\0\0\x08"  # two zero bytes, and the type: unsigned bytes


def read_idx(path: Path, largest: int = 1 << 30) -> np.ndarray:
    """The uint8 array in an IDX file, gzipped or plain: two zero bytes, the type 8, the number of axes, sizes, data.

    Raises:
        ValueError: not such a file, damaged, not as long as it says, or longer than `largest` bytes.

    Source: the file format section of LeCun's MNIST page.
    """
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if zipped else open(path, "rb") as file:
            data = file.read(largest + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged or truncated: {error}. Delete {path}, then load again.") from error
    if len(data) > largest:
        raise ValueError(f"{path.name}: expected at most {largest:,} bytes, found more.")
    if len(data) < 4 or data[:3] != MAGIC:
        raise ValueError(
            f"{path.name}: not an IDX file of unsigned bytes; it starts with {data[:4].hex() or 'nothing'}."
        )
    axes, start = data[3], 4 + 4 * data[3]
    if len(data) < start:
        raise ValueError(f"{path.name}: ends within its header of {start} bytes.")
    shape = struct.unpack(f">{axes}I", data[4:start])
    if len(data) - start != math.prod(shape):
        raise ValueError(
            f"{path.name}: expected {math.prod(shape)} bytes for shape {shape}, found {len(data) - start}."
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def checksum(array: np.ndarray) -> str:
    """The MD5 of the unpacked IDX file of a uint8 array."""
    header = MAGIC + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return hashlib.md5(header + array.tobytes(), usedforsecurity=False).hexdigest()


def find(description: Description, folder: Path, title: str) -> Source | None:
    """The four files, each from the first folder that has it; None where one is missing.

    Args:
        description: of the data set; its `contents` are the MD5 of the unpacked files.
        folder: the data folder.
        title: the data set's name in errors.
    """
    located = (locate(file.name, *description.places(folder)) for file in description.files)
    files = tuple(path for path in located if path is not None)
    if len(files) < len(description.files):
        return None
    return Source(files, partial(_decode, description, files, title))


def _decode(description: Description, files: tuple[Path, ...], title: str) -> list[np.ndarray]:
    arrays = []
    for path, shape, expected in zip(files, description.shapes, description.contents):
        array = read_idx(path, largest=int(np.prod(shape)) + 64)
        if array.shape != shape:
            raise ValueError(f"{path}: expected an array of shape {shape}, found {array.shape}.")
        if array.ndim == 1:
            archives.check_batch(array, array[:, None], str(path), len(array), description.classes)
        if (found := checksum(array)) != expected:
            raise ValueError(
                f"{path}: not {title}'s: expected the MD5 {expected} of the unpacked file, found {found}. MNIST's, "
                "Fashion-MNIST's and others' files have the same names: keep each data set in a folder of its own."
            )
        arrays.append(array.copy())  # as read, it cannot be written to
    return arrays
