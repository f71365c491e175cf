"""Contestants take turns, each in a process of its own, so that none slows another and memory is measured for each.

Each turn begins with a pause, since a framework's threads keep spinning for a while after its work. A warm-up follows,
since a processor that has been idle needs longer than thirty short calls to reach its full clock rate again.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

PAUSE, WARM_UP = 0.3, 0.15  # seconds
_WORKER = Path(__file__).with_name("worker.py")


class Contestant:
    """A process that does tasks on demand; leaving its `with` block ends it."""

    def __init__(self, name: str, python: str, environment: Mapping[str, str]):
        self.name, self.python, self.environment = name, python, environment
        self.peak = float("nan")
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            [python, str(_WORKER), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **environment},
        )
        assert self._process.stdin is not None  # both are pipes, as asked for above
        assert self._process.stdout is not None
        self._orders, self._answers = self._process.stdin, self._process.stdout

    def __enter__(self) -> Contestant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._orders, self._answers, self._errors):
            stream.close()

    def run(self, task: str, repeat: int = 1, warm_up: float = 0.0, seconds: float = 60.0) -> list[float]:
        """Seconds of each repetition, after `warm_up` seconds of the same; none where the contestant does not run it.

        Raises:
            RuntimeError: the process ended; what it last wrote is in the message.
        """
        line = json.dumps({"task": task, "repeat": repeat, "warm_up": warm_up, "seconds": seconds})
        try:
            self._orders.write(line + "\n")
            self._orders.flush()
            answer = json.loads(self._answers.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            self._process.wait()
            self._errors.seek(0)
            last = self._errors.read().strip().splitlines()[-1:]
            raise RuntimeError(f"{self.name} ({self.python}) ended on {task!r}: {' '.join(last)}") from None
        self.peak = answer.get("peak", self.peak)
        return answer["times"]


def find(name: str, python: str) -> bool:
    """Whether that Python has the framework of this contestant."""
    module = {"scratchnet": "scratchnet.bench.ours", "keras": "keras, tensorflow"}.get(name, name.split()[0])
    done = subprocess.run([python, "-c", f"import {module}"], capture_output=True)
    return done.returncode == 0


def summary(times: Sequence[float]) -> dict[str, float]:
    """Median and quartiles in milliseconds, and how many times there are."""
    if len(times) < 2:
        low = middle = high = times[0]
    else:
        low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
    return {"median": middle * 1e3, "low": low * 1e3, "high": high * 1e3, "count": len(times)}


def race(
    contestants: Sequence[Contestant],
    task: str,
    rounds: int,
    repeat: int,
    warm_up: float = WARM_UP,
    pause: float = PAUSE,
) -> dict[str, dict[str, float]]:
    """The task by all contestants, one after the other, `rounds` times; by name what `summary` says of all times."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for contestant in contestants:
            time.sleep(pause)
            times.setdefault(contestant.name, []).extend(contestant.run(task, repeat, warm_up, 3.0))
    return {name: summary(t) for name, t in times.items() if t}


def first_step(task: str, name: str, python: str, environment: Mapping[str, str], cold: bool = False) -> float:
    """Seconds from the start of Python to the end of the first step of a task; cold: nothing compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        extra = {"NUMBA_CACHE_DIR": folder} if cold else {}
        start = time.perf_counter()
        with Contestant(name, python, {**environment, **extra}) as contestant:
            contestant.run(task)
            return time.perf_counter() - start


def default_pythons(torch: str | None, keras: str | None) -> dict[str, str]:
    """Which Python runs which contestant."""
    return {
        "scratchnet": sys.executable,
        "torch": torch or sys.executable,
        "torch channels_last": torch or sys.executable,
        "keras": keras or sys.executable,
    }


def environment(threads: int | None) -> dict[str, str]:
    """Environment variables that give every framework the same number of threads."""
    if threads is None:
        return {}
    names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BENCH_THREADS")
    return {name: str(threads) for name in names}
