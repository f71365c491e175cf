"""Ctrl-C during training: the step that runs is finished, and nothing is left half done."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any


class Interrupt:
    """While it is entered, the first Ctrl-C only sets `asked`; the second one interrupts at once, as ever.

    Python's own handling of Ctrl-C is replaced. That of a running event loop (`asyncio.run`) is called besides: it
    cancels the task, which raises CancelledError at its next `await`, and then KeyboardInterrupt from `asyncio.run`.
    Other handlers stay as they are. All this in the main thread alone, where Python allows it.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None  # the handler that was replaced

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if handler is signal.default_int_handler or (callable(handler) and _in_event_loop()):
                self._before = handler
                signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        again, self.asked = self.asked, True
        if again or self._before is not signal.default_int_handler:
            self._before(number, frame)


def _in_event_loop() -> bool:
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None:  # no loop can run before it is imported
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
