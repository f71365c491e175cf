"""Which weights are trained: `layer.trainable`, and the lists that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scratchnet.config import Configurable


class Trainability(Configurable):
    """What a layer with params, grads and state says of what is trained."""

    params: Mapping[str, np.ndarray]
    grads: Mapping[str, np.ndarray]
    state: Mapping[str, np.ndarray]
    _trainable: bool

    def sublayers(self) -> Sequence[Trainability]:
        """The layers that this one is made of."""
        return ()

    @property
    def trainable(self) -> bool:
        """Whether it is trained; setting it sets it for all layers that this one is made of, too.

        A model takes over at `compile` what it is then, as in Keras: set it, then compile. In a layer that is held
        fixed, BatchNormalization goes by its moving averages, in training, too.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.hold(not value)
        for layer in self.sublayers():
            layer.trainable = value

    def hold(self, fixed: bool) -> None:
        """Set `trainable` of this layer alone, not of those that it is made of."""
        self._trainable = not fixed

    def trained(self) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
        """(params, grads) that an optimizer moves: without those of layers with trainable=False."""
        return (self.params, self.grads) if self.trainable else ({}, {})

    @property
    def learns(self) -> bool:
        """Whether there is anything in `trained`."""
        return self.trainable and bool(self.params)

    @property
    def weights(self) -> list[np.ndarray]:
        """All arrays themselves, not copies: those of `params`, then the state."""
        return [*self.params.values(), *self.state.values()]

    @property
    def trainable_weights(self) -> list[np.ndarray]:
        """The arrays that are trained."""
        return list(self.trained()[0].values())

    @property
    def non_trainable_weights(self) -> list[np.ndarray]:
        """The arrays that are held fixed, or are state."""
        moved = {id(array) for array in self.trainable_weights}
        return [array for array in self.weights if id(array) not in moved]

    @property
    def variables(self) -> list[np.ndarray]:
        """`weights`, under the name that TensorFlow's guides use."""
        return self.weights

    @property
    def trainable_variables(self) -> list[np.ndarray]:
        """`trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[np.ndarray]:
        """`non_trainable_weights`."""
        return self.non_trainable_weights
