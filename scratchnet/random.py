"""The one source of randomness: initial weights, shuffling and dropout all draw from it, so one seed fixes them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from scratchnet.fields import count, record, refuse, text

STATE = record(
    bit_generator=text,
    state=record(state=count(0, 2**128 - 1), inc=count(0, 2**128 - 1)),
    has_uint32=count(0, 1),
    uinteger=count(0, 2**32 - 1),
)
_generator = np.random.default_rng()


def set_random_seed(seed: int) -> None:
    """Start all of the package's random numbers anew: the same seed gives the same bits.

    Initial weights, the order of the batches and dropout follow it. NumPy's own generators are left alone.

    Raises:
        ValueError: seed is not a whole number of at least 0.
    """
    global _generator
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"set_random_seed: expected a whole number of at least 0, got {seed!r}.")
    _generator = np.random.default_rng(int(seed))


def get_state() -> dict[str, Any]:
    """Where the generator stands, in whole numbers and text: `set_state` of it gives the same numbers from there on."""
    return _generator.bit_generator.state


def set_state(state: Mapping[str, Any]) -> None:
    """Go on from where the generator stood at `get_state`.

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
    """Whatever is drawn within, the generator stands afterwards where it stood before."""
    state = get_state()
    try:
        yield
    finally:
        set_state(state)


def generator() -> np.random.Generator:
    """The generator that everything without an own seed draws from."""
    return _generator


def new_key() -> np.uint64:
    """64 random bits: the key of a counter-based stream, such as a dropout layer's masks."""
    return _generator.integers(0, 2**64, dtype=np.uint64, endpoint=False)
