"""The gradient of rows taken by their numbers, as an embedding takes them."""


def gather_backward(dy, index, dx):
    """dx[index[n]] += dy[n]: what was taken several times gets the sum of its gradients. dx is added to in place."""
    for n, row in enumerate(index):
        for d in range(dy.shape[1]):
            dx[row, d] += dy[n, d]
    return dx
