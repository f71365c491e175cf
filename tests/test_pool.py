"""The pool of threads under the kernels: every task runs once, whoever else computes, and the process ends well."""

import os
import re
import time
from types import SimpleNamespace

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir
from processes import python

from scratchnet.kernels.cpu.threads import atomics, layer, pool

needs_pool = pytest.mark.skipif(layer.why_not() is not None, reason=f"no pool here: {layer.why_not()}")

# Loops that are not ours: of all lengths, in each other, from several Python threads at once, and of many tasks.
LOOPS = """
import threading, numba, numpy as np
from scratchnet.kernels import cpu
cpu.relu(np.zeros(4, np.float32))

@numba.njit(parallel=True, nogil=True)
def count(out, ids):
    for i in numba.prange(len(out)):
        out[i] += 1
        ids[i] = numba.get_thread_id()

@numba.njit(parallel=True)
def inner(row):
    for i in numba.prange(len(row)):
        row[i] += 1

@numba.njit(parallel=True)
def outer(out):
    for i in numba.prange(len(out)):
        inner(out[i])

@numba.vectorize(["float64(float64)"], target="parallel")
def twice(x):
    return 2 * x

def lengths(seed):
    rng = np.random.default_rng(seed)
    for length in [0, 1, 2, 3, *rng.integers(0, 200, 2000)]:
        out, ids = np.zeros(length), np.full(length, -1)
        count(out, ids)
        assert (out == 1).all() and ((ids >= 0) & (ids < numba.config.NUMBA_NUM_THREADS)).all()

lengths(0)
found = []
together = [threading.Thread(target=lambda seed=seed: found.append(lengths(seed))) for seed in range(4)]
[thread.start() for thread in together]
[thread.join() for thread in together]
nested = np.zeros((30, 40))
outer(nested)
many = np.arange(float(1 << 20) + 3)
print(len(found), (nested == 1).all(), (twice(many) == 2 * many).all())
print(sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("kernels")))
"""

ENDS_WHILE_COMPUTING = """
import threading, time, numpy as np
from scratchnet.kernels import cpu
x = np.zeros((100, 1000), np.float32)
def forever():
    while True:
        cpu.relu(x)
threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)
"""

TASKS = """
import ctypes, llvmlite.binding, numpy as np
from scratchnet.kernels import cpu
cpu.relu(np.zeros(4, np.float32))
sizes = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
tasks_of = sizes(llvmlite.binding.address_of_symbol("get_sched_size"))

def tasks(threads, *rounds):
    first, last = np.array([5] * len(rounds)), np.array(rounds) + 4
    return tasks_of(threads, len(rounds), first.ctypes.data, last.ctypes.data)

print([tasks(2, rounds) for rounds in (0, 1, 8, 16, 17, 1000)], [tasks(1, 1), tasks(1, 8)], tasks(2, 3, 1000))
"""

DENORMAL = """
import hashlib, numpy as np
from scratchnet.kernels import cpu
rng = np.random.default_rng(0)
exponents = rng.uniform(-44, -30, 100_000)
x = (10**exponents).astype(np.float32)
y, least = cpu.relu(x), np.finfo(np.float32).tiny
assert (y[x >= least] == x[x >= least]).all() and (y[x < least] == 0).all()
d = np.array([1e-310, 1e-300])
assert cpu.relu(d).tolist() == [0, 1e-300]
assert np.float32(1e-40) * np.float32(0.5) > 0 and (x[x < least] / np.float32(2)).any()  # ours and NumPy's alike
print(hashlib.sha256(y.tobytes()).hexdigest())
"""

INTRINSICS = {
    "load": 1, "store": 2, "add": 2, "swap": 2, "pause": 0, "now": 0, "own_time": 0, "thread_self": 0, "lock": 1,
    "unlock": 1, "signal": 1, "sleep": 2, "call": 5, "call_layer": 9, "room": 0, "flush_denormals": 0, "restore": 1,
}  # and how many arguments each has  # fmt: skip


