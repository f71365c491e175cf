"""MNIST and Fashion-MNIST with few pictures, in the originals' format."""

import gzip
import hashlib
import struct

import numpy as np

SHAPES = ((20, 28, 28), (20,), (10, 28, 28), (10,))


def idx(array):
    """A file's bytes."""
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def arrays():
    """x_train, y_train, x_test, y_test."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 10 if len(s) == 1 else 256, s).astype(np.uint8) for s in SHAPES]


def small(description):
    """A data set's description, for these arrays."""
    return description._replace(shapes=SHAPES, contents=tuple(hashlib.md5(idx(a)).hexdigest() for a in arrays()))


def lay(place, description, arrays, pack=gzip.compress):
    """Put the four files into a folder."""
    place.mkdir(exist_ok=True)
    for file, array in zip(description.files, arrays):
        (place / file.name).write_bytes(pack(idx(array)))
