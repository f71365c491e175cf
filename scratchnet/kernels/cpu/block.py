"""The one building block under convolution and dense layers: a sum of scaled rows.

Every product of a network can be written as "add x * row for many pairs (x, row) to one row of results". The three
convolutions and the three products of a dense layer differ only in which numbers are x and which rows are added.
"""

from scratchnet.kernels.cpu.jit import serial


@serial
def add_scaled_rows(y, r, x, xo, xs, w, wr, T):
    """y[r, f] += sum over t < T of x[xo + t * xs] * w[wr + t, f], for every f. y and w are 2-D, x is flat.

    Four rows are added in one pass over y: y is read and written once for four products, and the loop over f, which
    runs along memory, becomes vector instructions.
    """
    F = y.shape[1]
    t = 0
    while t + 4 <= T:
        p, q = xo + t * xs, wr + t
        x0, x1, x2, x3 = x[p], x[p + xs], x[p + 2 * xs], x[p + 3 * xs]
        for f in range(F):
            y[r, f] += (x0 * w[q, f] + x1 * w[q + 1, f]) + (x2 * w[q + 2, f] + x3 * w[q + 3, f])
        t += 4
    while t < T:
        x0 = x[xo + t * xs]
        for f in range(F):
            y[r, f] += x0 * w[wr + t, f]
        t += 1


@serial
def dot(x, xo, w, r):
    """The sum over f of x[xo + f] * w[r, f]: for results so short that a loop over them would not fill a vector."""
    total = x[xo] * 0
    for f in range(w.shape[1]):
        total += x[xo + f] * w[r, f]
    return total
