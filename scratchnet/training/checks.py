"""Checks of the data that come in for training and prediction: each fault is named before any weight has moved."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.annotations import refuse_streams
from scratchnet.arguments import check_unmasked, is_array, is_number, shape_text, shortened
from scratchnet.devices import array_module, as_array, like
from scratchnet.layers import (
    BatchNormalization,
    CenterCrop,
    Cropping2D,
    Embedding,
    Flatten,
    GroupNormalization,
    Identity,
    InputLayer,
    LayerNormalization,
    Normalization,
    Permute,
    Rescaling,
    Reshape,
    Resizing,
)
from scratchnet.layers.random_pictures import RandomPictures
from scratchnet.layers.sharing import named_leaves
from scratchnet.losses import Loss, LossByOutput, check_weights
from scratchnet.optimizers import Optimizer
from scratchnet.structures import parts

# Layers that take bytes, or whole numbers at all, as well as small numbers, and layers that may stand before them.
_SCALING = (BatchNormalization, Embedding, GroupNormalization, LayerNormalization, Normalization, Rescaling)
_MOVING = (CenterCrop, Cropping2D, Flatten, Identity, InputLayer, Permute, RandomPictures, Reshape, Resizing)


def as_numbers(array: Any, name: str, caller: str) -> np.ndarray:
    """The array, if it holds at least one example of real numbers.

    Raises:
        ValueError: text, objects, complex numbers, rows of different length, or nothing at all.
        TypeError: a generator, a Dataset or the like.
    """
    refuse_streams(array, name, caller)
    check_unmasked(array, name, caller)
    if not is_array(array):
        hint = " Give all rows the same length." if isinstance(array, (list, tuple)) else ""
        raise ValueError(f"{caller}: expected {name} to be an array of numbers, got {shortened(array)}.{hint}")
    array = as_array(array)
    if array.ndim < 1 or len(array) == 0:
        raise ValueError(f"{caller}: expected at least one example, got {name} of shape {array.shape}.")
    return array


def check_finite(array: np.ndarray, name: str, caller: str, dtype: Any = None) -> None:
    """Raise a ValueError that names the first example with NaN or infinity, or with more than `dtype` can hold."""
    if array.dtype.kind != "f":
        return
    largest = np.finfo(array.dtype if dtype is None else dtype).max
    for start in range(0, len(array), 1024):  # a slice at a time: no second copy of the data
        part = array[start : start + 1024]
        finite = array_module(array).isfinite(part)
        if finite.all() and array.dtype.itemsize > np.dtype(largest.dtype).itemsize:
            finite = abs(part) <= largest
            if not finite.all():
                bad = start + int(finite.reshape(len(finite), -1).all(axis=1).argmin())
                raise ValueError(
                    f"{caller} found {float(part[~finite].flat[0]):g} in {name}, first in {name}[{bad}]: more than "
                    f"{largest.dtype} can hold. Scale {name}, or make the model with dtype='float64'."
                )
        if not finite.all():
            bad = start + int(finite.reshape(len(finite), -1).all(axis=1).argmin())
            raise ValueError(
                f"{caller} found NaN or infinity in {name}, first in {name}[{bad}]. One such number spoils all "
                "weights. "
                f"Find them with np.isnan({name}) and np.isinf({name})."
            )


def check_pair(data: Any, caller: str) -> tuple[Any, Any, Any]:
    """(x, y, weights or None) of validation data, (x, y) or (x, y, weights); a ValueError for others."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        came = f"{type(data).__name__} of {len(data)}" if hasattr(data, "__len__") else repr(data)
        raise ValueError(f"{caller}: expected validation_data as a pair (x, y), or (x, y, sample_weight), got {came}.")
    return data[0], data[1], data[2] if len(data) == 3 else None


def example_weights(
    sample_weight: Any, class_weight: Mapping[int, float] | None, y: np.ndarray, caller: str
) -> np.ndarray | None:
    """How much each example counts: its own weight times that of its class; None if all count alike.

    Args:
        sample_weight: (N,), or None.
        class_weight: a weight for each class number, 1 for those that are left out, or None.
        y: labels (N,), (N, 1) or one-hot (N, K).
        caller: how errors begin.

    Raises:
        ValueError: weights of another shape, negative or not finite.
    """
    weight = None
    if sample_weight is not None:
        weight = check_weights(as_numbers(sample_weight, "sample_weight", caller), len(y), caller)
    if class_weight is None:
        return weight
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"{caller}: expected class_weight as a dict such as {{0: 1.0, 1: 5.0}}, got {class_weight!r}.")
    for key in class_weight:
        if not isinstance(key, (int, np.integer)) or isinstance(key, bool):
            raise ValueError(
                f"{caller}: expected the numbers of classes as the keys of class_weight, got {key!r} of type "
                f"{type(key).__name__} in {shortened(class_weight)}. A class's number is its place among the outputs, "
                "counted from 0."
            )
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y), -1)[:, 0]
    each = check_weights(
        [class_weight.get(number, 1.0) for number in classes.astype(np.int64).tolist()],
        len(y),
        f"{caller}: class_weight",
    )
    return each if weight is None else weight * like(each, weight)


