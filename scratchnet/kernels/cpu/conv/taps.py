"""Vector instructions for convolutions whose channels do not mix: here all lanes of a vector are channels.

They stand beside `gemm/simd.py`. There a tile is made of numbers times vectors; here it is vectors times vectors.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.cpu.gemm.simd import Vector, multiply_add


def _loader(context, builder, array_type, array):
    """load(offset): the vector at that place of a flat array."""
    vector = context.get_value_type(Vector(array_type.dtype))
    data = context.make_array(array_type)(context, builder, array).data

    def load(offset):
        pointer = builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())
        return builder.load(pointer, align=array_type.dtype.bitwidth // 8)

    return load, vector


@intrinsic(prefer_literal=True)
def taps_multiply_add(typing, tile, P, L, x, xo, xs, w, wo, ws):
    """tile[p] + the sum over l < L of x[xo + (p + l)*xs ...] * w[wo + l*ws ...]: P outputs of a row, L taps.

    Each pixel is loaded once for all its taps.
    """
    count, taps = P.literal_value, L.literal_value

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        _, _, _, x_array, x_offset, x_step, w_array, w_offset, w_step = args
        pixel, vector = _loader(context, builder, signature.args[3], x_array)
        weight, _ = _loader(context, builder, signature.args[6], w_array)
        filters = []
        for _ in range(taps):
            filters.append(weight(w_offset))
            w_offset = builder.add(w_offset, w_step)
        for q in range(count + taps - 1):
            here = pixel(x_offset)
            for tap in range(max(0, q - count + 1), min(taps, q + 1)):
                sums[q - tap] = multiply_add(builder, vector, here, filters[tap], sums[q - tap])
            x_offset = builder.add(x_offset, x_step)
        return context.make_tuple(builder, signature.return_type, sums)

    intp = types.intp
    return tile(tile, P, L, x, intp, intp, w, intp, intp), codegen


@intrinsic(prefer_literal=True)
def window_multiply_add(typing, tile, K, L, x, xo, xk, xl, dy, do):
    """tile[k, l] + x[xo + k*xk + l*xl ...] * dy[do ...]: what one output adds to K x L taps of a filter's gradient."""
    rows, columns = K.literal_value, L.literal_value

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        _, _, _, x_array, x_offset, row_step, column_step, dy_array, dy_offset = args
        pixel, vector = _loader(context, builder, signature.args[3], x_array)
        slope = _loader(context, builder, signature.args[7], dy_array)[0](dy_offset)
        for k in range(rows):
            place = x_offset
            for l in range(columns):  # noqa: E741
                at = k * columns + l
                sums[at] = multiply_add(builder, vector, pixel(place), slope, sums[at])
                place = builder.add(place, column_step)
            x_offset = builder.add(x_offset, row_step)
        return context.make_tuple(builder, signature.return_type, sums)

    intp = types.intp
    return tile(tile, K, L, x, intp, intp, intp, dy, intp), codegen


@intrinsic(prefer_literal=True)
def prefetch(typing, array, offset, write):
    """Ask for the cache line of array[offset] ahead of its use; an offset outside of the array does no harm."""

    def codegen(context, builder, signature, args):
        pointer = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer, number, number, number]), "llvm.prefetch.p0i8"
        )
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        line = builder.bitcast(builder.gep(data, [args[1]]), pointer)
        builder.call(function, [line, number(write.literal_value), number(2), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp, write), codegen
