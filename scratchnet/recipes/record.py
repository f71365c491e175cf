"""What every recipe writes into its JSON file: the results, the time each epoch took, the date and the machine."""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numba

from scratchnet.callbacks import Callback, Logs
from scratchnet.doctor import processor_name
from scratchnet.fields import list_of, number, record
from scratchnet.files import whole_file


class Stopwatch(Callback):
    """The seconds of each epoch, validation included; a resumed run keeps those of its first part."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def get_state(self) -> dict[str, Any]:
        """The seconds of the epochs so far."""
        return {"seconds": self.seconds}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(seconds=list_of(number()))(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the seconds that `get_state` gave."""
        self.seconds = state["seconds"]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock."""
        self.start = time.perf_counter()

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Start the clock in the middle of an epoch: what was done before the break is not counted."""
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the seconds since the epoch began."""
        self.seconds.append(round(time.perf_counter() - self.start, 2))


def write_result(stem: str | os.PathLike[str], result: Mapping[str, Any]) -> None:
    """Write the result, with the date and the machine, as STEM.json; a write that fails leaves no half file."""
    where = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{processor_name()}, {numba.get_num_threads()} threads",
    }
    with whole_file(f"{stem}.json") as file:
        file.write(json.dumps({**result, **where}).encode())


def results_so_far(name: str, seed: int, folder: Path, epochs: int | None) -> tuple[Path, list[dict[str, Any]]]:
    """(the stem of the result's file, the results in it) of a recipe with many networks, perhaps of a run cut off.

    Raises:
        ValueError: epochs are given; such a recipe has its own.
    """
    if epochs is not None:
        raise ValueError(
            f"{name}: expected no --epochs, got {epochs}. Its networks learn for fixed numbers of steps or epochs."
        )
    stem = folder / f"{name}_{seed}"
    path = stem.with_suffix(".json")
    return stem, json.loads(path.read_text())["results"] if path.exists() else []


def folder_for(path: str | os.PathLike[str]) -> Path:
    """The folder, made if need be."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
