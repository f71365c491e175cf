"""The optimizers' updates on the GPU, in place, all weights of a network in one launch; the kernels are in update.cu.

The formulas are Keras 3's, epsilon and all. Numbers such as 1 - beta_2 are worked out in float64 and rounded once:
1 - 0.999 taken in float32 would be wrong in its fifth digit.

In a recording (see `scratchnet.replay`) what changes from step to step comes as an array on the GPU: rates, t, the
momentum of an average. The kernels read them from its memory, in any step.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import replay
from scratchnet.kernels.checks import check_float
from scratchnet.kernels.gpu.runtime.contract import is_array
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.kernels.gpu.runtime.transfer import bring, keep, on_gpu, zero

_source = Source(__file__)
_THREADS = 256  # of a block: THREADS of update.cu
_PART = 1024  # numbers of an array that a block takes: small networks, too, keep many multiprocessors busy


class _Table(NamedTuple):
    """The table that update.cu explains, on the GPU."""

    parts: Any
    dtype: np.dtype


_tables: dict[tuple[Any, ...], tuple[list[weakref.ref], _Table]] = {}
_MOST_TABLES = 16


def _table(weights: Sequence[tuple[Any, ...]], caller: str, count: int) -> _Table:
    """The table for these rows of `count` arrays each.

    A training run asks for the same arrays at each step, and to ask them and to bring the table to the GPU takes longer
    than the update: the last tables are kept.

    Raises:
        ValueError: an array is not contiguous, or is of another shape or dtype: the update would go astray.
    """
    arrays = [array for row in weights for array in row]
    key = (count, tuple(map(len, weights)), *map(id, arrays))
    references, table = _tables.get(key, ([], None))
    # An array that is gone leaves its id to another: the same ids are not yet the same arrays.
    if table is None or any(reference() is not array for reference, array in zip(references, arrays)):
        table = _make_table(weights, caller, count)
        if replay.recording() is not None:  # it is one of the graph's inputs, and lives no longer
            return table
        while len(_tables) >= _MOST_TABLES:
            _tables.pop(next(iter(_tables)), None)
        _tables[key] = [weakref.ref(array) for array in arrays], table
    return table


def _make_table(weights: Sequence[tuple[Any, ...]], caller: str, count: int) -> _Table:
    if not weights or not weights[0]:
        raise ValueError(f"{caller}: expected rows of {count} arrays, got none.")
    dtype = getattr(weights[0][0], "dtype", None)
    check_float(dtype, caller)
    parts = []
    for arrays in weights:
        if len(arrays) != count or not all(map(is_array, arrays)):
            raise ValueError(
                f"{caller}: expected rows of {count} CuPy arrays, got {[type(a).__name__ for a in arrays]}."
            )
        for array in arrays:
            if not array.flags.c_contiguous:
                raise ValueError(
                    f"{caller}: expected contiguous arrays to update in place, got one of shape {array.shape} with "
                    f"strides {array.strides}. Make a copy, cupy.ascontiguousarray(a), and keep it."
                )
            if array.shape != arrays[0].shape or array.dtype != dtype:
                raise ValueError(
                    f"{caller}: expected arrays of shape {arrays[0].shape} and dtype {dtype}, got {array.shape}, "
                    f"{array.dtype}."
                )
        starts = np.arange(0, arrays[0].size, _PART)
        sizes = np.minimum(arrays[0].size - starts, _PART)
        addresses = [array.data.ptr + starts * array.itemsize for array in arrays]
        parts.append(np.stack([sizes, *addresses], axis=1).astype(np.int64))
    return _Table(bring(np.concatenate(parts)), np.dtype(dtype))


def _move(kernel: str, table: _Table, *settings: Any) -> None:
    """Launch an update, which changes nothing if a loss of the recording was not finite."""
    recording: Any = replay.recording()
    skip = zero(np.int32) if recording is None else recording.bad
    blocks = (len(table.parts),)
    _source.launch(kernel, table.dtype, blocks, (_THREADS,), keep(table.parts), skip, *settings)


def sgd(weights: Sequence[tuple[Any, ...]], lr: Any, momentum: float, nesterov: bool) -> None:
    """For each (p, g, m): m = momentum * m - lr * g; p += m, or with Nesterov p += momentum * m - lr * g."""
    table = _table(weights, "sgd", 3)
    _move("sgd", table, on_gpu(lr, np.float64), float(momentum), bool(nesterov))


def rmsprop(
    weights: Sequence[tuple[Any, ...]],
    lr: Any,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: bool,
) -> None:
    """For each (p, g, v, average, m):

    v = rho * v + (1-rho) * g^2; m = momentum * m + lr * g / sqrt(v - average^2 + epsilon); p -= m.

    average is the running mean of g; it counts as 0 unless centered. Source: Hinton, lecture 6e.
    """
    table = _table(weights, "rmsprop", 5)
    settings = float(rho), float(1 - rho), float(momentum), float(epsilon), bool(centered)
    _move("rmsprop", table, on_gpu(lr, np.float64), *settings)


def adam(
    weights: Sequence[tuple[Any, ...]],
    lr: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    t: Any,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
) -> None:
    """For each (p, g, m, v), or with amsgrad each (p, g, m, v, top):

    m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= lr * c * m / (sqrt(v) + epsilon).

    c = sqrt(1 - beta_2^t) / (1 - beta_1^t) makes up for m and v having started at 0; t counts the steps from 1.
    With a weight decay, p -= lr * weight_decay * p first (AdamW). With amsgrad the largest v so far, top = max(top, v),
    stands under the root. Source: Kingma and Ba, arXiv 1412.6980; Loshchilov and Hutter, arXiv 1711.05101; Reddi et
    al., ICLR 2018.
    """
    table = _table(weights, "adam", 5 if amsgrad else 4)
    rates = _adam_rates(lr, t, float(np.float32(beta_1)), float(np.float32(beta_2)), float(weight_decay))
    _move("amsgrad" if amsgrad else "adam", table, rates, float(1 - beta_1), float(1 - beta_2), float(epsilon))


def _adam_rates(lr: Any, t: Any, beta_1: float, beta_2: float, weight_decay: float) -> Any:
    """(2,) numbers on the GPU: the rate of the step t, and the share by which the weights decay.

    The betas are rounded to float32 here, as Keras does, and the CPU's kernel: the same start gives the same numbers.
    """
    if not (is_array(lr) or is_array(t)):
        return bring(np.array([lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t), lr * weight_decay]))
    rates = empty((2,), np.float64)
    there = on_gpu(lr, np.float64), on_gpu(t, np.int64)
    settings = map(np.float64, (beta_1, beta_2, weight_decay))
    _source.launch("adam_rates", rates.dtype, (1,), (1,), *there, *settings, rates)
    return rates


def adagrad(weights: Sequence[tuple[Any, ...]], lr: Any, epsilon: float) -> None:
    """For each (p, g, a): a += g^2; p -= lr * g / sqrt(a + epsilon). Source: Duchi et al., JMLR 12, 2011."""
    _move("adagrad", _table(weights, "adagrad", 3), on_gpu(lr, np.float64), float(epsilon))


def adadelta(weights: Sequence[tuple[Any, ...]], lr: Any, rho: float, epsilon: float) -> None:
    """For each (p, g, a, d):

    a = rho * a + (1-rho) * g^2; u = g * sqrt(d + epsilon) / sqrt(a + epsilon); d = rho * d + (1-rho) * u^2;
    p -= lr * u. Source: Zeiler, arXiv 1212.5701.
    """
    settings = float(rho), float(1 - rho), float(epsilon)
    _move("adadelta", _table(weights, "adadelta", 4), on_gpu(lr, np.float64), *settings)


def adamax(weights: Sequence[tuple[Any, ...]], rate: Any, beta_1: float, beta_2: float, epsilon: float) -> None:
    """For each (p, g, m, u): m += (1-beta_1) * (g - m); u = max(beta_2 * u, |g|); p -= rate * m / (u + epsilon).

    rate = lr / (1 - beta_1^t) in step t, from 1. Source: Kingma and Ba, arXiv 1412.6980, section 7.
    """
    settings = float(1 - beta_1), float(beta_2), float(epsilon)
    _move("adamax", _table(weights, "adamax", 4), on_gpu(rate, np.float64), *settings)


def nadam(weights: Sequence[tuple[Any, ...]], rates: Any, beta_1: float, beta_2: float, epsilon: float) -> None:
    """For each (p, g, m, v), with rates = (a, b, c) of the step:

    m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= (a * m + b * g) / (c * sqrt(v) + epsilon).

    Source: Dozat, Incorporating Nesterov momentum into Adam, 2016.
    """
    settings = float(1 - beta_1), float(1 - beta_2), float(epsilon)
    _move("nadam", _table(weights, "nadam", 4), on_gpu(rates, np.float64), *settings)


def lion(weights: Sequence[tuple[Any, ...]], lr: Any, beta_1: float, beta_2: float) -> None:
    """For each (p, g, m): p -= lr * sign(beta_1 * m + (1-beta_1) * g), then m = beta_2 * m + (1-beta_2) * g.

    Source: Chen et al., arXiv 2302.06675.
    """
    settings = float(beta_1), float(1 - beta_1), float(beta_2), float(1 - beta_2)
    _move("lion", _table(weights, "lion", 3), on_gpu(lr, np.float64), *settings)


def moving_average(weights: Sequence[tuple[Any, ...]], momentum: Any) -> None:
    """For each (average, p): average += (1 - momentum) * (p - average)."""
    _move("moving_average", _table(weights, "moving_average", 2), on_gpu(momentum, np.float64))
