"""Batch, group and local response normalization."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Norm(Protocol):
    """x (N, ..., C), channels last; gamma, beta (C,); mean, var (C,) for a batch, (N, groups) for groups.

    Sources: Ioffe and Szegedy, arXiv 1502.03167; Wu and He, arXiv 1803.08494; for local response normalization, whose
    bias, alpha and beta are numbers, Krizhevsky, Sutskever and Hinton, NIPS 2012, section 3.3.
    """

    def batch_norm(
        self, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float, relu: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(y, mean, var): y = gamma * (x - mean) / sqrt(var + epsilon) + beta, with mean and var of the batch.

        mean and var are over all axes but the last; var is the biased one, the mean of squared distances from the mean,
        and must keep its digits where |mean| is a thousand times the deviation. With relu, y = max(y, 0). A
        variance that float32 cannot hold, above 3e38, comes as float64; all other kernels here take it so.
        """

    def batch_norm_backward(
        self,
        dy: np.ndarray,
        x: np.ndarray,
        gamma: np.ndarray,
        mean: np.ndarray,
        var: np.ndarray,
        epsilon: float,
        relu_beta: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(dx, dgamma, dbeta) where mean and var are the batch's own, so that x moves them too.

        With s = sqrt(var + epsilon), n = (x - mean) / s and R elements a channel: dbeta = sum dy, dgamma = sum dy * n,
        dx = gamma / s * (dy - dbeta / R - n * dgamma / R). Where y went through ReLU, relu_beta is the forward's beta,
        and dy counts as 0 where y <= 0.
        """

    def batch_norm_inference(
        self,
        x: np.ndarray,
        gamma: np.ndarray,
        beta: np.ndarray,
        mean: np.ndarray,
        var: np.ndarray,
        epsilon: float,
        relu: bool = False,
    ) -> np.ndarray:
        """y = gamma * (x - mean) / sqrt(var + epsilon) + beta, with mean and var given. With relu, y = max(y, 0)."""

    def batch_norm_inference_backward(
        self,
        dy: np.ndarray,
        x: np.ndarray,
        gamma: np.ndarray,
        mean: np.ndarray,
        var: np.ndarray,
        epsilon: float,
        relu_beta: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(dx, dgamma, dbeta) where mean and var are constants: dx = gamma / sqrt(var + epsilon) * dy.

        dgamma, dbeta and relu_beta as for `batch_norm_backward`.
        """

    def group_norm(
        self, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, groups: int, epsilon: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(y, mean, var): y[n,...,c] = gamma[c] * (x[n,...,c] - mean[n,g]) / sqrt(var[n,g] + epsilon) + beta[c].

        Group g = c // (C / groups): C / groups neighbouring channels of one example, over all its places. var is the
        biased one, and must keep its digits as that of `batch_norm`. C is divisible by groups.
        """

    def group_norm_backward(
        self,
        dy: np.ndarray,
        x: np.ndarray,
        gamma: np.ndarray,
        mean: np.ndarray,
        var: np.ndarray,
        groups: int,
        epsilon: float,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(dx, dgamma, dbeta), with mean and var from `group_norm`, which x moves too.

        With s = sqrt(var + epsilon), u = (x - mean) / s and M elements a group: dbeta = sum dy and dgamma = sum dy * u
        over all but the channels, dx = (gamma * dy - mean(gamma * dy) - u * mean(gamma * dy * u)) / s with means over
        the M elements.
        """

    def local_response_norm(
        self, x: np.ndarray, depth_radius: int, bias: float, alpha: float, beta: float
    ) -> np.ndarray:
        """y[..,c] = x[..,c] * s[..,c]^-beta, s[..,c] = bias + alpha * sum of x[..,j]^2 over all channels j near c.

        Near are those with |j - c| <= depth_radius, 2 * depth_radius + 1 or, at the ends, fewer. alpha is a factor of
        the sum, not of the mean. depth_radius, alpha and beta are at least 0, bias is above 0.
        """

    def local_response_norm_backward(
        self, dy: np.ndarray, x: np.ndarray, depth_radius: int, bias: float, alpha: float, beta: float
    ) -> np.ndarray:
        """dx[c] = dy[c] * s[c]^-beta - 2 * alpha * beta * x[c] * sum of dy[j] * x[j] * s[j]^(-beta-1) over j near c.

        All at one place [..]. x[c] is in the sums s[j] of the channels to which c is near: they are those near to c.
        """
