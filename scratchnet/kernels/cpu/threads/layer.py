"""Which threads run the kernels: those of our own `pool`, where this system and this Numba are known to go with it.

Compiled code finds the functions of Numba's threading layer by their names in LLVM's table of symbols. `start` puts
ours in their places there, before any kernel is compiled or loaded:

    numba_parallel_for(function, args, dimensions, steps, data, ...)    pool.parallel_for
    get_thread_id()                                                     pool.get_thread_id
    get_sched_size(threads, ...), into how many tasks a loop is cut     see `_sched_size`

All that Numba compiles in this process from then on, also what is not ours, runs on the pool. NUMBA_THREADING_LAYER has
no say in that. SCRATCHNET_THREADS=numba in the environment leaves Numba's own layer in its place; so it is on Windows,
whose threads are not POSIX's, and with a Numba that is not known here.

In a forked child, whose parent's threads it has not, kernels run on its one thread, with the same bits. On a layer of
Numba's, they cannot run there: its OpenMP ends a forked child at the first kernel, and others may wait for ever.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import platform
import threading
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir

from scratchnet.kernels.cpu.machine import processors
from scratchnet.kernels.cpu.threads import pool
from scratchnet.kernels.cpu.threads.atomics import WORD

_config: Any = numba.config
_OLDEST, _NEWEST = (0, 60), (0, 68)  # of Numba's versions, whose layers have these functions
_VARIABLE = "SCRATCHNET_THREADS"
_PROCESSORS = {"x86_64", "amd64", "aarch64", "arm64"}

started = False
_control: np.ndarray | None = None  # the pool's words; None as long as kernels run on a layer of Numba's
_kept: list[Any] = []  # what machine code in use stands in, and memory that it uses, to the end of the process
_forked = False  # from a process that ran kernels on a layer of Numba's
_workers: list[threading.Thread] = []


def why_not() -> str | None:
    """What keeps kernels from running on the pool; None where nothing does.

    Raises:
        ValueError: SCRATCHNET_THREADS is neither empty nor "numba".
    """
    wanted = os.environ.get(_VARIABLE, "")
    if wanted not in ("", "numba"):
        raise ValueError(f'{_VARIABLE}: expected "numba" or nothing, got {wanted!r}. Unset it, or set it to numba.')
    if wanted:
        return f"{_VARIABLE}={wanted}"
    if os.name != "posix" or platform.machine().lower() not in _PROCESSORS:
        return f"{platform.system()} on {platform.machine()}"
    if not _OLDEST <= numba.version_info.short <= _NEWEST:
        return f"Numba {numba.__version__}"
    return None


def _entry(address: int, result: ir.Type, count: int, first: int | None = None) -> tuple[ir.FunctionType, Any]:
    """A function of so many words that calls the one at `address`, if need be with one more argument before them."""
    kind = ir.FunctionType(result, [WORD] * count)

    def emit(builder: ir.IRBuilder, arguments: list[ir.Value]) -> None:
        given = [*arguments] if first is None else [WORD(first), *arguments]
        target = ir.FunctionType(result, [WORD] * len(given))
        found = builder.call(builder.inttoptr(WORD(address), target.as_pointer()), given)
        builder.ret_void() if result == ir.VoidType() else builder.ret(found)

    return kind, emit


def _sched_size(layer: int) -> tuple[ir.FunctionType, Any]:
    """Numba's get_sched_size, asked for PER_THREAD times as many threads where there are several.

    But no more tasks than the loop has rounds: the rest would be empty ones at the end, in the shares of the last
    threads, which would then take theirs from the first one's share.
    """
    kind = ir.FunctionType(WORD, [WORD] * 4)

    def emit(builder: ir.IRBuilder, arguments: list[ir.Value]) -> None:
        threads, dimensions, starts, stops = arguments
        several = builder.icmp_unsigned(">", threads, WORD(1))
        asked = builder.select(several, builder.mul(threads, WORD(pool.PER_THREAD)), threads)
        target = builder.inttoptr(WORD(layer), kind.as_pointer())
        tasks = builder.call(target, [asked, dimensions, starts, stops])
        first, last = (builder.load(builder.inttoptr(a, WORD.as_pointer())) for a in (starts, stops))
        rounds = builder.add(builder.sub(last, first), WORD(1))  # of a loop in one dimension, as ours are
        fewer = builder.and_(builder.icmp_signed(">", rounds, WORD(0)), builder.icmp_signed("<", rounds, tasks))
        fewer = builder.and_(fewer, builder.icmp_unsigned("==", dimensions, WORD(1)))
        builder.ret(builder.select(fewer, rounds, tasks))

    return kind, emit


def _put_in_place(entries: dict[str, tuple[ir.FunctionType, Any]]) -> None:
    """Make machine code of the entries, and let compiled kernels find it by their names."""
    module = ir.Module()
    module.triple = llvmlite.binding.get_process_triple()
    for name, (kind, emit) in entries.items():
        function = ir.Function(module, kind, f"scratchnet_{name}")
        emit(ir.IRBuilder(function.append_basic_block()), list(function.args))
    llvmlite.binding.initialize_native_target()
    llvmlite.binding.initialize_native_asmprinter()
    parsed = llvmlite.binding.parse_assembly(str(module))
    machine = llvmlite.binding.Target.from_triple(module.triple).create_target_machine()
    engine = llvmlite.binding.create_mcjit_compiler(parsed, machine)
    engine.finalize_object()
    _kept.append(engine)
    for name in entries:
        llvmlite.binding.add_symbol(name, engine.get_function_address(f"scratchnet_{name}"))


def _set(offset: int, value: int) -> None:
    """Make the pool's word at an offset this value."""
    assert _control is not None
    _control[offset // 8] = value


def _make_locks() -> None:
    """The mutex and the conditions, as if nobody had ever used them."""
    assert _control is not None
    library, start = ctypes.CDLL(None), _control.ctypes.data
    conditions = [pool.FINISHED, *(pool.OWN + pool.OWN_BYTES * me for me in range(pool.MOST_THREADS))]
    library.pthread_mutex_init(ctypes.c_void_p(start + pool.MUTEX), None)
    for offset in conditions:
        library.pthread_cond_init(ctypes.c_void_p(start + offset), None)


def _start_pool() -> None:
    global _control
    memory = np.zeros(pool.BYTES // 8 + pool.LINE // 8, np.int64)
    _kept.append(memory)
    _control = memory[-memory.ctypes.data % pool.LINE // 8 :]
    start = _control.ctypes.data
    # More threads than processors would only wait for each other.
    threads = min(_config.NUMBA_NUM_THREADS, processors.processors().usable, pool.MOST_THREADS)
    layer = {name: llvmlite.binding.address_of_symbol(name) for name in ("numba_parallel_for", "get_sched_size")}
    _make_locks()
    _set(pool.WHOLE, layer["numba_parallel_for"])
    _put_in_place(
        {
            "numba_parallel_for": _entry(pool.parallel_for(), ir.VoidType(), 8, start),
            "get_thread_id": _entry(pool.get_thread_id(), WORD, 0, start),
            "get_sched_size": _sched_size(layer["get_sched_size"]),
        }
    )
    run = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(pool.worker())  # lets other Python threads run
    for me in range(1, threads):
        _workers.append(threading.Thread(target=run, args=(start, me), name=f"kernels {me}", daemon=True))
        _workers[-1].start()
    _set(pool.ACTIVE, threads)
    _set(pool.THREADS, threads)
    atexit.register(_stop)


def _stop() -> None:
    """End the threads, before Python takes the machine code away that they run; kernels then run on one."""
    assert _control is not None
    library, start = ctypes.CDLL(None), _control.ctypes.data
    _set(pool.THREADS, 0)
    library.pthread_mutex_lock(ctypes.c_void_p(start + pool.MUTEX))
    _set(pool.STOP, 1)
    for me in range(1, len(_workers) + 1):
        library.pthread_cond_signal(ctypes.c_void_p(start + pool.OWN + pool.OWN_BYTES * me))
    library.pthread_mutex_unlock(ctypes.c_void_p(start + pool.MUTEX))
    for worker in _workers:
        worker.join()


def start() -> None:
    """Start the threads; before the first kernel is compiled or loaded.

    Raises:
        RuntimeError: this process was forked from one that ran kernels on a layer of Numba's.
        ValueError: see `why_not`.
    """
    global started
    if _forked:
        raise RuntimeError(
            "Kernels cannot run here: this process was forked after Numba's threads had started, and they are not in "
            'it. Start processes afresh: multiprocessing.get_context("spawn"). Forked ones can compute where kernels '
            f"run on scratchnet's own threads, which is not so here: {why_not()}."
        )
    reason = why_not()
    # A thread of OpenMP that waits for work turns in circles for a little, since the next kernel mostly comes soon, and
    # then sleeps. By default it turns for long: where another program needs the core, both are eight times slower.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    numba.get_num_threads()  # Numba chooses its layer and starts it, if that is not done yet
    if reason is None:
        _start_pool()
    started = True


def _in_child() -> None:
    """What a fork changes in the child."""
    global _forked, started
    if _control is not None:
        _workers.clear()
        _set(pool.THREADS, 0)
        _set(pool.BUSY, 0)
        _make_locks()
    elif started:
        _forked, started = True, False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