def machine_code(triple, processor):
    """Assembly of every function of `atomics`, for any processor."""
    module = ir.Module()
    for name, count in INTRINSICS.items():
        signature, emit = getattr(atomics, name)._defn(None, *[None] * count)
        function = ir.Function(module, ir.FunctionType(atomics.WORD, [atomics.WORD] * count), name)
        builder = ir.IRBuilder(function.append_basic_block())
        context = SimpleNamespace(get_dummy_value=lambda: atomics.WORD(0))
        builder.ret(emit(context, builder, signature, function.args))
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=processor)
    return machine.emit_assembly(llvm.parse_assembly(str(module)))


@needs_pool
def test_no_more_tasks_than_rounds():
    """Empty tasks would all be in the last threads' shares. In several dimensions, Numba's own number stays."""
    assert python("-c", TASKS).strip() == f"[16, 1, 8, 16, 16, 16] [1, 1] {2 * pool.PER_THREAD}"


@needs_pool
@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_task_of_every_loop_runs_once(count):
    *results, names = python("-c", LOOPS, NUMBA_NUM_THREADS=str(count)).split("\n")
    assert results == ["4 True True"]
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert names == str([f"kernels {me}" for me in range(1, min(count, processors))])


@needs_pool
def test_a_process_ends_though_a_thread_of_it_computes():
    for _ in range(5):
        assert python("-c", ENDS_WHILE_COMPUTING, NUMBA_NUM_THREADS="2") == ""


@needs_pool
def test_denormal_numbers_are_zero_in_kernels_and_nowhere_else():
    assert len({python("-c", DENORMAL, NUMBA_NUM_THREADS=str(count)) for count in (1, 2)}) == 1


def test_numba_s_own_threads_on_demand():
    program = LOOPS.replace("for thread in threading.enumerate()", "for thread in threading.enumerate()[:0]")
    # Workqueue would end the process when several Python threads launch loops of their own.
    program = program.replace("range(4)", "range(1)")
    printed = python("-c", program, SCRATCHNET_THREADS="numba", NUMBA_NUM_THREADS="2")
    assert printed.split("\n") == ["1 True True", "[]"]


def test_what_is_no_kind_of_threads_is_refused(monkeypatch):
    monkeypatch.setenv("SCRATCHNET_THREADS", "tbb")
    with pytest.raises(ValueError, match="SCRATCHNET_THREADS: expected \"numba\" or nothing, got 'tbb'"):
        layer.why_not()


@pytest.mark.parametrize(
    ("triple", "processor", "x86", "instructions"),
    [
        ("x86_64-unknown-linux-gnu", "haswell", True, ["lock", "xchg", "pause", "stmxcsr", "ldmxcsr"]),
        ("aarch64-unknown-linux-gnu", "neoverse-n1", False, ["ldar", "stlr", "fpcr", "hint|yield"]),
        ("arm64-apple-macosx", "apple-m1", False, ["ldar", "stlr", "fpcr", "hint|yield"]),
    ],
)
def test_machine_code_of_what_threads_need(monkeypatch, triple, processor, x86, instructions):
    monkeypatch.setattr(atomics, "_X86", x86)
    try:
        code = machine_code(triple, processor).lower()
    except RuntimeError as error:
        pytest.skip(f"this LLVM does not know the processor: {error}")
    for pattern in (*instructions, "pthread_cond_wait", "pthread_mutex_lock", "clock_gettime"):
        assert re.search(pattern, code), pattern


