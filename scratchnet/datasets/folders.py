"""Pictures of your own: a folder that has a folder for each class."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import is_whole, shortened
from scratchnet.datasets.pictures import pillow_for, read_image

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
NAMED = 10  # broken files that an error or a warning names; more are counted


def _height_width(size: Any) -> tuple[int, int]:
    pair = (size, size) if is_whole(size) else tuple(size) if np.iterable(size) else (size,)
    if len(pair) != 2 or not all(is_whole(n) and 1 <= n <= 2**16 for n in pair):
        raise ValueError(f"image_folder: expected size as pixels, or (height, width), got {shortened(size)}.")
    return int(pair[0]), int(pair[1])


def _listing(root: Path) -> tuple[list[str], list[tuple[Path, int]]]:
    """Class names, and each picture with its class's number, in an order that depends on nothing but the names."""
    if not root.is_dir():
        raise NotADirectoryError(f"image_folder: expected a folder of folders, one a class; {root} is none.")
    names = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise ValueError(
            f"image_folder: expected folders in path, and {str(root)!r} has no folders. Give each class a folder: "
            f"{root}/cats, {root}/dogs."
        )
    files = []
    for k, name in enumerate(names):
        inside = [
            path
            for path in (root / name).rglob("*")
            if path.suffix.lower() in SUFFIXES
            and path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(root).parts)
        ]
        if not inside:
            raise ValueError(
                f"image_folder: the class {name!r} has no pictures. Put some into {root / name}, or remove it. "
                f"Read are {' '.join(sorted(SUFFIXES))}."
            )
        files += [(path, k) for path in sorted(inside, key=lambda path: path.relative_to(root).parts)]
    return names, files


@checked
def image_folder(
    path: str | os.PathLike, size: int | tuple[int, int], broken: str = "error"
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Pictures of your own: x, uint8 (N, h, w, 3); y, their classes, (N,); and the classes' names.

    `path` holds a folder for each class; its name is the class's. Pictures may lie deeper within; files and folders
    whose names begin with a dot are passed over, and so are files that are no pictures by their ending. Classes are
    numbered by their names' order, and pictures come class by class, by name, the same on every machine: shuffle before
    you split. Each is rotated as the camera was held, scaled so that it just covers h x w, and cropped to its middle.
    Grey becomes three equal channels, transparent white; grey of more than 8 bits, or of floats, becomes bytes.

    Args:
        path: the folder.
        size: pixels, (height, width) or one number for both.
        broken: "error", or "skip": leave out files that cannot be read, with a warning that names them.

    Returns:
        x, y, names. y is uint8 for up to 256 classes. N pictures take N h w 3 bytes of memory.

    Raises:
        NotADirectoryError: no such folder.
        ValueError: no classes, a class without pictures (or, with "skip", without readable ones), files that cannot be
            read (named), or arguments that are none.
        ImportError: Pillow is missing.
    """
    height, width = _height_width(size)
    if broken not in ("error", "skip"):
        raise ValueError(f'image_folder: expected broken to be "error" or "skip", got {shortened(broken)}.')
    pillow_for("image_folder")  # before the work begins
    names, files = _listing(Path(path))
    x = np.empty((len(files), height, width, 3), np.uint8)
    labels: list[int] = []
    faults: list[str] = []
    for file, k in files:
        try:
            x[len(labels)] = read_image(file, height, width)
        except MemoryError:
            raise
        except Exception as error:  # Pillow's readers raise anything, SyntaxError and struct.error among them
            faults.append(f"  {file}: {type(error).__name__}: {error}")
        else:
            labels.append(k)
    if faults:
        rest = f"\n  and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        listed = "\n".join(faults[:NAMED]) + rest
        if broken == "error":
            raise ValueError(
                f"image_folder: {len(faults)} of {len(files)} files cannot be read. Mend or remove them, or give "
                f'broken="skip":\n{listed}'
            )
        warnings.warn(f"image_folder: {len(faults)} of {len(files)} files skipped:\n{listed}", stacklevel=3)
    y = np.array(labels, np.min_scalar_type(len(names) - 1))
    if empty := [name for k, name in enumerate(names) if k not in set(labels)]:
        raise ValueError(f"image_folder: no picture of {', '.join(map(repr, empty))} can be read.")
    return x[: len(y)], y, tuple(names)
