"""The matrices of Winograd's F(m, r), worked out from a few points, and the transforms that apply them to vectors.

In one direction, F(m, r) computes m outputs of a kernel of r cells, y[i] = sum over k of d[i + k] * g[k], from the
n = m + r - 1 pixels d that they see and from n products:

    y = A^T ((G g) * (B^T d))     input transform B^T (n x n), filter transform G (n x r), output transform A^T (m x n)

The sum over k is a product of polynomials, read the other way round. A polynomial is known by its values at as many
points as it has coefficients, and the values of a product are the products of the values. So n products are enough. The
last point is "infinity", which stands for the leading coefficient. A larger m would save more, and round worse, since
the powers of the points grow.

Source: Winograd, "Arithmetic Complexity of Computations", 1980; the points: Barabasz, Anderson, Soodhalter, Gregg,
"Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", arXiv 1803.10986.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.cpu.gemm.simd import multiply_add


class Algorithm(NamedTuple):
    """F(m, r): in each direction m outputs from a kernel of r cells."""

    m: int
    r: int

    @property
    def n(self) -> int:
        """Pixels that the m outputs see, in each direction; as many products there are."""
        return self.m + self.r - 1


# F(m, r) and its points, all but infinity.
POINTS = {Algorithm(2, 2): (0, 1), Algorithm(2, 3): (0, 1, -1), Algorithm(4, 2): (0, 1, -0.5, -2)}


def _input_matrix(points: tuple[float, ...]) -> np.ndarray:
    """B^T: row p holds the coefficients of the polynomial that is 0 at all points but p; the last, 0 at all points."""
    rows = [np.poly([q for q in points if q != p])[::-1] for p in points]
    return np.array([*([*row, 0] for row in rows), np.poly(points)[::-1]])


def _filter_matrix(points: tuple[float, ...], r: int) -> np.ndarray:
    """G: row p gives the value at p of a polynomial with r coefficients, divided by that of row p of B^T there."""
    scale = [math.prod(p - q for q in points if q != p) for p in points]
    return np.array([*([p**k / s for k in range(r)] for p, s in zip(points, scale)), np.eye(r)[-1]])


def _output_matrix(points: tuple[float, ...], m: int) -> np.ndarray:
    """A^T: row i holds the i-th powers of the points, and for infinity 1 in the last row."""
    return np.array([[*(p**i for p in points), float(i == m - 1)] for i in range(m)])


# All matrices, by number. A compiled transform knows its matrix by that number, and so does the cache of kernels.
MATRICES: list[np.ndarray] = []


def _numbered(matrices: Iterable[np.ndarray]) -> dict[Algorithm, int]:
    """Put a matrix for each algorithm into MATRICES; their numbers."""
    MATRICES.extend(matrices)
    return {algorithm: len(MATRICES) - len(POINTS) + k for k, algorithm in enumerate(POINTS)}


# The gradient of the weights, dw[k] = sum over i of x[i + k] * dy[i], is the same sum with dy for the weights and r and
# m exchanged: x keeps its input transform, dy gets the filter transform of m cells, and dw the output transform to r.
INPUT = _numbered(_input_matrix(points) for points in POINTS.values())
FILTER = _numbered(_filter_matrix(points, algorithm.r) for algorithm, points in POINTS.items())
OUTPUT = _numbered(_output_matrix(points, algorithm.m) for algorithm, points in POINTS.items())
OUTPUT_GRAD = _numbered(_filter_matrix(points, algorithm.m) for algorithm, points in POINTS.items())
FILTER_GRAD = _numbered(_output_matrix(points, algorithm.r) for algorithm, points in POINTS.items())


def _combine(builder: ir.IRBuilder, factors: Sequence[float], vectors: Sequence[ir.Value]) -> ir.Value:
    """The sum of factor * vector, in order."""
    total = None
    for factor, vector in zip(factors, vectors):
        constant = ir.Constant(vector.type, [ir.Constant(vector.type.element, float(factor))] * vector.type.count)
        if factor == 0:
            continue
        if total is None:
            total = vector if factor == 1 else builder.fneg(vector) if factor == -1 else builder.fmul(vector, constant)
        elif abs(factor) == 1:
            total = builder.fsub(total, vector) if factor < 0 else builder.fadd(total, vector)
        else:
            total = multiply_add(builder, vector.type, vector, constant, total)
    return total


@intrinsic(prefer_literal=True)
def grid_transform(typing, grid, which):
    """M grid M^T for the matrix M of that number, and a square grid of vectors, row by row."""
    matrix = MATRICES[which.literal_value]
    rows, columns = len(matrix), len(matrix[0])
    result = types.UniTuple(grid.dtype, rows * rows)

    def codegen(context, builder, signature, args):
        cells = cgutils.unpack_tuple(builder, args[0])
        lines = [[_combine(builder, row, cells[q::columns]) for q in range(columns)] for row in matrix]
        return context.make_tuple(builder, result, [_combine(builder, row, line) for line in lines for row in matrix])

    return result(grid, which), codegen
