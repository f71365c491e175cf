"""What `trainable = False` holds fixed: what it was when the model was compiled, whatever it is now."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from scratchnet.layers import Layer
from scratchnet.layers.sharing import all_parts

Flags = Sequence[tuple[Layer | None, bool]]


def flags_of(model: Layer) -> Flags:
    """Whether each layer of a model, at whatever depth, is trained now; what `compile` keeps as compiled_trainable.

    None stands for the model itself, which so does not hold itself.
    """
    return [(None if part is model else part, part.trainable) for part in all_parts(model)]


@contextmanager
def as_compiled(model: Any) -> Iterator[None]:
    """Within it the model's layers are trained, or held fixed, as they were when it was compiled.

    So one network can be compiled to learn, then be held fixed in another model that is compiled later, and both train
    rightly in turns:

        discriminator.compile(...)
        discriminator.trainable = False
        combined = Model(z, discriminator(generator(z)))
        combined.compile(...)
    """
    flags = [(model if part is None else part, flag) for part, flag in getattr(model, "compiled_trainable", ())]
    changed = [(part, flag) for part, flag in flags if part.trainable is not flag]
    for part, flag in changed:
        part.hold(not flag)
    try:
        yield
    finally:
        for part, flag in changed:
            part.hold(flag)


def say_if_nothing_learns(model: Any, caller: str) -> None:
    """Warn once of a model that was compiled with all its weights held fixed."""
    if all(flag for _, flag in model.compiled_trainable):
        return
    with as_compiled(model):
        if model.learns or not model.params or model.said_fixed:
            return
    model.said_fixed = True
    warnings.warn(
        f"{caller}: no weight of it is trained. It was compiled when trainable was False for all of its layers: set "
        "model.trainable = True, and compile anew.",
        stacklevel=4,
    )
