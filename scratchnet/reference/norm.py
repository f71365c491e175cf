"""Batch normalization and its gradients."""

import math

import numpy as np


def batch_norm(x, gamma, beta, epsilon):
    """(y, mean, var) with y = gamma * (x - mean) / sqrt(var + epsilon) + beta; mean and var channel by channel.

    The variance is the biased one: the mean of the squared distances. x (..., C); gamma, beta, mean, var (C,).
    """
    rows, C = x.reshape(-1, x.shape[-1]), x.shape[-1]
    mean, var = np.zeros(C, x.dtype), np.zeros(C, x.dtype)
    for r, c in np.ndindex(*rows.shape):
        mean[c] += rows[r, c] / len(rows)
    for r, c in np.ndindex(*rows.shape):
        var[c] += (rows[r, c] - mean[c]) ** 2 / len(rows)
    return batch_norm_inference(x, gamma, beta, mean, var, epsilon), mean, var


def batch_norm_inference(x, gamma, beta, mean, var, epsilon):
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta, with a mean and a variance that are given."""
    y = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        c = index[-1]
        y[index] = gamma[c] * (x[index] - mean[c]) / math.sqrt(var[c] + epsilon) + beta[c]
    return y


def batch_norm_backward(dy, x, gamma, mean, var, epsilon):
    """(dx, dgamma, dbeta), mean and var from `batch_norm`: x moves y directly, through the mean and the variance.

    With s = sqrt(var + epsilon) and the normalized n = (x - mean) / s, over the R elements of a channel:
    dbeta = sum dy, dgamma = sum dy * n, dx = gamma / s * (dy - dbeta / R - n * dgamma / R).
    """
    C, R = x.shape[-1], x.size // x.shape[-1]
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros(C, x.dtype), np.zeros(C, x.dtype)
    for index in np.ndindex(*x.shape):
        c = index[-1]
        dbeta[c] += dy[index]
        dgamma[c] += dy[index] * (x[index] - mean[c]) / math.sqrt(var[c] + epsilon)
    for index in np.ndindex(*x.shape):
        c = index[-1]
        s = math.sqrt(var[c] + epsilon)
        dx[index] = gamma[c] / s * (dy[index] - dbeta[c] / R - (x[index] - mean[c]) / s * dgamma[c] / R)
    return dx, dgamma, dbeta
