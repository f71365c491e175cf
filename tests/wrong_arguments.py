"""Every kernel of the CPU with every argument wrong in turn, in arrays that end where memory ends.

Run as a program, in a process of its own: reading or writing outside of an array ends the process. Each array ends at
a page that may not be touched, and begins behind bytes that are looked at after each call. A call must give what the
right one gives, or another result for another shape, or a ValueError or TypeError; and after an error no array may have
changed. What does neither is printed.
"""

import ctypes
import mmap
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

from scratchnet.kernels import cpu

PAGE, MARK = mmap.PAGESIZE, 0xA5
NONE, ONES = ((0, 0), (0, 0)), ((1, 1), (1, 1))
RNG = np.random.default_rng(0)
kept = []  # the memory of arrays, for as long as they are in use


def guarded(array, unaligned=False):
    """A copy in memory of its own, which ends where the memory does; one byte earlier, where it is to be unaligned."""
    array = np.asarray(array)
    pages = -(-max(array.nbytes, 1) // PAGE) + 2
    memory = mmap.mmap(-1, pages * PAGE)
    whole = np.frombuffer(memory, np.uint8)
    whole[:-PAGE] = MARK
    start = (pages - 1) * PAGE - array.nbytes - unaligned
    copy = np.frombuffer(memory, array.dtype, array.size, start).reshape(array.shape)
    copy[...] = array
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(whole.ctypes.data + (pages - 1) * PAGE), ctypes.c_size_t(PAGE), 0):
        raise OSError(ctypes.get_errno(), "mprotect")
    kept.append((memory, whole, start))
    return copy


