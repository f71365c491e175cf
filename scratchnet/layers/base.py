"""What every layer is: weights, a forward, a backward, and the rules that hold for all of them.

There is one pair of verbs a level, and nothing else computes a forward or a backward, but for the fused steps:

| forward | backward | called by | what it does |
|---|---|---|---|
| `forward` | `backward` | you; a step of training | the level below; gives fresh arrays, which are the caller's |
| `run_forward` | `run_backward` | a layer made of layers | checks, builds; the level below, and the activation |
| `call` | `call_backward` | `run_forward`, `run_backward` | one layer's formula, by a kernel: an author defines it |
| `activation.forward` | `activation.backward` | the same | the activation that a layer ends in: `activation.py` |

In a `Chain`, and so in a model, some neighbours run as one, by `layers/fusion.py`: their `call` runs, but not their
`call_backward`. With `fuse=False` each layer runs by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.arguments import check_array, check_batch_shape, check_count, check_input, check_sizes, shape_text
from scratchnet.devices import Device, as_array, device_of, fresh
from scratchnet.layers.naming import automatic_name, keep_clear_of
from scratchnet.layers.remembering import Remembering
from scratchnet.layers.symbolic import Called
from scratchnet.layers.weights import Weights
from scratchnet.regularizers import Regularizer
from scratchnet.shapes import FLOATS, Shape, sizes
from scratchnet.signatures import OnlyDefault, refuse_unknown

OPTIONS = ("activity_regularizer", "input_dim", "input_shape", "name", "trainable")  # that every layer takes


class Layer(Called, Remembering, Weights):
    """A function with weights that can be run backwards.

        y = layer.forward(x, training=False)     never changes x; keeps what backward needs
        dx = layer.backward(dy)                  adds to layer.grads[name]; returns dLoss/dx

    A layer builds its weights at the first forward, or at `build(input_shape)`. It computes in the dtype of its input,
    float32 or float64, and its weights follow it; any other dtype becomes float32. Used alone, it returns fresh arrays
    that are the caller's to change. Between forward and backward, x must not be changed. Forward and backward are for
    one thread at a time; the `predict` of a model is for many.

    Attributes, beside those of `Weights`: activation, applied after `call`, None for none; input_shape, output_shape,
    with None for the batch, once built.

    Args:
        name: within its model; by default the class's name with a number.
        activity_regularizer: a penalty on the output; see `scratchnet.regularizers`.
        trainable: False holds the weights fixed.
        input_shape: of one example, for the first layer of a model, whose weights are then made at once.
        input_dim: D, the same as input_shape=(D,).

    One's own defines `create_weights`, `call`, `call_backward`, `compute_output_shape`; or see `layers/own.py`.
    """

    rank: int | None = None  # axes of the input, batch included; None where any number will do
    fewest_axes = 2  # of the input, batch included, where any number will do
    keeps_range: bool = False  # whether y holds the numbers of x, or zeros, and no others
    _described_once = True
    output_dtype = "float32"  # of symbolic outputs

    def __init__(
        self,
        *,
        activity_regularizer: str | Regularizer | None = None,
        trainable: bool = True,
        dtype: OnlyDefault = None,
        autocast: OnlyDefault = True,
        name: str | None = None,
        input_shape: Sequence[int] | None = None,
        input_dim: int | None = None,
        **unknown: Any,
    ):
        if unknown:
            refuse_unknown(type(self), next(iter(unknown)), OPTIONS)
        super().__init__()
        if name is None:
            name = automatic_name(type(self))
        else:
            keep_clear_of(name)
        self.name = name
        self._trainable = trainable
        self.activity_regularizer = activity_regularizer
        self.activation: Any = None
        self.input_shape: Shape | None = None
        if input_shape is None and input_dim is not None:
            input_shape = (check_count(input_dim, "input_dim", self.full_name),)
        if input_shape is not None:
            self.input_shape = (None, *check_sizes(input_shape, "input_shape", self.full_name))
        self.output_shape: Shape | None = None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again, its name included; see Configurable."""
        held = {} if self.trainable else {"trainable": False}
        return {**super().get_config(), "name": self.name, **held}

    # What a kind of layer defines.

    def create_weights(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape, by `add_weight`."""

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The formula, up to the activation. x has the right shape and dtype."""
        return x

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        """The backward of `call`: add to the grads if param_grads, return dx if input_grad."""
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
        elif x.ndim < self.fewest_axes or 0 in x.shape:
            raise ValueError(
                f"{self.full_name}: expected a batch, x of shape (N, ...) with N of at least 1, got {x.shape}. "
                "One example alone needs a batch axis: x[None]."
            )

    # What is the same for all.

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for inputs of shape (None, H, W, C), batch axis first as in Keras, or (H, W, C).

        A layer that is built already keeps its weights, so that it can be put into a model with them.

        Raises:
            ValueError: the layer, or its weights, cannot take that shape.
        """
        if self._in_build:  # a reader's `build` calls super().build
            return
        shape = check_batch_shape(input_shape, self.full_name)
        whole = self.rank is None or len(shape) != self.rank - 1 or None in shape
        shape = (None, *(shape[1:] if whole else shape))
        if self.rank is not None and len(shape) != self.rank:
            raise ValueError(f"{self.full_name}: expected an input shape of {self.rank} axes, got {shape_text(shape)}.")
        if len(shape) < self.fewest_axes or len(sizes(shape)) < len(shape) - 1 or min(sizes(shape), default=1) < 1:
            raise ValueError(
                f"{self.full_name}: expected an input shape (None, ...) with sizes of at least 1 after the batch's "
                f"None, got {shape_text(shape)}."
            )
        self.check(np.broadcast_to(np.float32(0), (1, *sizes(shape))))  # one example, without its memory
        self.output_shape = self.compute_output_shape(shape)
        self.input_shape = shape
        if not self.built:
            self.device = self.home()
            self.create_weights(shape)
        self.built = True

    def forward(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        """The layer's output.

        Args:
            x: a batch, examples along the first axis.
            training: whether dropout drops and normalization uses the batch's own statistics.
            logits: leave out the activation; `backward` then takes the gradient of what came out.

        Raises:
            ValueError: x has the wrong shape, or is empty.
            TypeError: x is on another device than the weights.
        """
        x = self.taken(x)
        with np.errstate(under="ignore"):  # too small for float32 is 0, also where np.seterr makes it an error
            y = self.run_forward(x, training, logits)
        return self.given(y, x)

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
        dy = self.brought(as_array(dy))
        with np.errstate(under="ignore"):
            dx = self.run_backward(dy, param_grads, input_grad, logits)
        return None if dx is None else fresh(dx, dy)

    def taken(self, x: Any) -> Any:
        """x as an array, on the device where it is wanted."""
        if device_of(x) is None:  # such as a list
            check_array(x, "x", self.full_name)
        return self.brought(as_array(x))

    def given(self, y: Any, x: Any) -> Any:
        """y for someone who may change it."""
        self.unshare(y)
        return fresh(y, x)

    def run_forward(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        """`forward` for a caller that changes neither x nor the result, which may be x or be kept for `backward`."""
        y = self.call(self.prepare(x), training)
        if self.activation is not None and not logits:
            y = self.activation.forward(y)
        if self._activity is not None:
            self.note_activity(y, logits)
        self.note_output(y)
        return y

    def run_backward(
        self, dy: np.ndarray, param_grads: bool = True, input_grad: bool = True, logits: bool = False
    ) -> np.ndarray | None:
        """`backward` for a caller that changes neither dy nor the result, which may be dy."""
        dy = self.check_gradient(dy)
        if self._activity is not None:
            dy = dy + self.activity_gradient(logits)
        if self.activation is not None and not logits:
            dy = self.activation.backward(dy)
        dx = self.call_backward(dy, param_grads and self.trainable, input_grad)
        return dx if input_grad else None

    def prepare(self, x: np.ndarray) -> np.ndarray:
        """x as this layer computes on it, checked, after building if need be; the weights follow its dtype."""
        last = self._accepted  # as the last one? For one picture, checking takes as long as computing
        if last is not None and last[0] is type(x) and last[1] == x.shape and x.dtype == self.dtype:
            return x
        x = as_array(x)
        check_array(x, "x", self.full_name)
        if x.dtype not in FLOATS:
            x = x.astype(np.float32)
        self.check(x)  # before anything changes
        self.check_device(x)
        if x.dtype != self.dtype:
            self.astype(x.dtype)
        if not self.built:
            self.build((None, *x.shape[1:]))
        self._accepted = type(x), x.shape
        return x

    def bring(self, device: Device) -> None:
        super().bring(device)
        self._accepted = self._output_shape_now = None  # no backward goes back to a forward on another device

    @property
    def output_activation(self) -> str | None:
        """The name of the activation that this layer ends in, None for none."""
        return None if self.activation is None else self.activation.name

    @property
    def last_activation(self) -> str | None:
        """The activation that limits the outputs: the last, or one before layers that keep the range."""
        return self.output_activation
