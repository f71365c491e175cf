"""The three products of a dense layer on the GPU: x (N, D), w (D, U), b (U,), y (N, U); the kernels are the rungs'."""

from __future__ import annotations

from typing import Any

from scratchnet.kernels.gpu.conv.rungs import rung_for
from scratchnet.kernels.gpu.gemm.parts import column_sums
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty


@takes(x="N D", w="D U", b="U, or None")
def dense(x: Any, w: Any, b: Any | None, relu: bool = False) -> Any:
    """y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]. With relu, y = max(y, 0)."""
    return rung_for(x.dtype).dense(x, w, b, relu)


@takes(dy="N U", w="D U")
def dense_input_grad(dy: Any, w: Any) -> Any:
    """dx[n,d] = sum over u of dy[n,u] * w[d,u]."""
    return rung_for(dy.dtype).dense_input_grad(dy, w)


@takes(x="N D", dy="N U", dw="D U, added, or None", db="U, added, or None")
def dense_weight_grad(x: Any, dy: Any, dw: Any | None = None, db: Any | None = None) -> Any:
    """dw[d,u] = sum over n of x[n,d] * dy[n,u].

    Where dw (D, U) is given, the sum is added to it; so is the sum of dy to db (U,). Both are contiguous.
    """
    return rung_for(x.dtype).dense_weight_grad(x, dy, dw, db)


@takes(dy="... F")
def bias_grad(dy: Any) -> Any:
    """db[f] = the sum of dy over all axes but the last: a bias takes part in every place of every example."""
    db = empty(dy.shape[-1:], dy.dtype)
    column_sums(dy, db)
    return db
