"""Batch normalization on the GPU, and `Groups`, which group normalization shares; the kernels are in norm.cu.

Each channel is brought to mean 0 and variance 1 over the batch, then scaled and shifted. Source: Ioffe and Szegedy,
arXiv 1502.03167.
"""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np

from scratchnet.kernels.gpu.column_sums import tile_block
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.replay import unchecked

_source = Source(__file__)
_SUM_THREADS = 128  # of a block that puts parts together, as in norm.cu
_ROWS = 16  # that a thread takes at least, if there are so many
_PARTS = 512  # at most of a sum, as long as no thread must add up more than _MOST_ROWS numbers in float32 for it:
_MOST_ROWS = 2048  # with 32 channels a block, 512 parts keep all multiprocessors busy


class _Parts:
    """How S rows are cut: into parts of `length` rows, the last of them shorter."""

    def __init__(self, S: int, length: int) -> None:
        self.length, self.count = length, -(-S // length)


class Groups:
    """An array (N, S, C) of N examples, in groups of D neighbouring channels of an example: N * C / D groups.

    How the rows are cut into parts follows from S and C alone: an example gives the same bits in any batch.

    Args:
        x: the array, of any shape with the channels last.
        N, S: examples, and places of each.
        D: channels of a group.
        shape: of arrays that have a number for each group.
    """

    def __init__(self, x: Any, N: int, S: int, D: int, shape: tuple[int, ...]) -> None:
        self.x, self.dtype, self.shape = x, x.dtype, shape
        self.N, self.S, self.C, self.D = N, S, x.shape[-1], D
        self.block = width, rows = tile_block(S, self.C)
        self.chunks = -(-self.C // width)
        self.parts = _Parts(S, rows * _ROWS)
        self.sums = _Parts(S, rows * min(max(_ROWS, -(-S // (rows * _PARTS))), _MOST_ROWS))

    def _tiles(self, name: str, parts: _Parts, arrays: tuple[Any, ...], *arguments: Any) -> None:
        """Run a kernel with a block for each tile: its first arrays, the sizes, what else it takes."""
        sizes = np.int64(self.S), self.C, self.D, parts.length, parts.count
        grid = (self.N * parts.count * self.chunks,)
        _source.launch(name, self.dtype, grid, self.block, *arrays, *sizes, *arguments)

    def _together(self, name: str, blocks: int, *arguments: Any) -> None:
        """Run a kernel that puts parts together."""
        _source.launch(name, self.dtype, (blocks,), (_SUM_THREADS,), *arguments)

    def _of_parts(self) -> Any:
        return empty((self.N, self.C, self.sums.count), self.dtype)

    def _of_groups(self) -> Any:
        return empty(self.shape, self.dtype)

    def statistics(self, epsilon: float) -> tuple[Any, Any, Any, Any]:
        """(mean, var, wide, scale): var in the dtype of x, and in float64; scale = 1 / sqrt(var + epsilon)."""
        means, squares = self._of_parts(), self._of_parts()
        self._tiles("moments", self.sums, (self.x,), means, squares)
        results = self._of_groups(), self._of_groups(), empty(self.shape, np.float64), self._of_groups()
        sizes = np.int64(self.S), self.C, self.D, self.sums.length, self.sums.count
        blocks = results[0].size
        self._together("statistics", blocks, self.x, *sizes, means, squares, np.float64(epsilon), *results)
        return results

    def scales(self, var: Any, epsilon: float) -> Any:
        """1 / sqrt(var + epsilon)."""
        scale, name = self._of_groups(), "scales" if var.dtype == self.dtype else "scales_of_wide"
        _source.each(name, self.dtype, var.size, var, np.float64(epsilon), scale)
        return scale

    def normalize(self, mean: Any, scale: Any, gamma: Any, beta: Any, relu: bool = False) -> Any:
        """y = gamma * (x - mean) * scale + beta; with relu, the larger of it and 0."""
        y, low = empty(self.x.shape, self.dtype), 0.0 if relu else -np.inf
        self._tiles("normalize", self.parts, (self.x,), mean, scale, gamma, beta, low, y)
        return y

    def gradients(
        self, dy: Any, mean: Any, scale: Any, gamma: Any, relu_beta: Any, through_statistics: bool
    ) -> tuple[Any, Any, Any]:
        """(dx, dgamma, dbeta) of `normalize`, with relu if there is a relu_beta.

        through_statistics: mean and scale are those of x, which moves them.
        """
        arrays, relu = (dy, self.x), relu_beta is not None
        forward = mean, scale, gamma, relu_beta if relu else gamma, relu  # without relu, no beta is read
        sums = self._of_parts(), self._of_parts()
        self._tiles("gradient_sums", self.sums, arrays, *forward, *sums)
        dgamma, dbeta = empty((self.C,), self.dtype), empty((self.C,), self.dtype)
        self._together("channel_gradients", self.C, *sums, self.N, self.C, self.sums.count, dgamma, dbeta)
        dx = empty(self.x.shape, self.dtype)
        if not through_statistics:
            self._tiles("scaled_grad", self.parts, arrays, *forward, dx)
            return dx, dgamma, dbeta
        means, sizes = (self._of_groups(), self._of_groups()), (np.int64(self.S), self.C, self.D, self.sums.count)
        self._together("group_means", mean.size, *sums, *sizes, gamma, *means)
        self._tiles("input_grad", self.parts, arrays, *forward, *means, dx)
        return dx, dgamma, dbeta


def _channels(x: Any) -> Groups:
    """All examples as one, and each channel a group."""
    return Groups(x, 1, x.size // x.shape[-1], 1, x.shape[-1:])


@takes(x="... C", gamma="C", beta="C")
def batch_norm(x: Any, gamma: Any, beta: Any, epsilon: float, relu: bool = False) -> tuple[Any, Any, Any]:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta over the batch; also mean and (biased) var, each (C,).

    With relu, y = max(y, 0). The variance is summed from squares about the means of parts of the batch, which are then
    put together (Chan et al., 1983): mean(x^2) - mean^2 loses its digits where |mean| >> std. A variance that float32
    cannot hold, above 3e38, is returned as float64. To know whether it is, the CPU waits for the GPU; in a recording,
    where it cannot, the variance comes as the largest float32.
    """
    channels = _channels(x)
    mean, var, wide, scale = channels.statistics(epsilon)
    y = channels.normalize(mean, scale, gamma, beta, relu)
    if x.dtype == np.float32 and not unchecked() and (cupy.asnumpy(wide) > np.finfo(np.float32).max).any():
        var = wide
    return y, mean, var


@takes(x="... C", gamma="C", beta="C", mean="C", var="C, or float64")
def batch_norm_inference(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, epsilon: float, relu: bool = False) -> Any:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta with a mean and a variance from elsewhere.

    With relu, y = max(y, 0).
    """
    channels = _channels(x)
    return channels.normalize(mean, channels.scales(var, epsilon), gamma, beta, relu)


@takes(dy="... C", x="... C", gamma="C", mean="C", var="C, or float64", relu_beta="C, or None")
def batch_norm_backward(
    dy: Any, x: Any, gamma: Any, mean: Any, var: Any, epsilon: float, relu_beta: Any = None
) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta) where mean and var are the batch's own, so that x moves them too.

    With n = (x - mean) / sqrt(var + epsilon): dbeta = sum dy, dgamma = sum dy * n,
    dx = gamma / sqrt(var + epsilon) * (dy - mean(dy) - n * mean(dy * n)).
    Where y went through ReLU, relu_beta is the forward's beta, and dy counts as 0 where y <= 0.
    """
    channels = _channels(x)
    return channels.gradients(dy, mean, channels.scales(var, epsilon), gamma, relu_beta, through_statistics=True)


@takes(dy="... C", x="... C", gamma="C", mean="C", var="C, or float64", relu_beta="C, or None")
def batch_norm_inference_backward(
    dy: Any, x: Any, gamma: Any, mean: Any, var: Any, epsilon: float, relu_beta: Any = None
) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta) where mean and var are constants: dx = gamma / sqrt(var + epsilon) * dy.

    relu_beta as for `batch_norm_backward`.
    """
    channels = _channels(x)
    return channels.gradients(dy, mean, channels.scales(var, epsilon), gamma, relu_beta, through_statistics=False)