def floats(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def calls():
    """(name, arguments) of a right call of each kernel; weights are lists of tuples."""
    x, w, dw, b, db = floats(3, 5, 6, 5), floats(3, 3, 5, 9), floats(3, 3, 5, 9), floats(9), floats(9)
    y = floats(3, 5, 6, 9)
    rows, many = floats(4, 7), floats(5)
    pooled, argmax = cpu.max_pool2d(y, (2, 2), (2, 2), NONE)
    index = np.array([2, 0, 1])
    matrix = np.tile([1.0, 0, 0.5, 0, 1, 0], (3, 1))
    for name in ("elu", "gelu", "hard_sigmoid", "hard_silu", "mish", "softplus"):
        yield name, (rows,)
        yield f"{name}_backward", (floats(4, 7), rows)
    yield "prelu", (rows, floats(7))
    yield "prelu_backward", (floats(4, 7), rows, floats(7))
    for name in ("relu", "sigmoid", "tanh", "silu", "softmax"):
        yield name, (x,)
        yield name + "_backward", (floats(*x.shape), x)
    yield "add", (x, floats(*x.shape), True)
    yield "add", (floats(8, 9, 10, 16), floats(8, 9, 10, 16))
    yield "dropout", (x, 0.5, 7, 3)
    yield "square_sum", (x,)
    yield "bias_grad", (x,)
    yield "softmax_cross_entropy", (rows, np.array([0, 6, 3, 1]))
    yield "softmax_cross_entropy_onehot", (rows, floats(4, 7))
    yield "sigmoid_binary_cross_entropy", (rows, floats(4, 7))
    yield "conv2d", (x, w, b, (1, 1), ONES)
    yield "conv2d", (floats(8, 8, 8, 64), floats(3, 3, 64, 64), None, (1, 1), ONES)
    yield "conv2d_input_grad", (y, w, (5, 6), (1, 1), ONES)
    yield "conv2d_transpose", (y, w, floats(5), (1, 1), ONES, (5, 6))
    yield "conv2d_weight_grad", (x, y, (3, 3), (1, 1), ONES, dw, db)
    yield "conv2d_weight_grad", (floats(8, 8, 8, 64), floats(8, 8, 8, 64), (3, 3), (1, 1), ONES, floats(3, 3, 64, 64))
    pooling = ((2, 2), (2, 2), NONE)
    yield "conv2d_max_pool2d_backward", (pooled, x, w, argmax, (1, 1), ONES, pooling, dw, db, True)
    yield "depthwise_conv2d", (x, floats(3, 3, 5, 2), floats(10), (1, 1), ONES)
    yield "depthwise_conv2d_input_grad", (floats(3, 5, 6, 10), floats(3, 3, 5, 2), (5, 6), (1, 1), ONES)
    yield "depthwise_conv2d_weight_grad", (x, floats(3, 5, 6, 10), (3, 3), (1, 1), ONES)
    six, twelve = floats(3, 5, 6, 6), floats(3, 5, 6, 12)
    yield "grouped_conv2d", (six, floats(3, 3, 2, 12), floats(12), (1, 1), ONES)
    yield "grouped_conv2d_input_grad", (twelve, floats(3, 3, 2, 12), 3, (5, 6), (1, 1), ONES)
    yield "grouped_conv2d_weight_grad", (six, twelve, (3, 3), (1, 1), ONES, floats(3, 3, 2, 12), floats(12))
    yield "dense", (rows, floats(7, 5), many)
    yield "dense_input_grad", (floats(4, 5), floats(7, 5))
    yield "dense_weight_grad", (rows, floats(4, 5), floats(7, 5), many)
    yield "batch_norm", (x, floats(5), many, 1e-3)
    yield "batch_norm_inference", (x, floats(5), many, floats(5), abs(floats(5)), 1e-3)
    yield "group_norm", (floats(3, 5, 6), floats(6), floats(6), 2, 1e-3)
    yield (
        "group_norm_backward",
        (floats(3, 5, 6), floats(3, 5, 6), floats(6), floats(3, 2), abs(floats(3, 2)), 2, 1e-3),
    )
    yield "local_response_norm", (floats(3, 5, 6), 2, 1.0, 0.1, 0.75)
    yield "local_response_norm_backward", (floats(3, 5, 6), floats(3, 5, 6), 2, 1.0, 0.1, 0.75)
    for name in ("batch_norm_backward", "batch_norm_inference_backward"):
        yield name, (floats(*x.shape), x, floats(5), floats(5), abs(floats(5)), 1e-3, many)
    yield "max_pool2d", (y, (2, 2), (2, 2), NONE)
    yield "max_pool2d_backward", (pooled, argmax, (5, 6), (2, 2), (2, 2), NONE)
    yield "average_pool2d", (y, (2, 2), (2, 2), NONE)
    yield "average_pool2d_backward", (pooled, (5, 6), (2, 2), (2, 2), NONE)
    yield "global_average_pool2d", (x,)
    yield "global_average_pool2d_backward", (rows, (3, 2))
    yield "upsample2d", (x, (2, 3))
    yield "upsample2d_backward", (floats(2, 4, 6, 3), (2, 3))
    yield "resize2d", (x, (4, 9))
    yield "resize2d_backward", (x, (4, 9))
    yield "translate", (x, np.array([[1, -2], [0, 9], [-9, 0]]))
    yield "gather", (x, index, np.float32)
    yield "gather_backward", (floats(3, 5), index, floats(3, 5))
    yield "augment", (x, index, matrix)
    yield "uniform", (5, 6, index, 3)
    yield "normal", ((3, 5), np.float32, 7, 3)
    yield "sgd", ([(floats(9), floats(9), floats(9))], 0.1, 0.9, True)
    yield "rmsprop", ([tuple(abs(floats(9)) for _ in range(5))], 0.1, 0.9, 0.5, 1e-7, False)
    yield "adam", ([tuple(abs(floats(9)) for _ in range(4))], 0.1, 0.9, 0.99, 1e-7, 1)
    yield "adam", ([tuple(abs(floats(9)) for _ in range(5))], 0.1, 0.9, 0.99, 1e-7, 1, 0.0, True)
    yield "adagrad", ([tuple(abs(floats(9)) for _ in range(3))], 0.1, 1e-7)
    yield "adadelta", ([tuple(abs(floats(9)) for _ in range(4))], 0.1, 0.9, 1e-7)
    yield "adamax", ([tuple(abs(floats(9)) for _ in range(4))], 0.1, 0.9, 0.99, 1e-7)
    yield "nadam", ([tuple(abs(floats(9)) for _ in range(4))], (0.1, 0.2, 0.3), 0.9, 0.99, 1e-7)
    yield "lion", ([(floats(9), floats(9), floats(9))], 0.1, 0.9, 0.99)
    yield "moving_average", ([(floats(9), floats(9))], 0.9)


def same_numbers(a, folder):
    """(what, array) with the same numbers, which lie otherwise."""
    spread = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    spread[..., ::2] = a
    frozen = guarded(a)
    frozen.flags.writeable = False
    path = Path(folder, str(len(list(Path(folder).iterdir()))))
    path.write_bytes(a.tobytes())
    yield "not contiguous", spread[..., ::2]
    yield "backwards", guarded(a[::-1].copy())[::-1]
    yield "by columns", a.copy(order="F")
    yield "unaligned", guarded(a, unaligned=True)
    yield "read-only", frozen
    yield "a read-only memory map", np.memmap(path, a.dtype, "r", shape=a.shape)


def others(a):
    """(what, value) that is no such array."""
    for axis in range(a.ndim):
        for size in (a.shape[axis] + 1, a.shape[axis] - 1, 1, 0):
            shape = (*a.shape[:axis], size, *a.shape[axis + 1 :])
            yield f"shape {shape}", guarded(np.zeros(shape, a.dtype))
    yield "an axis less", guarded(a[0])
    yield "an axis more", guarded(a[None])
    yield "one number over and over", np.broadcast_to(a.reshape(-1)[0], a.shape)
    for dtype in ("f2", ">f4", ">i4", "c8", "?", "O", "U3", "i1"):
        yield f"dtype {dtype}", a.astype(dtype)
    for value in (None, [[1.0]], 3, "text", np.ma.masked_array(a), object()):
        yield type(value).__name__, value
    if a.dtype.kind in "iu":
        for value in (np.iinfo(a.dtype).max, np.iinfo(a.dtype).min, a.max() + 10**6, -2):
            yield f"with {value}", guarded(np.where(np.arange(a.size).reshape(a.shape) == 1, value, a).astype(a.dtype))


SETTINGS = (
    None,
    0,
    -1,
    2,
    (0, 0),
    (-1, 2),
    (2,),
    (1.5, 2),
    [1, 2],
    "text",
    ((1, 1), (-1, 0)),
    ((1, 1),),
    ((2, 0), (1, 3)),
)
POOLINGS = (None, ((3, 3), (1, 1), NONE), ((2, 2), (0, 0), NONE), ((2, 2), (2, 2)), ((2, 2), (2, 2), ONES))


def arrays(value):
    """The arrays in arguments, those of rows among them."""
    if isinstance(value, np.ndarray):
        return [value]
    return [a for part in value for a in arrays(part)] if isinstance(value, (list, tuple)) else []


def bits(value):
    return [a.tobytes() for a in arrays(value)] if isinstance(value, (list, tuple, np.ndarray)) else value


def fresh(value):
    """The arguments with their arrays in memory of their own."""
    if isinstance(value, np.ndarray):
        return guarded(value)
    return type(value)(map(fresh, value)) if isinstance(value, (list, tuple)) else value


def attempt(name, args, what, expected=None):
    """Make the call; what is wrong about it as a line of text, or None."""
    before = [np.array(a) for a in arrays(args)]
    takes_numbers = name in ("gather", "gather_backward", "augment", "uniform")
    allowed = (ValueError, TypeError, IndexError) if takes_numbers else (ValueError, TypeError)
    error = result = None
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = getattr(cpu, name)(*args)
        except allowed as refused:
            error = refused
        except Exception as refused:
            return f"{name}, {what}: {type(refused).__name__}: {refused}"
    for _, whole, start in kept:
        if (whole[:start] != MARK).any():
            return f"{name}, {what}: wrote before an array"
    if error is not None and any(a.tobytes() != b.tobytes() for a, b in zip(arrays(args), before)):
        return f"{name}, {what}: changed an array, and then {type(error).__name__}"
    if error is not None and not str(error):
        return f"{name}, {what}: {type(error).__name__} without a word"
    if error is None and expected is not None and (bits(result), bits(args)) != expected:
        return f"{name}, {what}: another result"
    return None


def with_part(args, place, value):
    """The arguments with one of them, or one array of a row, exchanged."""
    args = list(args)
    if isinstance(place, tuple):
        i, row, k = place
        rows = [list(r) for r in args[i]]
        rows[row][k] = value
        args[i] = [tuple(r) for r in rows]
    else:
        args[place] = value
    return args


def main():
    found, tried, names = [], 0, set()
    with tempfile.TemporaryDirectory() as folder:
        for name, right in calls():
            names.add(name)
            kept.clear()
            args = fresh(right)
            result = getattr(cpu, name)(*args)
            expected = bits(result), bits(args)
            places = [i for i, a in enumerate(right) if isinstance(a, np.ndarray)]
            places += [(0, 0, k) for k in range(len(right[0][0]))] if isinstance(right[0], list) else []
            wrong = []
            for place in places:
                array = right[0][0][place[2]] if isinstance(place, tuple) else right[place]
                wrong += [(place, what, value, expected) for what, value in same_numbers(array, folder)]
                wrong += [(place, what, value, None) for what, value in others(array)]
            for i, value in enumerate(right):
                if isinstance(value, tuple):
                    wrong += [(i, repr(v), v, None) for v in (POOLINGS if len(value) == 3 else SETTINGS)]
            if isinstance(right[0], list):
                row = right[0][0]
                for rows in ([], [row[:-1]], [(*row, row[0])], [row, row[:1]], [None], None, [()]):
                    wrong.append((0, "other rows", rows, None))
            memory = list(kept)
            for place, what, value, wanted in wrong:
                kept[:] = memory
                tried += 1
                line = attempt(name, with_part(fresh(right), place, value), f"argument {place} {what}", wanted)
                if line:
                    found.append(line)
    found += [f"{name}: not tried" for name in sorted(set(cpu.__all__) - names)]
    print("\n".join(found) or f"{tried} calls")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
