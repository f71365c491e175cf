"""What a layer remembers of its last forward, for the backward that may follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scratchnet.devices import as_array
from scratchnet.layers.weights import Weights


class Remembering(Weights):
    """A layer remembers the shape that dy must have, and in attributes that `for_backward` names, arrays.

    Where no backward follows, see `layers/inference.py`, it forgets them as soon as it has run.
    """

    for_backward: Sequence[str] = ()  # the attributes in which `call` leaves arrays for `call_backward`
    _output_shape_now: tuple[int, ...] | None = None  # of the last forward: what dy must have
    _accepted: tuple[type, tuple[int, ...]] | None = None  # of the last input that was checked: type, shape

    def note_output(self, y: np.ndarray) -> None:
        """Remember y's shape: the gradient that comes back must have it."""
        self._output_shape_now = y.shape

    def forget(self) -> None:
        """Let go of what the last forward left for a backward, which then says that there was no forward."""
        attributes = vars(self)
        for name in self.for_backward:
            attributes.pop(name, None)
        if self.activation is not None:
            self.activation.forget()
        self._output_shape_now = None

    def check_gradient(self, dy: np.ndarray) -> np.ndarray:
        """dy in the dtype that this layer computes in.

        Raises:
            RuntimeError: there was no forward.
            ValueError: dy has another shape than the last forward's output.
            TypeError: dy is on another device.
        """
        if self._output_shape_now is None:
            raise RuntimeError(
                f"{self.full_name}: backward before forward. Call y = forward(x) first; "
                "predict and evaluate keep nothing for a backward."
            )
        dy = as_array(dy)
        if dy.shape != self._output_shape_now:
            raise ValueError(
                f"{self.full_name}: expected dy of the output's shape {self._output_shape_now}, got {dy.shape}. "
                "dy is dLoss/dy for the last forward."
            )
        if self._accepted is not None and type(dy) is not self._accepted[0]:
            self.require_device(dy, "dy")
        return dy.astype(self.dtype, copy=False)

    def unshare(self, y: np.ndarray) -> None:
        """Keep nothing that shares memory with y, which is about to be given to someone who may change it."""
        if self.activation is not None:
            self.activation.unshare(y)
        self.unshare_activity(y)
