"""The steps that a network runs: most are one layer, and those of `layers/fusion.py` several as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.layers.sharing import Calls, repeated


class Step:
    """One layer, run by itself. The others run several as one.

    Args of forward and backward: those of `Layer.run_forward` and `Layer.run_backward`.
    """

    ends_in_activation: ClassVar[bool] = False  # whether `logits` would leave out a part of it

    def __init__(self, layers: Sequence[Layer]):
        self.layers = layers

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(layer.name for layer in self.layers)}>"

    @property
    def learns(self) -> bool:
        """Whether there are weights in it that are trained."""
        return any(layer.learns for layer in self.layers)

    def forward(self, x: np.ndarray, training: bool, logits: bool) -> np.ndarray:
        """The output of the last of the layers."""
        return self.layers[0].run_forward(x, training, logits)

    def backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool, logits: bool) -> np.ndarray | None:
        """The gradient for the input of the first of the layers; adds to their grads."""
        return self.layers[0].run_backward(dy, param_grads, input_grad, logits)

    def forget(self) -> None:
        """Let go of what the layers left for a backward."""
        for layer in self.layers:
            layer.forget()


class CallAmongOthers(Step):
    """A step whose layers are in other steps of the network, too: each call has a memory of its own, see `Calls`."""

    def __init__(self, step: Step):
        super().__init__(step.layers)
        self.step, self.calls = step, Calls(step.layers)

    def __repr__(self) -> str:
        return f"{self.step!r} with other calls"

    def forward(self, x: np.ndarray, training: bool, logits: bool) -> np.ndarray:
        """The step's, and what its layers remember is noted."""
        y = self.step.forward(x, training, logits)
        self.calls.keep()
        return y

    def backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool, logits: bool) -> np.ndarray | None:
        """The step's, with what its layers remembered then."""
        with self.calls.recalled():
            return self.step.backward(dy, param_grads, input_grad, logits)

    def forget(self) -> None:
        """The call is as if it had not been."""
        super().forget()
        self.calls.keep()


def with_memories(steps: Sequence[Step]) -> list[Step]:
    """The same steps; those that have a layer in common keep what their own call needs."""
    again = repeated([step.layers for step in steps])
    return [CallAmongOthers(step) if shared else step for step, shared in zip(steps, again)]
