"""Models in files: safetensors, which hold arrays and text and nothing that could run; what is no array is JSON there.

`write` and `read` keep a tree: dicts and lists of numbers, text and arrays of any device, which come back as NumPy's.
Whatever is saved, be it a model or a training run in the middle, is such a tree, and a hash tells a damaged file from a
whole one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet import config, random
from scratchnet.annotations import checked
from scratchnet.device import device_of, like, to_numpy
from scratchnet.files import whole_file
from scratchnet.signatures import OnlyDefault

HEADER = "scratchnet"  # the entry of the file's metadata that holds everything but the arrays
VERSION = 1  # of what the files hold; a file says which it was written with
KINDS = {"model": "a model", "weights": "weights alone", "run": "a training run"}

PathLike = str | os.PathLike[str]


def write(path: PathLike, kind: str, tree: Mapping[str, Any]) -> None:
    """Write a tree into a file, whole or not at all.

    Args:
        path: the file; one that is there is replaced.
        kind: what the tree is, one of KINDS.
        tree: dicts with text for keys, lists, None, numbers, text, and arrays of any device anywhere among them.

    Raises:
        TypeError: something else in the tree.
        OSError: the folder or the disk does not let us.
    """
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    header = {"version": VERSION, "kind": kind, "tree": _take_out(tree, "", arrays)}
    header["sha256"] = _hash(header, arrays)
    # One entry of the file's metadata: of several, safetensors draws the order, and the same model gave other bytes.
    data = save(arrays, {HEADER: json.dumps(header, separators=(",", ":"))})
    with whole_file(path) as file:
        file.write(data)


def read(path: PathLike, *kinds: str) -> dict[str, Any]:
    """The tree in a file.

    Args:
        path: the file.
        kinds: what it may be.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged, of another program, of a later version, or of another kind; the text says which.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*.safetensors")) if path.parent.is_dir() else []
        hint = f" Beside it: {', '.join(near[:5])}." if near else ""
        raise FileNotFoundError(f"{path}: there is no such file.{hint}")
    _check_kind_of_file(path)
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            names = file.keys()
            arrays = {name: file.get_tensor(name) for name in names}
        header = json.loads(metadata[HEADER]) if HEADER in metadata else None
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path}: the file is damaged or cut off ({error}). Take an earlier copy of it.") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path}: a safetensors file, but not one that scratchnet wrote.")
    if header.get("version") != VERSION:
        raise ValueError(
            f"{path}: written in version {header.get('version')} of the file format; this scratchnet reads version "
            f"{VERSION}. Install the scratchnet that wrote it, or save it again from there."
        )
    claimed = header.pop("sha256", None)
    if claimed != _hash(header, arrays):
        raise ValueError(f"{path}: the file is damaged: its contents do not have its checksum. Take an earlier copy.")
    if header["kind"] not in kinds:
        raise ValueError(
            f"{path}: expected {' or '.join(KINDS[k] for k in kinds)}, got {KINDS.get(header['kind'], header['kind'])}."
        )
    return _put_back(header["tree"], arrays)


def _check_kind_of_file(path: Path) -> None:
    """Name the files of other programs that people might hand over."""
    with open(path, "rb") as file:
        start = file.read(8)
    for signature, name in ((b"\x89HDF", "an HDF5 file (.h5)"), (b"PK\x03\x04", "a zip archive (.keras, .pt or .npz)")):
        if start.startswith(signature):
            raise ValueError(
                f"{path}: expected a file that model.save wrote, got {name}. Weights of other programs go in as "
                "arrays: model.set_weights(list_of_arrays)."
            )


