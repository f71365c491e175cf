"""Files as someone might forge them: a valid one with its text, its arrays or its bytes changed, the checksum right.

All is drawn from one generator, so that the same seed gives the same files.
"""

import copy
import json
import random
import struct

import numpy as np
from safetensors.numpy import load, save

from scratchnet import trees

DEEP = "\0deep"  # stands for lists within lists, which json.dumps could not write
TWICE = "\0twice"  # the name of a field that is to get another's name
STRANGE = [
    None, True, False, 0, 1, -1, -5, 2, 7, 3 * 10**7, 10**12, 2**31, 2**63, 2**64, 2**200, -(2**70), 10**400,
    0.0, -0.5, 0.5, 1.5, 1e-320, 1e308, float("nan"), float("inf"), -float("inf"),
    "", "ten", "relu", "same", "\ud800", "x" * 5000, "7" * 5000, [], {}, [None], [1, 2], [[[]]], [1e9, -3], {"a": 1},
    {"array": "nowhere"}, {"array": 3}, {"dict": 3}, {"class": "os.system", "config": {"command": "true"}},
    {"class": 3, "config": {}}, {"class": "layers.Dense", "config": {"units": 3}}, DEEP,
    {"class": "layers.Dense", "config": {"units": 3 * 10**7}}, {"class": "layers.Dense", "config": 3},
    {"class": "optimizers.Adam", "config": {}}, {"class": "losses.MeanSquaredError", "config": {"nonsense": 1}},
    {"class": "initializers.Constant", "config": {"value": "x"}}, {"class": "schedules.ConstantRate", "config": {}},
]  # fmt: skip


def opened(data):
    """(header, arrays) of a file's bytes."""
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"][trees.HEADER]), load(data)


def closed(header, arrays):
    """A file's bytes, its checksum as `read` works it out, wherever it comes so far."""
    header = {k: v for k, v in header.items() if k != "sha256"}
    text = json.dumps(header).replace(json.dumps(DEEP), "[" * 3000 + "]" * 3000)
    for name in header["tree"] if isinstance(header.get("tree"), dict) else ():
        text = text.replace(json.dumps(TWICE), json.dumps(name))
    try:
        claimed = trees._hash(json.loads(text), arrays)
    except (ValueError, RecursionError):
        claimed = "none"
    return save(arrays, {trees.HEADER: f'{text[:-1]}, "sha256": "{claimed}"}}'})


def _places(tree, found):
    """All (container, key) of a tree."""
    for key in tree if isinstance(tree, dict) else range(len(tree)):
        found.append((tree, key))
        if isinstance(tree[key], (dict, list)):
            _places(tree[key], found)
    return found


def _change_text(header, draw):
    places = _places(header, [])
    holder, key = draw.choice(places)
    kind = draw.choice(["strange"] * 6 + ["other", "drop", "add", "twice", "repeat", "negative", "larger", "text"])
    value = holder[key]
    if kind == "strange":
        holder[key] = copy.deepcopy(draw.choice(STRANGE))
    elif kind == "other":
        other, name = draw.choice(places)
        holder[key] = copy.deepcopy(other[name])
    elif kind == "drop":
        del holder[key]
    elif kind == "add" and isinstance(holder, dict):
        holder["nonsense"] = copy.deepcopy(draw.choice(STRANGE))
    elif kind == "twice" and isinstance(holder, dict):
        holder[TWICE] = 3
    elif kind == "repeat" and isinstance(value, list):
        holder[key] = value * draw.choice([2, 3000])
    elif kind in ("negative", "larger") and isinstance(value, (int, float)):
        holder[key] = -value if kind == "negative" else value * draw.choice([2, 10, 10**6])
    else:
        holder[key] = str(value)


def _change_arrays(arrays, draw):
    name = draw.choice(sorted(arrays))
    array = arrays[name]
    kind = draw.choice(["dtype", "flat", "cut", "drop", "add", "empty", "swap", "axis"])
    if kind == "dtype":
        arrays[name] = array.astype(draw.choice([np.float16, np.float64, np.int64, np.uint8, np.bool_]))
    elif kind == "flat":
        arrays[name] = array.reshape(-1)
    elif kind == "cut":
        arrays[name] = np.ascontiguousarray(array[..., :-1]) if array.ndim else array.reshape(1)
    elif kind == "drop":
        del arrays[name]
    elif kind == "add":
        arrays[f"{name}_more"] = array
    elif kind == "empty":
        arrays[name] = np.zeros((0, 10**9), np.float32)
    elif kind == "axis":
        arrays[name] = array[None]
    else:
        other = draw.choice(sorted(arrays))
        arrays[name], arrays[other] = arrays[other], array


def _change_bytes(data, draw):
    data, place = bytearray(data), draw.randrange(len(data))
    kind = draw.choice(["flip", "cut", "insert", "head", "length"])
    if kind == "flip":
        data[place] ^= 1 << draw.randrange(8)
    elif kind == "cut":
        del data[place : place + draw.choice([1, 8, 10**9])]
    elif kind == "insert":
        data[place:place] = draw.randbytes(draw.choice([1, 8, 100]))
    elif kind == "head":
        place = draw.randrange(min(len(data), 200))
        data[place] = draw.randrange(256)
    else:
        data[:8] = struct.pack("<Q", draw.choice([0, 1, 2**32, 2**63, len(data), 10**8]))
    return bytes(data)


def forged(data, count, seed):
    """`count` forged files, each one made from the valid file's bytes by one to three changes."""
    draw, (header, arrays) = random.Random(seed), opened(data)
    for _ in range(count):
        kind = draw.choice(["text"] * 7 + ["arrays"] * 2 + ["bytes"])
        if kind == "bytes":
            yield _change_bytes(data, draw)
            continue
        new_header, new_arrays = copy.deepcopy(header), dict(arrays)
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            if kind == "text" or not new_arrays:
                _change_text(new_header, draw)
            else:
                _change_arrays(new_arrays, draw)
        yield closed(new_header, new_arrays)
