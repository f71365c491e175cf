"""The outputs of a depthwise convolution, or its gradient for x, whose window slides along a row.

See `sliding`. Carried along are the sums of the outputs that do not have all taps yet. The weights, K * L vectors, stay
in registers for the whole row.
"""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic

from scratchnet.kernels.cpu.conv.sliding import Window, address, outputs_at_once, unpacked
from scratchnet.kernels.cpu.gemm.simd import multiply_add


class _Sums:
    """The window, with the weights of its taps and the sums of the outputs that see it."""

    def __init__(self, window, weights, sums):
        self.window, self.weights, self.sums = window, weights, sums

    def move(self, gone=0, edge=None):
        """Add what the next S columns give. gone: how many of the newest outputs there would be in a longer row."""
        window = self.window
        for k, pixel, taps in window.columns(lambda r: gone <= r < gone + len(self.sums), edge):
            for tap, r in taps:
                weight = self.weights[k * window.L + tap]
                self.sums[r - gone] = multiply_add(window.builder, window.vector, pixel, weight, self.sums[r - gone])


@intrinsic(prefer_literal=True)
def outputs_in(typing, places, weights, bias, K, L, S, ahead, v, W, zeros):
    """(sums of the first R - 1 outputs, the newest first, places) behind the columns of which v is the first one.

    Columns that are not one of 0 to W - 1 are beside the picture. bias: what a sum begins with, a tile of a vector.
    """
    sizes = K.literal_value, L.literal_value, S.literal_value
    first = outputs_at_once(*sizes[1:]) - 1
    kinds = types.Tuple((types.UniTuple(bias.dtype, first), places))

    def codegen(context, builder, signature, args):
        at, further = unpacked(builder, places, args[0]), unpacked(builder, ahead, args[6])
        window = Window(context, builder, context.get_value_type(bias.dtype), zeros.dtype, sizes, at, further)
        sums = _Sums(window, unpacked(builder, weights, args[1]), [])
        column, width, nothing = args[7], args[8], address(context, builder, zeros, args[9])
        for _ in range(first):
            sums.sums.insert(0, unpacked(builder, bias, args[2])[0])
            sums.move(edge=(column, width, nothing))
            column = builder.add(column, column.type(sizes[2]))
        return window.carried(kinds, sums.sums)

    return kinds(places, weights, bias, K, L, S, ahead, types.intp, types.intp, zeros), codegen


@intrinsic(prefer_literal=True)
def outputs_slide(typing, sums, places, weights, bias, K, L, S, ahead):
    """(sums of the R - 1 newest outputs, places, the output that now has all taps)."""
    sizes = K.literal_value, L.literal_value, S.literal_value
    kinds = types.Tuple((sums, places, types.UniTuple(bias.dtype, 1)))

    def codegen(context, builder, signature, args):
        at, further = unpacked(builder, places, args[1]), unpacked(builder, ahead, args[7])
        window = Window(context, builder, context.get_value_type(bias.dtype), bias.dtype.scalar, sizes, at, further)
        begun = unpacked(builder, bias, args[3]) + unpacked(builder, sums, args[0])
        moved = _Sums(window, unpacked(builder, weights, args[2]), begun)
        moved.move()
        *newest, done = moved.sums
        return window.carried(kinds, newest, [done])

    return kinds(sums, places, weights, bias, K, L, S, ahead), codegen


@intrinsic(prefer_literal=True)
def outputs_out(typing, sums, places, weights, K, L, S, v, W, zeros):
    """The last R - 1 outputs, the last one first, behind the last columns that they see, of which v is the first."""
    sizes = K.literal_value, L.literal_value, S.literal_value

    def codegen(context, builder, signature, args):
        at, (column, width, zeros_array) = unpacked(builder, places, args[1]), args[6:]
        window = Window(context, builder, context.get_value_type(sums.dtype), zeros.dtype, sizes, at)
        moved = _Sums(window, unpacked(builder, weights, args[2]), unpacked(builder, sums, args[0]))
        nothing = address(context, builder, zeros, zeros_array)
        for gone in range(1, len(sums) + 1):
            moved.move(gone, (column, width, nothing))
            column = builder.add(column, column.type(sizes[2]))
        return context.make_tuple(builder, sums, moved.sums)

    return sums(sums, places, weights, K, L, S, types.intp, types.intp, zeros), codegen


@intrinsic(prefer_literal=True)
def outputs_scatter(typing, sums, places, weights, K, L, S, ahead):
    """(sums, places, S outputs that now have all), where each pixel gives something to L outputs, the next one to those
    S further on. Carried along are the sums of L - S outputs, in their order.

    It is the gradient for x of a convolution with a stride of S; the pixels, one of each row, are those of dy.
    """
    sizes = K.literal_value, 1, 1
    taps, step = L.literal_value, S.literal_value
    kinds = types.Tuple((sums, places, types.UniTuple(sums.dtype, step)))

    def codegen(context, builder, signature, args):
        at, further = unpacked(builder, places, args[1]), unpacked(builder, ahead, args[6])
        window = Window(context, builder, context.get_value_type(sums.dtype), sums.dtype.scalar, sizes, at, further)
        filters, met = unpacked(builder, weights, args[2]), unpacked(builder, sums, args[0])
        for k, pixel, _ in window.columns(lambda r: True):
            for tap in range(taps):
                weight = filters[k * taps + tap]
                if tap < len(met):
                    met[tap] = multiply_add(builder, window.vector, pixel, weight, met[tap])
                else:  # the first that this output gets
                    met.append(builder.fmul(pixel, weight))
        return window.carried(kinds, met[step:], met[:step])

    return kinds(sums, places, weights, K, L, S, ahead), codegen
