"""A pool of threads under Numba's `prange`: tasks go to whoever is free, and none waits long for one without a core.

Numba cuts a `prange` loop into as many equal shares as there are threads. Where another program needs one of the cores,
or the cores are of two kinds, all wait for the slowest share; and as OpenMP's threads wait turning in circles, they
take the core from the very thread that they wait for. Here

- a loop is cut into PER_THREAD tasks for each thread. Each thread claims those of its own share first, one by one, so
  that its cache still holds what it wrote the last time; then what the others have not claimed yet. Which thread runs a
  task changes nothing in what the task computes;
- a thread without work turns in circles for SPIN, since the next loop mostly comes soon, and then sleeps;
- the launching thread waits, when no task is left, for about as long as two tasks take, and then sleeps, which leaves
  its core to a thread that may need it;
- where it waited for much longer than a task takes, a thread was without a core. Once is chance; twice within SOON is
  *company*. For a while threads then sleep at once when there is no work, and one thread fewer takes part, if there are
  more than two. The while is FIRST, and twice as long each time that there is company again as soon as it is over.

All threads share the words of `control`, each on a cache line of its own:

| word | is |
|---|---|
| LOOP | the number of the loop that runs or ran last |
| TASKS, DONE | how many tasks it has; how many are finished |
| FUNCTION, ARGUMENTS, DIMENSIONS, STEPS, DATA, INNER, COUNT | the loop, as Numba's parallel_for is called with it |
| THREADS, ACTIVE, TAKING_PART | threads that there are; that wake; that may work on this loop |
| WAITS | whether the launching thread sleeps |
| BUSY | whether a loop runs |
| COMPANY, UNTIL, WHILE | whether there is company; the moment up to which that is believed; for how long |
| STALLED | the moment at which the launching thread last waited for one without a core |
| STOP | whether the threads are to end |
| STALLS | how often the launching thread waited for one without a core |
| WHOLE | Numba's own parallel_for, which runs what is too large for us |

Behind them are the mutex, the condition on which the launching thread sleeps, and for each thread its own condition,
whether it sleeps there, the system's number of it, and its SHARE of the loop: the end << 20, and the next task.
"""

from __future__ import annotations

from numba import types

from scratchnet.kernels.cpu.runtime.atomics import (
    ROOM,
    add,
    call,
    call_layer,
    flush_denormals,
    load,
    lock,
    now,
    pause,
    restore,
    room,
    signal,
    sleep,
    store,
    swap,
    thread_self,
    unlock,
)
from scratchnet.kernels.cpu.runtime.compiled import callback, compiled

PER_THREAD = (
    8  # tasks of a loop for each thread: enough that the last one is short, few enough that claiming them costs nothing
)
SPIN, PATIENCE, STALL, FIRST, LONGEST = 200_000, 20_000, 1_000_000, 50_000_000, 1_600_000_000  # nanoseconds
SOON = 100_000_000
MOST_THREADS, MOST_TASKS = 256, 1 << 20

LINE = 128  # bytes from one word to the next: two cache lines, since processors fetch them in pairs
(
    LOOP, TASKS, DONE, FUNCTION, ARGUMENTS, DIMENSIONS, STEPS, DATA, INNER, COUNT, THREADS, ACTIVE, TAKING_PART,
    WAITS, BUSY, COMPANY, UNTIL, WHILE, STOP, STALLS, STALLED, WHOLE, MUTEX, FINISHED, OWN,
) = (LINE * i for i in range(25))  # fmt: skip
SLEEPS, NUMBER, SHARE, OWN_BYTES = LINE, LINE + 8, 2 * LINE, 3 * LINE  # of a thread, behind its condition; of all that
BYTES = OWN + MOST_THREADS * OWN_BYTES

_NEXT = MOST_TASKS - 1  # the bits of a share that say which task is next


@compiled
def _own(control, me):
    """Where the words of thread `me` begin."""
    return control + OWN + OWN_BYTES * me


@compiled
def _run_task(task, function, arguments, dimensions, steps, data, inner, count):
    """One round of the loop: its arguments are those of the first, moved by the steps."""
    mine, sizes = room(), room()
    for i in range(count):
        store(mine + 8 * i, load(arguments + 8 * i) + load(steps + 8 * i) * task)
    store(sizes, 1)
    for i in range(1, inner + 1):
        store(sizes + 8 * i, load(dimensions + 8 * i))
    call(function, mine, sizes, steps, data)


@compiled
def _claim(share):
    """The next task of a share; -1 where all are claimed."""
    left = load(share)  # looked at first, so that what is added where nothing is left cannot grow into the end
    if left & _NEXT < left >> 20:
        left = add(share, 1)
        if left & _NEXT < left >> 20:
            return left & _NEXT
    return -1


@compiled
def _work(control, me):
    """Run tasks until none is left, those of one's own share first; how many this thread did."""
    did, threads = 0, load(control + TAKING_PART)
    for i in range(threads):
        share = _own(control, (me + i) % threads) + SHARE
        task = _claim(share)
        while task >= 0:
            _run_task(
                task,
                load(control + FUNCTION),
                load(control + ARGUMENTS),
                load(control + DIMENSIONS),
                load(control + STEPS),
                load(control + DATA),
                load(control + INNER),
                load(control + COUNT),
            )
            did += 1
            if add(control + DONE, 1) + 1 == load(control + TASKS) and load(control + WAITS) != 0:
                lock(control + MUTEX)
                signal(control + FINISHED)
                unlock(control + MUTEX)
            task = _claim(share)
    return did


