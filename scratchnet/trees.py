"""Trees in files: safetensors, which hold arrays and text and nothing that could run; what is no array is JSON there.

`write` and `read` keep a tree: dicts and lists of numbers, text and arrays of any device, which come back as NumPy's.
Whatever is saved, be it a model or a training run in the middle, is such a tree, and a hash tells a damaged file from a
whole one. The hash is no signature: who writes a file by hand can work it out, so what it holds is checked, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet import config
from scratchnet.devices import device_of, to_numpy
from scratchnet.fields import shown
from scratchnet.files import whole_file

HEADER = "scratchnet"  # the entry of the file's metadata that holds everything but the arrays
VERSION = 1  # of what the files hold; a file says which it was written with
KINDS = {"model": "a model", "weights": "weights alone", "run": "a training run"}
DEEPEST = 200  # levels of a tree: sixty chains of layers one within the other. Python's own limit lies behind that.
BITS = 256  # of a whole number; the state of the random numbers has 128

PathLike = str | os.PathLike[str]


def write(path: PathLike, kind: str, tree: Mapping[str, Any]) -> None:
    """Write a tree into a file, whole or not at all.

    Args:
        path: the file; one that is there is replaced.
        kind: what the tree is, one of KINDS.
        tree: dicts with text for keys, lists, None, numbers, text, and arrays of any device anywhere among them.

    Raises:
        TypeError: something else in the tree.
        ValueError: it has more levels than `read` takes.
        OSError: the folder or the disk does not let us.
    """
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    try:
        header = {"version": VERSION, "kind": kind, "tree": _take_out(tree, "", arrays)}
    except RecursionError:
        raise _too_deep(os.fspath(path)) from None
    _check_depth(header, os.fspath(path))
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
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:  # the last: dtypes NumPy lacks
        raise ValueError(f"{path}: the file is damaged or cut off ({error}). Take an earlier copy of it.") from error
    if HEADER not in metadata:
        raise ValueError(f"{path}: a safetensors file, but not one that scratchnet wrote.")
    header = _parse(metadata[HEADER], str(path))
    if header.get("version") != VERSION:
        raise ValueError(
            f"{path}: written in version {shown(header.get('version'))} of the file format; this scratchnet reads "
            f"version {VERSION}. Install the scratchnet that wrote it, or save it again from there."
        )
    claimed = header.pop("sha256", None)
    if claimed != _hash(header, arrays):
        raise ValueError(f"{path}: the file is damaged: its contents do not have its checksum. Take an earlier copy.")
    kind = header.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        got = KINDS.get(kind, shown(kind)) if isinstance(kind, str) else shown(kind)
        raise ValueError(f"{path}: expected {' or '.join(KINDS[k] for k in kinds)}, got {got}.")
    tree = _put_back(header.get("tree"), arrays, str(path))
    if not isinstance(tree, dict):
        raise ValueError(f"{path}: expected fields with names in it, got {shown(tree)}.")
    if arrays:
        raise ValueError(f"{path}: nothing in it refers to its array {min(arrays)!r}.")
    return tree


@contextlib.contextmanager
def naming(path: PathLike) -> Iterator[None]:
    """A ValueError within, about a field of a file, gets the file's name in front."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error


def _parse(text: str, path: str) -> dict[str, Any]:
    """The header from its JSON, in which each name stands once and which is no deeper than Python can go."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            names = [name for name, _ in pairs]
            double = next(name for name in fields if names.count(name) > 1)
            raise ValueError(f"the name {shown(double)} stands in one place twice")
        return fields

    try:
        header = json.loads(text, object_pairs_hook=once)
    except RecursionError:
        raise _too_deep(path) from None  # thousands of lines of the same call say no more
    except ValueError as error:
        raise ValueError(f"{path}: the file is damaged: its text is not as scratchnet writes it: {error}.") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path}: a safetensors file, but not one that scratchnet wrote.")
    _check_depth(header, path)
    return header


def _check_depth(tree: Any, path: str) -> None:
    """Raise a ValueError for a tree of too many levels, or with a whole number that nothing here needs."""
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise _too_deep(path)
        below: list[Any] = []
        for part in level:
            if isinstance(part, (dict, list)):
                below.extend(part.values() if isinstance(part, dict) else part)
            elif isinstance(part, int) and part.bit_length() > BITS:
                raise ValueError(f"{path}: expected whole numbers of at most {BITS} bits, got {shown(part)}.")
        level = below


def _too_deep(path: str) -> ValueError:
    return ValueError(f"{path}: expected at most {DEEPEST} levels of parts within parts, found more.")


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
        arrays[where] = np.asarray(to_numpy(tree), order="C")
        return {"array": where}
    if isinstance(tree, Mapping) and all(isinstance(k, str) for k in tree):
        taken = {k: _take_out(v, f"{where}/{k}" if where else k, arrays) for k, v in tree.items()}
        return {"dict": taken} if taken.keys() in ({"array"}, {"dict"}) else taken
    if isinstance(tree, (list, tuple)):
        return [_take_out(v, f"{where}/{i}", arrays) for i, v in enumerate(tree)]
    described = config.describe(tree, where)
    return _take_out(described, where, arrays) if isinstance(described, dict) else described


def _put_back(tree: Any, arrays: dict[str, np.ndarray], path: str) -> Any:
    """The tree with its arrays, which are taken from `arrays`: each stands in one place."""
    if isinstance(tree, dict):
        if tree.keys() == {"array"}:
            name = tree["array"]
            if not isinstance(name, str) or name not in arrays:
                raise ValueError(f"{path}: it refers to an array {shown(name)} that it has not, or has used already.")
            return arrays.pop(name)
        if tree.keys() == {"dict"}:
            tree = tree["dict"]
            if not isinstance(tree, dict):
                raise ValueError(f"{path}: expected fields with names in 'dict', got {shown(tree)}.")
        return {k: _put_back(v, arrays, path) for k, v in tree.items()}
    return [_put_back(v, arrays, path) for v in tree] if isinstance(tree, list) else tree
