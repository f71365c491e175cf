"""Decoded arrays in one file that is mapped into memory: what took seconds to decode is there at once the next time.

The file is a .npy of bytes: the arrays one after the other, then 32 bytes that say what they were decoded from, then a
checksum of all that. It is written whole or not at all, and a file that is not right is as good as none.
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
    """Names, sizes and times of files in 32 bytes: other files, or changed ones, have another stamp."""
    text = []
    for file in files:
        status = file.stat()
        text.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(text).encode()).digest()


def _header(length: int) -> bytes:
    """How a .npy file of this many bytes begins."""
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
    """The uint8 arrays in a decoded file, mapped into memory, or None where there is no such file in good order.

    The arrays may be written to: the pages touched become the caller's, and the file stays as it is.

    Args:
        path: the file.
        shapes: of the arrays.
        stamp: what they must have been decoded from; None: anything.
    """
    shapes = list(shapes)
    size = sum(math.prod(shape) for shape in shapes)
    header = _header(size + STAMP + CHECKSUM)
    try:
        # Compared before NumPy sees the file: from here on it holds what we wrote, or at worst wrong pixels.
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
    """Write uint8 arrays as a decoded file, whole or not at all; False where the folder or the disk does not let us."""
    arrays = [np.ascontiguousarray(array, np.uint8) for array in arrays]
    header = _header(sum(array.size for array in arrays) + STAMP + CHECKSUM)
    checksum = 0
    try:
        with whole_file(path) as file:
            file.write(header)
            for part in (*(array.reshape(-1).data for array in arrays), stamp):
                checksum = zlib.crc32(part, checksum)
                file.write(part)
            file.write(checksum.to_bytes(CHECKSUM, "little"))
    except OSError:
        return False
    return True
