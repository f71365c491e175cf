"""Steps beside other work: a program that keeps a core busy, a slow core, too many threads, a second training.

A time here is that of all steps, divided by their number: with the median, the rare long waits would not count that
make a step slow in company. Each neighbour is a program that turns in circles; it has the same priority as we have.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tqdm import tqdm

from scratchnet.bench.race import PAUSE, Contestant, default_pythons, environment, find
from scratchnet.kernels.cpu.machine.processors import processors

CONTESTANTS = "scratchnet", "torch channels_last"
STEPS = {"cnn step": 200, "dcgan step": 10}
ROUNDS = 3
_NEIGHBOUR = "while True: pass"


class Case(NamedTuple):
    """How the steps are run.

    Attributes:
        name: what is printed.
        threads: of the program that is measured.
        neighbours: how many programs turn in circles meanwhile.
        pinned: whether they are kept on one processor.
        programs: how many programs make the steps at once.
        compared: the name of the case that the time is divided by.
        goal: what that ratio should not exceed.
    """

    name: str
    threads: int
    neighbours: int = 0
    pinned: bool = False
    programs: int = 1
    compared: str = ""
    goal: float = float("nan")


ONE, ALONE = "one thread, alone", "all threads, alone"


def cases(count: int) -> list[Case]:
    """What is measured on a machine with so many processors."""
    return [
        Case(ONE, 1),
        Case(ALONE, count),
        Case("beside a busy loop", count, 1, compared=ONE, goal=1.3),
        Case("one core at a third of its speed", count, 2, pinned=True, compared=ONE, goal=1.3),
        Case("twice as many threads as processors", 2 * count, compared=ALONE, goal=1.2),
        Case("two trainings at once", count, programs=2, compared=ALONE, goal=2.3),
    ]


@contextlib.contextmanager
def busy(count: int, pinned: bool) -> Iterator[None]:
    """So many programs that turn in circles, as long as the `with` block runs; pinned: all on the first processor."""
    programs = [subprocess.Popen([sys.executable, "-c", _NEIGHBOUR]) for _ in range(count)]
    try:
        if pinned:
            for program in programs:
                os.sched_setaffinity(program.pid, [min(os.sched_getaffinity(0))])
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def milliseconds(case: Case, name: str, python: str, task: str) -> float:
    """The time of a step of this contestant, the mean of STEPS; of several programs, that of the slowest."""
    with contextlib.ExitStack() as stack:
        programs = [
            stack.enter_context(Contestant(name, python, environment(case.threads))) for _ in range(case.programs)
        ]
        for program in programs:
            program.run(task)  # compiles
        stack.enter_context(busy(case.neighbours, case.pinned))
        pool = stack.enter_context(ThreadPoolExecutor(case.programs))
        time.sleep(PAUSE)
        times = pool.map(lambda program: program.run(task, STEPS[task], 0.3, 300.0), programs)
        return max(statistics.mean(one) for one in times) * 1e3


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """{task: {case: {contestant: milliseconds, ..., "ratio": ours, "compared": a case, "goal": at most}}}, medians."""
    pythons = default_pythons(options.torch_python, None)
    names = [name for name in CONTESTANTS if find(name, pythons[name])]
    can_pin = hasattr(os, "sched_setaffinity")
    todo = [case for case in cases(options.threads or processors().usable) if can_pin or not case.pinned]
    tasks = [task for task in STEPS if options.model in (None, task.split()[0])]
    runs: dict[tuple[str, str, str], list[float]] = {}
    rounds = options.rounds or ROUNDS
    with tqdm(total=rounds * len(tasks) * len(todo) * len(names), desc="company", disable=options.json) as bar:
        for _ in range(rounds):
            for task in tasks:
                for case in todo:
                    for name in names:
                        found = milliseconds(case, name, pythons[name], task)
                        runs.setdefault((task, case.name, name), []).append(found)
                        bar.update()
    table: dict[str, Any] = {}
    for task in tasks:
        for case in todo:
            row: dict[str, Any] = {name: statistics.median(runs[task, case.name, name]) for name in names}
            if case.compared:
                ratio = row["scratchnet"] / table[task][case.compared]["scratchnet"]
                row |= {"ratio": ratio, "compared": case.compared, "goal": case.goal}
            table.setdefault(task, {})[case.name] = row
    return table


def show(found: dict[str, Any]) -> None:
    """A table for each task."""
    for task, rows in found.items():
        print(f"\n{task}, ms: the mean of {STEPS[task]}, median of the rounds")
        for case, row in rows.items():
            times = "  ".join(f"{name} {row[name]:8.2f}" for name in CONTESTANTS if name in row)
            about = f"  ours is {row['ratio']:.2f} of {row['compared']} (goal {row['goal']})" if "ratio" in row else ""
            print(f"  {case:<36} {times}{about}")
