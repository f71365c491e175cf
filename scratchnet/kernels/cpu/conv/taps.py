"""Vector instructions for convolutions whose channels do not mix: here all lanes of a vector are channels.

They stand beside `gemm/simd.py`. There a tile is made of numbers times vectors; here it is vectors times vectors.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, Vector, multiply_add


def load_at(builder, vector, place, dtype):
    """The vector at a place in an array of that dtype."""
    return builder.load(builder.bitcast(place, vector.as_pointer()), align=dtype.bitwidth // 8)


def _loader(context, builder, array_type, array):
    """load(offset, q): the vector at that place of a flat array, or the q-th after it."""
    vector = context.get_value_type(Vector(array_type.dtype))
    data = context.make_array(array_type)(context, builder, array).data

    def load(offset, q=0):
        pointer = builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())
        if q:
            pointer = builder.gep(pointer, [ir.Constant(offset.type, q)])
        return load_at(builder, vector, pointer, array_type.dtype)

    return load, vector


@intrinsic(prefer_literal=True)
def taps_multiply_add(typing, tile, P, L, x, xo, wo):
    """tile[p] + the sum over l < L of x[xo + (p + l)*lanes ...] * x[wo + l*lanes ...]: P outputs of a row, L taps.

    Each pixel is loaded once for all its taps. Pixels lie side by side, as weights do, in one array.
    """
    count, taps = P.literal_value, L.literal_value

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        _, _, _, array, x_offset, w_offset = args
        load, vector = _loader(context, builder, signature.args[3], array)
        filters = [load(w_offset, tap) for tap in range(taps)]
        for q in range(count + taps - 1):
            here = load(x_offset, q)
            for tap in range(max(0, q - count + 1), min(taps, q + 1)):
                sums[q - tap] = multiply_add(builder, vector, here, filters[tap], sums[q - tap])
        return context.make_tuple(builder, signature.return_type, sums)

    return tile(tile, P, L, x, types.intp, types.intp), codegen


@intrinsic(prefer_literal=True)
def groups_store(typing, tile, I, y, yo, ys):  # noqa: E741
    """y[yo + c*ys ...] = a vector whose lanes have channel c of their groups of I lanes, for c < I."""

    def codegen(context, builder, signature, args):
        (pixel,) = cgutils.unpack_tuple(builder, args[0])
        _, _, array, offset, step = args
        data, size, index = context.make_array(y)(context, builder, array).data, I.literal_value, ir.IntType(32)
        count = pixel.type.count
        for c in range(size):
            lanes = [ir.Constant(index, min(lane // size * size + c, count - 1)) for lane in range(count)]
            mask = ir.Constant(ir.VectorType(index, count), lanes)
            pointer = builder.bitcast(builder.gep(data, [offset]), pixel.type.as_pointer())
            moved = builder.shuffle_vector(pixel, ir.Constant(pixel.type, ir.Undefined), mask)
            builder.store(moved, pointer, align=y.dtype.bitwidth // 8)
            offset = builder.add(offset, step)
        return context.get_dummy_value()

    return types.void(tile, I, y, types.intp, types.intp), codegen


@intrinsic(prefer_literal=True)
def window_multiply_add(typing, tile, P, K, L, x, xo, xs, dy, do, ds):
    """tile[k, l] + the sum over p < P of x[xo + k*xs + (p + l)*lanes ...] * dy[do + p*ds ...].

    It is what P outputs add to K x L taps of a filter's gradient.
    """
    count, rows, columns = P.literal_value, K.literal_value, L.literal_value

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        _, _, _, _, x_array, x_offset, x_row, dy_array, dy_offset, dy_step = args
        pixel, vector = _loader(context, builder, signature.args[4], x_array)
        slope, _ = _loader(context, builder, signature.args[7], dy_array)
        slopes = []
        for _ in range(count):
            slopes.append(slope(dy_offset))
            dy_offset = builder.add(dy_offset, dy_step)
        for k in range(rows):
            for q in range(count + columns - 1):
                here = pixel(x_offset, q)
                for p in range(max(0, q - columns + 1), min(count, q + 1)):
                    at = k * columns + q - p
                    sums[at] = multiply_add(builder, vector, here, slopes[p], sums[at])
            x_offset = builder.add(x_offset, x_row)
        return context.make_tuple(builder, signature.return_type, sums)

    intp = types.intp
    return tile(tile, P, K, L, x, intp, intp, dy, intp, intp), codegen


def _stream(builder, vector, pointer, dtype):
    """Store past the caches."""
    store = builder.store(vector, pointer, align=vector.type.count * dtype.bitwidth // 8)
    store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))


@intrinsic(prefer_literal=True)
def tile_stream(typing, tile, P, y, yo, ys):
    """y[yo + p*ys ...] = tile[p], past the caches, which would otherwise read each line before it is written.

    Each vector must fill a cache line; `stream_end` must follow before another thread reads y.
    """

    def codegen(context, builder, signature, args):
        data, offset = context.make_array(y)(context, builder, args[2]).data, args[3]
        for vector in cgutils.unpack_tuple(builder, args[0]):
            pointer = builder.bitcast(builder.gep(data, [offset]), vector.type.as_pointer())
            _stream(builder, vector, pointer, y.dtype)
            offset = builder.add(offset, args[4])
        return context.get_dummy_value()

    return types.void(tile, P, y, types.intp, types.intp), codegen


@intrinsic
def vector_store(typing, tile, streams, y, yo):
    """y[yo ...] = the tile's one vector; where `streams`, as `tile_stream`."""

    def codegen(context, builder, signature, args):
        (vector,) = cgutils.unpack_tuple(builder, args[0])
        place = builder.gep(context.make_array(y)(context, builder, args[2]).data, [args[3]])
        pointer = builder.bitcast(place, vector.type.as_pointer())
        with builder.if_else(args[1]) as (past, otherwise):
            with past:
                _stream(builder, vector, pointer, y.dtype)
            with otherwise:
                builder.store(vector, pointer, align=y.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(tile, types.boolean, y, types.intp), codegen


@intrinsic
def stream_end(typing):
    """Other threads see what `tile_stream` has written before what is written from here on."""

    def codegen(context, builder, signature, args):
        if VECTOR_BYTES == 64:  # an x86 processor; others do not stream
            nothing = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, nothing, "llvm.x86.sse.sfence"), [])
        return context.get_dummy_value()

    return types.void(), codegen
