"""Forward without a backward to come: layers keep nothing, and a network's values go as soon as nobody needs them.

with forward_only():
    y = model.forward(x)

`predict` and `evaluate` run in it. The numbers are the same; only memory is saved: a forward that a backward may follow
keeps the input of nearly every layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_only: ContextVar[bool] = ContextVar("_only", default=False)


@contextmanager
def forward_only() -> Iterator[None]:
    """Within it, in this thread, networks let each layer `forget` as soon as it has run."""
    token = _only.set(True)
    try:
        yield
    finally:
        _only.reset(token)


def keeps_nothing() -> bool:
    """Whether this thread is within `forward_only`."""
    return _only.get()
