"""Arguments of Keras 1 and 2, and what they are called today."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from scratchnet.arguments import shortened
from scratchnet.old_names.names import today
from scratchnet.old_names.warning import PACKAGE, tell

Arguments = dict[str, Any]
Rule = str | Callable[[Any, Arguments], Arguments] | None

# Rules for arguments: the name of today, None for what has no effect any more, or a function of the value and of all
# other arguments by name, which takes away what belongs to it and returns those of today.


def _decay(value: float, others: Arguments) -> Arguments:
    """Keras 2's rate after n updates was lr / (1 + decay * n)."""
    rate = others["learning_rate"]
    return {"learning_rate": today("schedules.InverseTimeDecay")(rate, 1, value) if value else rate}


def _epsilon(value: float | None, others: Arguments) -> Arguments:
    return {} if value is None else {"epsilon": value}


def _kernel_size(value: int, others: Arguments) -> Arguments:
    return {"kernel_size": (value, others.pop("nb_col", value))}


def _dim_ordering(value: str, others: Arguments) -> Arguments:
    return {"data_format": "channels_first"} if value == "th" else {"data_format": "channels_last"}


def _mode(value: int, others: Arguments) -> Arguments:
    if value:
        raise ValueError(
            f"BatchNormalization: mode={value} is not there any more, in Keras neither. mode=0 is what it does; mode=1 "
            "was LayerNormalization, mode=2 went by the batch's own mean in measuring, too."
        )
    return {}


_DIM: dict[str, Rule] = {"dim_ordering": _dim_ordering}
_WEIGHTS: dict[str, Rule] = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}
_WINDOW: dict[str, Rule] = {"border_mode": "padding", **_DIM}
_CONV: dict[str, Rule] = {**_WEIGHTS, **_WINDOW, "nb_filter": "filters", "nb_row": _kernel_size, "subsample": "strides"}
_QUEUE: dict[str, Rule] = dict.fromkeys(
    ["max_q_size", "max_queue_size", "nb_worker", "pickle_safe", "use_multiprocessing", "workers"]
)
_ONE_RATE: dict[str, Rule] = {"p": "rate"}

ARGUMENTS: dict[str, dict[str, Rule]] = {
    "AlphaDropout": _ONE_RATE,
    "AveragePooling2D": _WINDOW,
    "BatchNormalization": {"mode": _mode, "beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "Conv2D": _CONV,
    "Conv2DTranspose": {**_CONV, "output_shape": None},
    "Cropping2D": _DIM,
    "Dense": {**_WEIGHTS, "output_dim": "units"},
    "Dropout": _ONE_RATE,
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
    },
    "Flatten": _DIM,
    "Functional": {"input": "inputs", "output": "outputs"},
    "GaussianDropout": _ONE_RATE,
    "GaussianNoise": {"sigma": "stddev"},
    "GlobalAveragePooling2D": _DIM,
    "GlobalMaxPooling2D": _DIM,
    "ImageDataGenerator": _DIM,
    "Layer": {"batch_input_shape": lambda value, _: {"input_shape": tuple(value)[1:]}, "input_dtype": None},
    "MaxPooling2D": _WINDOW,
    "Nadam": {"schedule_decay": None},
    "Optimizer": {"lr": "learning_rate", "decay": _decay, "epsilon": _epsilon},
    "PReLU": {"init": "alpha_initializer"},
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
    "SeparableConv2D": {
        **_WINDOW,
        "nb_filter": "filters",
        "nb_row": _kernel_size,
        "subsample": "strides",
        "bias": "use_bias",
    },
    "SpatialDropout2D": _ONE_RATE,
    "UpSampling2D": _DIM,
    "ZeroPadding2D": _DIM,
    "array_to_img": _DIM,
    "compile": {"class_mode": None, "sample_weight_mode": None, "target_tensors": None},
    "evaluate": {"show_accuracy": None, **_QUEUE},
    "fit": {"nb_epoch": "epochs", "show_accuracy": None, **_QUEUE},
    "img_to_array": _DIM,
    "load_img": {"grayscale": lambda value, _: {"color_mode": "grayscale" if value else "rgb"}},
    "predict": _QUEUE,
    "to_categorical": {"nb_classes": "num_classes"},
}


@functools.cache
def _rules(names: tuple[str, ...]) -> dict[str, Rule]:
    """The rules for a function, or for all classes of an object that is made, the first before the others."""
    merged: dict[str, Rule] = {}
    for name in reversed(names):
        merged |= ARGUMENTS.get(name, {})
    return merged


def _described(value: Any) -> str:
    """A value as a program would write it: of an object its class, and its arguments up to the last default."""
    if not hasattr(value, "get_config"):
        return shortened(value)
    parameters, config = inspect.signature(type(value)).parameters, list(value.get_config().items())
    while config and parameters[config[-1][0]].default == config[-1][1]:
        config.pop()
    return f"{type(value).__name__}({', '.join(shortened(one) for _, one in config)})"


def renamed(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments
) -> tuple[tuple[Any, ...], Arguments]:
    """A call's arguments with today's names; of the package's own functions only, and the same ones where none is old.

    Args:
        function: that is called; `__init__` for a constructor.
        args, kwargs: what it is called with, self included.
    """
    if not kwargs or function.__module__.partition(".")[0] != PACKAGE:
        return args, kwargs
    is_init = function.__name__ == "__init__"
    classes = type(args[0]).__mro__ if is_init else ()
    names = tuple(one.__name__ for one in classes if one.__module__.partition(".")[0] == PACKAGE)
    rules = _rules(names if is_init else (function.__name__,))
    if rules.keys().isdisjoint(kwargs):
        return args, kwargs
    parameters = inspect.signature(function).parameters
    caller = type(args[0]).__name__ if is_init else function.__name__
    explicit = {**dict(zip(parameters, args)), **kwargs}
    given = {name: p.default for name, p in parameters.items() if p.default is not p.empty} | explicit
    for old, rule in rules.items():
        if old not in explicit or (old in parameters and not callable(rule)):
            continue
        if isinstance(rule, str) and rule in explicit:
            raise TypeError(f"{caller}: {old} is an earlier name of {rule}, got both.")
        value = given.pop(old)
        new = {rule: value} if isinstance(rule, str) else {} if rule is None else rule(value, given)
        given |= new
        if new != {old: value}:
            shown = ", ".join(f"{name}={_described(one)}" for name, one in new.items())
            tell(f"{caller}({old}=...)", f"write {shown}." if new else "leave it out, it has no effect.")
    return (given.pop("self"),) if "self" in given else (), given
