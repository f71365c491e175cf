"""python -m scratchnet.bench --device gpu: kernels, training steps and ten epochs, beside PyTorch where it is there.

As on the CPU, each contestant has a process of its own, and they take turns. One that cannot do a task, such as a
PyTorch that finds no compiler, is left out from then on, and what it said is printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any

from tqdm import tqdm

from scratchnet import devices
from scratchnet.bench.gpu_kernels import Kernel, kernels, roofs
from scratchnet.bench.race import WARM_UP, Contestant, race
from scratchnet.bench.shapes import COPY, GPU, GPU_CONTESTANTS, GPU_FIT, GPU_STEPS, PRODUCT
from scratchnet.placement import PRECISIONS

ROUNDS = 3
_ASK_TORCH = "import torch; torch.cuda.init()"


def gpu_name() -> str:
    """What the GPU calls itself.

    Raises:
        GPUNotAvailable: there is none that can be used.
    """
    return devices.named("gpu").module.cuda.runtime.getDeviceProperties(0)["name"].decode()


def found_torch(python: str) -> str:
    """Empty where PyTorch is there and sees the GPU; else the last that was said."""
    done = subprocess.run([python, "-c", _ASK_TORCH], capture_output=True, text=True)
    return " ".join(done.stderr.strip().splitlines()[-1:]) if done.returncode else ""


def turns(
    contestants: Sequence[Contestant],
    task: str,
    rounds: int,
    left_out: dict[str, str],
    repeat: int = 30,
    warm_up: float = WARM_UP,
) -> dict[str, dict[str, float]]:
    """`race` among those that run the task, after one call that compiles and records; who fails is left out."""
    ready = []
    for contestant in contestants:
        if contestant.name not in left_out:
            try:
                ready += [contestant] if contestant.run(task) else []
            except RuntimeError as error:
                left_out[contestant.name] = str(error)
    return race(ready, task, rounds, repeat, warm_up, pause=0.0)


def per(times: dict[str, dict[str, float]], factor: float) -> dict[str, dict[str, float]]:
    """The times in another unit, or of a part of the task."""
    return {
        name: {key: value if key == "count" else value * factor for key, value in t.items()}
        for name, t in times.items()
    }


def speeds(kernel: Kernel, times: dict[str, dict[str, float]]) -> dict[str, Any]:
    """A kernel's microseconds, TFLOP/s and GB/s by contestant, and its work for each byte."""
    us = {name: t["median"] * 1e3 / kernel.calls() for name, t in times.items()}
    return {
        "us": us,
        "TFLOP/s": {name: kernel.work / t / 1e6 for name, t in us.items()},
        "GB/s": {name: kernel.traffic / t / 1e3 for name, t in us.items()},
        "FLOP/byte": kernel.work / kernel.traffic,
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All of it by kind: "roofs" and "kernels" with their speeds, "steps" in us, "fit" in s, and who was left out.

    Raises:
        GPUNotAvailable: there is no GPU.
    """
    left_out: dict[str, str] = {}
    found: dict[str, Any] = {"gpu": gpu_name(), **{kind: {} for kind in ("roofs", "kernels", "steps", "fit")}}
    found["left out"] = left_out
    models, rounds = [options.model] if options.model else list(GPU_STEPS), options.rounds or ROUNDS
    pythons = {"scratchnet": sys.executable, "torch": options.torch_python or sys.executable}
    if missing := found_torch(pythons["torch"]):
        left_out["torch"] = missing
        del pythons["torch"]

    def bar(names: Any, what: str) -> Any:
        return tqdm(names, desc=what, leave=False, disable=options.json)

    with ExitStack() as stack:
        contestants = [
            stack.enter_context(Contestant(name, python, {}))
            for framework, python in pythons.items()
            for name in GPU_CONTESTANTS[framework]
        ]
        at_once = [c for c in contestants if c.name.split()[1] in ("recorded", "captured")]
        for task, kernel in bar(roofs().items(), "roofs"):
            found["roofs"][task] = speeds(kernel, turns(at_once, task, rounds, left_out))
        ours = [c for c in at_once if c.name.startswith("scratchnet")]
        for task, kernel in bar([pair for model in models for pair in kernels(model).items()], "kernels"):
            found["kernels"][task] = speeds(kernel, turns(ours, task, rounds, left_out))
        if options.kernels:
            return found
        for task in bar([task for model in models for task in GPU_STEPS[model]], "steps"):
            found["steps"][task] = per(turns(contestants, task, rounds, left_out), 1e3 / GPU.steps)
        if "cnn" in models:
            found["fit"][GPU_FIT[0]] = per(turns(ours, GPU_FIT[0], rounds, left_out, repeat=1, warm_up=0.0), 1e-3)
    return found


def peak(found: dict[str, Any], precision: str) -> float:
    """The most TFLOP/s of anyone's large product in this precision; nan where nobody ran it."""
    by_name = found["roofs"][PRODUCT]["TFLOP/s"]
    return max((v for name, v in by_name.items() if name.split()[-1] == precision), default=float("nan"))


def bandwidth(found: dict[str, Any]) -> float:
    """The most GB/s of anyone's pass over a large array; nan where nobody ran it."""
    return max(found["roofs"][COPY]["GB/s"].values(), default=float("nan"))


def show(found: dict[str, Any]) -> None:
    """Tables."""
    print(f"{found['gpu']}\n\nat most")
    for name, speed in found["roofs"][PRODUCT]["TFLOP/s"].items():
        print(f"  {name:<28} {speed:9.1f} TFLOP/s  product of {GPU.side} x {GPU.side} matrices")
    for name, speed in found["roofs"][COPY]["GB/s"].items():
        print(f"  {name:<28} {speed:9.0f} GB/s     one pass over {4 * GPU.copied / 1e9:.1f} GB, read and written")
    print(f"\n{'TFLOP/s, and of the peak above':<46} {'FLOP/byte':>9}" + "".join(f"{p:>16}" for p in PRECISIONS))
    for task, kernel in found["kernels"].items():
        speed = {name.split()[-1]: v for name, v in kernel["TFLOP/s"].items()}
        cells = [f"{speed[p]:10.2f} {speed[p] / peak(found, p):5.0%}" if p in speed else f"{'':16}" for p in PRECISIONS]
        print(f"{task:<46} {kernel['FLOP/byte']:9.1f}" + "".join(cells))
    descriptions = {**GPU_STEPS["cnn"], **GPU_STEPS["dcgan"], GPU_FIT[0]: GPU_FIT[1]}
    for unit, kind in (("us", "steps"), ("s", "fit")):
        for task, times in found[kind].items():
            print(f"\n{descriptions[task]}")
            for name, t in times.items():
                ours = times.get(f"scratchnet recorded {name.split()[-1]}")
                ratio = f"  ours recorded / this {ours['median'] / t['median']:.2f}" if ours and ours is not t else ""
                quartiles = f"{t['low']:.2f} to {t['high']:.2f}"
                print(f"  {name:<28} {t['median']:9.2f} {unit}  (quartiles {quartiles}, {t['count']} times){ratio}")
    for name, why in found["left out"].items():
        print(f"\nleft out: {name}: {why}")


def draw(found: dict[str, Any], file: str) -> None:
    """The steps' times into the file; a model's kernels in a precision below its roof into FILE_cnn_tf32 and so on."""
    from scratchnet import plot

    if found["steps"]:
        plot.times(found["steps"], "microseconds a step").savefig(file, facecolor="white")
    path = Path(file)
    for model, precision in product(GPU_STEPS, PRECISIONS):
        name, points = f"scratchnet recorded {precision}", {}
        for task, kernel in found["kernels"].items():
            if task.startswith(f"{model}: ") and name in kernel["TFLOP/s"]:
                points[task.removeprefix(f"{model}: ")] = (kernel["FLOP/byte"], 1e3 * kernel["TFLOP/s"][name])
        if points:
            figure = plot.roofline(1e3 * peak(found, precision), bandwidth(found), points)
            figure.savefig(path.with_stem(f"{path.stem}_{model}_{precision}"), facecolor="white")
