"""The history in a file that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from scratchnet.callbacks.base import Callback, Logs
from scratchnet.fields import list_of, record, text
from scratchnet.files import check_writable, kind_of, whole_file

STREAMS = ("a character device", "a named pipe", "an open file of a process")  # what is written to row by row


class CSVLogger(Callback):
    """After each epoch, a row in a CSV file: the epoch, counted from 0, and its logs in the alphabet's order.

    The file is written anew, whole or not at all, so a run that is killed and resumed leaves no row twice. A named pipe
    or /dev/stdout cannot be replaced: rows go there one by one, as any program writes them.

    Args:
        filename: the file; its folder is made if need be.
        separator: between the columns.
        append: whether rows that are in the file already stay; it may have been through a spreadsheet, which puts a
            byte-order mark before it.

    Raises:
        ValueError: a separator that is not one character, or append=True on a file without a column "epoch".
        OSError: the file cannot be written; said before training begins.

    Source: https://keras.io/api/callbacks/csv_logger/
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False):
        if not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n':
            raise ValueError(f"CSVLogger: expected one character as separator, such as ',' or ';', got {separator!r}.")
        self.path, self.separator, self.append = Path(filename), separator, append
        self.names: list[str] = []
        self.rows: list[list[str]] = []
        self._stream: TextIO | None = None

    def get_state(self) -> dict[str, Any]:
        """All rows."""
        return {"names": self.names, "rows": self.rows}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(names=list_of(text), rows=list_of(list_of(text)))(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on behind them."""
        self.names, self.rows = state["names"], state["rows"]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Read what is there, if it is to stay."""
        self.names, self.rows = [], []
        if kind_of(self.path) in STREAMS:
            self._stream = _open_stream(self.path)
            return
        check_writable(self.path)
        if self.append and self.path.is_file():
            with open(self.path, newline="", encoding="utf-8-sig") as file:
                self.names, *self.rows = list(csv.reader(file, delimiter=self.separator)) or [[]]
            if self.names and "epoch" not in self.names:
                raise ValueError(
                    f"CSVLogger: expected a column 'epoch' in {self.path}, separated by {self.separator!r}, got "
                    f"{self.names}. Give the separator it was written with, or another file."
                )

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Let go of a pipe."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add a row; a value that the first row did not have gets a column of its own."""
        values = {"epoch": str(epoch), **{name: repr(value) for name, value in sorted((logs or {}).items())}}
        if self._stream is not None:
            if not self.names:
                self.names = list(values)
                csv.writer(self._stream, delimiter=self.separator).writerow(self.names)
            csv.writer(self._stream, delimiter=self.separator).writerow(values.get(name, "") for name in self.names)
            self._stream.flush()
            return
        self.names += [name for name in values if name not in self.names]
        self.rows.append([values.get(name, "") for name in self.names])
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.separator)
        writer.writerow(self.names)
        writer.writerows(row + [""] * (len(self.names) - len(row)) for row in self.rows)
        with whole_file(self.path) as file:
            file.write(text.getvalue().encode("utf-8"))


def _open_stream(path: Path) -> TextIO:
    """A stream for appending. One that is open already is shared: opened anew, it would write over others' text."""
    number = re.fullmatch(r"/dev/(stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)", os.path.abspath(path))
    if number is None:
        return open(path, "a", newline="", encoding="utf-8")
    descriptor = {"stdout": 1, "stderr": 2}.get(number[1]) or int(number[2])
    return open(os.dup(descriptor), "w", newline="", encoding="utf-8")
