"""The names of layers, as Keras gives them."""

from __future__ import annotations

import functools
import re
from collections import Counter

_name_counts: Counter[str] = Counter()


@functools.cache
def snake_case(name: str) -> str:
    """Conv2DTranspose -> conv2d_transpose, as Keras names its layers."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def automatic_name(cls: type) -> str:
    """The next free name for a layer of this class: conv2d, conv2d_1, ..."""
    kind = snake_case(cls.__name__)
    count = _name_counts[kind]
    _name_counts[kind] += 1
    return f"{kind}_{count}" if count else kind


def keep_clear_of(name: str) -> None:
    """Give no automatic name that was given by hand, such as that of a layer in a file that is loaded."""
    kind, _, number = str(name).rpartition("_")
    kind, count = (kind, int(number)) if kind and number.isdecimal() else (str(name), 0)
    _name_counts[kind] = max(_name_counts[kind], count + 1)
