"""Files from the network: several mirrors in turn, limits of size and time, a checksum before use, kept in one folder.

The folder is the one that the environment variable SCRATCHNET_DATA names, or else the user's cache folder. A file that
already lies there is not asked for again.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

TIMEOUT = 20  # seconds without a single byte, after which the next mirror is asked
ANSWER = 60  # seconds until a mirror must have answered, redirections and all, and the file begins
# A mirror must give so much in every minute. The slowest that people met gave 55 kB/s, which is 50 minutes for
# CIFAR-10. No file can take longer than its size over this speed: three hours for that one.
SLOWEST = 16_000  # bytes a second
WINDOW = 60  # seconds
BLOCK = 1 << 16  # bytes


class RemoteFile(NamedTuple):
    """A file and where to get it."""

    name: str
    size: int | None  # bytes: a mirror that sends more is left at once; None: as many as it announces
    checksum: str | None  # "sha256:..." or "md5:..."; None: unknown
    mirrors: tuple[str, ...]  # addresses, the best first; {name} stands for the file's name

    def addresses(self) -> list[str]:
        """Where it may be had."""
        return [mirror.format(name=self.name) for mirror in self.mirrors]


def data_folder() -> Path:
    """The folder of data sets: $SCRATCHNET_DATA, or the user's cache folder. It may not exist yet."""
    if chosen := os.environ.get("SCRATCHNET_DATA"):
        return Path(chosen).expanduser()
    import pooch  # here, not above: importing it takes a tenth of a second

    return Path(pooch.os_cache("scratchnet"))


def locate(name: str, *folders: Path) -> Path | None:
    """The file or folder of this name in the first of the folders that has it; None where none has."""
    return next((folder / name for folder in folders if (folder / name).exists()), None)


def _reason(error: Exception) -> str:
    """An error as one line of at most some 300 characters."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text if len(text) <= 300 else text[:300] + '...'}"


class BadMirror(ValueError):
    """What a mirror sends is not the file, or comes too slowly."""


class _Downloader:
    """What pooch calls to get a file from an address: as its HTTPDownloader, and with limits of size and time.

    Raises:
        BadMirror: more or fewer bytes than the file has, or too slow.
        requests.exceptions.RequestException, urllib3.exceptions.HTTPError: whatever else the network does.
        OSError: the file cannot be written.
    """

    def __init__(self, size: int | None):
        self.size = size  # of the file; where it is not known, what the server announces

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        from tqdm.auto import tqdm

        with _answer(url) as response, open(output_file, "wb") as out:
            response.raise_for_status()
            announced = response.headers.get("Content-Length", "")
            if announced.isdecimal() and self.size not in (None, int(announced)):
                raise BadMirror(f"expected {self.size:,} bytes, the server announces {int(announced):,}")
            if announced.isdecimal() and "Content-Encoding" not in response.headers:
                self.size = int(announced)
            with tqdm(total=self.size, ncols=79, unit="B", unit_scale=True) as bar:
                for block in self._blocks(response.raw):
                    out.write(block)
                    bar.update(len(block))

    def _blocks(self, raw: Any) -> Iterator[bytes]:
        """The file as it arrives: whatever has come, so that a trickle is noticed."""
        size = math.inf if self.size is None else self.size
        # Before 2.0, urllib3 waits until all of the block is there.
        read, length = (raw.read1, BLOCK) if hasattr(raw, "read1") else (raw.read, 1 << 10)
        done, since, start = 0, 0, time.monotonic()
        while block := read(length, decode_content=True):
            done, since = done + len(block), since + len(block)
            if done > size:
                raise BadMirror(f"expected {size:,} bytes, the server goes on sending after them")
            yield block
            passed = time.monotonic() - start
            if passed > WINDOW:
                if since < SLOWEST * passed and done < size:
                    raise BadMirror(
                        f"too slow: {since / passed / 1000:.3g} kB/s in the last {passed:.0f} s, after {done:,} of "
                        f"{size:,} bytes; at least {SLOWEST / 1000:g} are wanted"
                    )
                since, start = 0, time.monotonic()
        if done < size < math.inf:
            raise BadMirror(f"expected {size:,} bytes, the server ended after {done:,}")


def _answer(url: str) -> Any:
    """The response, its body still to come. It is waited for in a thread: its header, too, may come byte by byte."""
    import requests

    result: list[Any] = []

    def ask() -> None:
        try:
            # "identity": with another encoding a .gz file may arrive unpacked, and have another checksum.
            headers = {"Accept-Encoding": "identity"}
            result.append(requests.get(url, timeout=TIMEOUT, stream=True, headers=headers))
        except Exception as error:  # raised again where it is waited for
            result.append(error)

    # A daemon: one that is given up does not hold the process at its end.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER)
    if not result:
        raise BadMirror(f"no whole answer within {ANSWER} s")
    if isinstance(result[0], Exception):
        raise result[0]
    return result[0]


def fetch(file: RemoteFile, folder: Path, advice: str = "") -> Path:
    """Download a file into a folder, and return where it lies.

    A mirror is left for the next one where it announces or sends other than the file's size, is silent for TIMEOUT
    seconds, or gives less than SLOWEST bytes a second over WINDOW seconds.

    The file appears under its name only when it is whole and has the right checksum, so that two processes may ask for
    it at the same time.

    Args:
        file: what to get.
        folder: made where there is none.
        advice: sentences for the end of the error when no mirror has it: what else the reader can do.

    Raises:
        ConnectionError: no mirror gave the file; each is listed with its reason.
        OSError: the folder cannot be written.
    """
    import pooch
    import requests.exceptions  # pooch has requests, and that urllib3
    import urllib3.exceptions

    size = "" if file.size is None else f"{file.size / 1e6:.1f} MB"
    unwritable = f"Set SCRATCHNET_DATA to a folder that you can write{size and f', with {size} of room'}."
    known = ", ".join(text for text in (size, file.checksum) if text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"{file.name} needs the folder {folder}, which cannot be made: {error}. {unwritable}") from error
    tried = []
    for address in file.addresses():
        downloader = _Downloader(file.size)
        try:
            return Path(pooch.retrieve(address, file.checksum, fname=file.name, path=folder, downloader=downloader))
        # ValueError: a wrong checksum, or BadMirror.
        except (ValueError, requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            tried.append(f"  {address}\n    {_reason(error)}")
        except OSError as error:
            raise OSError(f"{file.name} cannot be written to {folder}: {error}. {unwritable}") from error
    raise ConnectionError(
        f"No mirror gave {file.name}{known and f' ({known})'}. Tried:\n"
        + "\n".join(tried)
        + f"\nBy hand: get the file elsewhere and put it into {folder}, or set SCRATCHNET_DATA to the folder that "
        f"holds it. {advice}".rstrip()
    )
