"""What a sliding window adds to the sums of its taps, for the gradient of a depthwise convolution's weights.

See `sliding`. Carried along are the sums, K * L vectors, and the slopes (dLoss/dy) of the last R - 1 outputs, the
newest first. Each slope is loaded once.
"""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic

from scratchnet.kernels.cpu.conv.sliding import Window, address, outputs_at_once, unpacked
from scratchnet.kernels.cpu.gemm.simd import multiply_add


class _Sums:
    """The window, with the sums of its taps and the slopes of the outputs that see it."""

    def __init__(self, window, vectors):
        taps = window.K * window.L
        self.window, self.sums, self.slopes = window, vectors[:taps], vectors[taps:]

    def meet(self, slopes):
        """Load the slopes of one more output, from that address."""
        self.slopes.insert(0, self.window.load(slopes))
        if self.window.ahead:
            self.window.ask(slopes, self.window.ahead[1])

    def move(self, gone=0, edge=None):
        """Add what the next S columns give. gone: how many of the newest outputs there would be in a longer row."""
        window = self.window
        for k, pixel, taps in window.columns(lambda r: gone <= r < gone + len(self.slopes), edge):
            for tap, r in taps:
                at = k * window.L + tap
                self.sums[at] = multiply_add(window.builder, window.vector, pixel, self.slopes[r - gone], self.sums[at])


@intrinsic(prefer_literal=True)
def slide_in(typing, tile, places, K, L, S, ahead, v, W, zeros, dy, do, ds):
    """(tile and slopes, places) behind the first R - 1 outputs, slopes dy[do ...], dy[do + ds ...], ...

    The window's first column is v; columns that are not one of 0 to W - 1 are beside the picture.
    """
    sizes = K.literal_value, L.literal_value, S.literal_value
    first = outputs_at_once(*sizes[1:]) - 1
    kinds = types.Tuple((types.UniTuple(tile.dtype, len(tile) + first), places))

    def codegen(context, builder, signature, args):
        vector, (column, width, zeros_array, array, offset, step) = context.get_value_type(tile.dtype), args[6:]
        at, further = unpacked(builder, places, args[1]), unpacked(builder, ahead, args[5])
        window = Window(context, builder, vector, dy.dtype, sizes, at, further)
        sums, nothing = _Sums(window, unpacked(builder, tile, args[0])), address(context, builder, zeros, zeros_array)
        for _ in range(first):
            sums.meet(address(context, builder, dy, array, offset))
            sums.move(edge=(column, width, nothing))
            offset, column = builder.add(offset, step), builder.add(column, column.type(sizes[2]))
        return window.carried(kinds, sums.sums + sums.slopes)

    i = types.intp
    return kinds(tile, places, K, L, S, ahead, i, i, zeros, dy, i, i), codegen


@intrinsic(prefer_literal=True)
def slide(typing, vectors, places, K, L, S, ahead, dy, do):
    """The same behind one more output, whose slopes are dy[do ...]."""
    sizes = K.literal_value, L.literal_value, S.literal_value
    kinds = types.Tuple((vectors, places))

    def codegen(context, builder, signature, args):
        at, further = unpacked(builder, places, args[1]), unpacked(builder, ahead, args[5])
        window = Window(context, builder, context.get_value_type(vectors.dtype), dy.dtype, sizes, at, further)
        sums = _Sums(window, unpacked(builder, vectors, args[0]))
        sums.meet(address(context, builder, dy, *args[6:]))
        sums.move()
        return window.carried(kinds, sums.sums + sums.slopes[:-1])

    return kinds(vectors, places, K, L, S, ahead, dy, types.intp), codegen


@intrinsic(prefer_literal=True)
def slide_out(typing, vectors, places, K, L, S, v, W, zeros):
    """The sums behind the last columns that outputs see, of which v is the first."""
    sizes = K.literal_value, L.literal_value, S.literal_value
    behind = outputs_at_once(*sizes[1:]) - 1
    tile = types.UniTuple(vectors.dtype, len(vectors) - behind)

    def codegen(context, builder, signature, args):
        at, (column, width, zeros_array) = unpacked(builder, places, args[1]), args[5:]
        window = Window(context, builder, context.get_value_type(vectors.dtype), zeros.dtype, sizes, at)
        sums, nothing = (
            _Sums(window, unpacked(builder, vectors, args[0])),
            address(context, builder, zeros, zeros_array),
        )
        for gone in range(1, behind + 1):
            sums.move(gone, (column, width, nothing))
            column = builder.add(column, column.type(sizes[2]))
        return context.make_tuple(builder, tile, sums.sums)

    return tile(vectors, places, K, L, S, types.intp, types.intp, zeros), codegen


@intrinsic(prefer_literal=True)
def window_multiply_add_one(typing, tile, places, K, L, v, W, zeros, dy, do):
    """tile[k, l] + pixel (k, l) of the window * dy[do ...]: one output. Columns may be beside the picture, as above."""
    sizes = K.literal_value, L.literal_value, L.literal_value

    def codegen(context, builder, signature, args):
        column, width, zeros_array, array, offset = args[4:]
        vector, at = context.get_value_type(tile.dtype), unpacked(builder, places, args[1])
        sums = _Sums(Window(context, builder, vector, dy.dtype, sizes, at), unpacked(builder, tile, args[0]))
        sums.meet(address(context, builder, dy, array, offset))
        sums.move(edge=(column, width, address(context, builder, zeros, zeros_array)))
        return context.make_tuple(builder, tile, sums.sums)

    return tile(tile, places, K, L, types.intp, types.intp, zeros, dy, types.intp), codegen
