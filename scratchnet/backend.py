"""What scripts for Keras call as `K`: settings, the session, looks at arrays: `from scratchnet import backend as K`.

Keras's backend has array functions, too, K.mean, K.square and so on. They are there by name, and raise: without an
autograd nothing could go back through them. The error says what to write in their place.

Source: https://keras.io/api/utils/backend_utils/ and config_utils/
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import shortened
from scratchnet.constraints import EPSILON
from scratchnet.devices import as_array, device_of, like, to_numpy
from scratchnet.layers.naming import automatic_number, forget_names
from scratchnet.layers.symbolic import KerasTensor

# Settings.


def backend() -> str:
    """ "numpy": the name that Keras has for the nearest of its own."""
    return "numpy"


def image_data_format() -> str:
    """ "channels_last": pictures are (N, H, W, C), always."""
    return "channels_last"


@checked
def set_image_data_format(data_format: str) -> None:
    """Nothing, for "channels_last".

    Raises:
        ValueError: another format.
    """
    if data_format != "channels_last":
        raise ValueError(
            f"set_image_data_format: {shortened(data_format)} is not there, only 'channels_last', (N, H, W, C). "
            "Pictures of shape (N, C, H, W) are transposed, x.transpose(0, 2, 3, 1), and layers get input_shape=(H, W, "
            "C)."
        )


def epsilon() -> float:
    """1e-7: what keeps quotients from being divided by 0, in losses and constraints."""
    return EPSILON


def set_epsilon(value: float) -> NoReturn:
    """Raise a ValueError, for it is the same for all."""
    raise ValueError(
        f"set_epsilon({shortened(value)}): it stays {EPSILON}. Layers and optimizers that divide have an argument for "
        "it: BatchNormalization(epsilon=1e-5), Adam(epsilon=1e-8)."
    )


def floatx() -> str:
    """ "float32": in what models compute, where they are not told otherwise."""
    return "float32"


@checked
def set_floatx(value: str) -> None:
    """Nothing, for "float32".

    Raises:
        ValueError: another dtype.
    """
    if value != "float32":
        raise ValueError(
            f"set_floatx: {shortened(value)} is not there for all models at once, only 'float32'. One model computes "
            "in float64 by Sequential(layers, dtype='float64'), and so does a layer that is handed a float64 array."
        )


def cast_to_floatx(x: Any) -> np.ndarray:
    """x as a float32 array, on its device."""
    return as_array(x, np.float32)


# The session.


@checked
def clear_session(free_memory: bool = True) -> None:
    """Layers are numbered from the beginning again: dense, dense_1, ... Models that there are stay as they are.

    Nothing else outlives a model: its memory is free as soon as nobody holds it.

    Args:
        free_memory: whether to look for objects that hold each other, and nobody else holds.
    """
    forget_names()
    if free_memory:
        gc.collect()


@checked
def get_uid(prefix: str = "") -> int:
    """1, 2, 3, ... for one prefix, and from the beginning for another; `clear_session` forgets them."""
    return automatic_number(f"uid {prefix}") + 1


# Looks at arrays and symbolic tensors.


def is_keras_tensor(x: Any) -> bool:
    """Whether x is a symbolic tensor, as `Input` and layers that are called on one give it."""
    return isinstance(x, KerasTensor)


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape of an array or a symbolic tensor, with None for what is not known."""
    return tuple(x.shape) if isinstance(x, KerasTensor) or device_of(x) is not None else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes of an array or a symbolic tensor."""
    return len(int_shape(x))


def count_params(x: Any) -> int:
    """The number of numbers in an array; of one example, in a symbolic tensor."""
    return math.prod(1 if size is None else size for size in int_shape(x))


def get_value(x: Any) -> Any:
    """A copy of an array on the CPU; a number as it is, `get_value(model.optimizer.learning_rate)`."""
    return x if np.isscalar(x) else np.array(to_numpy(x))


def set_value(x: Any, value: Any) -> None:
    """Put numbers into an array, such as `layer.params["kernel"]`.

    Raises:
        TypeError: x is no array: a learning rate is a plain number.
        ValueError: the shapes differ.
    """
    if device_of(x) is None:
        raise TypeError(
            f"set_value: expected an array, got {shortened(x)}: numbers cannot be changed in place. A learning rate is "
            "set by model.optimizer.learning_rate = value."
        )
    numbers = like(value, x)
    if numbers.shape != x.shape:
        raise ValueError(f"set_value: expected numbers of shape {x.shape}, got shape {numbers.shape}.")
    x[...] = numbers.astype(x.dtype, copy=False)


# What is not there, and what to do instead.

_PHASE = (
    "training or not is said call by call: model.forward(x, training=True), layer(x, training=False); fit trains, "
    "evaluate and predict do not."
)
_MADE = "arrays are NumPy's: np.zeros(shape, np.float32); a layer's weights are made by layer.add_weight(shape)."
_SESSION = "there is no session: Python runs at once. What fit would set up is set by sn.device(...)."
_INSTEAD = {
    "function": (
        "the output of an inner layer is Model(model.input, layer.output).predict(x), or through the layers by hand, "
        "layer.forward(x)."
    ),
    "get_session": _SESSION,
    "gradients": (
        "there is no autograd. After y = model.forward(x), dx = model.backward(dy) is the gradient for the input, and "
        "model.grads has those of the weights."
    ),
    "in_train_phase": _PHASE,
    "learning_phase": _PHASE,
    "manual_variable_initialization": "weights are made when a layer is built, and set by model.set_weights.",
    "ones": _MADE,
    "placeholder": "Input(shape) makes a symbolic tensor.",
    "rnn": "there are no recurrent layers.",
    "set_learning_phase": _PHASE,
    "set_session": _SESSION,
    "stop_gradient": "layer.backward(dy, param_grads=False) holds a layer fixed; what nobody goes back through stops.",
    "variable": _MADE,
    "zeros": _MADE,
}
_NUMPY = {
    "batch_dot": "matmul",
    "batch_flatten": "reshape",
    "cast": "asarray",
    "concatenate": "concatenate",
    "constant": "full",
    "permute_dimensions": "transpose",
    "pow": "power",
    "repeat_elements": "repeat",
    "reverse": "flip",
}
_NAMES = (
    "abs all any arange argmax argmin batch_dot batch_flatten batch_normalization bias_add binary_crossentropy cast "
    "categorical_crossentropy clip concatenate constant conv1d conv2d conv2d_transpose conv3d cos cumprod cumsum "
    "depthwise_conv2d dot dropout elu equal exp expand_dims eye flatten gather greater greater_equal hard_sigmoid "
    "in_top_k l2_normalize less less_equal log logsumexp map_fn max maximum mean min minimum moving_average_update "
    "not_equal one_hot ones_like permute_dimensions pool2d pool3d pow prod random_bernoulli random_normal "
    "random_uniform relu repeat repeat_elements reshape resize_images reverse round separable_conv2d sigmoid sign sin "
    "softmax softplus softsign sparse_categorical_crossentropy spatial_2d_padding sqrt square squeeze stack std sum "
    "switch tanh tile transpose truncated_normal update update_add update_sub var zeros_like"
)
_ARRAY_FUNCTIONS = set(_NAMES.split())


def _instead(name: str) -> str:
    if name in _INSTEAD:
        return _INSTEAD[name]
    ours = _NUMPY.get(name, name)
    same = f"np.{ours} computes it on arrays" if hasattr(np, ours) else "Layers and losses have it with its gradient"
    return (
        f"there is no autograd that could go back through it. {same}. In a network, take a layer (scratchnet.layers), "
        "or write one with `call` and `call_backward`; in a loss, define `compute`, which gives the value and the "
        "gradient (scratchnet.losses.Loss)."
    )


def __getattr__(name: str) -> Callable[..., NoReturn]:
    """A function of Keras's backend that is not there: it raises as soon as it is called."""
    if name not in _ARRAY_FUNCTIONS and name not in _INSTEAD:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def not_there(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{__name__}.{name}: {_instead(name)}")

    not_there.__name__ = name
    not_there.__doc__ = f"Not there: {_instead(name)}"
    return not_there
