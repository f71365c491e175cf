"""The files of a batch: in which order they come, and how several threads read them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from scratchnet import random

READERS = 8  # threads, at most; Pillow decodes outside of Python's lock


def pass_order(count: int, shuffle: bool, seed: int | None, number: int) -> np.ndarray:
    """The order of the files in a pass: as they are, or at random, by the seed if there is one."""
    if not shuffle:
        return np.arange(count)
    generator = random.generator() if seed is None else np.random.default_rng([seed, number])
    return generator.permutation(count)


def read_all(read: Callable[[str], np.ndarray], paths: Sequence[str]) -> np.ndarray:
    """(N, H, W, C), the pictures of N files, which `read` gives as (H, W, C) each."""
    with ThreadPoolExecutor(min(READERS, os.cpu_count() or 1)) as readers:
        return np.stack(list(readers.map(read, paths)))
