"""The one source of randomness: initial weights, shuffling and dropout all draw from it, so one seed fixes them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from scratchnet.arguments import check_count
from scratchnet.fields import count, record, refuse, text

STATE = record(
    bit_generator=text,
    state=record(state=count(0, 2**128 - 1), inc=count(0, 2**128 - 1)),
    has_uint32=count(0, 1),
    uinteger=count(0, 2**32 - 1),
)
_generator = np.random.default_rng()


def set_random_seed(seed: int) -> None:
    """Seed the package's random numbers: initial weights, order of the batches, dropout. The same seed, the same bits.

    NumPy's own generators are left as they are.

    Raises:
        ValueError: seed is not a whole number of at least 0.
    """
    global _generator
    _generator = np.random.default_rng(check_count(seed, "seed", "set_random_seed", 0, None))


def get_state() -> dict[str, Any]:
    """The state of the generator, whole numbers and text; after `set_state` of it the same numbers are drawn again."""
    return dict(_generator.bit_generator.state)


def set_state(state: Mapping[str, Any]) -> None:
    """Take over the state that `get_state` gave.

    Raises:
        ValueError: not a state of this generator.
    """
    check_state(state)
    global _generator
    generator = np.random.default_rng(0)
    try:
        generator.bit_generator.state = dict(state)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"expected the state of a PCG64 generator, as get_state gives it, got {state!r}.") from error
    _generator = generator


def check_state(state: Mapping[str, Any], where: str = "random") -> None:
    """Raise a ValueError unless `get_state` can have given this. NumPy itself takes numbers that it has not given."""
    STATE(state, where)
    if state["bit_generator"] != "PCG64" or state["state"]["inc"] % 2 == 0:
        raise refuse(where, "the state of a PCG64 generator, as get_state gives it", state)


@contextmanager
def untouched() -> Iterator[None]:
    """A `with` block after which the generator's state is what it was before it."""
    state = get_state()
    try:
        yield
    finally:
        set_state(state)


def generator() -> np.random.Generator:
    """The generator that everything without a seed of its own draws from."""
    return _generator


def new_key() -> np.uint64:
    """64 random bits: the key of a counter-based stream, such as a dropout layer's masks."""
    return _generator.integers(0, 2**64, dtype=np.uint64, endpoint=False)
