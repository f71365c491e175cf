"""The settings that Keras calls its backend: `from scratchnet import backend as K`. Most have one value here.

Keras's functions on tensors, K.mean and so on, are not among them: layers take NumPy arrays, and have their backward by
hand.
"""

import gc

from scratchnet.annotations import checked
from scratchnet.arguments import check_dtype, shortened
from scratchnet.layers import naming

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]


def backend() -> str:
    """Which program computes: "scratchnet"."""
    return "scratchnet"


@checked
def clear_session(free_memory: bool = True) -> None:
    """Let the names of layers count from the start again: the next Dense is "dense".

    There is nothing else to clear: what no variable names is gone.

    Args:
        free_memory: whether Python looks for such objects now, those that name each other included.
    """
    naming.forget()
    if free_memory:
        gc.collect()


def epsilon() -> float:
    """The small number that keeps divisors and logarithms away from 0, 1e-7, where none is given."""
    return 1e-7


def floatx() -> str:
    """The dtype of what is made without one: "float32"."""
    return "float32"


def image_data_format() -> str:
    """Where pictures have their channels: "channels_last", (N, H, W, C)."""
    return "channels_last"


@checked
def set_epsilon(value: float) -> None:
    """Take 1e-7, which it is.

    Raises:
        ValueError: another number; optimizers and layers take their own, epsilon=1e-5.
    """
    if value != epsilon():
        raise ValueError(
            f"set_epsilon: expected value={epsilon()}, got {shortened(value)}. It is not changed for all at once: give "
            "the optimizer or layer its own, sn.Adam(epsilon=1e-5)."
        )


@checked
def set_floatx(value: str) -> None:
    """Take "float32", which it is.

    Raises:
        ValueError: another dtype; a model takes its own, dtype="float64".
    """
    if check_dtype(value, "value", "set_floatx") != floatx():
        raise ValueError(
            f"set_floatx: expected value='float32', got {shortened(value)}. It is not changed for all at once: give "
            "the model its own, sn.Sequential(layers, dtype='float64')."
        )


@checked
def set_image_data_format(data_format: str) -> None:
    """Take "channels_last", which it is.

    Raises:
        ValueError: "channels_first", or what is neither.
    """
    if data_format != image_data_format():
        raise ValueError(
            f"set_image_data_format: expected data_format='channels_last', got {shortened(data_format)}. Channels come "
            "last: x.transpose(0, 2, 3, 1)."
        )
