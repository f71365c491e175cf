"""The names of layers, as Keras gives them, and how layers show themselves."""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import Any

from scratchnet.arguments import shape_text

_name_counts: Counter[str] = Counter()


@functools.cache
def snake_case(name: str) -> str:
    """Conv2DTranspose -> conv2d_transpose, as Keras names its layers."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def automatic_name(cls: type) -> str:
    """The next free name for a layer of this class: conv2d, conv2d_1, ..."""
    kind = snake_case(cls.__name__)
    count = automatic_number(kind)
    return f"{kind}_{count}" if count else kind


def automatic_number(kind: str) -> int:
    """How often this was asked before for names of this kind: 0, 1, 2, ..."""
    count = _name_counts[kind]
    _name_counts[kind] += 1
    return count


def forget_names() -> None:
    """Number from the beginning again."""
    _name_counts.clear()


def keep_clear_of(name: str) -> None:
    """Give no automatic name that was given by hand, such as that of a layer in a file that is loaded."""
    kind, _, number = str(name).rpartition("_")
    kind, count = (kind, int(number)) if kind and number.isdecimal() else (str(name), 0)
    _name_counts[kind] = max(_name_counts[kind], count + 1)


class Named:
    """What has a name, and shapes once it is built: how errors and notebooks show it."""

    name: str
    built: bool
    input_shape: Any
    output_shape: Any

    def __repr__(self) -> str:
        if not self.built or self.input_shape is None or self.output_shape is None:
            return f"<{self.full_name}>"
        return f"<{self.full_name}, {shape_text(self.input_shape)} -> {shape_text(self.output_shape)}>"

    @property
    def full_name(self) -> str:
        """How errors name this layer: Conv2D 'conv2d_1'."""
        return f"{type(self).__name__} {self.name!r}"