def check_verbose(verbose: Any, caller: str) -> int:
    """0 for silence, 1 for a bar and a line an epoch, 2 for the line alone; a ValueError for anything else."""
    if isinstance(verbose, (int, np.integer)) and 0 <= verbose <= 2:
        return int(verbose)
    if verbose == "auto":
        return 1
    raise ValueError(f"{caller}: expected verbose to be 0, 1, 2 or 'auto', got {shortened(verbose)}.")


def check_classes(class_weight: Mapping[int, float] | None, y: np.ndarray, outputs: int | None, caller: str) -> None:
    """Raise a ValueError for a key of class_weight that is the number of no class.

    Args:
        class_weight: as in `fit`, None for none.
        y: labels; one that occurs among them is always a class, whatever the outputs are.
        outputs: of the model; one alone stands for the classes 0 and 1; None where nobody knows yet.
        caller: how errors begin.
    """
    if outputs is None:
        return
    last = max(outputs, 2) - 1
    for key in class_weight or ():
        if not 0 <= key <= last and not (y == key).any():
            raise ValueError(
                f"{caller}: class_weight has a weight for class {key}, and there is none: the classes go from 0 "
                f"to {last}."
            )


def kept_for_training(count: int, validation_split: float) -> int:
    """How many of `count` examples are trained on; a ValueError unless some are left on both sides."""
    if (
        not is_number(validation_split)
        or not 0 < validation_split < 1
        or not 0 < (kept := int(count * (1 - validation_split))) < count
    ):
        raise ValueError(
            f"fit: expected validation_split from 0 to below 1 that leaves examples on both sides of {count}, got "
            f"{validation_split!r}."
        )
    return kept


def fitted(x: np.ndarray, shape: Sequence[int | None] | None) -> np.ndarray:
    """x with an axis of size 1 added or left out at its end, where the model takes that rank, as in Keras.

    Grey pictures (N, H, W) go into a model for (N, H, W, 1).
    """
    if shape is not None and x.ndim == len(shape) - 1 and shape[-1] == 1:
        return x[..., None]
    if shape is not None and x.ndim == len(shape) + 1 and x.shape[-1] == 1:
        return x[..., 0]
    return x


def check_shape(x: np.ndarray, shape: Sequence[int | None] | None, model: Any, name: str, caller: str) -> None:
    """Raise a ValueError for examples of another shape than the model was built for.

    Layers by themselves take pictures of other sizes, where they can, and so does `model.forward`; but a model that
    was trained on pictures of 8 x 8 knows nothing of those of 9 x 9.
    """
    if shape is not None and (x.ndim != len(shape) or any(s not in (None, n) for n, s in zip(x.shape[1:], shape[1:]))):
        if name == "x":
            try:
                model.check(x)  # what it says of channels or a missing axis is more to the point
            except ValueError as error:
                raise ValueError(f"{caller}: {error}") from error
        raise ValueError(
            f"{caller}: expected {name} of shape {shape_text(shape)}, for which the model is built, got {x.shape}. "
            "Cut, pad or resize the pictures; where the layers can take any size, model.forward(x) does."
        )


def compiled_parts(model: Any, method: str) -> tuple[Loss, Optimizer]:
    """Loss and optimizer of a model; a RuntimeError if it is not compiled yet."""
    if model.loss is None:
        raise RuntimeError(
            f"{model.full_name}: {method} before compile. First say how to learn: "
            "model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])."
        )
    return model.loss, model.optimizer


def check_compiled(model: Any, method: str) -> tuple[Loss, Optimizer]:
    """Loss and optimizer, as `compiled_parts`; warns where the model's last activation would be applied twice."""
    loss, optimizer = compiled_parts(model, method)
    losses, ends = loss.losses if isinstance(loss, LossByOutput) else [loss], parts(model.output_activation)
    for one, end in zip(losses, ends if isinstance(ends, list) else [ends]):
        if one is not None and end is not None and end == one.output_activation and one.from_logits:
            warnings.warn(
                f"{model.full_name} ends in {end}, and its loss has from_logits=True, which applies {end} once more. "
                "Leave one of them out.",
                UserWarning,
                stacklevel=4,  # check_compiled, the method, its decorator
            )
    return loss, optimizer


def say_integers(model: Any, x: np.ndarray) -> None:
    """Warn once for each model of whole numbers that go into it as they are, unless its first layers scale them."""
    if np.issubdtype(x.dtype, np.integer) and not model._said_integers:
        first = next((layer for _, layer in named_leaves(model.layers) if not isinstance(layer, _MOVING)), None)
        if isinstance(first, _SCALING):
            return
        model._said_integers = True
        warnings.warn(
            f"{model.full_name}: x holds whole numbers ({x.dtype}, up to {int(x.max())}), taken as they are. "
            "Networks learn faster from small numbers: x / 255, or first sn.Rescaling(1 / 255), for pictures.",
            stacklevel=4,
        )
