"""Streams and graphs. Here everything runs when it is asked for; only a captured graph runs later.

While a stream captures, what would run on it is written down instead: launches, and what array functions compute. What
cannot be part of a graph is refused as CUDA refuses it: copies from or to the CPU's memory, and waiting.
"""

import threading
import weakref

import numpy as np

CAPTURE_UNSUPPORTED = 900
CAPTURE_INVALIDATED = 901


class CUDARuntimeError(RuntimeError):
    """An error of CUDA's, with its number as `status`."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Stream:
    """cupy.cuda.Stream."""

    null: "Stream"

    def __init__(self, null=False, non_blocking=False):
        self.non_blocking = non_blocking
        self._nodes = []
        self._valid = True

    def __enter__(self):
        _here.current.append(self)
        return self

    def __exit__(self, *_):
        _here.current.pop()

    def synchronize(self):
        """Wait for what was started on it."""
        refuse_in_capture("synchronize")

    def begin_capture(self, mode=None):
        """Write down from here on, and run nothing."""
        if not self.non_blocking:
            raise CUDARuntimeError(
                CAPTURE_UNSUPPORTED, "cudaErrorStreamCaptureUnsupported: capture on a stream that is not non_blocking"
            )
        if _here.capturing is not None:
            raise RuntimeError("a stream is capturing already")
        _here.capturing, self._nodes, self._valid = self, [], True

    def end_capture(self):
        """What was written down, as a graph; an error where something was refused meanwhile."""
        if _here.capturing is not self:
            raise RuntimeError("this stream is not capturing")
        _here.capturing = None
        if not self._valid:
            raise CUDARuntimeError(
                CAPTURE_INVALIDATED,
                "cudaErrorStreamCaptureInvalidated: operation failed due to a previous error during capture",
            )
        return Graph(self._nodes)

    def is_capturing(self):
        return _here.capturing is self


Stream.null = Stream(null=True)


class _Here(threading.local):
    """What each of Python's threads has of its own."""

    def __init__(self):
        self.current = [Stream.null]  # the innermost `with` is the last
        self.capturing = None


_here = _Here()


def get_current_stream():
    """cupy.cuda.get_current_stream."""
    return _here.current[-1]


class Graph:
    """cupy.cuda.Graph: what a stream has captured."""

    def __init__(self, nodes):
        self._nodes = nodes

    def launch(self, stream=None):
        """Run all of it, in the order in which it was written down."""
        refuse_in_capture("launch of a graph")
        with np.errstate(all="ignore"):  # a GPU does not warn
            for action, buffers in self._nodes:
                if any(buffer() is None for buffer in buffers):
                    raise RuntimeError("the graph uses an array that is freed: keep what it reads and writes")
                action()


def submit(action, buffers):
    """Run it now, or write it down where the current stream captures.

    Args:
        action: a function without arguments. That of a launch has addresses only: as with CUDA's graphs, who captures
            must keep the arrays.
        buffers: the memory that it reads or writes (arrays.Buffer).
    """
    stream = _here.capturing
    if stream is None:
        action()
    elif stream is get_current_stream():
        stream._nodes.append((action, [weakref.ref(buffer) for buffer in buffers]))
    else:
        raise CUDARuntimeError(
            CAPTURE_UNSUPPORTED, "a stream is capturing, but this runs on another: `with stream:` is missing"
        )


def capturing():
    """Whether a stream captures."""
    return _here.capturing is not None


def refuse_in_capture(what):
    """Raise CUDA's error while a stream captures; what it captures is of no use then."""
    if capturing():
        _here.capturing._valid = False
        raise CUDARuntimeError(
            CAPTURE_UNSUPPORTED,
            f"cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing ({what})",
        )
