"""Vectors and register tiles for Numba: how Python code says which numbers stay in the processor's registers.

Numba's own loops keep no block of sums in registers while a reduction runs, and stop at a third of the processor's
speed. Here a tile is P rows by Q vectors of sums, held in P * Q registers. The functions `tile_*` are intrinsics: they
emit LLVM instructions on a tuple of LLVM vectors, and the tuple dissolves into registers.

Source: Georganas et al., "High-Performance Deep Learning via a Single Building Block", arXiv 1906.06440.
"""

from __future__ import annotations

import functools
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic, models, register_model

_SCALARS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


def _fma(module: ir.Module, vector: ir.VectorType) -> ir.Function:
    """LLVM's fused multiply-add for one type of vector."""
    suffix = f"v{vector.count}f{_bytes(vector) * 8}"
    return cgutils.get_or_insert_function(module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.{suffix}")


def _bytes(vector: ir.VectorType) -> int:
    """Bytes in one number of a vector: what its address is a multiple of."""
    return 4 if isinstance(vector.element, ir.FloatType) else 8


@functools.cache
def _assembly_of_fma(lanes: int) -> str:
    """What LLVM makes of one multiply-add of `lanes` floats, for the processor that Numba compiles for."""
    triple, cpu, features = cpu_target.target_context.codegen().magic_tuple()
    vector = ir.VectorType(ir.FloatType(), lanes)
    module = ir.Module()
    module.triple = triple
    function = ir.Function(module, ir.FunctionType(vector, [vector] * 3), "probe")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(builder.call(_fma(module, vector), function.args))
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features)
    return machine.emit_assembly(llvm.parse_assembly(str(module)))


# Bytes in one vector register: 64 with AVX-512, 32 with AVX2, 16 with NEON and SSE. LLVM is asked.
VECTOR_BYTES = 64 if "zmm" in _assembly_of_fma(16) else 32 if "ymm" in _assembly_of_fma(16) else 16


@functools.cache
def has_fma() -> bool:
    """Whether the processor multiplies and adds in one instruction; where it does not, LLVM calls a function."""
    return "fmaf" not in _assembly_of_fma(4)


@functools.cache
def multiplies_by_lane() -> bool:
    """Whether a multiply-add takes one lane of a register for all of a factor, as NEON's does."""
    return "fmla" in _assembly_of_fma(4)


@functools.cache
def vector_registers() -> int:
    """How many vector registers there are: 32 with AVX-512 and NEON, 16 with AVX2 and SSE."""
    return 32 if VECTOR_BYTES == 64 or multiplies_by_lane() else 16


