"""The locks of the package, in the order in which they are taken, and what a fork makes of them.

| lock | held while |
|---|---|
| MODELS | a step of training or a batch of prediction runs, or weights are exchanged, of any model |
| KERNELS | a parallel kernel is compiled or runs |
| MEMORY | the list of free arrays is changed |

A thread may take a lock that it has once more. One MODELS for all models, and not one for each: layers may be parts of
several models, nested ones or those that share a base, and a layer keeps what its backward needs. It costs no speed:
only one parallel kernel runs at a time anyway. Callbacks run outside of it, so they may wait for other threads.

A child that is forked while another thread holds a lock would wait for it for ever, since that thread is not in the
child. So a fork first takes all of them, and whole steps are what the child finds.
"""

from __future__ import annotations

import os
import threading

MODELS, KERNELS, MEMORY = threading.RLock(), threading.RLock(), threading.RLock()
_IN_ORDER = (MODELS, KERNELS, MEMORY)


def _take_all() -> None:
    for lock in _IN_ORDER:
        lock.acquire()


def _give_back_all() -> None:
    for lock in reversed(_IN_ORDER):
        lock.release()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_take_all, after_in_parent=_give_back_all, after_in_child=_give_back_all)
