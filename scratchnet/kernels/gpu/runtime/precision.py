"""How exactly the products of convolutions and dense layers of float32 numbers are computed.

- "float32": as everything else is, on the ordinary units.
- "tf32": on the tensor cores, which read float32 but keep 11 bits of each factor: about 3 digits. Sums are float32.
- "3xtf32": on the tensor cores, each factor as the sum of two such numbers, and three products of them: the digits of
  float32, but an infinite factor makes NaN.

Products of float64 numbers are float64 whatever the setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

PRECISIONS = ("float32", "tf32", "3xtf32")
_current = "float32"


def current_precision() -> str:
    """One of PRECISIONS: "float32" unless `precision` says otherwise."""
    return _current


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Compute products so in this context: `with precision("tf32"): ...`.

    Raises:
        ValueError: not one of PRECISIONS.
    """
    global _current
    if name not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(map(repr, PRECISIONS))}, got {name!r}.")
    before, _current = _current, name
    try:
        yield
    finally:
        _current = before
