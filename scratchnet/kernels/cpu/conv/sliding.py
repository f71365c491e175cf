"""A window of K x L taps slides along a row of a picture, a vector of channels wide: each pixel is loaded once.

While the window moves on by an output, which is S pixels, what pixels are still needed for stays in registers: in
`sliding_outputs` the sums of the outputs that see them, in `sliding_taps` the slopes of these outputs, for a weight's
gradient. R = L / S, rounded up, is how many outputs see a pixel.

A row is gone through in three parts: in the first R - 1 outputs do not have all taps yet; then comes an output at a
time; in the last the last outputs see their last pixels. Beside the picture there are zeros. Only in the first and the
last part are there pixels beside it, in front of it and behind it: `slides` says where that is so.

Places are carried along: the address of a pixel in each of the K rows, and how many bytes lead to the next one.
ahead: numbers from a pixel to one that is asked for ahead of its use, and from an output likewise; or None.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.cpu.conv.taps import load_at
from scratchnet.kernels.cpu.gemm.prefetching import SECOND, ask


def outputs_at_once(L: int, S: int) -> int:
    """R: how many outputs S pixels apart see a pixel by one of L taps each."""
    return -(-L // S)


def slides(L: int, S: int, left: int, W: int, OW: int) -> bool:
    """Whether what comes in while outputs have all taps are columns of the picture, W of them, `left` behind the first
    output's first tap; for strides for which there is code.
    """
    first = outputs_at_once(L, S) - 1
    return S <= 2 and first <= OW and left <= first * S and OW * S - left <= W


class Window:
    """The window in the middle of its way, while code for it is written."""

    def __init__(self, context, builder, vector, dtype, sizes, places, ahead=None):
        self.context, self.builder, self.vector, self.dtype = context, builder, vector, dtype
        self.K, self.L, self.S = sizes
        self.places, self.steps = places[: self.K], places[self.K :]
        self.ahead = ahead and [builder.mul(numbers, numbers.type(dtype.bitwidth // 8)) for numbers in ahead]

    def columns(self, seen, edge=None):
        """Go over the next S columns: (pixel's row, pixel, [(tap's column, r)]) for each pixel that some of r sees.

        r is how many outputs after the first one of those that see it. seen(r): whether there is such an output. edge:
        (column, W, address of zeros), where these columns may be beside the picture.
        """
        for c in range(self.S):
            taps = [(tap, tap // self.S) for tap in range(c, self.L, self.S) if seen(tap // self.S)]
            for k in range(self.K if taps else 0):
                yield k, self.load(self._inside(self.places[k], c, edge)), taps
            if self.ahead:
                # S rows in the middle: those above and below may be beside the picture.
                for place in self.places[self.K // 2 : self.K // 2 + self.S]:
                    self.ask(place, self.ahead[0])
            self.places = [self.builder.add(place, step) for place, step in zip(self.places, self.steps)]

    def load(self, address):
        """The vector at an address."""
        pointer = self.builder.inttoptr(address, self.vector.as_pointer())
        return load_at(self.builder, self.vector, pointer, self.dtype)

    def ask(self, address, ahead):
        """Ask for the line so many bytes from an address."""
        address = self.builder.add(address, ahead)
        ask(self.builder, self.builder.inttoptr(address, self.vector.as_pointer()), to_write=False, cache=SECOND)

    def _inside(self, place, c, edge):
        """The place, or that of zeros: a choice, where LLVM would make a copy of the loop for each way of a branch."""
        if edge is None:
            return place
        column, W, nothing = edge
        # A negative column is a large number without a sign.
        inside = self.builder.icmp_unsigned("<", self.builder.add(column, column.type(c)), W)
        return self.builder.select(inside, place, nothing)

    def carried(self, kinds, *vectors):
        """(vectors, places) as Numba's tuples of these types; there may be one more of vectors."""
        packed = [vectors[0], self.places + self.steps, *vectors[1:]]
        tuples = [self.context.make_tuple(self.builder, kind, values) for kind, values in zip(kinds, packed)]
        return self.context.make_tuple(self.builder, kinds, tuples)


def address(context, builder, kind, array, offset=None):
    """Where an array's number is, or its first one."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.ptrtoint(data if offset is None else builder.gep(data, [offset]), ir.IntType(64))


def unpacked(builder, kind, packed):
    """The values of a tuple of Numba's, None for None."""
    return None if kind == types.none else cgutils.unpack_tuple(builder, packed)


@intrinsic(prefer_literal=True)
def rows_of_window(typing, K, x, xo, xs, xv, h, H, zeros):
    """The places of the window whose first pixel is x[xo ...], with rows xs numbers apart and columns xv.

    A row is one of 0 to H - 1, the first one is h. Another has the place of `zeros`, a vector, and no way leads on.
    """
    count, kind = K.literal_value, types.UniTuple(types.intp, 2 * K.literal_value)

    def codegen(context, builder, signature, args):
        _, array, offset, down, right, row, height, _ = args
        nothing, i = address(context, builder, zeros, args[-1]), row.type
        places, steps = [], []
        for k in range(count):
            there = builder.icmp_unsigned("<", builder.add(row, i(k)), height)
            places.append(builder.select(there, address(context, builder, x, array, offset), nothing))
            steps.append(builder.select(there, builder.mul(right, i(x.dtype.bitwidth // 8)), i(0)))
            offset = builder.add(offset, down)
        return context.make_tuple(builder, kind, places + steps)

    return kind(K, x, types.intp, types.intp, types.intp, types.intp, types.intp, zeros), codegen
