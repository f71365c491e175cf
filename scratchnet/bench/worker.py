"""A contestant's process: reads tasks from its input, one JSON object a line, and answers with times.

Run as a script, by whichever Python has the framework; it needs no package but that framework.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Function = Callable[[], object]
Prepare = Callable[[str], Function | None]  # a task as a function; None where the contestant does not run it


def peak_megabytes() -> float:
    """The most memory this process ever had at once, in MB; nan where the system does not say."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / (1 << 10)


def contestant(name: str) -> Prepare:
    """The `prepare` of a contestant; on the GPU its name has also how steps are launched, and the precision."""
    framework, *more = name.split()
    on_gpu = len(more) == 2 and framework in ("scratchnet", "torch")
    if framework == "scratchnet":
        from scratchnet.bench import ours, ours_on_gpu

        if on_gpu:
            return lambda task: ours_on_gpu.prepare(task, more[0], more[1])
        return ours.prepare_copy if more == ["copy"] else ours.prepare
    sys.path.insert(0, str(Path(__file__).parent))
    if on_gpu:
        with_torch_on_gpu = importlib.import_module("with_torch_on_gpu")
        return lambda task: with_torch_on_gpu.prepare(task, more[0], more[1])
    if name == "keras":
        return importlib.import_module("with_keras").prepare
    if name in ("torch", "torch channels_last"):
        with_torch = importlib.import_module("with_torch")
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
    prepare, ready = contestant(sys.argv[1]), dict[str, Function | None]()
    for line in sys.stdin:
        order = json.loads(line)
        task, answer = order["task"], dict[str, object](times=[])
        if task not in ready:
            ready[task] = prepare(task)
        function = ready[task]
        if function is not None:
            if order["warm_up"]:
                function()  # may compile
                timed(function, sys.maxsize, order["warm_up"])
            answer = {"times": timed(function, order["repeat"], order["seconds"]), "peak": peak_megabytes()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
