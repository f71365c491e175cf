"""Cache lines that are asked for ahead of their use, so that a kernel does not wait for them when it gets there."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, vector_pointers
from scratchnet.kernels.cpu.runtime.memory import LINE

FIRST, SECOND = 3, 2  # the caches that a line can come into, as LLVM numbers them


def ask(builder: ir.IRBuilder, place: Any, to_write: bool, cache: int) -> None:
    """LLVM's prefetch of the line at a place; one outside of the array does no harm."""
    pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    data = 1  # not instructions
    builder.call(function, [builder.bitcast(place, pointer), number(int(to_write)), number(cache), number(data)])


@intrinsic
def prefetch(typing, array, offset):
    """Ask for the cache line of array[offset] ahead of its use; an offset outside of the array does no harm.

    It comes into the second-level cache. A line that will be written is asked for in the same way, which was faster
    than to ask for it with the right to write.
    """

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        ask(builder, builder.gep(data, [args[1]]), to_write=False, cache=SECOND)
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic(prefer_literal=True)
def tile_prefetch(typing, P, Q, y, yo, ys):
    """Ask for the cache lines that a `tile_store` with the same arguments will write to, while the sums are made.

    A processor writes in order: without it, each store would wait for its line from memory, and the next ones with it.
    """

    def codegen(context, builder, signature, args):
        _, _, array, offset, step = args
        for _ in range(P.literal_value):
            vectors = [*vector_pointers(context, builder, signature.args[2], array, offset, Q.literal_value)]
            for place in vectors[:: max(1, LINE // VECTOR_BYTES)]:
                ask(builder, place, to_write=True, cache=FIRST)
            offset = builder.add(offset, step)
        return context.get_dummy_value()

    return types.void(P, Q, y, types.intp, types.intp), codegen
