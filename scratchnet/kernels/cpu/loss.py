"""Softmax with cross-entropy and sigmoid with binary cross-entropy: the loss and its gradient in one pass.

Taken together they are stable: no logarithm of a probability that was rounded to zero, no overflow for large scores.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from scratchnet.kernels.checks import check_labels
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import BLOCK, parallel
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_flat, as_rows


@parallel
def _softmax_cross_entropy(z, t, losses, dz):
    R, K = z.shape
    for r in prange(R):
        most, weight, dot = z[r, 0], t[r, 0] * 0, t[r, 0] * 0
        for k in range(1, K):
            most = max(most, z[r, k])
        total = most * 0
        for k in range(K):
            dz[r, k] = math.exp(z[r, k] - most)
            total += dz[r, k]
            weight += t[r, k]
            # A target of 0 takes no part, even where its score is -inf.
            dot += t[r, k] * (z[r, k] - most) if t[r, k] != 0 else t[r, k] * 0
        losses[r] = weight * math.log(total) - dot
        for k in range(K):
            dz[r, k] = (weight * (dz[r, k] / total) - t[r, k]) / R


@parallel
def _sparse_softmax_cross_entropy(z, labels, losses, dz):
    R, K = z.shape
    for r in prange(R):
        most = z[r, 0]
        for k in range(1, K):
            most = max(most, z[r, k])
        total = most * 0
        for k in range(K):
            dz[r, k] = math.exp(z[r, k] - most)
            total += dz[r, k]
        label = labels[r]
        losses[r] = math.log(total) - (z[r, label] - most)
        for k in range(K):
            dz[r, k] = (dz[r, k] / total - (1 if k == label else 0)) / R


@parallel
def _sigmoid_binary_cross_entropy(z, t, losses, dz):
    size = len(z)
    for block in prange(len(losses)):
        a, b = z[block * BLOCK : (block + 1) * BLOCK], t[block * BLOCK : (block + 1) * BLOCK]
        out = dz[block * BLOCK : (block + 1) * BLOCK]
        total = 0.0
        for e in range(len(a)):
            small = math.exp(-abs(a[e]))
            s = 1 / (1 + small) if a[e] >= 0 else small / (1 + small)
            total += max(a[e], 0) - a[e] * b[e] + math.log1p(small)
            out[e] = (s - b[e]) / size
        losses[block] = total


@takes(z="N K", labels="N, whole")
def softmax_cross_entropy(z: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """(L, dL/dz) with L = mean over n of -log softmax(z)[n, labels[n]]; dz = (softmax(z) - onehot) / N.

    z (N, K), labels (N,) whole numbers from 0 to K-1.

    Raises:
        ValueError: a label outside.
    """
    labels = check_labels(labels, z.shape[1], "softmax_cross_entropy")
    dz, losses = empty(z.shape, z.dtype), np.empty(len(z), np.float64)
    _sparse_softmax_cross_entropy(as_rows(z), labels, losses, dz)
    return float(losses.mean()), dz


@takes(z="N K", t="N K")
def softmax_cross_entropy_onehot(z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """(L, dL/dz) with L = mean over n of -sum over k of t[n,k] * log softmax(z)[n,k]; z and t (N, K)."""
    dz, losses = empty(z.shape, z.dtype), np.empty(len(z), np.float64)
    _softmax_cross_entropy(as_rows(z), as_rows(t), losses, dz)
    return float(losses.mean()), dz


@takes(z="...", t="...")
def sigmoid_binary_cross_entropy(z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """(L, dL/dz), L = mean of max(z,0) - z*t + log(1 + exp(-|z|)) over all elements; dz = (sigmoid(z) - t) / size."""
    dz, losses = empty(z.shape, z.dtype), np.empty(-(-z.size // BLOCK), np.float64)
    _sigmoid_binary_cross_entropy(as_flat(z), as_flat(t), losses, dz.reshape(-1))
    return float(losses.sum() / z.size), dz
