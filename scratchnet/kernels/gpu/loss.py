"""Softmax with cross-entropy and sigmoid with binary cross-entropy on the GPU: the loss and its gradient in one pass.

The kernels, in loss.cu, leave the loss on the GPU, as the first of two float64; the second counts the labels that are
none of the classes. What the CPU needs of that it reads in one copy, at the end. A training step that is recorded
(`scratchnet.replay`) gets the loss as it is there.
"""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np

from scratchnet.kernels.checks import check_labels
from scratchnet.kernels.gpu.column_sums import power_of_two
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.replay import unchecked

_source = Source(__file__)
_THREADS = 256  # of a block, as in loss.cu
_EACH = 4  # elements that a thread takes of a binary cross-entropy, as in loss.cu


def _rows(name: str, z: Any, targets: Any) -> tuple[Any, Any]:
    """(losses, dz): a kernel that takes the rows of z, each by as many threads as it has numbers, to 256."""
    (R, K), width = z.shape, min(power_of_two(z.shape[1]), _THREADS)
    rows = _THREADS // width
    losses, dz = empty((R,), np.float64), empty(z.shape, z.dtype)
    each = 1 / max(R, 1)
    _source.launch(name, z.dtype, (-(-R // rows),), (width, rows), z, targets, np.int64(R), K, each, losses, dz)
    return losses, dz


def _mean(losses: Any, count: int, dtype: np.dtype) -> Any:
    """The result where there are no labels: the sum of the losses over a count, and 0."""
    result = empty((2,), np.float64)
    _source.launch("mean_loss", dtype, (1,), (_THREADS,), losses, np.int64(losses.size), np.int64(count), result)
    return result


def _loss(result: Any) -> Any:
    """The loss as a Python float; in a recording as an array without axes."""
    return result[:1].reshape(()) if unchecked() else float(cupy.asnumpy(result)[0])


def softmax_cross_entropy(z: Any, labels: Any) -> tuple[float, Any]:
    """(L, dL/dz) with L = mean over n of -log softmax(z)[n, labels[n]]; dz = (softmax(z) - onehot) / N.

    z (N, K), labels (N,) whole numbers from 0 to K-1, which may also come from the CPU.

    Raises:
        ValueError: a label outside; in a recording, where none is looked at, the loss is then NaN.
    """
    return _softmax_cross_entropy(z, cupy.asarray(labels) if isinstance(labels, np.ndarray) else labels)


@takes(z="N K", labels="N, whole")
def _softmax_cross_entropy(z: Any, labels: Any) -> tuple[float, Any]:
    whole, (R, K), result = cupy.asarray(labels, np.int64), z.shape, empty((2,), np.float64)
    losses, dz = _rows("sparse_cross_entropy", z, whole)
    _source.launch("mean_loss_of_labels", z.dtype, (1,), (_THREADS,), losses, whole, np.int64(R), K, result)
    if not unchecked() and cupy.asnumpy(result)[1] > 0:
        check_labels(cupy.asnumpy(labels), K, "softmax_cross_entropy")
    return _loss(result), dz


@takes(z="N K", t="N K")
def softmax_cross_entropy_onehot(z: Any, t: Any) -> tuple[float, Any]:
    """(L, dL/dz) with L = mean over n of -sum over k of t[n,k] * log softmax(z)[n,k]; z and t (N, K)."""
    losses, dz = _rows("cross_entropy", z, t)
    return _loss(_mean(losses, len(z), z.dtype)), dz


@takes(z="...", t="...")
def sigmoid_binary_cross_entropy(z: Any, t: Any) -> tuple[float, Any]:
    """(L, dL/dz), L = mean of max(z,0) - z*t + log(1 + exp(-|z|)) over all elements; dz = (sigmoid(z) - t) / size."""
    blocks = -(-z.size // (_THREADS * _EACH))
    losses, dz = empty((blocks,), np.float64), empty(z.shape, z.dtype)
    _source.launch("binary_cross_entropy", z.dtype, (blocks,), (_THREADS,), z, t, np.int64(z.size), losses, dz)
    return _loss(_mean(losses, z.size, z.dtype)), dz