def _hash(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of all that a file holds, names, dtypes and shapes included."""
    digest = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _take_out(tree: Any, where: str, arrays: dict[str, np.ndarray]) -> Any:
    """The tree as JSON can hold it: each array moved to `arrays`, with {"array": its name} in its place.

    A dict that looks like that by itself is put into {"dict": ...}, and so is one that looks like this.
    """
    if device_of(tree) is not None:
        while where in arrays:  # a/b + c and a + b/c
            where += "_"
        arrays[where] = np.ascontiguousarray(to_numpy(tree))
        return {"array": where}
    if isinstance(tree, Mapping) and all(isinstance(k, str) for k in tree):
        taken = {k: _take_out(v, f"{where}/{k}" if where else k, arrays) for k, v in tree.items()}
        return {"dict": taken} if taken.keys() in ({"array"}, {"dict"}) else taken
    if isinstance(tree, (list, tuple)):
        return [_take_out(v, f"{where}/{i}", arrays) for i, v in enumerate(tree)]
    described = config.describe(tree, where)
    return _take_out(described, where, arrays) if isinstance(described, dict) else described


def _put_back(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(tree, dict):
        if tree.keys() == {"array"}:
            return arrays[tree["array"]]
        if tree.keys() == {"dict"}:
            tree = tree["dict"]
        return {k: _put_back(v, arrays) for k, v in tree.items()}
    return [_put_back(v, arrays) for v in tree] if isinstance(tree, list) else tree


def architecture(model: Any) -> dict[str, Any]:
    """What a model is made of, as `config.make` makes it again, with the shape it is built for."""
    shape = None if model.input_shape is None else list(model.input_shape)
    return {"model": config.describe(model, model.full_name), "input_shape": shape}


def weights(model: Any) -> dict[str, np.ndarray]:
    """All arrays of a model by name: what is trained, and the state."""
    return {**model.params, **model.state}


def set_weights(model: Any, arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Put arrays named as `weights` names them into a model, on the device of its own.

    Raises:
        ValueError: names or shapes differ from the model's; the first that does is named, and nothing is changed.
    """
    own = weights(model)
    for name in sorted(own.keys() ^ arrays.keys()):
        missing, there = ("the file", "the model") if name in own else ("the model", "the file")
        raise ValueError(f"{where}: {there} has an array {name!r}, {missing} has not. The layers must be the same.")
    for name, array in arrays.items():
        if array.shape != own[name].shape:
            raise ValueError(
                f"{where}: {name!r} has shape {array.shape} in the file and {own[name].shape} in {model.full_name}."
            )
    if arrays:
        model.astype(next(iter(arrays.values())).dtype)
        for name, array in weights(model).items():
            array[...] = like(arrays[name], array)


def save_model(model: Any, filepath: PathLike) -> None:
    """Write a whole model into a file: what `Sequential.save` and `GAN.save` do, with their errors."""
    if not model.built:
        raise RuntimeError(f"{model.full_name}: save before build. Give the first layer input_shape, or call build.")
    write(filepath, "model", {**architecture(model), "training": model.get_training_state(), **model_state(model)})


def model_state(model: Any) -> dict[str, Any]:
    """A built model's arrays and counters."""
    return {"weights": weights(model), "counters": model.get_counters()}


def set_model_state(model: Any, state: Mapping[str, Any], where: str) -> None:
    """Take over what `model_state` gave."""
    set_weights(model, state["weights"], where)
    model.set_counters(state["counters"])


@checked
def load_model(
    filepath: PathLike,
    custom_objects: Mapping[str, type] | None = None,
    compile: bool = True,
    safe_mode: OnlyDefault = True,
) -> Any:
    """The model that `model.save` wrote: layers, weights, and, where it was compiled, optimizer, loss and metrics.

    Training goes on from it as from the model that was saved. The package's random numbers are not drawn from.

    Args:
        filepath: the file.
        custom_objects: {"MyLayer": MyLayer} for classes that are not the package's own.
        compile: False leaves optimizer, loss and metrics away.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a damaged file, one of another program, of another version, or with classes that are not known.
    """
    tree = read(filepath, "model")
    with random.untouched():
        model = config.make(tree["model"], custom_objects)
        model.build(tree["input_shape"])
    set_model_state(model, tree, str(filepath))
    if compile and tree["training"] is not None:
        model.set_training_state(tree["training"], custom_objects)
    return model


def save_weights(model: Any, filepath: PathLike) -> None:
    """Write a model's arrays alone into a file; a RuntimeError if it is not built yet."""
    if not model.built:
        raise RuntimeError(
            f"{model.full_name}: save_weights before build. Give the first layer input_shape, or call build."
        )
    write(filepath, "weights", {"weights": weights(model)})


def load_weights(model: Any, filepath: PathLike) -> None:
    """Take over the arrays from a file of either kind; errors as for `Sequential.load_weights`."""
    if not model.built:
        raise RuntimeError(
            f"{model.full_name}: load_weights before build. Give the first layer input_shape, or call build."
        )
    set_weights(model, read(filepath, "weights", "model")["weights"], str(filepath))
