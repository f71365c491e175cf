"""Losses taken together with the activation before them: the loss, and its gradient for the scores."""

import math

import numpy as np

from scratchnet.reference.activation import logistic


def softmax_cross_entropy(z, labels):
    """(L, dz): L = mean over n of -log softmax(z[n])[labels[n]], dz = (softmax(z) - onehot(labels)) / N; z (N, K)."""
    t = np.zeros_like(z)
    for n, label in enumerate(labels):
        t[n, label] = 1
    return softmax_cross_entropy_onehot(z, t)


def softmax_cross_entropy_onehot(z, t):
    """(L, dz): L = mean over n of -sum_k t[n,k] * log softmax(z[n])[k], dz = (softmax(z) * sum_k t - t) / N."""
    loss, dz = 0.0, np.zeros_like(z)
    for n in range(len(z)):
        most = max(z[n])
        log_total = most + math.log(sum(math.exp(value - most) for value in z[n]))
        for k in range(z.shape[1]):
            loss -= t[n, k] * (z[n, k] - log_total) / len(z)
            dz[n, k] = (math.exp(z[n, k] - log_total) * sum(t[n]) - t[n, k]) / len(z)
    return float(loss), dz


def sigmoid_binary_cross_entropy(z, t):
    """(L, dz): L = mean of -t*log(s) - (1-t)*log(1-s) with s = sigmoid(z), dz = (s - t) / size.

    Written as max(z, 0) - z*t + log(1 + exp(-|z|)), which never takes the logarithm of zero.
    """
    loss, dz = 0.0, np.zeros_like(z)
    for index in np.ndindex(*z.shape):
        loss += (max(z[index], 0) - z[index] * t[index] + math.log1p(math.exp(-abs(z[index])))) / z.size
        dz[index] = (logistic(z[index]) - t[index]) / z.size
    return float(loss), dz
