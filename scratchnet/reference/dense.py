"""The dense layer and its gradients."""

import numpy as np


def dense(x, w, b):
    """y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]; x (N, D), w (D, U), b (U,) or None."""
    y = np.zeros((len(x), w.shape[1]), x.dtype)
    for n, u in np.ndindex(*y.shape):
        y[n, u] = 0 if b is None else b[u]
        for d in range(x.shape[1]):
            y[n, u] += x[n, d] * w[d, u]
    return y


def dense_backward(dy, x, w):
    """(dx, dw, db): dx[n,d] = sum_u dy[n,u] w[d,u]; dw[d,u] = sum_n x[n,d] dy[n,u]; db[u] = sum_n dy[n,u]."""
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(w.shape[1], x.dtype)
    for n, u in np.ndindex(*dy.shape):
        db[u] += dy[n, u]
        for d in range(x.shape[1]):
            dx[n, d] += dy[n, u] * w[d, u]
            dw[d, u] += x[n, d] * dy[n, u]
    return dx, dw, db
