"""python -m scratchnet.bench: scratchnet beside PyTorch and Keras, in one run.

Every contestant has a process of its own, and they take turns. Frameworks that are not installed are left out; a
framework in another virtual environment is named by that environment's Python. What `--device gpu` measures is in
`on_gpu`.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from tqdm import tqdm

from scratchnet.bench import company, on_gpu
from scratchnet.bench.race import Contestant, default_pythons, environment, find, first_step, race
from scratchnet.bench.shapes import NETWORKS, REFERENCES, TASKS
from scratchnet.kernels.gpu_probe import GPUNotAvailable

ROUNDS, NETWORK_ROUNDS = 6, 3


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m scratchnet.bench", description=__doc__.splitlines()[0])
    p.add_argument("--device", choices=["cpu", "gpu"], default="cpu", help="what to measure (cpu)")
    p.add_argument("--model", choices=[*TASKS, REFERENCES], help="only this model (all but the references)")
    p.add_argument("--networks", action="store_true", help="the networks of the article's references: a quarter hour")
    p.add_argument(
        "--kernels", action="store_true", help="each kernel beside a large product and a copy, no whole steps"
    )
    p.add_argument("--company", action="store_true", help="steps beside other work, on slow and too few cores")
    p.add_argument("--json", action="store_true", help="print JSON instead of tables")
    p.add_argument("--plot", metavar="FILE", help="also draw the times; on the GPU rooflines, too: FILE_cnn_tf32, ...")
    p.add_argument("--threads", type=int, help="threads for every contestant on the CPU (default: one a processor)")
    p.add_argument("--rounds", type=int, help=f"turns of each contestant ({ROUNDS}; {on_gpu.ROUNDS} on the GPU)")
    p.add_argument("--torch-python", metavar="PYTHON", help="a Python that has PyTorch, if this one has not")
    p.add_argument(
        "--keras-python", metavar="PYTHON", help="a Python that has Keras and TensorFlow, if this one has not"
    )
    return p


def fused_ratio(tasks: Mapping[str, Any]) -> float | None:
    """Our time for a step of the CNN divided by that of the same step with fuse=False; None where not measured."""
    steps = [tasks.get(task, {}).get("scratchnet") for task in ("cnn step", "cnn step, layer by layer")]
    return None if None in steps else steps[0]["median"] / steps[1]["median"]


def measure_models(options: argparse.Namespace) -> dict[str, Any]:
    """Times by task and contestant; of whole steps also the peak memory and the time to the first one."""
    pythons, extra = default_pythons(options.torch_python, options.keras_python), environment(options.threads)
    names = [name for name, python in pythons.items() if find(name, python)]
    tasks = [task for model in ([options.model] if options.model else TASKS) for task in TASKS[model]]
    found: dict[str, Any] = {"tasks": {}, "peak memory": {}, "first step": {}}
    with ExitStack() as stack:
        contestants = [stack.enter_context(Contestant(name, pythons[name], extra)) for name in names]
        for task in tqdm(tasks, desc="tasks", leave=False, disable=options.json):
            found["tasks"][task] = race(contestants, task, options.rounds or ROUNDS, repeat=30)
            if task.endswith("step"):
                done = found["tasks"][task]
                found["peak memory"][task] = {c.name: c.peak for c in contestants if c.name in done}
    found["fused / layer by layer"] = fused_ratio(found["tasks"])
    for task in found["peak memory"]:
        first = {name: first_step(task, name, pythons[name], extra) for name in found["tasks"][task]}
        first["scratchnet, never compiled"] = first_step(task, "scratchnet", pythons["scratchnet"], extra, cold=True)
        found["first step"][task] = first
    return found


def measure_networks(options: argparse.Namespace) -> dict[str, Any]:
    """The same of NETWORKS; for each task the contestants begin anew, so that the peak memory is that of the task."""
    pythons, extra = default_pythons(options.torch_python, options.keras_python), environment(options.threads)
    names = [name for name, python in pythons.items() if find(name, python)]
    found: dict[str, Any] = {"tasks": {}, "peak memory": {}, "first step": {}, "fused / layer by layer": None}
    for task in tqdm(NETWORKS, desc="networks", leave=False, disable=options.json):
        with ExitStack() as stack:
            contestants = [stack.enter_context(Contestant(name, pythons[name], extra)) for name in names]
            found["tasks"][task] = race(contestants, task, options.rounds or NETWORK_ROUNDS, repeat=5)
            found["peak memory"][task] = {c.name: c.peak for c in contestants if c.name in found["tasks"][task]}
    return found


def speed(work: float, traffic: int, kernel: float, product: float, copy: float) -> dict[str, Any]:
    """A kernel's GFLOP/s and GB/s beside the most that processor and memory can do, and which of these limits it.

    Args: its multiplications and additions, the bytes of its arrays, and the milliseconds of it, of a product of
    1024 x 1024 matrices, and of a copy that moves as many bytes.
    """
    found: dict[str, Any] = {"GFLOP/s": work / kernel / 1e6, "a @ b": 2 * 1024**3 / product / 1e6}
    found |= {"ratio": found["GFLOP/s"] / found["a @ b"], "GB/s": traffic / kernel / 1e6, "copy": traffic / copy / 1e6}
    roof = min(found["a @ b"], work / copy / 1e6)
    return found | {"limit": "a @ b" if roof == found["a @ b"] else "copy", "of limit": found["GFLOP/s"] / roof}


def measure_kernels(options: argparse.Namespace) -> dict[str, Any]:
    """Each kernel in GFLOP/s and GB/s, in turns with a @ b of 1024 x 1024 matrices and with a copy: see `speed`."""
    from scratchnet.bench.ours import kernels

    extra, python = environment(options.threads), default_pythons(None, None)["scratchnet"]
    found: dict[str, Any] = {}
    for model in [options.model] if options.model else TASKS:
        with ExitStack() as stack:
            names = "scratchnet", "a @ b", "scratchnet copy"
            turns = [stack.enter_context(Contestant(name, python, extra)) for name in names]
            for kernel in tqdm(kernels(model), desc=model, leave=False, disable=options.json):
                times = race(turns, f"{model}: {kernel.name}", options.rounds or ROUNDS, repeat=30)
                medians = (times[name]["median"] for name in names)
                found[f"{model}, {kernel.name}"] = speed(kernel.work, kernel.traffic, *medians)
    return found


def print_models(found: dict[str, Any]) -> None:
    """Tables: for each contestant its time, the quartiles, and our time divided by it; then what fusing saves."""
    descriptions = {task: text for model in (*TASKS.values(), NETWORKS) for task, text in model.items()}
    for task, times in found["tasks"].items():
        print(f"\n{descriptions[task]}")
        for name, t in times.items():
            quartiles = f"{t['low']:.2f} to {t['high']:.2f}"
            ratio = "" if name == "scratchnet" else f"  ours / this {times['scratchnet']['median'] / t['median']:.2f}"
            print(f"  {name:<20} {t['median']:9.2f} ms  (quartiles {quartiles}, {t['count']} times){ratio}")
    if (ratio := found["fused / layer by layer"]) is not None:
        print(f"\nfused steps against layer by layer: {ratio:.2f} of the time, so that fusing saves {1 - ratio:.0%}")
    for task, peaks in found["peak memory"].items():
        print(f"\npeak memory of the process, {task}")
        for name, peak in peaks.items():
            print(f"  {name:<20} {peak:9.0f} MB")
    for task, first in found["first step"].items():
        print(f"\nfrom the start of Python to the end of the first {task}")
        for name, seconds in first.items():
            print(f"  {name:<28} {seconds:6.2f} s")


def print_kernels(found: dict[str, Any]) -> None:
    """A line for each kernel."""
    head = f"{'GFLOP/s':>8} {'a @ b':>8} {'ratio':>6} {'GB/s':>7} {'copy':>6}  limit  ratio"
    print(f"\n{'kernel':<56} {head}")
    for name, at in found.items():
        flops = f"{at['GFLOP/s']:8.0f} {at['a @ b']:8.0f} {at['ratio']:6.2f}"
        print(f"{name:<56} {flops} {at['GB/s']:7.1f} {at['copy']:6.0f}  {at['limit']:<5}  {at['of limit']:5.2f}")


def main_on_gpu(options: argparse.Namespace) -> None:
    """The same on the GPU."""
    try:
        found = on_gpu.measure(options)
    except GPUNotAvailable as error:
        parser().exit(2, f"{error}\n")
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        on_gpu.show(found)
    if options.plot:
        on_gpu.draw(found, options.plot)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; ends with exit status 2 where the GPU is asked for and cannot be used."""
    options = parser().parse_args(arguments)
    if options.model == REFERENCES and (options.device == "gpu" or not options.kernels):
        parser().error(f"--model {REFERENCES} has kernels on the CPU only. Add --kernels, without --device gpu.")
    if options.device == "gpu":
        main_on_gpu(options)
        return
    if options.company:
        if options.kernels or options.networks or options.plot:
            parser().error("--company measures whole steps and draws nothing: leave --kernels, --networks, --plot out.")
        found = company.measure(options)
        print(json.dumps(found, indent=2)) if options.json else company.show(found)
        return
    measured = measure_networks if options.networks else measure_models
    found = (measure_kernels if options.kernels else measured)(options)
    if options.json:
        print(json.dumps({"machine": platform.processor() or platform.machine(), "results": found}, indent=2))
    else:
        (print_kernels if options.kernels else print_models)(found)
    if options.plot:
        from scratchnet import plot

        figure = plot.speeds(found) if options.kernels else plot.times(found["tasks"])
        figure.savefig(options.plot, facecolor="white")


if __name__ == "__main__":
    main()