@compiled
def _await(control, me, seen):
    """Return when there is a loop that this thread has not seen, or the pool ends."""
    start = now()
    while load(control + COMPANY) == 0 and now() - start < SPIN:
        for _ in range(20):
            pause()
            if load(control + LOOP) != seen:
                return
    own = _own(control, me)
    lock(control + MUTEX)
    swap(own + SLEEPS, 1)
    while load(control + LOOP) == seen and load(control + STOP) == 0:
        sleep(own, control + MUTEX)
    store(own + SLEEPS, 0)
    unlock(control + MUTEX)


@callback(types.void(types.int64, types.int64))
def worker(control, me):
    """The life of thread `me`, which is 1 or more; 0 is the thread that launches."""
    store(_own(control, me) + NUMBER, thread_self())
    flush_denormals()
    seen = 0
    while load(control + STOP) == 0:
        loop = load(control + LOOP)
        if loop == seen:
            _await(control, me, seen)
        else:
            seen = loop
            if me < load(control + TAKING_PART):
                _work(control, me)


@compiled
def _begin(control, tasks, threads):
    """Share out the tasks of a loop that is described already, and wake those of the threads that sleep."""
    store(control + TASKS, tasks)
    store(control + TAKING_PART, threads)
    store(control + DONE, 0)
    store(control + OWN + NUMBER, thread_self())
    for me in range(threads):  # from here on, tasks are claimed
        first, end = me * tasks // threads, (me + 1) * tasks // threads
        store(_own(control, me) + SHARE, end << 20 | first)
    add(control + LOOP, 1)
    for me in range(1, threads):
        own = _own(control, me)
        if load(own + SLEEPS) != 0:
            lock(control + MUTEX)
            signal(own)
            unlock(control + MUTEX)


@compiled
def _learn(control, stalled):
    """Whether there is company, from whether the launching thread waited for a thread without a core."""
    if not stalled and load(control + COMPANY) == 0:
        return
    moment, active = now(), load(control + ACTIVE)
    if stalled:
        add(control + STALLS, 1)
        before = swap(control + STALLED, moment)
        if load(control + COMPANY) == 0:
            if moment - before > SOON:
                return
            again = moment - load(control + UNTIL) < 3 * SOON
            store(control + WHILE, min(2 * load(control + WHILE), LONGEST) if again else FIRST)
            store(control + COMPANY, 1)
        store(control + UNTIL, moment + load(control + WHILE))
        store(control + ACTIVE, max(active - 1, 2))
    elif moment > load(control + UNTIL):
        store(control + COMPANY, 0)
        store(control + ACTIVE, min(active + 1, load(control + THREADS)))


@compiled
def _finish(control, tasks, start, did):
    """Wait until all tasks are done. This thread did some of them since `start`, and so knows how long one takes."""
    if load(control + DONE) == tasks:
        _learn(control, False)
        return
    moment = now()
    task_time = (moment - start) // max(did, 1)
    while load(control + DONE) < tasks and now() - moment < 2 * task_time + PATIENCE:
        for _ in range(20):
            pause()
            if load(control + DONE) == tasks:
                break
    if load(control + DONE) < tasks:
        lock(control + MUTEX)
        swap(control + WAITS, 1)
        while load(control + DONE) < tasks:
            sleep(control + FINISHED, control + MUTEX)
        store(control + WAITS, 0)
        unlock(control + MUTEX)
    _learn(control, now() - moment > 2 * task_time + STALL)


@callback(types.void(*[types.int64] * 9))
def parallel_for(control, function, arguments, dimensions, steps, data, inner, count, threads):
    """What Numba's layers call parallel_for: run a loop of dimensions[0] tasks on up to so many threads."""
    tasks = load(dimensions)
    if max(inner + 1, count) > ROOM or tasks >= MOST_TASKS:
        call_layer(load(control + WHOLE), function, arguments, dimensions, steps, data, inner, count, threads)
        return
    before = flush_denormals()
    free = swap(control + BUSY, 1) == 0  # a loop within a loop's task, or beside one, is run by its own thread alone
    if free and min(threads, tasks, load(control + THREADS)) > 1:
        threads = min(threads, load(control + ACTIVE))
        store(control + FUNCTION, function)
        store(control + ARGUMENTS, arguments)
        store(control + DIMENSIONS, dimensions)
        store(control + STEPS, steps)
        store(control + DATA, data)
        store(control + INNER, inner)
        store(control + COUNT, count)
        start = now()
        _begin(control, tasks, threads)
        _finish(control, tasks, start, _work(control, 0))
    else:
        for task in range(tasks):
            _run_task(task, function, arguments, dimensions, steps, data, inner, count)
    if free:
        store(control + BUSY, 0)
    restore(before)


@callback(types.int64(types.int64))
def get_thread_id(control):
    """Which of the pool's threads calls: 0 to THREADS - 1; 0 if it is none of them, and so runs a loop alone."""
    number = thread_self()
    for me in range(load(control + THREADS)):
        if load(_own(control, me) + NUMBER) == number:
            return me
    return 0
