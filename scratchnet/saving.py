"""Models in files: what a model is made of, and its weights, as trees that `scratchnet.trees` keeps in files.

What a file says is checked before anything is made of it: each field's kind and range, that the layers need no more
numbers than the file has, and names and shapes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import config, fields, random, trees
from scratchnet.annotations import checked
from scratchnet.devices import like
from scratchnet.layers.weights import limited_weights
from scratchnet.signatures import OnlyDefault

PathLike = str | os.PathLike[str]
ARRAYS = fields.mapping(fields.array)
SHAPE = fields.optional(fields.list_of(fields.optional(fields.count(1))))
COUNTERS = fields.mapping(fields.count(0, 2**64 - 1))
MODEL = fields.record(
    model=fields.anything,  # `config.make` checks it
    input_shape=SHAPE,
    training=fields.anything,  # the model's set_training_state checks it
    weights=ARRAYS,
    counters=COUNTERS,
)


def architecture(model: Any) -> dict[str, Any]:
    """What a model is made of, as `config.make` makes it again, with the shape it is built for."""
    one = model.input_shape is not None and not isinstance(model.input_shape, list)  # several are said by its inputs
    shape = list(model.input_shape) if one else None
    return {"model": config.describe(model, model.full_name), "input_shape": shape}


def weights(model: Any) -> dict[str, np.ndarray]:
    """All arrays of a model by name: what is trained, and the state."""
    return {**model.params, **model.state}


def with_counts(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A file's arrays; those of an adapted Normalization with the `count` that older files lack."""
    found = dict(arrays)
    for name, array in arrays.items():
        stem, _, end = name.rpartition("/")
        if end == "mean" and f"{stem}/variance" in arrays:
            found.setdefault(f"{stem}/count", np.zeros((), array.dtype))
    return found


