"""Rows of a table that are learnt, one for each class or word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels, replay
from scratchnet.arguments import check_count
from scratchnet.constraints import Bound
from scratchnet.devices import array_module, to_numpy
from scratchnet.layers.base import Layer
from scratchnet.regularizers import Regularizer
from scratchnet.shapes import Shape
from scratchnet.signatures import OnlyDefault

_MOST_ROWS = 2**24  # up to here float32, in which `fit` hands numbers over, has every whole number


class Embedding(Layer):
    """Whole numbers become vectors: number i the row w[i] of a table, which is learnt.

        y[n,...,d] = w[x[n,...], d];  dw[i,d] = sum of dy[n,...,d] over all places with x[n,...] = i

    It is what Dense would give for one-hot vectors, without the multiplications with 0. x has no gradient: dx is 0.

    On a GPU, numbers out of range are looked for before each step that `fit` does not record, and a recorded step gives
    NaN for them.

    Shapes: x (N,) or (N, ...), whole numbers from 0 to input_dim - 1, as integers or as floats; w (input_dim, D),
    y (N, ..., D).

    Args:
        input_dim: how many rows, such as the number of classes; at most 2**24.
        output_dim: D.
        embeddings_initializer: a name or an object; see `scratchnet.initializers`.
        embeddings_regularizer: a penalty on w, on all rows of it; see `scratchnet.regularizers`.
        embeddings_constraint: what w is brought to after each update; see `scratchnet.constraints`.

    Raises:
        ValueError: a bad argument; numbers that are not whole, or out of range: the first of them is named.

    Source: Keras, https://keras.io/api/layers/core_layers/embedding/
    """

    fewest_axes = 1

    for_backward = ("index",)

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: str | initializers.Initializer = "uniform",
        embeddings_regularizer: str | Regularizer | None = None,
        embeddings_constraint: str | Bound | None = None,
        mask_zero: OnlyDefault = False,
        weights: OnlyDefault = None,
        lora_rank: OnlyDefault = None,
        lora_alpha: OnlyDefault = None,
        quantization_config: OnlyDefault = None,
        **options: Any,
    ):
        super().__init__(**options)
        self.rule("embeddings", embeddings_regularizer, embeddings_constraint)
        self.input_dim = check_count(input_dim, "input_dim", self.full_name, largest=_MOST_ROWS)
        self.output_dim = check_count(output_dim, "output_dim", self.full_name)
        self.embeddings_initializer = initializers.get(embeddings_initializer)

    def create_weights(self, input_shape: Shape) -> None:
        self.add_weight((self.input_dim, self.output_dim), self.embeddings_initializer, name="embeddings")

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (*input_shape, self.output_dim)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.shape = x.shape
        self.index = self._index(x.reshape(-1))
        w = self.params["embeddings"]
        return kernels.of(w).gather(w, self.index, w.dtype).reshape(*x.shape, self.output_dim)

    def _index(self, x: np.ndarray) -> np.ndarray:
        """The numbers as int64; a ValueError that names the first that is no number of a row."""
        if not replay.unchecked():
            here = to_numpy(x)
            wrong = ~((here >= 0) & (here < self.input_dim) & (here == np.floor(here)))  # NaN is wrong, too
            if wrong.any():
                place = int(wrong.argmax())
                where = ", ".join(map(str, np.unravel_index(place, self.shape)))
                raise ValueError(
                    f"{self.full_name}: expected whole numbers from 0 to {self.input_dim - 1}, got {here[place]:g} at "
                    f"x[{where}]. input_dim is the largest number plus 1."
                )
        return x.astype(np.int64)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        if param_grads:
            rows = dy.reshape(-1, self.output_dim)
            kernels.of(dy).gather_backward(rows, self.index, self.grads["embeddings"])
        return array_module(dy).zeros(self.shape, dy.dtype) if input_grad else None
