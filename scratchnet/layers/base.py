"""What every layer is: weights, a forward, a backward, and the rules that hold for all of them."""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from scratchnet import initializers
from scratchnet.arguments import check_input, shape_text
from scratchnet.config import Configurable
from scratchnet.signatures import OnlyDefault, only_default_names

Shape = tuple[int | None, ...]

_name_counts: Counter[str] = Counter()


@functools.cache
def snake_case(name: str) -> str:
    """Conv2DTranspose -> conv2d_transpose, as Keras names its layers."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _note(name: str) -> None:
    """Keep automatic names clear of one that was given, such as that of a layer in a file that is loaded."""
    kind, number = re.fullmatch(r"(.*?)(?:_(\d+))?", str(name), re.DOTALL).groups()
    _name_counts[kind] = max(_name_counts[kind], int(number or 0) + 1)


class Layer(Configurable):
    """A function with weights that can be run backwards.

        y = layer.forward(x, training=False)     never changes x; keeps what backward needs
        dx = layer.backward(dy)                  adds to layer.grads[name]; returns dLoss/dx

    A layer builds its weights at the first forward, or at `build(input_shape)`. It computes in the dtype of its input,
    float32 or float64, and its weights follow it; any other dtype becomes float32. Used alone, it returns fresh
    arrays that are the caller's to change. Between forward and backward, x must not be changed.

    Attributes:
        params: the weights that are trained, by name.
        grads: their gradients, same names and shapes.
        state: arrays that are kept but not trained, such as moving averages.
        input_shape, output_shape: with None for the batch, once built.

    Args:
        name: within its model; by default the class's name with a number.
        input_shape: of one example, for the first layer of a model, whose weights are then made at once.

    Arguments of Keras that are marked `OnlyDefault` are there with their default only; see `scratchnet.signatures`.

    A layer of one's own defines `create_weights`, `compute` and `differentiate`, and `compute_output_shape` if the
    shape changes.
    """

    rank: ClassVar[int | None] = None  # axes of the input, batch included; None where any number will do
    keeps_range: ClassVar[bool] = False  # whether y holds the numbers of x, or zeros, and no others

    def __init__(
        self,
        *,
        activity_regularizer: OnlyDefault = None,
        trainable: OnlyDefault = True,
        dtype: OnlyDefault = None,
        autocast: OnlyDefault = True,
        name: str | None = None,
        input_shape: Sequence[int] | None = None,
        **unknown: Any,
    ):
        if unknown:
            init = type(self).__init__
            parameters = inspect.signature(init).parameters.values()
            known = {p.name for p in parameters if p.kind != p.VAR_KEYWORD} - {"self", *only_default_names(init)}
            raise TypeError(
                f"{type(self).__name__}: unknown argument {next(iter(unknown))!r}. Known: "
                f"{', '.join(sorted(known | {'name', 'input_shape'}))}."
            )
        kind = snake_case(type(self).__name__)
        if name is None:
            count = _name_counts[kind]
            _name_counts[kind] += 1
            name = f"{kind}_{count}" if count else kind
        else:
            _note(name)
        self.name = name
        self.built = False
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.state: dict[str, np.ndarray] = {}
        self.activation: Any = None  # applied after `compute`; see layers/activation.py
        self.input_shape: Shape | None = None if input_shape is None else (None, *(int(s) for s in input_shape))
        self.output_shape: Shape | None = None
        self.dtype = np.dtype(np.float32)
        self._expected_dy: tuple[int, ...] | None = None
        self._received: tuple[int, ...] | None = None  # the shape of the last input that was accepted

    def __repr__(self) -> str:
        shapes = f", {shape_text(self.input_shape)} -> {shape_text(self.output_shape)}" if self.built else ""
        return f"<{self.full_name}{shapes}>"

    @property
    def full_name(self) -> str:
        """How errors name this layer: Conv2D 'conv2d_1'."""
        return f"{type(self).__name__} {self.name!r}"

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again, its name included; see Configurable."""
        return {**super().get_config(), "name": self.name}

    # What a kind of layer defines.

    def create_weights(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape, by `add_weight`."""

    def compute(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The forward, up to the activation. x has the right shape and dtype."""
        return x

    def differentiate(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        """The backward of `compute`: add to the grads if param_grads, return dx if input_grad."""
        return dy

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """The shape of the output, with None for the batch. Raises a ValueError where the layer cannot take it."""
        return tuple(input_shape)

    def multiply_adds(self) -> int:
        """Multiplications, each with its addition, for one picture's forward. Activations are not counted."""
        return 0

    def expected_input(self) -> Shape:
        """The shape of input that a built layer takes; None stands for any size."""
        return (None,) * (self.rank or 0)

    def check(self, x: np.ndarray) -> None:
        """Raise a ValueError unless x can be taken. Before the layer is built, this is about the axes only."""
        if self.rank is not None:
            check_input(x, self.expected_input(), self.full_name)
        elif x.ndim < 2 or 0 in x.shape:
            raise ValueError(
                f"{self.full_name}: expected a batch, x of shape (N, ...) with N of at least 1, got {x.shape}. "
                "One example alone needs a batch axis: x[None]."
            )

    def activated(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The forward with the activation. A layer that can work out both in one pass defines this too."""
        return self.activation.forward(self.compute(x, training))

    # What is the same for all.

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for inputs of shape (None, H, W, C), batch axis first as in Keras, or (H, W, C).

        A layer that is built already keeps its weights, so that it can be put into a model with them.

        Raises:
            ValueError: the layer, or its weights, cannot take that shape.
        """
        shape = tuple(None if s is None else int(s) for s in input_shape)
        if self.rank is not None and len(shape) == self.rank - 1 and None not in shape:
            shape = (None, *shape)
        shape = (None, *shape[1:])
        if self.rank is not None and len(shape) != self.rank:
            raise ValueError(f"{self.full_name}: expected an input shape of {self.rank} axes, got {shape_text(shape)}.")
        if len(shape) < 2 or any(size is None or size < 1 for size in shape[1:]):
            raise ValueError(
                f"{self.full_name}: expected an input shape (None, ...) with sizes of at least 1 after the "
                "batch's None, got "
                f"{shape_text(shape)}."
            )
        self.check(np.broadcast_to(np.float32(0), (1, *shape[1:])))  # one example, without its memory
        self.output_shape = self.compute_output_shape(shape)
        self.input_shape = shape
        if not self.built:
            self.create_weights(shape)
        self.built = True

    def add_weight(self, name: str, shape: Sequence[int], initializer: Any, trainable: bool = True) -> None:
        """Make one array: a parameter with its gradient, or with trainable=False a piece of state."""
        value = initializers.get(initializer)(shape, dtype=self.dtype.type)
        if trainable:
            self.params[name], self.grads[name] = value, np.zeros_like(value)
        else:
            self.state[name] = value

    def forward(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        """The layer's output.

        Args:
            x: a batch, examples along the first axis.
            training: whether dropout drops and normalization uses the batch's own statistics.
            logits: leave out the activation; `backward` then takes the gradient of what came out.

        Raises:
            ValueError: x has the wrong shape, or is empty.
        """
        x = np.asarray(x)
        y = self.run(x, training, logits)
        self.let_go(y)
        return y.copy() if np.may_share_memory(y, x) else y

    def let_go(self, y: np.ndarray) -> None:
        """Keep nothing that shares memory with y, which is about to be given to someone who may change it."""
        if self.activation is not None:
            self.activation.let_go(y)

    def run(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        """`forward` for a caller that changes neither x nor the result, which may be x or be kept for `backward`."""
        x = self._receive(x)
        y = self.compute(x, training) if self.activation is None or logits else self.activated(x, training)
        self._expected_dy = y.shape
        return y

    def backward(
        self, dy: np.ndarray, param_grads: bool = True, input_grad: bool = True, logits: bool = False
    ) -> np.ndarray | None:
        """Carry dLoss/dy back to dLoss/dx, and add dLoss/dw to `grads`.

        Gradients add up: call `zero_grads` before the next batch, or they are summed (twice backward, twice the
        gradient).

        Args:
            dy: the gradient of the loss with respect to the last forward's output, of its shape.
            param_grads: False holds the layer fixed while the gradient flows through it.
            input_grad: False saves the work where nobody needs dx (the first layer), and returns None.
            logits: as in the last forward.

        Raises:
            RuntimeError: there was no forward.
            ValueError: dy has another shape than the output.
        """
        dx = self.run_backward(dy, param_grads, input_grad, logits)
        return dx.copy() if dx is not None and np.may_share_memory(dx, dy) else dx

    def run_backward(
        self, dy: np.ndarray, param_grads: bool = True, input_grad: bool = True, logits: bool = False
    ) -> np.ndarray | None:
        """`backward` for a caller that changes neither dy nor the result, which may be dy."""
        upstream = self.receive_gradient(dy)
        if self.activation is not None and not logits:
            upstream = self.activation.backward(upstream)
        dx = self.differentiate(upstream, param_grads, input_grad)
        return dx if input_grad else None

    def receive_gradient(self, dy: np.ndarray) -> np.ndarray:
        """dy in the dtype that this layer computes in; a RuntimeError or ValueError where it cannot be the output's."""
        self._require_forward()
        dy = np.asarray(dy)
        if dy.shape != self._expected_dy:
            raise ValueError(
                f"{self.full_name}: expected dy of the output's shape {self._expected_dy}, got {dy.shape}. "
                "dy is dLoss/dy for the last forward."
            )
        return dy.astype(self.dtype, copy=False)

    def _require_forward(self) -> None:
        if self._expected_dy is None:
            raise RuntimeError(f"{self.full_name}: backward before forward. Call y = forward(x) first.")

    def _receive(self, x: np.ndarray) -> np.ndarray:
        """x as this layer computes on it, after building if need be; the weights follow its dtype."""
        x = np.asarray(x)
        # As the last one? For one picture, checking takes as long as computing.
        if self.built and x.shape == self._received and x.dtype == self.dtype:
            return x
        if x.dtype not in (np.float32, np.float64):
            x = x.astype(np.float32)
        self.check(x)  # before anything changes
        if x.dtype != self.dtype:
            self.astype(x.dtype)
        if not self.built:
            self.build((None, *x.shape[1:]))
        self._received = x.shape
        return x

    def astype(self, dtype: Any) -> None:
        """Turn weights, gradients and state into float32 or float64.

        Raises:
            ValueError: another dtype.
        """
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"{self.full_name}: expected dtype float32 or float64, got {np.dtype(dtype)}.")
        self.dtype = np.dtype(dtype)
        for arrays in (self.params, self.grads, self.state):
            for name in arrays:
                arrays[name] = arrays[name].astype(self.dtype)

    def zero_grads(self) -> None:
        """Set all gradients to zero, before the next batch."""
        for gradient in self.grads.values():
            gradient[...] = 0

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights in Keras's order: those that are trained, then the state."""
        return [w.copy() for w in (*self.params.values(), *self.state.values())]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Take over weights in the order of `get_weights`; float64 ones are kept as float64.

        Raises:
            ValueError: the number of arrays or one of their shapes is wrong; then no weight is changed.
            RuntimeError: the layer is not built, so that it has no shapes yet.
        """
        if not self.built:
            raise RuntimeError(f"{self.full_name}: set_weights before build. Call layer.build(input_shape) first.")
        arrays = [np.asarray(w) for w in weights]
        own = [(group, name) for group in (self.params, self.state) for name in group]
        if len(arrays) != len(own):
            raise ValueError(
                f"{self.full_name}: expected {len(own)} arrays ({', '.join(n for _, n in own)}), got {len(arrays)}."
            )
        for (group, name), array in zip(own, arrays):
            if array.shape != group[name].shape:
                raise ValueError(
                    f"{self.full_name}: expected {name} of shape {group[name].shape}, got {array.shape}. "
                    "Weights fit only a layer with the same arguments and input channels."
                )
        if arrays:
            self.astype(np.float64 if any(a.dtype == np.float64 for a in arrays) else np.float32)
        for (group, name), array in zip(own, arrays):
            group[name] = np.array(array, self.dtype, order="C")

    def get_counters(self) -> dict[str, int]:
        """Whole numbers beside the weights that a run needs to go on as if it had never stopped; see Dropout."""
        return {}

    def set_counters(self, counters: Mapping[str, int]) -> None:
        """Take over what `get_counters` gave."""

    def count_params(self) -> int:
        """Numbers in all weights, the state included, as Keras counts."""
        return sum(math.prod(w.shape) for w in (*self.params.values(), *self.state.values()))

    @property
    def output_activation(self) -> str | None:
        """The name of the activation that this layer ends in, None for none."""
        return None if self.activation is None else self.activation.name

    @property
    def last_activation(self) -> str | None:
        """The activation that limits the outputs: the last, or one before layers that keep the range."""
        return self.output_activation
