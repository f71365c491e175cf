"""A ladder of kernels for convolution, its gradients and the dense layer's products: the same numbers, ever faster.

    NAIVE          naive.cu          one thread a number of the result: the formula
    SHARED_TILE    shared_tile.cu    16 x 16 tiles of a matrix product in shared memory
    REGISTER_TILE  register_tile.cu  64 x 64 tiles, 8 x 4 sums in the registers of a thread: the default
                   narrow_tile_*.cu  128 x 32 and 128 x 16 tiles, where the result has no more columns
    TF32           tf32.cu           64 x 64 tiles on the tensor cores; factors of float32 are rounded to 11 bits
    TF32X3         tf32x3.cu         the same with three products for one: the digits of float32

Each rung has the six functions as methods, and all can be called: `NAIVE.conv2d(x, w, b, strides, pads)`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.kernels.gpu.gemm.parts import add_parts, column_sums, count_of, cut
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.precision import current_precision
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.shapes import Pads, output_hw

_COLUMNS = 64  # of dy that one block sums: COLUMNS_A_BLOCK of products.cuh


class Rung:
    """One of the files with its six kernels. tile: rows and columns of a tile, threads: those that compute one.

    Without a tile, each number of a result has a thread of its own. narrow: the rung that computes results of no more
    columns than its tiles have. Arguments are CuPy arrays, contiguous and of one dtype, and fit together as those of
    the contract do.
    """

    def __init__(self, name: str, tile: tuple[int, int] = (0, 0), threads: int = 0, narrow: Rung | None = None):
        self.name, self.tile, self.threads, self.narrow = name, tile, threads, narrow
        self._source = Source(str(Path(__file__).with_name(name)))

    def _product(
        self,
        kernel: str,
        factors: tuple[Any, Any],
        y: Any,
        sizes: tuple[int, ...],
        rows: int,
        length: int,
        ends: tuple[Any | None, bool] | None = None,
        classes: int = 1,
    ) -> None:
        """Launch a kernel that computes y from two factors by sums of `length` products.

        ends: (b, relu), where the kernel takes them. Sums that are cut into parts get them when the parts are added.
        classes: of `rows` rows each, at most, which have tiles of their own.
        """
        if (rung := self._for(y.shape[-1])) is not self:
            return rung._product(kernel, factors, y, sizes, rows, length, ends, classes)
        tiles = classes * self._tiles(rows, y.shape[-1])
        parts, share = cut(length, tiles) if self.threads else (1, length)
        out = y if parts == 1 else empty((parts, *y.shape), y.dtype)
        b, relu = ends or (None, False)
        now = (b, relu) if parts == 1 else (None, False)
        arguments = (*factors, out, *sizes) if ends is None else (*factors, now[0], out, *sizes, now[1])
        if self.threads:
            self._source.launch(kernel, y.dtype, (tiles, parts), (self.threads,), *arguments, share)
        else:
            self._source.each(kernel, y.dtype, y.size, *arguments)
        if parts > 1:
            add_parts(out, b, y, relu)

    def _weight_grad(
        self,
        kernel: str,
        factors: tuple[Any, Any],
        dw: Any | None,
        db: Any | None,
        shape: tuple[int, ...],
        sizes: tuple[int, ...],
        length: int,
    ) -> Any:
        """Launch a kernel that adds to dw and db, where they are given; without dw, it returns a fresh one."""
        (x, dy), add, columns = factors, dw is not None, shape[-1]
        if (rung := self._for(columns)) is not self:
            return rung._weight_grad(kernel, factors, dw, db, shape, sizes, length)
        y = dw if dw is not None else empty(shape, x.dtype)
        if db is not None and not (self.threads and add):  # the kernel adds to both or to none
            column_sums(dy, db, add=True)
            db = None
        if not self.threads:
            self._source.each(kernel, y.dtype, y.size, x, dy, y, *sizes, add)
            return y
        tiles, sums = self._tiles(y.size // columns, columns), 0 if db is None else -(-columns // _COLUMNS)
        parts, share = cut(length, tiles)
        out, behind = y, db
        if parts > 1:  # of each part, what becomes db lies behind what becomes dw
            out = empty((parts, y.size + (0 if db is None else columns)), y.dtype)
            behind = None if db is None else out.reshape(-1)[y.size :]
        arguments = (x, dy, out, behind, *sizes, add and parts == 1, share)
        self._source.launch(kernel, y.dtype, (tiles + sums, parts), (self.threads,), *arguments)
        if parts > 1:
            add_parts(out, None, y, add=add, rest=db)
        return y

    def _for(self, columns: int) -> Rung:
        """The rung that computes results of so many columns."""
        narrow = self.narrow
        return narrow if narrow is not None and columns <= narrow.tile[1] else self

    def _tiles(self, rows: int, columns: int) -> int:
        return -(-rows // self.tile[0]) * -(-columns // self.tile[1]) if self.threads else 0

    def conv2d(self, x: Any, w: Any, b: Any | None, strides: tuple[int, int], pads: Pads, relu: bool = False) -> Any:
        """y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]."""
        (N, H, W, C), (KH, KW, _, F) = x.shape, w.shape
        OH, OW = output_hw((H, W), (KH, KW), strides, pads)
        y = empty((N, OH, OW, F), x.dtype)
        sizes = (N, H, W, C, KH, KW, F, OH, OW, *strides, pads[0][0], pads[1][0])
        self._product("conv2d", (x, w), y, sizes, count_of(N, OH, OW), count_of(KH, KW, C), (b, relu))
        return y

    def conv2d_transpose(
        self,
        x: Any,
        w: Any,
        b: Any | None,
        strides: tuple[int, int],
        pads: Pads,
        output_hw: tuple[int, int],
        relu: bool = False,
    ) -> Any:
        """y[n, sh*i+k-top, sw*j+l-left, c] += x[n,i,j,f] * w[k,l,c,f] over all i, j, k, l, f; plus b[c]."""
        (N, OH, OW, F), (KH, KW, C, _), (H, W), (sh, sw) = x.shape, w.shape, output_hw, strides
        y = empty((N, H, W, C), x.dtype)
        sizes = (N, H, W, C, KH, KW, F, OH, OW, sh, sw, pads[0][0], pads[1][0])
        # The pixels of y that meet the same cells of the window have tiles of their own: see pixel_class.cuh.
        classes, of_each = min(sh, H) * min(sw, W), N * -(-H // sh) * -(-W // sw)
        count_of(N, H, W)
        length = count_of(-(-KH // sh), -(-KW // sw), F)
        self._product("conv2d_input_grad", (x, w), y, sizes, of_each, length, (b, relu), classes)
        return y

    def conv2d_input_grad(
        self, dy: Any, w: Any, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
    ) -> Any:
        """dx[n,h,v,c] = sum over f and all i, j, k, l that touched x[n,h,v,c] of dy[n,i,j,f] * w[k,l,c,f]."""
        return self.conv2d_transpose(dy, w, None, strides, pads, input_hw)

    def conv2d_weight_grad(
        self,
        x: Any,
        dy: Any,
        kernel_size: tuple[int, int],
        strides: tuple[int, int],
        pads: Pads,
        dw: Any | None = None,
        db: Any | None = None,
    ) -> Any:
        """dw[k,l,c,f] = sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f].

        A dw that is given is added to, and so is db: db[f] += sum over n, i, j of dy[n,i,j,f].
        """
        (N, H, W, C), (_, OH, OW, F), (KH, KW) = x.shape, dy.shape, kernel_size
        sizes = (N, H, W, C, KH, KW, F, OH, OW, *strides, pads[0][0], pads[1][0])
        count_of(KH, KW, C)
        shape, length = (KH, KW, C, F), count_of(N, OH, OW)
        return self._weight_grad("conv2d_weight_grad", (x, dy), dw, db, shape, sizes, length)

    def dense(self, x: Any, w: Any, b: Any | None, relu: bool = False) -> Any:
        """y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]."""
        N, (D, U) = len(x), w.shape
        y = empty((N, U), x.dtype)
        self._product("dense", (x, w), y, (N, D, U), N, D, (b, relu))
        return y

    def dense_input_grad(self, dy: Any, w: Any) -> Any:
        """dx[n,d] = sum over u of dy[n,u] * w[d,u]."""
        N, (D, U) = len(dy), w.shape
        dx = empty((N, D), dy.dtype)
        self._product("dense_input_grad", (dy, w), dx, (N, D, U), N, U)
        return dx

    def dense_weight_grad(self, x: Any, dy: Any, dw: Any | None = None, db: Any | None = None) -> Any:
        """dw[d,u] = sum over n of x[n,d] * dy[n,u]; a dw that is given is added to, and so is db: the sum of dy."""
        (N, D), U = x.shape, dy.shape[1]
        return self._weight_grad("dense_weight_grad", (x, dy), dw, db, (D, U), (N, D, U), N)


NAIVE = Rung("naive")
SHARED_TILE = Rung("shared_tile", (16, 16), 256)
NARROW_TILE_16 = Rung("narrow_tile_16", (128, 16), 128)
NARROW_TILE_32 = Rung("narrow_tile_32", (128, 32), 128, NARROW_TILE_16)
REGISTER_TILE = Rung("register_tile", (64, 64), 128, NARROW_TILE_32)
TF32 = Rung("tf32", (64, 64), 128, NARROW_TILE_16)  # half a tile of tensor cores is still the faster one
TF32X3 = Rung("tf32x3", (64, 64), 128, NARROW_TILE_16)
RUNGS = (NAIVE, SHARED_TILE, REGISTER_TILE, TF32, TF32X3)

_BY_PRECISION = {"float32": REGISTER_TILE, "tf32": TF32, "3xtf32": TF32X3}


def rung_for(dtype: np.dtype) -> Rung:
    """The rung that computes products of numbers of this dtype, in the precision that is set."""
    return _BY_PRECISION[current_precision()] if dtype == np.float32 else REGISTER_TILE
