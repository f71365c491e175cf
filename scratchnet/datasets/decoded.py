"""Decoded arrays in one file that is mapped into memory, so that a data set is decoded only once.

The file is a .npy of bytes: the arrays one after the other, then 32 bytes that say what they were decoded from, then a
checksum of all that. A write that fails leaves no half file, and a damaged file is ignored.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from scratchnet.files import whole_file

Shape = tuple[int, ...]
STAMP = 32  # bytes
CHECKSUM = 4


def stamp_of(files: Iterable[Path]) -> bytes:
    """A hash of the names, sizes and times of files, 32 bytes: it changes when a file does."""
    text = []
    for file in files:
        status = file.stat()
        text.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(text).encode()).digest()


def _header(length: int) -> bytes:
    """The header of a .npy file of this many bytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (length,)})
    return header.getvalue()


def _split(flat: np.ndarray, shapes: Iterable[Shape]) -> list[np.ndarray]:
    arrays, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        arrays.append(flat[start:stop].reshape(shape))
        start = stop
    return arrays


def read(path: Path, shapes: Iterable[Shape], stamp: bytes | None) -> list[np.ndarray] | None:
    """The uint8 arrays in a decoded file, mapped into memory, or None where it is missing, damaged or out of date.

    The arrays may be written to: the mapping is copy-on-write, and the file stays as it is.

    Args:
        path: the file.
        shapes: of the arrays.
        stamp: what they must have been decoded from; None: anything.
    """
    shapes = list(shapes)
    size = sum(math.prod(shape) for shape in shapes)
    header = _header(size + STAMP + CHECKSUM)
    try:
        # The header is compared before NumPy reads it, so that np.load gets the header that we write and no other.
        with open(path, "rb") as file:
            if file.read(len(header)) != header:
                return None
            if os.fstat(file.fileno()).st_size != len(header) + size + STAMP + CHECKSUM:
                return None
        flat = np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray)
    except (OSError, ValueError, EOFError):
        return None
    if zlib.crc32(flat[:-CHECKSUM]).to_bytes(CHECKSUM, "little") != flat[-CHECKSUM:].tobytes():
        return None
    if stamp is not None and flat[size : size + STAMP].tobytes() != stamp:
        return None
    return _split(flat, shapes)


def write(path: Path, arrays: Iterable[np.ndarray], stamp: bytes) -> bool:
    """Write uint8 arrays as a decoded file; False, and no file, where the folder or the disk does not allow it."""
    arrays = [np.ascontiguousarray(array, np.uint8) for array in arrays]
    parts: list[memoryview | bytes] = [*(array.reshape(-1).data for array in arrays), stamp]
    header = _header(sum(array.size for array in arrays) + STAMP + CHECKSUM)
    checksum = 0
    try:
        with whole_file(path) as file:
            file.write(header)
            for part in parts:
                checksum = zlib.crc32(part, checksum)
                file.write(part)
            file.write(checksum.to_bytes(CHECKSUM, "little"))
    except OSError:
        return False
    return True
