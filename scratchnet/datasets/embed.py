"""How the embedded part of Fashion-MNIST was made: `python -m scratchnet.datasets.embed FOLDER [OUTPUT]`.

FOLDER holds the four original files, train-images-idx3-ubyte.gz and so on. The result is the same, bit for bit, on
every machine with the same zlib; its SHA-256 is printed.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from scratchnet.datasets.fashion_mnist_small import FILE
from scratchnet.datasets.idx import read_idx
from scratchnet.files import whole_file

PER_CLASS = {"train": 600, "t10k": 100}


def choose(labels: np.ndarray, per_class: int, seed: int = 0) -> np.ndarray:
    """Indices of `per_class` examples of each of ten classes, shuffled.

    Raises:
        ValueError: a class has too few examples.
    """
    rng = np.random.default_rng(seed)
    chosen = []
    for k in range(10):
        of_class = np.flatnonzero(labels == k)
        if len(of_class) < per_class:
            raise ValueError(f"expected at least {per_class} examples of class {k}, found {len(of_class)}.")
        chosen.append(rng.choice(of_class, per_class, replace=False))
    return rng.permutation(np.concatenate(chosen))


def build(folder: Path) -> bytes:
    """The embedded file's bytes, from the four original files in a folder."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for split, name in (("train", "train"), ("t10k", "test")):
            labels = read_idx(folder / f"{split}-labels-idx1-ubyte.gz")
            index = choose(labels, PER_CLASS[split])
            pictures = read_idx(folder / f"{split}-images-idx3-ubyte.gz")
            for letter, array in (("x", pictures[index]), ("y", labels[index])):
                plain = io.BytesIO()
                np.lib.format.write_array(plain, array, version=(1, 0), allow_pickle=False)
                # A fixed date: the bytes depend on nothing but the data.
                entry = zipfile.ZipInfo(f"{letter}_{name}.npy", date_time=(2026, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, plain.getvalue())
    return packed.getvalue()


def main(arguments: list[str]) -> None:
    """Write the file and print its hash; a write that fails leaves no half file."""
    if len(arguments) not in (1, 2):
        raise SystemExit(__doc__)
    output = Path(arguments[1] if len(arguments) == 2 else FILE)
    data = build(Path(arguments[0]))
    with whole_file(output) as file:
        file.write(data)
    print(f"{output.name}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1:])
