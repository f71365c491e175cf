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
- each thread compares for how long it wanted a core with for how long it had one. Where all together lack LACKING
  percent of a core, there is *company*: another program needs one. Then one thread fewer takes part. After a while it
  is tried with one more again. The while is FIRST, and twice as long each time that this fails.

All threads share the words of `control`, each on a cache line of its own:

| word | is |
|---|---|
| LOOP | the number of the loop that runs or ran last |
| TASKS, DONE | how many tasks it has; how many are finished |
| FUNCTION, ARGUMENTS, DIMENSIONS, STEPS, DATA, INNER, COUNT | the loop, as Numba's parallel_for is called with it |
| THREADS, ACTIVE, TAKING_PART | threads that there are; that work on a loop of many tasks; on this loop |
| WAITS | whether the launching thread sleeps |
| BUSY | whether a loop runs |
| LACK | for how long threads wanted a core and had none, since somebody looked |
| LOOKER, HAD, LOOPED | the launching thread, for how long it had a core, and how long its loops took, likewise |
| UNTIL, WHILE, RAISED | when to try with one thread more; for how long it was not tried; when it was tried last |
| FEWER | how often one thread fewer took part from then on |
| STOP | whether the threads are to end |
| WHOLE | Numba's own parallel_for, which runs what is too large for us |

Behind them are the mutex, the condition on which the launching thread sleeps, and for each thread its own condition;
whether it SLEEPS there; the system's NUMBER of it; up to when it counted what it lacks, and what it had of a core by
then (FROM, OWN_HAD); for how long it SLEPT since; and its SHARE of the loop: the end << 20, and the next task.
"""

from __future__ import annotations

from numba import types

from scratchnet.kernels.cpu.compiling.compiled import callback, compiled
from scratchnet.kernels.cpu.threads.atomics import (
    ROOM,
    add,
    call,
    call_layer,
    flush_denormals,
    load,
    lock,
    now,
    own_time,
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

PER_THREAD = 8  # tasks of a loop for each thread: the last one is short, and claiming them costs next to nothing
SPIN, PATIENCE, FIRST, LONGEST = 200_000, 20_000, 50_000_000, 1_600_000_000  # nanoseconds
LACKING = 60  # percent of a core; threads that share one so wait for each other about as long as one fewer would take
COUNT_EVERY, LOOK_EVERY, SOON = 2_000_000, 20_000_000, 100_000_000  # nanoseconds
MOST_THREADS, MOST_TASKS = 256, 1 << 20

LINE = 128  # bytes from one word to the next: two cache lines, since processors fetch them in pairs
(
    LOOP, TASKS, DONE, FUNCTION, ARGUMENTS, DIMENSIONS, STEPS, DATA, INNER, COUNT, THREADS, ACTIVE, TAKING_PART,
    WAITS, BUSY, LACK, LOOKER, HAD, LOOPED, UNTIL, WHILE, RAISED, FEWER, STOP, WHOLE, MUTEX, FINISHED, OWN,
) = (LINE * i for i in range(28))  # fmt: skip
# Of a thread, behind its condition; and of all that.
SLEEPS, NUMBER, FROM, OWN_HAD, SLEPT, SHARE, OWN_BYTES = LINE, *(LINE + 8 * i for i in range(1, 5)), 2 * LINE, 3 * LINE
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
    while me < load(control + ACTIVE) and now() - start < SPIN:
        for _ in range(20):
            pause()
            if load(control + LOOP) != seen:
                return
    own = _own(control, me)
    start = now()
    lock(control + MUTEX)
    swap(own + SLEEPS, 1)
    while load(control + LOOP) == seen and load(control + STOP) == 0:
        sleep(own, control + MUTEX)
    store(own + SLEEPS, 0)
    unlock(control + MUTEX)
    add(own + SLEPT, now() - start)


@compiled
def _count_lack(control, me):
    """Add to LACK for how long this thread wanted a core and had none. The system is asked every COUNT_EVERY only."""
    own, moment = _own(control, me), now()
    if moment - load(own + FROM) > COUNT_EVERY:
        had = own_time()
        wanted = moment - swap(own + FROM, moment) - swap(own + SLEPT, 0)
        add(control + LACK, max(wanted - (had - swap(own + OWN_HAD, had)), 0))


@callback(types.void(types.int64, types.int64))
def worker(control, me):
    """The life of thread `me`, which is 1 or more; 0 is the thread that launches."""
    own = _own(control, me)
    store(own + NUMBER, thread_self())
    store(own + FROM, now())
    store(own + OWN_HAD, own_time())
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
                _count_lack(control, me)


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
def _finish(control, tasks, start, did):
    """Wait until all tasks are done; for how long this thread slept meanwhile.

    It did some of the tasks since `start`, and so knows how long one takes.
    """
    if load(control + DONE) == tasks:
        return 0
    moment = now()
    task_time = (moment - start) // max(did, 1)
    while load(control + DONE) < tasks and now() - moment < 2 * task_time + PATIENCE:
        for _ in range(20):
            pause()
            if load(control + DONE) == tasks:
                return 0
    moment = now()
    lock(control + MUTEX)
    swap(control + WAITS, 1)
    while load(control + DONE) < tasks:
        sleep(control + FINISHED, control + MUTEX)
    store(control + WAITS, 0)
    unlock(control + MUTEX)
    return now() - moment


@compiled
def _look(control, took):
    """Whether there is company, once loops took LOOK_EVERY; the last one took so long, without what was slept."""
    me, looped = load(control + OWN + NUMBER), add(control + LOOPED, took) + took
    if me == load(control + LOOKER) and looped < LOOK_EVERY:
        return
    had, lack = own_time(), swap(control + LACK, 0)
    store(control + LOOPED, 0)
    had_since = had - swap(control + HAD, had)
    if me == swap(control + LOOKER, me):  # otherwise, the loops were another thread's
        # Where this thread computed between the loops as well, what it had is more than was for them: it lacked more.
        _learn(control, now(), lack + max(looped - had_since, 0), looped)


@compiled
def _learn(control, moment, lack, looped):
    """How many threads take part from now on, where threads together lacked a core for so long in loops of so long."""
    active = load(control + ACTIVE)
    if active > 1 and 100 * lack > LACKING * looped:
        failed = moment - load(control + RAISED) < SOON
        store(control + WHILE, min(2 * load(control + WHILE), LONGEST) if failed else FIRST)
        store(control + UNTIL, moment + load(control + WHILE))
        store(control + ACTIVE, active - 1)
        add(control + FEWER, 1)
    elif active < load(control + THREADS) and moment > load(control + UNTIL):
        store(control + ACTIVE, active + 1)
        store(control + RAISED, moment)


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
        slept = _finish(control, tasks, start, _work(control, 0))
        _look(control, now() - start - slept)
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
