"""Kernels in a forked child: they run on the one thread that it has, and give the same bits.

The threads of Numba's layers are not in a child. Its GNU OpenMP layer ends a forked child at the first kernel ("fork()
called from a process already using GNU OpenMP"), and others may wait for ever. So kernels do not call a layer's
functions directly, but these, which ask a flag first:

    parallel_for(function, args, dimensions, steps, data, ...)
        in a forked child: function(args, dimensions, steps, data), all of the loop at once; else the layer's own
    get_num_threads()       in a forked child: 1
    get_thread_id()         in a forked child: 0

Compiled code finds the functions of the layer by their names in LLVM's table of symbols. `start` puts these in their
places there, before any kernel is compiled or loaded.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir

_NEWEST = (0, 68)  # of Numba's versions, whose parallel_for is known to take these eight arguments
_WORD, _INT, _NOTHING = ir.IntType(64), ir.IntType(32), ir.VoidType()
_FLAG, _PREFIX = "scratchnet_forked", "scratchnet_"

started = False
_engine: Any = None  # holds the machine code of the functions
_flag: ctypes.c_int32 | None = None  # None as long as kernels call the layer itself
_forked = False  # from a process whose layer had started


def _run(builder: ir.IRBuilder, arguments: Sequence[ir.Value]) -> None:
    function, *rest = arguments[:5]
    kind = ir.FunctionType(_NOTHING, [_WORD] * len(rest))
    builder.call(builder.inttoptr(function, kind.as_pointer()), rest)
    builder.ret_void()


_FUNCTIONS: dict[str, tuple[ir.FunctionType, Callable[[ir.IRBuilder, Sequence[ir.Value]], Any]]] = {
    "numba_parallel_for": (ir.FunctionType(_NOTHING, [_WORD] * 8), _run),
    "get_num_threads": (ir.FunctionType(_INT, []), lambda builder, _: builder.ret(_WORD(1))),
    "get_thread_id": (ir.FunctionType(_INT, []), lambda builder, _: builder.ret(_WORD(0))),
}


def _written(addresses: dict[str, int]) -> str:
    """The functions in LLVM's language; `addresses` are those of the layer's own."""
    module = ir.Module()
    module.triple = llvmlite.binding.get_process_triple()
    flag = ir.GlobalVariable(module, _INT, _FLAG)
    flag.initializer = _INT(0)
    for name, (kind, alone) in _FUNCTIONS.items():
        # Numbers are returned as whole words: Numba's code reads some of them as such.
        result = _NOTHING if kind.return_type == _NOTHING else _WORD
        function = ir.Function(module, ir.FunctionType(result, kind.args), _PREFIX + name)
        builder = ir.IRBuilder(function.append_basic_block())
        with builder.if_then(builder.icmp_unsigned("!=", builder.load(flag), _INT(0)), likely=False):
            alone(builder, function.args)
        real = builder.call(builder.inttoptr(_WORD(addresses[name]), kind.as_pointer()), function.args)
        if result == _NOTHING:
            builder.ret_void()
        else:
            builder.ret(builder.zext(real, _WORD))
    return str(module)


def start() -> None:
    """Start the threading layer, and put the functions in the places of its own; before the first kernel.

    Raises:
        RuntimeError: this process is a forked child, and Numba is a version whose layers are not known here.
    """
    global started, _engine, _flag
    known = numba.version_info.short <= _NEWEST
    if not _forked:
        numba.get_num_threads()  # Numba chooses the layer and starts it, if that is not done yet
    elif not known:
        raise RuntimeError(
            "Kernels cannot run here: this process was forked after Numba's threads had started, and they are not in "
            'it. Start processes afresh: multiprocessing.get_context("spawn"). Forked ones can compute with Numba 0.60 '
            f"to {'.'.join(map(str, _NEWEST))}; this is {numba.__version__}."
        )
    if known:
        addresses = {name: llvmlite.binding.address_of_symbol(name) for name in _FUNCTIONS}
        llvmlite.binding.initialize_native_target()
        llvmlite.binding.initialize_native_asmprinter()
        module = llvmlite.binding.parse_assembly(_written(addresses))
        machine = llvmlite.binding.Target.from_triple(module.triple).create_target_machine()
        _engine = llvmlite.binding.create_mcjit_compiler(module, machine)
        _engine.finalize_object()
        for name in _FUNCTIONS:
            llvmlite.binding.add_symbol(name, _engine.get_function_address(_PREFIX + name))
        _flag = ctypes.c_int32.from_address(_engine.get_global_value_address(_FLAG))
        _flag.value = _forked
    started = True


def _in_child() -> None:
    """What a fork changes in the child."""
    global _forked, started
    try:
        numba.threading_layer()
    except ValueError:  # no layer was started: the child starts its own
        return
    _forked = True
    if _flag is None:
        started = False  # so that the next kernel asks `start`
    else:
        _flag.value = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
