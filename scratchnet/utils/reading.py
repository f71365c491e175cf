"""The files of a batch, read by several threads: Pillow decodes outside of Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

READERS = 8  # threads, at most


def read_all(read: Callable[[str], np.ndarray], paths: Sequence[str]) -> np.ndarray:
    """(N, H, W, C), the pictures of N files, which `read` gives as (H, W, C) each."""
    with ThreadPoolExecutor(min(READERS, os.cpu_count() or 1)) as readers:
        return np.stack(list(readers.map(read, paths)))
