"""Compiling shows itself: a bar that counts kernels, since a first start is long and happens once a machine.

Nobody knows before how many kernels a program will need, so the bar has no percentage: it says how many are compiled,
and since when. It appears when compiling has taken longer than PATIENCE, so never for one short kernel, and stands
where a bar of `fit` would stand: in a notebook, or in a terminal. TQDM_DISABLE=1 in the environment leaves it out.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from scratchnet.kernels.cpu.compiling import linking, sharing
from scratchnet.printing import usable

PATIENCE = 1.0  # seconds of compiling
TITLE = "compiling kernels for this processor, once a machine"


class Progress:
    """Kernels compiled in this process and the seconds that took. One kernel may be compiled within another."""

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0
        self.visible = True
        self._depth, self._since = 0, 0.0
        self._bar: Any = None

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """While a kernel is compiled."""
        if self._depth == 0:
            self._since = time.perf_counter()
        self._depth += 1
        try:
            self._show()
            yield
            self.count += 1
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.seconds += time.perf_counter() - self._since
            self._show()

    def _show(self) -> None:
        """Draw the bar where it is time for it; between two kernels its line is free for what others print."""
        running = time.perf_counter() - self._since if self._depth else 0.0
        if not self.visible or self.seconds + running < PATIENCE:
            return
        with contextlib.suppress(OSError, ValueError):  # a stream that was closed meanwhile
            if self._bar is None:
                self._bar = make_bar(self.seconds + running)
                self.visible = self._bar is not None
            if self._bar is not None:
                self._bar.n = self.count
                self._bar.refresh()
                if self._depth == 0:
                    self._bar.clear()


def make_bar(seconds: float) -> Any:
    """A bar of something that began so many seconds ago; None where nobody would see it."""
    from tqdm.auto import tqdm

    if os.environ.get("TQDM_DISABLE", "0") not in ("", "0"):  # which tqdm itself asks in a terminal only
        return None
    if "notebook" not in tqdm.__mro__[1].__module__ and not (usable(sys.stderr) and sys.stderr.isatty()):
        return None
    bar = tqdm(total=None, desc=TITLE, unit=" kernels", leave=False, bar_format="{desc}: {n_fmt} [{elapsed}]")
    bar.start_t -= seconds
    return bar


progress = Progress()


def watched(kernel: Any) -> Any:
    """Let a kernel, as Numba makes it, show that it is compiled, and leave out machine code that would never run."""
    compiler = getattr(kernel, "_compiler", None)
    if compiler is None or not hasattr(compiler, "targetdescr"):  # another version of Numba
        return kernel
    original: Callable[..., Any] = compiler.compile

    def compile_one(*args: Any) -> Any:
        try:
            with progress.one(), linking.direct(compiler.targetdescr.target_context):
                return original(*args)
        except BaseException:
            sharing.give(kernel._cache)
            raise

    compiler.compile = compile_one
    return kernel
