"""A contestant's process: reads tasks from its input, one JSON object a line, and answers with times.

Run as a script, by whichever Python has the framework; it needs no package but that framework.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def peak_megabytes() -> float:
    """The most memory this process ever had at once, in MB; nan on systems that do not tell."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / (1 << 10)


def contestant(name: str) -> Callable[[str], Callable[[], object]]:
    """The `prepare` of a contestant."""
    if name == "scratchnet":
        from scratchnet.bench import ours

        return ours.prepare
    sys.path.insert(0, str(Path(__file__).parent))
    if name == "keras":
        import with_keras

        return with_keras.prepare
    if name in ("torch", "torch channels_last"):
        import with_torch

        return lambda task: with_torch.prepare(task, name.endswith("channels_last"))
    import numpy as np

    a = np.random.default_rng(0).random((1024, 1024), dtype=np.float32)
    return lambda task: lambda: a @ a


def timed(function: Callable[[], object], repeat: int, seconds: float) -> list[float]:
    """Seconds of each call: `repeat` of them, or fewer if they take longer than `seconds` in all."""
    times: list[float] = []
    while len(times) < repeat and sum(times) < seconds:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Answer until the input ends."""
    prepare, ready = contestant(sys.argv[1]), {}
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, object] = {}
        task = order["task"]
        try:
            if task not in ready:
                ready[task] = prepare(task)
            function = ready[task]
            if order["warm_up"]:
                function()  # may compile
                timed(function, sys.maxsize, order["warm_up"])
            answer = {"times": timed(function, order["repeat"], order["seconds"]), "peak": peak_megabytes()}
        except LookupError:
            answer = {"times": []}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
