"""Batch, group and local response normalization and their gradients."""

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


def group_norm(x, gamma, beta, groups, epsilon):
    """(y, mean, var): as batch normalization, but over each example's groups of channels, g = c // (C / groups).

    y[n,...,c] = gamma[c] * (x[n,...,c] - mean[n,g]) / sqrt(var[n,g] + epsilon) + beta[c]; var is the biased variance.
    x (N, ..., C); gamma, beta (C,); mean, var (N, groups). Source: Wu and He, arXiv 1803.08494.
    """
    N, D, M = len(x), x.shape[-1] // groups, x[0].size // groups
    mean, var, y = np.zeros((N, groups), x.dtype), np.zeros((N, groups), x.dtype), np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        n, g = index[0], index[-1] // D
        mean[n, g] += x[index] / M
    for index in np.ndindex(*x.shape):
        n, g = index[0], index[-1] // D
        var[n, g] += (x[index] - mean[n, g]) ** 2 / M
    for index in np.ndindex(*x.shape):
        n, c, g = index[0], index[-1], index[-1] // D
        y[index] = gamma[c] * (x[index] - mean[n, g]) / math.sqrt(var[n, g] + epsilon) + beta[c]
    return y, mean, var


def group_norm_backward(dy, x, gamma, mean, var, groups, epsilon):
    """(dx, dgamma, dbeta), mean and var from `group_norm`: x moves y directly, through the mean and the variance.

    With s = sqrt(var + epsilon) and the normalized u = (x - mean) / s: dbeta = sum dy, dgamma = sum dy * u, channel by
    channel; over the M elements of a group, dx = (gamma * dy - sum(gamma * dy) / M - u * sum(gamma * dy * u) / M) / s.
    """
    N, C = len(x), x.shape[-1]
    D, M = C // groups, x[0].size // groups
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros(C, x.dtype), np.zeros(C, x.dtype)
    total, product = np.zeros((N, groups), x.dtype), np.zeros((N, groups), x.dtype)
    for index in np.ndindex(*x.shape):
        n, c, g = index[0], index[-1], index[-1] // D
        u = (x[index] - mean[n, g]) / math.sqrt(var[n, g] + epsilon)
        dbeta[c] += dy[index]
        dgamma[c] += dy[index] * u
        total[n, g] += gamma[c] * dy[index]
        product[n, g] += gamma[c] * dy[index] * u
    for index in np.ndindex(*x.shape):
        n, c, g = index[0], index[-1], index[-1] // D
        s = math.sqrt(var[n, g] + epsilon)
        u = (x[index] - mean[n, g]) / s
        dx[index] = (gamma[c] * dy[index] - total[n, g] / M - u * product[n, g] / M) / s
    return dx, dgamma, dbeta


def _bases(x, depth_radius, bias, alpha):
    """s[..,c] = bias + alpha * sum of x[..,j]^2 over the channels j with |j - c| <= depth_radius."""
    s, C = np.full_like(x, bias), x.shape[-1]
    for index in np.ndindex(*x.shape):
        place, c = index[:-1], index[-1]
        for j in range(max(0, c - depth_radius), min(C, c + depth_radius + 1)):
            s[index] += alpha * x[(*place, j)] ** 2
    return s


def local_response_norm(x, depth_radius, bias, alpha, beta):
    """y[..,c] = x[..,c] / s[..,c]^beta, s = bias + alpha * sum of the squares of the channels near c.

    Source: Krizhevsky, Sutskever and Hinton, NIPS 2012, section 3.3.
    """
    s, y = _bases(x, depth_radius, bias, alpha), np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        y[index] = x[index] / s[index] ** beta
    return y


def local_response_norm_backward(dy, x, depth_radius, bias, alpha, beta):
    """dx[c] = dy[c] / s[c]^beta - sum over j near c of dy[j] * x[j] * beta * s[j]^(-beta-1) * ds[j]/dx[c].

    x[c] moves its own y directly, and through s[j] the y[j] of all channels near it: ds[j]/dx[c] = 2 * alpha * x[c].
    """
    s, dx, C = _bases(x, depth_radius, bias, alpha), np.zeros_like(x), x.shape[-1]
    for index in np.ndindex(*x.shape):
        place, c = index[:-1], index[-1]
        dx[index] = dy[index] / s[index] ** beta
        for j in range(max(0, c - depth_radius), min(C, c + depth_radius + 1)):
            near = (*place, j)
            dx[index] -= dy[near] * x[near] * beta * s[near] ** (-beta - 1) * 2 * alpha * x[index]
    return dx
