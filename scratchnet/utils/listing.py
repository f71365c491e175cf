"""The pictures in a folder of folders, one a class, in Keras's order; and their labels, as losses want them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scratchnet.arguments import shortened


class Listing(NamedTuple):
    """Files, with their classes' numbers, class by class."""

    paths: list[str]
    labels: np.ndarray  # (N,), int32
    names: list[str]  # of the classes


def classes_in(directory: str, wanted: Sequence[str] | None, caller: str, argument: str) -> list[str]:
    """The folders of a folder by name; or those that are wanted, in their order.

    Args:
        directory: the folder.
        wanted: names of folders in it; None for all whose names do not begin with a dot.
        caller, argument: how errors name the function, and the argument `wanted`.

    Raises:
        NotADirectoryError: there is no such folder.
        ValueError: it has no folders, or not those.
    """
    if not os.path.isdir(directory):
        raise NotADirectoryError(f"{caller}: expected directory to be a folder of folders; {directory!r} is none.")
    there = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and not entry.name.startswith("."))
    if wanted is None and there:
        return there
    if wanted is None:
        raise ValueError(
            f"{caller}: expected folders in directory, one a class, and {directory!r} has none. Give each class a "
            f"folder: {directory}/cats, {directory}/dogs."
        )
    if len(set(wanted)) < len(wanted) or not set(wanted) <= set(there) or not wanted:
        raise ValueError(
            f"{caller}: expected {argument} to be names of folders in {directory!r}, each once, got "
            f"{shortened(list(wanted))}. There are: {shortened(there)}."
        )
    return list(wanted)


def files_below(folder: str, endings: tuple[str, ...], follow_links: bool) -> Iterator[str]:
    """The files in a folder and in those within, by name; neither those that begin with a dot, nor other endings."""
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links), key=lambda found: found[0]):
        inside = Path(root).relative_to(folder).parts
        if any(part.startswith(".") for part in inside):
            continue
        for name in sorted(names):
            if name.lower().endswith(endings) and not name.startswith("."):
                yield os.path.join(root, name)


def listing(directory: str, names: list[str], endings: tuple[str, ...], follow_links: bool) -> Listing:
    """All pictures of these classes."""
    paths: list[str] = []
    counts = []
    for name in names:
        found = list(files_below(os.path.join(directory, name), endings, follow_links))
        paths += found
        counts.append(len(found))
    return Listing(paths, np.repeat(np.arange(len(names), dtype=np.int32), counts), names)


def one_hot(labels: np.ndarray, count: int) -> np.ndarray:
    """Labels (N,) as rows (N, count) of zeros and a one, float32."""
    return np.asarray(labels[:, None] == np.arange(count), np.float32)
