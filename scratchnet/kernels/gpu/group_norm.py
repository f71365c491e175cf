"""Group normalization on the GPU: each example's groups of channels brought to mean 0 and variance 1.

The kernels are those of batch normalization, in norm.cu: a group is D = C / groups neighbouring channels of one example
in the one, and one channel of all examples in the other. Source: Wu and He, arXiv 1803.08494.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratchnet.kernels.gpu.norm import Groups
from scratchnet.kernels.gpu.runtime.contract import takes


def _groups(x: Any, groups: int, caller: str) -> Groups:
    C = x.shape[-1]
    if not isinstance(groups, (int, np.integer)) or not 1 <= groups <= C or C % groups:
        raise ValueError(f"{caller}: expected groups that divide the {C} channels, got {groups!r}.")
    return Groups(x, len(x), math.prod(x.shape[1:-1]), C // int(groups), (len(x), int(groups)))


@takes(x="... C", gamma="C", beta="C")
def group_norm(x: Any, gamma: Any, beta: Any, groups: int, epsilon: float) -> tuple[Any, Any, Any]:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta; also mean and (biased) var of the groups, (N, groups).

    The variance is put together from squares about the means of parts of the rows (Chan et al., 1983):
    mean(x^2) - mean^2 loses its digits where |mean| >> std.
    """
    of = _groups(x, groups, "group_norm")
    mean, var, _, scale = of.statistics(epsilon)
    return of.normalize(mean, scale, gamma, beta), mean, var


@takes(dy="... C", x="... C", gamma="C", mean="M G", var="M G")
def group_norm_backward(
    dy: Any, x: Any, gamma: Any, mean: Any, var: Any, groups: int, epsilon: float
) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta), mean and var from `group_norm`.

    With u = (x - mean) / sqrt(var + epsilon): dbeta = sum dy, dgamma = sum dy * u, and with means over each group
    dx = (gamma * dy - mean(gamma * dy) - u * mean(gamma * dy * u)) / sqrt(var + epsilon).
    """
    of = _groups(x, groups, "group_norm_backward")
    if mean.shape != of.shape:
        raise ValueError(f"group_norm_backward: expected mean and var of shape {of.shape}, got {mean.shape}.")
    return of.gradients(dy, mean, of.scales(var, epsilon), gamma, None, through_statistics=True)
