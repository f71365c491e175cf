"""Every formula of the package as literal loops: the definition of right.

Nothing here is fast, and nothing needs to be: each function says what is computed, one number at a time, and the
tests compare every kernel with it. Pictures are x (N, H, W, C): number, height, width, channels. Filters are
w (KH, KW, C, F). `strides` is (sh, sw), `pads` is ((top, bottom), (left, right)), zeros that are thought around x.
dx always means dLoss/dx. Arrays are made with the dtype of x.

What the field calls convolution is cross-correlation: the kernel is not flipped.
"""

import math

import numpy as np


def windows(x_shape, kernel_size, strides, pads):
    """Yield (n, i, j, k, l, h, v): cell (h, v) of picture n lies under cell (k, l) of the window at place (i, j).

    Only cells inside the picture are yielded: h = sh*i + k - top with 0 <= h < H, and v = sw*j + l - left likewise.
    """
    (N, H, W, _), (KH, KW), (sh, sw) = x_shape, kernel_size, strides
    (top, bottom), (left, right) = pads
    for n in range(N):
        for i in range((H + top + bottom - KH) // sh + 1):
            for j in range((W + left + right - KW) // sw + 1):
                for k in range(KH):
                    for m in range(KW):
                        h, v = sh * i + k - top, sw * j + m - left
                        if 0 <= h < H and 0 <= v < W:
                            yield n, i, j, k, m, h, v


def places(hw, kernel_size, strides, pads):
    """(OH, OW): OH = floor((H + top + bottom - KH) / sh) + 1, and OW likewise."""
    return tuple((hw[a] + sum(pads[a]) - kernel_size[a]) // strides[a] + 1 for a in (0, 1))


def conv2d(x, w, b, strides, pads):
    """y[n,i,j,f] = b[f] + sum over k, l, c of x[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]. b may be None."""
    KH, KW, C, F = w.shape
    y = np.zeros((len(x), *places(x.shape[1:3], (KH, KW), strides, pads), F), x.dtype)
    if b is not None:
        y += b
    for n, i, j, k, m, h, v in windows(x.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(C):
                y[n, i, j, f] += x[n, h, v, c] * w[k, m, c, f]
    return y


def conv2d_backward(x, w, dy, strides, pads):
    """(dx, dw, db): each product x * w that entered y hands dy on, to x times w, and to w times x."""
    KH, KW, C, F = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(F, x.dtype)
    for n, i, j, k, m, h, v in windows(x.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(C):
                dx[n, h, v, c] += dy[n, i, j, f] * w[k, m, c, f]
                dw[k, m, c, f] += dy[n, i, j, f] * x[n, h, v, c]
    for index in np.ndindex(*dy.shape):
        db[index[-1]] += dy[index]
    return dx, dw, db


def conv2d_transpose(x, w, b, strides, pads, output_hw):
    """The convolution from (OH, OW) to (H, W) run backwards: x[n,i,j,f] spreads over the window it would come from.

    y[n, sh*i+k-top, sw*j+l-left, c] += x[n,i,j,f] * w[k,l,c,f]; x (N, H, W, F), w (KH, KW, C, F), y (N, OH, OW, C).
    """
    KH, KW, C, F = w.shape
    y = np.zeros((len(x), *output_hw, C), x.dtype)
    if b is not None:
        y += b
    for n, i, j, k, m, h, v in windows(y.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(C):
                y[n, h, v, c] += x[n, i, j, f] * w[k, m, c, f]
    return y


def conv2d_transpose_backward(x, w, dy, strides, pads):
    """(dx, dw, db) of `conv2d_transpose`; dx is the ordinary convolution of dy."""
    KH, KW, C, F = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(C, x.dtype)
    for n, i, j, k, m, h, v in windows(dy.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(C):
                dx[n, i, j, f] += dy[n, h, v, c] * w[k, m, c, f]
                dw[k, m, c, f] += dy[n, h, v, c] * x[n, i, j, f]
    for index in np.ndindex(*dy.shape):
        db[index[-1]] += dy[index]
    return dx, dw, db


def depthwise_conv2d(x, w, b, strides, pads):
    """y[n,i,j,c*M+d] = b[c*M+d] + sum over k, l of x[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,d]; w (KH, KW, C, M)."""
    KH, KW, C, M = w.shape
    y = np.zeros((len(x), *places(x.shape[1:3], (KH, KW), strides, pads), C * M), x.dtype)
    if b is not None:
        y += b
    for n, i, j, k, m, h, v in windows(x.shape, (KH, KW), strides, pads):
        for c in range(C):
            for d in range(M):
                y[n, i, j, c * M + d] += x[n, h, v, c] * w[k, m, c, d]
    return y


def depthwise_conv2d_backward(x, w, dy, strides, pads):
    """(dx, dw, db) of `depthwise_conv2d`."""
    KH, KW, C, M = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(C * M, x.dtype)
    for n, i, j, k, m, h, v in windows(x.shape, (KH, KW), strides, pads):
        for c in range(C):
            for d in range(M):
                dx[n, h, v, c] += dy[n, i, j, c * M + d] * w[k, m, c, d]
                dw[k, m, c, d] += dy[n, i, j, c * M + d] * x[n, h, v, c]
    for index in np.ndindex(*dy.shape):
        db[index[-1]] += dy[index]
    return dx, dw, db


def max_pool2d(x, pool_size, strides, pads):
    """y[n,i,j,c] = the maximum of x over the window; padding counts as -inf, NaN as the maximum."""
    y = np.full((len(x), *places(x.shape[1:3], pool_size, strides, pads), x.shape[3]), -np.inf, x.dtype)
    for n, i, j, _, _, h, v in windows(x.shape, pool_size, strides, pads):
        for c in range(x.shape[3]):
            if x[n, h, v, c] > y[n, i, j, c] or math.isnan(x[n, h, v, c]):
                y[n, i, j, c] = x[n, h, v, c]
    return y


def max_pool2d_backward(x, dy, pool_size, strides, pads):
    """dx: each dy goes to the cell that was the maximum, the first in row-major order where several were."""
    y = max_pool2d(x, pool_size, strides, pads)
    dx, given = np.zeros_like(x), np.zeros(y.shape, bool)
    for n, i, j, _, _, h, v in windows(x.shape, pool_size, strides, pads):
        for c in range(x.shape[3]):
            if x[n, h, v, c] == y[n, i, j, c] and not given[n, i, j, c]:
                dx[n, h, v, c] += dy[n, i, j, c]
                given[n, i, j, c] = True
    return dx


def _cells(x_shape, pool_size, strides, pads):
    """How many cells of each window lie inside the picture, (OH, OW)."""
    count = np.zeros(places(x_shape[1:3], pool_size, strides, pads), int)
    for _, i, j, _, _, _, _ in windows((1, *x_shape[1:]), pool_size, strides, pads):
        count[i, j] += 1
    return count


def average_pool2d(x, pool_size, strides, pads):
    """y[n,i,j,c] = the mean of x over those cells of the window that lie inside the picture."""
    count = _cells(x.shape, pool_size, strides, pads)
    y = np.zeros((len(x), *count.shape, x.shape[3]), x.dtype)
    for n, i, j, _, _, h, v in windows(x.shape, pool_size, strides, pads):
        for c in range(x.shape[3]):
            y[n, i, j, c] += x[n, h, v, c] / count[i, j]
    return y


def average_pool2d_backward(x, dy, pool_size, strides, pads):
    """dx: each dy is shared out evenly among the cells it was the mean of."""
    count, dx = _cells(x.shape, pool_size, strides, pads), np.zeros_like(x)
    for n, i, j, _, _, h, v in windows(x.shape, pool_size, strides, pads):
        for c in range(x.shape[3]):
            dx[n, h, v, c] += dy[n, i, j, c] / count[i, j]
    return dx


def dense(x, w, b):
    """y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]; x (N, D), w (D, U), b (U,) or None."""
    y = np.zeros((len(x), w.shape[1]), x.dtype)
    for n, u in np.ndindex(*y.shape):
        y[n, u] = 0 if b is None else b[u]
        for d in range(x.shape[1]):
            y[n, u] += x[n, d] * w[d, u]
    return y


def dense_backward(x, w, dy):
    """(dx, dw, db): dx[n,d] = sum_u dy[n,u] w[d,u]; dw[d,u] = sum_n x[n,d] dy[n,u]; db[u] = sum_n dy[n,u]."""
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(w.shape[1], x.dtype)
    for n, u in np.ndindex(*dy.shape):
        db[u] += dy[n, u]
        for d in range(x.shape[1]):
            dx[n, d] += dy[n, u] * w[d, u]
            dw[d, u] += x[n, d] * dy[n, u]
    return dx, dw, db


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


def batch_norm_backward(x, gamma, dy, epsilon):
    """(dx, dgamma, dbeta). x moves y in three ways: directly, through the mean, and through the variance.

    With s = sqrt(var + epsilon) and the normalized n = (x - mean) / s, over the R elements of a channel:
    dbeta = sum dy, dgamma = sum dy * n, dx = gamma / s * (dy - dbeta / R - n * dgamma / R).
    """
    _, mean, var = batch_norm(x, gamma, gamma, epsilon)
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
        dz[index] = (_sigmoid(z[index]) - t[index]) / z.size
    return float(loss), dz


def _sigmoid(value):
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _each(function, *arrays):
    y = np.zeros_like(arrays[0])
    for index in np.ndindex(*y.shape):
        y[index] = function(*(array[index] for array in arrays))
    return y


def relu(x):
    """y = x where x > 0, else 0."""
    return _each(lambda v: v if v > 0 or math.isnan(v) else 0, x)


def relu_backward(x, dy):
    """dx = dy where x > 0, else 0; at the kink, x = 0, the derivative is taken as 0."""
    return _each(lambda v, d: d if v > 0 else 0, x, dy)


def leaky_relu(x, negative_slope):
    """y = x where x > 0, else negative_slope * x."""
    return _each(lambda v: v if v > 0 else negative_slope * v, x)


def leaky_relu_backward(x, dy, negative_slope):
    """dx = dy where x > 0, else negative_slope * dy."""
    return _each(lambda v, d: d if v > 0 else negative_slope * d, x, dy)


def sigmoid(x):
    """y = 1 / (1 + exp(-x)), written so that exp never overflows."""
    return _each(_sigmoid, x)


def sigmoid_backward(x, dy):
    """dx = dy * s * (1 - s) with s = sigmoid(x)."""
    return _each(lambda v, d: d * _sigmoid(v) * (1 - _sigmoid(v)), x, dy)


def tanh(x):
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return _each(math.tanh, x)


def tanh_backward(x, dy):
    """dx = dy * (1 - tanh(x)^2)."""
    return _each(lambda v, d: d * (1 - math.tanh(v) ** 2), x, dy)


def silu(x):
    """y = x * sigmoid(x)."""
    return _each(lambda v: v * _sigmoid(v), x)


def silu_backward(x, dy):
    """dx = dy * (s + x * s * (1 - s)) with s = sigmoid(x)."""
    return _each(lambda v, d: d * (_sigmoid(v) + v * _sigmoid(v) * (1 - _sigmoid(v))), x, dy)


def softmax(x):
    """y[.., k] = exp(x[.., k]) / sum over j of exp(x[.., j]); the maximum is taken off first, which changes nothing."""
    y = np.zeros_like(x)
    for index in np.ndindex(*x.shape[:-1]):
        weights = [math.exp(value - max(x[index])) for value in x[index]]
        for k, weight in enumerate(weights):
            y[(*index, k)] = weight / sum(weights)
    return y


def softmax_backward(x, dy):
    """dx[.., k] = y[.., k] * (dy[.., k] - sum over j of dy[.., j] * y[.., j]) with y = softmax(x)."""
    y, dx = softmax(x), np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        row = index[:-1]
        dx[index] = y[index] * (dy[index] - sum(dy[row][j] * y[row][j] for j in range(x.shape[-1])))
    return dx
