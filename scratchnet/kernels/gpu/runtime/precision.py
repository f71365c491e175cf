"""How exactly the products of convolutions and dense layers of float32 numbers are computed.

- "float32": as everything else is, on the ordinary units.
- "tf32": on the tensor cores, which read float32 but keep 11 bits of each factor: about 3 digits. Sums are float32.
- "3xtf32": on the tensor cores, each factor as the sum of two such numbers, and three products of them: the digits of
  float32, but an infinite factor makes NaN.

Products of float64 numbers are float64 whatever the setting. Results of at most 16 columns, such as a picture's three
colours, would leave most of a tensor core's tile empty: they are computed as with "float32".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PRECISIONS = ("float32", "tf32", "3xtf32")
_current: ContextVar[str] = ContextVar("_current", default="float32")


def current_precision() -> str:
    """One of PRECISIONS: "float32" unless `precision` says otherwise."""
    return _current.get()


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Compute products so in this context, for this thread: `with precision("tf32"): ...`.

    Raises:
        ValueError: not one of PRECISIONS.
    """
    if name not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(map(repr, PRECISIONS))}, got {name!r}.")
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)