class Vector(types.Type):
    """One register full of numbers, as a Numba type."""

    def __init__(self, scalar: Any):
        self.scalar, self.lanes = scalar, VECTOR_BYTES * 8 // scalar.bitwidth
        super().__init__(name=f"vector({scalar} x {self.lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector):
        super().__init__(manager, vector, ir.VectorType(_SCALARS[vector.scalar], vector.lanes))


def _tile(array: types.Array, P: types.IntegerLiteral, Q: types.IntegerLiteral) -> types.UniTuple:
    return types.UniTuple(Vector(array.dtype), P.literal_value * Q.literal_value)


def vector_pointers(context, builder, array_type, array, offset, count):
    """Pointers to `count` vectors that follow each other in a flat array, from element `offset` on."""
    vector = context.get_value_type(Vector(array_type.dtype))
    data = context.make_array(array_type)(context, builder, array).data
    for q in range(count):
        place = builder.add(offset, ir.Constant(offset.type, q * vector.count))
        yield builder.bitcast(builder.gep(data, [place]), vector.as_pointer())


def multiply_add(builder, vector, a, b, c):
    """a * b + c for three vectors of one type, in one instruction where there is one."""
    if has_fma():
        return builder.call(_fma(builder.module, vector), [a, b, c])
    return builder.fadd(builder.fmul(a, b, flags=["contract"]), c, flags=["contract"])


def _broadcast(builder, vector, number):
    """A vector with that number in all its lanes, as a factor of multiply-adds."""
    if multiplies_by_lane():
        # An instruction of no text, so that LLVM does not see where the number comes from, and multiplies by its lane.
        # One that it saw loaded, it would put into all lanes: as much work for the vector units as a multiply-add.
        number = builder.asm(ir.FunctionType(number.type, [number.type]), "", "=w,0", [number], False)
    undefined, index = ir.Constant(vector, ir.Undefined), ir.IntType(32)
    first = builder.insert_element(undefined, number, ir.Constant(index, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(index, vector.count), None))


@intrinsic(prefer_literal=True)
def tile_load(typing, P, Q, y, yo, ys):
    """tile[p, q] = y[yo + p*ys + q*lanes ...], one vector each. With ys = 0 all rows are alike."""
    tile = _tile(y, P, Q)

    def codegen(context, builder, signature, args):
        _, _, array, offset, step = args
        vector = context.get_value_type(tile.dtype)
        loads = []
        for _ in range(P.literal_value):
            for pointer in vector_pointers(context, builder, signature.args[2], array, offset, Q.literal_value):
                loads.append(builder.load(pointer, align=_bytes(vector)))
            offset = builder.add(offset, step)
        return context.make_tuple(builder, tile, loads)

    return tile(P, Q, y, types.intp, types.intp), codegen


@intrinsic(prefer_literal=True)
def grid_load(typing, P, Q, x, xo, xs, xt):
    """tile[p, q] = x[xo + p*xs + q*xt ...], one vector each: P rows of Q pixels that need not be neighbours."""
    tile = _tile(x, P, Q)

    def codegen(context, builder, signature, args):
        _, _, array, offset, row, cell = args
        vector = context.get_value_type(tile.dtype)
        loads = []
        for _ in range(P.literal_value):
            place = offset
            for _ in range(Q.literal_value):
                (pointer,) = vector_pointers(context, builder, signature.args[2], array, place, 1)
                loads.append(builder.load(pointer, align=_bytes(vector)))
                place = builder.add(place, cell)
            offset = builder.add(offset, row)
        return context.make_tuple(builder, tile, loads)

    return tile(P, Q, x, types.intp, types.intp, types.intp), codegen


@intrinsic
def tile_add(typing, tile, other):
    """tile + other, elementwise."""

    def codegen(context, builder, signature, args):
        left, right = (cgutils.unpack_tuple(builder, a) for a in args)
        return context.make_tuple(builder, tile, [builder.fadd(a, b) for a, b in zip(left, right)])

    return tile(tile, other), codegen


@intrinsic
def tile_add_scaled(typing, tile, number, other):
    """tile + number * other, elementwise."""

    def codegen(context, builder, signature, args):
        left, right = (cgutils.unpack_tuple(builder, a) for a in (args[0], args[2]))
        vector = context.get_value_type(tile.dtype)
        factor = _broadcast(builder, vector, args[1])
        sums = [multiply_add(builder, vector, factor, b, a) for a, b in zip(left, right)]
        return context.make_tuple(builder, tile, sums)

    return tile(tile, tile.dtype.scalar, other), codegen


@intrinsic(prefer_literal=True)
def tile_multiply_add(typing, tile, P, Q, a, ao, step, b, bo):
    """tile[p, q] + a[ao + p*step] * b[bo + q*lanes ...]: P numbers times Q vectors, P * Q multiply-adds."""

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        _, _, _, a_array, a_offset, a_step, b_array, b_offset = args
        vector = context.get_value_type(signature.return_type.dtype)
        right = [
            builder.load(pointer, align=_bytes(vector))
            for pointer in vector_pointers(context, builder, signature.args[6], b_array, b_offset, Q.literal_value)
        ]
        numbers = context.make_array(signature.args[3])(context, builder, a_array).data
        for p in range(P.literal_value):
            left = _broadcast(builder, vector, builder.load(builder.gep(numbers, [a_offset])))
            for q in range(Q.literal_value):
                place = p * Q.literal_value + q
                sums[place] = multiply_add(builder, vector, left, right[q], sums[place])
            a_offset = builder.add(a_offset, a_step)
        return context.make_tuple(builder, signature.return_type, sums)

    return tile(tile, P, Q, a, types.intp, types.intp, b, types.intp), codegen


@intrinsic
def tile_relu(typing, tile):
    """max(tile, 0), elementwise. NaN is not below 0 and stays."""

    def codegen(context, builder, signature, args):
        zero = ir.Constant(context.get_value_type(tile.dtype), None)
        sums = [
            builder.select(builder.fcmp_ordered("<", vector, zero), zero, vector)
            for vector in cgutils.unpack_tuple(builder, args[0])
        ]
        return context.make_tuple(builder, tile, sums)

    return tile(tile), codegen


@intrinsic(prefer_literal=True)
def tile_store(typing, tile, P, Q, y, yo, ys):
    """y[yo + p*ys + q*lanes ...] = tile[p, q]."""

    def codegen(context, builder, signature, args):
        sums = iter(cgutils.unpack_tuple(builder, args[0]))
        _, _, _, array, offset, step = args
        vector = context.get_value_type(tile.dtype)
        for _ in range(P.literal_value):
            for pointer in vector_pointers(context, builder, signature.args[3], array, offset, Q.literal_value):
                builder.store(next(sums), pointer, align=_bytes(vector))
            offset = builder.add(offset, step)
        return context.get_dummy_value()

    return types.void(tile, P, Q, y, types.intp, types.intp), codegen


@intrinsic(prefer_literal=True)
def grid_store(typing, tile, P, Q, y, yo, ys, yt, rows, columns):
    """y[yo + p*ys + q*yt ...] = tile[p, q], p < rows, q < columns: of P rows of Q pixels those that are there."""

    def codegen(context, builder, signature, args):
        sums = iter(cgutils.unpack_tuple(builder, args[0]))
        _, _, _, array, offset, row, cell, rows, columns = args
        vector = context.get_value_type(tile.dtype)
        for p in range(P.literal_value):
            place, there = offset, builder.icmp_signed("<", ir.Constant(rows.type, p), rows)
            for q in range(Q.literal_value):
                here = builder.and_(there, builder.icmp_signed("<", ir.Constant(columns.type, q), columns))
                with builder.if_then(here):
                    (pointer,) = vector_pointers(context, builder, signature.args[3], array, place, 1)
                    builder.store(next(sums), pointer, align=_bytes(vector))
                place = builder.add(place, cell)
            offset = builder.add(offset, row)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(tile, P, Q, y, intp, intp, intp, intp, intp), codegen


@intrinsic
def transpose_block(typing, x, xo, xs, y, yo, ys):
    """y[yo + r*ys + e] = x[xo + e*xs + r] for all e, r < lanes: a square block transposed in registers."""

    def codegen(context, builder, signature, args):
        x_array, x_offset, x_step, y_array, y_offset, y_step = args
        vector = context.get_value_type(Vector(x.dtype))
        rows = []
        for _ in range(vector.count):
            (pointer,) = vector_pointers(context, builder, signature.args[0], x_array, x_offset, 1)
            rows.append(builder.load(pointer, align=_bytes(vector)))
            x_offset = builder.add(x_offset, x_step)
        # In blocks of 2x2, then of those, and so on, what stands above and right changes places with below and left.
        half = 1
        while half < vector.count:
            for low in range(vector.count):
                if low & half == 0:
                    rows[low], rows[low + half] = _exchange(builder, rows[low], rows[low + half], half)
            half *= 2
        for row in rows:
            (pointer,) = vector_pointers(context, builder, signature.args[3], y_array, y_offset, 1)
            builder.store(row, pointer, align=_bytes(vector))
            y_offset = builder.add(y_offset, y_step)
        return context.get_dummy_value()

    return types.void(x, types.intp, types.intp, y, types.intp, types.intp), codegen


def _exchange(builder, above, below, half):
    """The right half of each 2 * half numbers above, and the left half of those below, in each other's place."""
    count, index = above.type.count, ir.IntType(32)
    upper = [lane if lane & half == 0 else count + lane - half for lane in range(count)]
    lower = [lane + half if lane & half == 0 else count + lane for lane in range(count)]
    masks = [ir.Constant(ir.VectorType(index, count), [ir.Constant(index, lane) for lane in m]) for m in (upper, lower)]
    return [builder.shuffle_vector(above, below, mask) for mask in masks]