def set_weights(model: Any, arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Put arrays named as `weights` names them into a model, on the device of its own.

    Raises:
        ValueError: names or shapes differ from the model's; the first that does is named, and nothing is changed.
    """
    check_weights(model, arrays, where)
    if arrays:
        model.astype(next(iter(arrays.values())).dtype)
        for name, array in weights(model).items():
            array[...] = like(arrays[name], array)


def check_weights(model: Any, arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Raise a ValueError unless the arrays have the names and shapes of the model's."""
    own = weights(model)
    for name in sorted(own.keys() ^ arrays.keys()):
        missing, there = ("the file", "the model") if name in own else ("the model", "the file")
        raise ValueError(f"{where}: {there} has an array {name!r}, {missing} has not. The layers must be the same.")
    for name, array in arrays.items():
        if array.shape != own[name].shape:
            raise ValueError(
                f"{where}: {name!r} has shape {array.shape} in the file and {own[name].shape} in {model.full_name}."
            )


def save_model(model: Any, filepath: PathLike) -> None:
    """Write a whole model into a file: what `Sequential.save` and `GAN.save` do, with their errors."""
    if not model.built:
        raise RuntimeError(f"{model.full_name}: save before build. Give the first layer input_shape, or call build.")
    trees.write(
        filepath, "model", {**architecture(model), "training": model.get_training_state(), **model_state(model)}
    )


def model_state(model: Any) -> dict[str, Any]:
    """A built model's arrays and counters."""
    return {"weights": weights(model), "counters": model.get_counters()}


def set_model_state(model: Any, state: Mapping[str, Any], where: str) -> None:
    """Take over what `model_state` gave.

    Raises:
        ValueError: names, shapes or kinds are not those of this model; then it stays as it is.
    """
    check_model_state(model, state, where)
    set_weights(model, state["weights"], fields.join(where, "weights"))
    model.set_counters(state["counters"])


def check_model_state(model: Any, state: Mapping[str, Any], where: str) -> None:
    """Raise a ValueError unless `set_model_state` can take it."""
    weights_at, counters_at = fields.join(where, "weights"), fields.join(where, "counters")
    ARRAYS(state["weights"], weights_at)
    COUNTERS(state["counters"], counters_at)
    fields.check_names(state["counters"], model.get_counters(), counters_at)
    check_weights(model, state["weights"], weights_at)


@checked
def load_model(
    filepath: PathLike,
    custom_objects: Mapping[str, type] | None = None,
    compile: bool = True,
    safe_mode: OnlyDefault = True,
) -> Any:
    """The model that `model.save` wrote: layers, weights, and, where it was compiled, optimizer, loss and metrics.

    Training goes on from it as from the model that was saved. Whichever device it was saved on, it is on the CPU;
    within `with sn.device("gpu")` on that one, where its numbers are the same to rounding. The package's random numbers
    are not drawn from.

    Args:
        filepath: the file.
        custom_objects: {"MyLayer": MyLayer} for classes that are not the package's own.
        compile: False leaves optimizer, loss and metrics away.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a damaged file, one of another program, of another version, with classes that are not known, with
            layers that need other weights than the file has, or with fields that are not as they should be; the file
            and the field are named.
    """
    tree = trees.read(filepath, "model")
    with trees.naming(filepath):
        MODEL(tree, "")
        tree = {**tree, "weights": with_counts(tree["weights"])}
        # Made before they are compared with those in the file, a few large layers would fill the memory.
        with random.untouched(), limited_weights(sum(array.size for array in tree["weights"].values())):
            model = config.make(tree["model"], custom_objects, "model")
            if not hasattr(model, "set_training_state"):
                raise ValueError(f"model: expected a model, got one {type(model).__name__}.")
            _build(model, tree["input_shape"])
        set_model_state(model, tree, "")
        if compile and tree["training"] is not None:
            model.set_training_state(tree["training"], custom_objects)
    return model


@checked
def model_from_json(json_string: str, custom_objects: Mapping[str, type] | None = None) -> Any:
    """The model whose layers `model.to_json()` wrote down, with new weights and not compiled.

    Args:
        json_string: the text.
        custom_objects: {"MyLayer": MyLayer} for classes that are not the package's own.

    Raises:
        ValueError: text that is no JSON, or not that of a model; the field is named.
    """
    where = "model_from_json"
    try:
        tree = json.loads(json_string)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: expected json_string as model.to_json() gives it: {error}") from error
    fields.record(model=fields.anything, input_shape=SHAPE)(tree, where)
    model = config.make(tree["model"], custom_objects, f"{where}: model")
    if not hasattr(model, "set_training_state"):
        raise ValueError(f"{where}: expected a model, got one {type(model).__name__}.")
    _build(model, tree["input_shape"])
    return model


def _build(model: Any, input_shape: list[int | None] | None) -> None:
    if input_shape is None and model.built:
        return
    try:
        model.build((None, *(input_shape or ())[1:]))
    except (ValueError, TypeError, OverflowError, RuntimeError, ArithmeticError) as error:  # by what the layers are for
        raise ValueError(f"input_shape: the model cannot be built for {input_shape}: {error}") from error


def save_weights(model: Any, filepath: PathLike) -> None:
    """Write a model's arrays alone into a file; a RuntimeError if it is not built yet."""
    if not model.built:
        raise RuntimeError(
            f"{model.full_name}: save_weights before build. Give the first layer input_shape, or call build."
        )
    trees.write(filepath, "weights", {"weights": weights(model)})


def load_weights(model: Any, filepath: PathLike) -> None:
    """Take over the arrays from a file of either kind; errors as for `Sequential.load_weights`."""
    if not model.built:
        raise RuntimeError(
            f"{model.full_name}: load_weights before build. Give the first layer input_shape, or call build."
        )
    tree = trees.read(filepath, "weights", "model")
    with trees.naming(filepath):
        ARRAYS(tree.get("weights"), "weights")
        set_weights(model, with_counts(tree["weights"]), "weights")
