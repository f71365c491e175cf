"""Layers, functions and modules of Keras 1 and 2, and what stands for them today."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from scratchnet.old_names.warning import PACKAGE, tell


def today(path: str) -> Any:
    """What stands at "layers.Conv2D". It is looked for when it is needed: the rooms with it import this file."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"{PACKAGE}.{module}"), name)


def _with_kernel_size(name: str, path: str) -> Callable[..., Any]:
    """A layer of Keras 1, whose kernel's size was two numbers: Convolution2D(32, 3, 3)."""

    def make(*args: Any, **kwargs: Any) -> Any:
        if len(args) >= 3 and all(isinstance(size, int) for size in args[:3]):
            filters, rows, columns, *rest = args
            tell(f"{name}(filters, rows, columns)", f"write {path.split('.')[1]}({filters}, ({rows}, {columns}), ...).")
            args, kwargs = (filters, (rows, columns)), dict(zip(("kernel_initializer", "activation"), rest)) | kwargs
        return today(path)(*args, **kwargs)

    make.__name__ = make.__qualname__ = name
    return make


def _merge(inputs: Any, mode: str = "sum", concat_axis: int = -1, **kwargs: Any) -> Any:
    """Keras 1's function for all that brings several inputs together."""
    kind = {"sum": "Add", "mul": "Multiply", "concat": "Concatenate", "ave": "Average", "max": "Maximum"}.get(mode)
    if kind is None:
        raise ValueError(f"merge: mode={mode!r} is not there any more. Compute it in a layer of your own.")
    arguments = {"axis": concat_axis} if mode == "concat" else {}
    tell(f"layers.merge(mode={mode!r})", f"write {kind}()(inputs).")
    return today(f"layers.{kind}")(**arguments, **kwargs)(inputs)


def _data_format(value: str) -> None:
    today("backend.set_image_data_format")("channels_first" if value == "th" else "channels_last")


_OPTIMIZERS = ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")
# In each room: what the old name stands for, and today's name, None where Keras 3 has this one, too.
NAMES: dict[str, dict[str, tuple[str | Callable[..., Any], str | None]]] = {
    "backend": {
        "image_dim_ordering": (lambda: "tf", "image_data_format(), which is 'channels_last'"),
        "set_image_dim_ordering": (_data_format, "set_image_data_format('channels_last')"),
    },
    "layers": {
        "Convolution2D": (_with_kernel_size("Convolution2D", "layers.Conv2D"), None),
        "Deconvolution2D": (_with_kernel_size("Deconvolution2D", "layers.Conv2DTranspose"), "Conv2DTranspose"),
        "merge": (_merge, None),
    },
    "utils": {"plot": ("utils.plot_model", "plot_model")},
    "optimizers": {name.lower(): (f"optimizers.{name}", name) for name in _OPTIMIZERS},
}

# Where the names of an old module are today; the rooms are asked in this order.
MODULES: dict[str, tuple[str, ...]] = {
    **{
        f"layers.{name}": ("layers",)
        for name in (
            *("advanced_activations", "convolutional", "core", "embeddings", "experimental", "local", "merge"),
            *("experimental.preprocessing", "normalization", "pooling", "recurrent", "wrappers"),
        )
    },
    "backend.tensorflow_backend": ("backend",),
    "engine": ("layers", "models"),
    "engine.base_layer": ("layers",),
    "engine.topology": ("layers", "models"),
    "engine.training": ("models",),
    "initializations": ("initializers",),
    "objectives": ("losses",),
    "optimizers.legacy": ("optimizers",),
    **{
        f"utils.{name}": ("utils",)
        for name in ("data_utils", "generic_utils", "io_utils", "np_utils", "training_utils", "vis_utils")
    },
    "utils.visualize_util": ("utils",),
}


def find(room: str, name: str) -> Any:
    """What an old name of a room stands for; a LookupError where it is none."""
    place, better = NAMES[room][name]
    try:
        found = today(place) if isinstance(place, str) else place
    except (AttributeError, ImportError) as error:
        raise LookupError(name) from error
    if better is not None:
        tell(f"{room}.{name}", f"write {better}.")
    return found


def find_in_module(module: str, name: str) -> Any:
    """What a name of an old module is today; an AttributeError where no room has it."""
    rooms = [importlib.import_module(f"{PACKAGE}.{room}") for room in MODULES[module]]
    for room in rooms:
        if hasattr(room, name):
            tell(f"{PACKAGE}.{module}", f"write from {room.__name__} import {name}.")
            return getattr(room, name)
    return getattr(rooms[-1], name)
