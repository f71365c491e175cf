"""NumPy's archives of arrays (.npz), read without trusting them: no pickles, and no more bytes than were asked for."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scratchnet.datasets.decoded import Shape

HEADER = 4096  # bytes before the numbers, at most
BROKEN = (EOFError, KeyError, NotImplementedError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)


def read_npz(path: Path, shapes: Mapping[str, Shape]) -> list[np.ndarray]:
    """Some of the uint8 arrays of an .npz, by their names.

    Raises:
        ValueError: no such file, damaged, without one of the arrays, or with one of another shape or dtype.
    """
    arrays = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name, shape in shapes.items():
                member, most = archive.getinfo(f"{name}.npy"), math.prod(shape) + HEADER
                if member.file_size > most:
                    raise ValueError(f"{name} has {member.file_size:,} bytes, and at most {most:,} are expected")
                with archive.open(member) as file:
                    arrays.append(_array(io.BytesIO(file.read(most)), name, shape))
    except BROKEN as error:
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise ValueError(
            f"{path}: expected the arrays {', '.join(shapes)} of unsigned bytes in an .npz: {kind}{error}. Delete "
            "the file, then load again."
        ) from error
    return arrays


def _array(file: io.BytesIO, name: str, shape: Shape) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"{name} has a header of version {version}")
    found, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if found != shape or dtype != np.uint8:
        raise ValueError(f"{name} has shape {found} and dtype {dtype}, expected {shape} and uint8")
    data = file.read()
    if len(data) != math.prod(shape):
        raise ValueError(f"{name} has {len(data):,} bytes for shape {shape}")
    return np.frombuffer(data, np.uint8).reshape(shape, order="F" if fortran else "C").copy(order="C")