class Words:
    """A pool's words without a pool."""

    def __init__(self, **values):
        memory = np.zeros(pool.BYTES // 8 + 16, np.int64)
        self.words = memory[-memory.ctypes.data % pool.LINE // 8 :]
        self.control = self.words.ctypes.data
        for name, value in values.items():
            self[name] = value

    def __getitem__(self, name):
        return int(self.words[getattr(pool, name) // 8])

    def __setitem__(self, name, value):
        self.words[getattr(pool, name) // 8] = value


@needs_pool
def test_tasks_of_a_share_are_claimed_once_and_in_order():
    words = Words(DONE=(7 << 20) + 4)
    assert [pool._claim(words.control + pool.DONE) for _ in range(6)] == [4, 5, 6, -1, -1, -1]
    assert words["DONE"] == (7 << 20) + 7


@needs_pool
def test_company_is_where_threads_lack_a_core_and_is_believed_for_longer_each_time_it_comes_back():
    words = Words(THREADS=4, ACTIVE=4)
    looped, enough = pool.LOOK_EVERY, pool.LOOK_EVERY * pool.LACKING // 100
    moment = 10 * pool.SOON
    pool._learn(words.control, moment, enough, looped)
    assert words["ACTIVE"] == 4
    for times in (1, 2, 4, 8):
        pool._learn(words.control, moment, enough + 1, looped)
        assert (words["ACTIVE"], words["WHILE"]) == (3, times * pool.FIRST)
        moment += words["WHILE"]
        pool._learn(words.control, moment, 0, looped)  # the while is not over
        assert words["ACTIVE"] == 3
        moment += 1
        pool._learn(words.control, moment, 0, looped)  # now it is
        assert words["ACTIVE"] == 4
    moment += pool.SOON
    for active in (3, 2, 1, 1):
        pool._learn(words.control, moment, enough + 1, looped)
        assert (words["ACTIVE"], words["WHILE"]) == (active, pool.FIRST)
    assert words["FEWER"] == 7
    for active in (2, 3, 4, 4):
        moment += pool.FIRST + 1
        pool._learn(words.control, moment, enough, looped)
        assert words["ACTIVE"] == active


@needs_pool
def test_what_a_launching_thread_lacks_counts_only_where_it_launched_the_loops_itself():
    words = Words(THREADS=2, ACTIVE=2, LACK=pool.LOOK_EVERY)
    words.words[(pool.OWN + pool.NUMBER) // 8] = 5
    pool._look(words.control, pool.LOOK_EVERY)  # there was another thread before
    assert (words["LOOKER"], words["LACK"], words["LOOPED"], words["ACTIVE"]) == (5, 0, 0, 2)
    words["HAD"] += 10 * pool.LOOK_EVERY  # as if it had computed all the time
    pool._look(words.control, pool.LOOK_EVERY - 1)
    assert (words["LOOPED"], words["ACTIVE"]) == (pool.LOOK_EVERY - 1, 2)
    words["HAD"] = time.thread_time_ns()
    pool._look(words.control, 1)  # it had next to nothing of a core
    assert (words["LOOPED"], words["ACTIVE"], words["FEWER"]) == (0, 1, 1)


# The first loops of a thread come seconds after the system has started, and some time after the thread has.
BEGINNING = """
import time
from scratchnet.kernels.cpu.threads import layer, pool
layer.start()
words = layer._control[(pool.OWN + pool.OWN_BYTES + pool.FROM) // 8 :]
until = time.monotonic() + 20
while words[0] == 0 and time.monotonic() < until:
    time.sleep(0.01)
print(0 <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) - words[0] < 20e9)
"""


@needs_pool
def test_a_thread_lacked_nothing_before_it_began():
    if layer.processors.processors().usable < 2:
        pytest.skip("one processor, and so no thread but the one that launches")
    assert python("-c", BEGINNING, NUMBA_NUM_THREADS="2") == "True"


@needs_pool
def test_a_thread_counts_the_time_without_a_core_but_not_that_of_sleep():
    words, own = Words(), pool.OWN // 8

    def clock():
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)

    start = clock()
    words.words[own + pool.FROM // 8] = start - 10 * pool.COUNT_EVERY
    words.words[own + pool.OWN_HAD // 8] = time.thread_time_ns()
    words.words[own + pool.SLEPT // 8] = 6 * pool.COUNT_EVERY
    pool._count_lack(words.control, 0)
    assert 3 * pool.COUNT_EVERY < words["LACK"] < 4 * pool.COUNT_EVERY + clock() - start
    assert words.words[own + pool.SLEPT // 8] == 0
    before = words["LACK"]
    words.words[own + pool.FROM // 8] = clock() + pool.COUNT_EVERY
    pool._count_lack(words.control, 0)  # too soon
    assert words["LACK"] == before
