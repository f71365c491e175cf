"""What threads need to work together, as functions that Numba compiles: words in memory, a clock, locks, and flags.

A word is a 64-bit number at an address, aligned to 8 bytes. `load`, `add` and `swap` are "sequentially consistent": all
threads see them in one order. `store` is cheaper: whoever sees what it stored sees all that this thread did before
("release"), but the thread itself may go on to load words earlier than that. The functions of the C library are
POSIX's, which Linux and macOS have. An address is a plain number; that it is right is up to the caller.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ROOM = 128
WORD, _INT, _NOTHING = ir.IntType(64), ir.IntType(32), ir.VoidType()
_X86 = platform.machine().lower() in ("x86_64", "amd64")
_MAC = sys.platform == "darwin"
_MONOTONIC, _OWN_TIME = (6, 16) if _MAC else (1, 3)  # of clock_gettime: the clock that only goes forward, the thread's

_FLUSH = 0x8040 if _X86 else 1 << 24  # FTZ and DAZ of MXCSR; FZ of FPCR


def _pointer(builder: ir.IRBuilder, address: ir.Value, kind: ir.Type = WORD) -> ir.Value:
    return builder.inttoptr(address, kind.as_pointer())


def _external(builder: ir.IRBuilder, name: str, result: ir.Type, arguments: Sequence[ir.Value]) -> ir.Value:
    """The result of a function of the C library, or of LLVM."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


@intrinsic
def load(typing: Any, address: Any) -> Any:
    """The word at an address."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.load_atomic(_pointer(builder, args[0]), "seq_cst", 8)

    return types.int64(types.int64), emit


@intrinsic
def store(typing: Any, address: Any, value: Any) -> Any:
    """Make a word this value."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        builder.store_atomic(args[1], _pointer(builder, args[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


def _exchanged(operation: str) -> Callable[..., Any]:
    def exchange(typing: Any, address: Any, value: Any) -> Any:
        def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
            return builder.atomic_rmw(operation, _pointer(builder, args[0]), args[1], "seq_cst")

        return types.int64(types.int64, types.int64), emit

    return exchange


add = intrinsic(_exchanged("add"))  # add(address, value): what the word was before the value was added
swap = intrinsic(_exchanged("xchg"))  # swap(address, value): what the word was before it was made this value


@intrinsic
def pause(typing: Any) -> Any:
    """Wait a few cycles: the processor's hint that this thread turns in circles, which saves power."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        if _X86:
            _external(builder, "llvm.x86.sse2.pause", _NOTHING, [])
        else:
            _external(builder, "llvm.aarch64.hint", _NOTHING, [_INT(1)])  # "yield"
        return context.get_dummy_value()

    return types.void(), emit


def _clock(number: int) -> Callable[..., Any]:
    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        time = builder.bitcast(cgutils.alloca_once(builder, ir.ArrayType(WORD, 2)), WORD.as_pointer())
        _external(builder, "clock_gettime", _INT, [_INT(number), time])
        seconds, nanoseconds = (builder.load(builder.gep(time, [WORD(i)])) for i in range(2))
        return builder.add(builder.mul(seconds, WORD(1_000_000_000)), nanoseconds)

    return lambda typing: (types.int64(), emit)


now = intrinsic(_clock(_MONOTONIC))  # nanoseconds since some moment in the past
own_time = intrinsic(_clock(_OWN_TIME))  # nanoseconds for which the calling thread had a core


@intrinsic
def thread_self(typing: Any) -> Any:
    """A number that the calling thread alone has."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return _external(builder, "pthread_self", WORD, [])

    return types.int64(), emit


def _posix(name: str, count: int) -> Callable[..., Any]:
    """A function of POSIX threads: its arguments are addresses, its result says whether they were right ones."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        _external(builder, name, _INT, args)
        return context.get_dummy_value()

    if count == 1:
        return lambda typing, address: (types.void(types.int64), emit)
    return lambda typing, address, mutex: (types.void(types.int64, types.int64), emit)


lock = intrinsic(_posix("pthread_mutex_lock", 1))  # lock(mutex)
unlock = intrinsic(_posix("pthread_mutex_unlock", 1))  # unlock(mutex)
signal = intrinsic(_posix("pthread_cond_signal", 1))  # signal(condition): one that sleeps there wakes
sleep = intrinsic(_posix("pthread_cond_wait", 2))  # sleep(condition, mutex): the mutex is free meanwhile


@intrinsic
def call(typing: Any, function: Any, arguments: Any, dimensions: Any, steps: Any, data: Any) -> Any:
    """Run the machine code at `function`, as NumPy calls a ufunc: function(args, dimensions, steps, data)."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        builder.call(_pointer(builder, args[0], ir.FunctionType(_NOTHING, [WORD] * 4)), args[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), emit


@intrinsic
def call_layer(
    typing: Any,
    layer: Any,
    function: Any,
    arguments: Any,
    dimensions: Any,
    steps: Any,
    data: Any,
    inner: Any,
    count: Any,
    threads: Any,
) -> Any:
    """Run the machine code at `layer`: the parallel_for of one of Numba's threading layers."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        builder.call(_pointer(builder, args[0], ir.FunctionType(_NOTHING, [WORD] * 8)), args[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 9), emit


@intrinsic
def room(typing: Any) -> Any:
    """The address of ROOM words on this thread's stack, which are there until the calling function returns."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.ptrtoint(cgutils.alloca_once(builder, ir.ArrayType(WORD, ROOM)), WORD)

    return types.int64(), emit


@intrinsic
def flush_denormals(typing: Any) -> Any:
    """From now on, this thread takes numbers below the smallest normal one as 0; what `restore` takes to end that.

    Float32's are those below 1.2e-38, float64's those below 2.2e-308. Processors reckon with them up to a hundred times
    more slowly.
    """

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        before = _read_control(builder)
        _write_control(builder, builder.or_(before, WORD(_FLUSH)))
        return before

    return types.int64(), emit


@intrinsic
def restore(typing: Any, before: Any) -> Any:
    """Reckon again as before `flush_denormals`."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        _write_control(builder, args[0])
        return context.get_dummy_value()

    return types.void(types.int64), emit


def _read_control(builder: ir.IRBuilder) -> ir.Value:
    """The register that says how the processor rounds and what it does with denormal numbers."""
    if not _X86:
        return _external(builder, "llvm.aarch64.get.fpcr", WORD, [])
    place = cgutils.alloca_once(builder, _INT)
    _external(builder, "llvm.x86.sse.stmxcsr", _NOTHING, [builder.bitcast(place, ir.IntType(8).as_pointer())])
    return builder.zext(builder.load(place), WORD)


def _write_control(builder: ir.IRBuilder, value: ir.Value) -> None:
    if not _X86:
        _external(builder, "llvm.aarch64.set.fpcr", _NOTHING, [value])
        return
    place = cgutils.alloca_once(builder, _INT)
    builder.store(builder.trunc(value, _INT), place)
    _external(builder, "llvm.x86.sse.ldmxcsr", _NOTHING, [builder.bitcast(place, ir.IntType(8).as_pointer())])
