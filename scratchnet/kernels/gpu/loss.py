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
from scratchnet.kernels.gpu.runtime.contract import is_array, takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.kernels.gpu.runtime.transfer import on_gpu
from scratchnet.replay import unchecked

_source = Source(__file__)
_THREADS = 256  # of a block, as in loss.cu
_EACH = 4  # elements that a thread takes of a binary cross-entropy, as in loss.cu


def _rows(name: str, z: Any, targets: Any) -> tuple[Any, Any]:
    """(losses, dz): a kernel that takes the rows of z, each by as many threads as it has numbers, to 256."""
    (R, K), width = z.shape, min(power_of_two(z.shape[1]), _THREADS)
    rows = _THREADS // width
    losses, dz = empty((R,), np.float64), empty(z.shape, z.dtype)
    each = np.float64(1 / max(R, 1))
    _source.launch(name, z.dtype, (-(-R // rows),), (width, rows), z, targets, np.int64(R), K, each, losses, dz)
    return losses, dz


def _read(result: Any) -> tuple[Any, int]:
    """(loss, wrong labels), a float and an int; in a recording the loss as an array without axes, and 0."""
    if unchecked():
        return result[:1].reshape(()), 0
    loss, wrong = cupy.asnumpy(result)
    return float(loss), int(wrong)


def _mean(losses: Any, count: int, dtype: np.dtype) -> Any:
    """The loss where there are no labels: the sum of the losses over a count."""
    result = empty((2,), np.float64)
    _source.launch("mean_loss", dtype, (1,), (_THREADS,), losses, np.int64(losses.size), np.int64(count), result)
    return _read(result)[0]


@takes(z="N K")
def softmax_cross_entropy(z: Any, labels: Any) -> tuple[float, Any]:
    """(L, dL/dz) with L = mean over n of -log softmax(z)[n, labels[n]]; dz = (softmax(z) - onehot) / N.

    z (N, K), labels (N,) whole numbers from 0 to K-1, on the GPU or the CPU.

    Raises:
        ValueError: a label outside; in a recording, where none is looked at, the loss is then NaN.
    """
    (R, K), labels = z.shape, labels if is_array(labels) else np.asarray(labels)
    if labels.shape != (R,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"softmax_cross_entropy: expected labels as whole numbers of shape ({R},), got {labels.dtype} of shape "
            f"{labels.shape}."
        )
    whole, result = on_gpu(labels, np.int64), empty((2,), np.float64)
    losses, dz = _rows("sparse_cross_entropy", z, whole)
    _source.launch("mean_loss_of_labels", z.dtype, (1,), (_THREADS,), losses, whole, np.int64(R), K, result)
    loss, wrong = _read(result)
    if wrong:
        check_labels(cupy.asnumpy(labels), K, "softmax_cross_entropy")  # raises, and says which they are
    return loss, dz


@takes(z="N K", t="N K")
def softmax_cross_entropy_onehot(z: Any, t: Any) -> tuple[float, Any]:
    """(L, dL/dz) with L = mean over n of -sum over k of t[n,k] * log softmax(z)[n,k]; z and t (N, K)."""
    losses, dz = _rows("cross_entropy", z, t)
    return _mean(losses, len(z), z.dtype), dz


@takes(z="...", t="...")
def sigmoid_binary_cross_entropy(z: Any, t: Any) -> tuple[float, Any]:
    """(L, dL/dz), L = mean of max(z,0) - z*t + log(1 + exp(-|z|)) over all elements; dz = (sigmoid(z) - t) / size."""
    blocks = -(-z.size // (_THREADS * _EACH))
    losses, dz = empty((blocks,), np.float64), empty(z.shape, z.dtype)
    _source.launch("binary_cross_entropy", z.dtype, (blocks,), (_THREADS,), z, t, np.int64(z.size), losses, dz)
    return _mean(losses, z.size, z.dtype), dz
