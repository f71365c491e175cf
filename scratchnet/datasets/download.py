"""Files from the network: several mirrors in turn, a checksum before use, kept in one folder.

The folder is the one that the environment variable SCRATCHNET_DATA names, or else the user's cache folder. A file that
already lies there is not asked for again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

TIMEOUT = 20  # seconds without a single byte, after which the next mirror is asked


class RemoteFile(NamedTuple):
    """A file and where to get it."""

    name: str
    size: int  # bytes, for messages only
    checksum: str  # "sha256:..." or "md5:..."
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


def fetch(file: RemoteFile, folder: Path, advice: str = "") -> Path:
    """Download a file into a folder, and return where it lies.

    It appears under its name only when it is whole and has the right checksum, so that two processes may ask for it at
    the same time.

    Args:
        file: what to get.
        folder: made where there is none.
        advice: sentences for the end of the error when no mirror has it: what else the reader can do.

    Raises:
        ConnectionError: no mirror gave the file; each is listed with its reason.
        OSError: the folder cannot be written.
    """
    import pooch
    import requests.exceptions  # pooch downloads with requests

    unwritable = f"Set SCRATCHNET_DATA to a folder that you can write, with {file.size / 1e6:.0f} MB of room."
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"{file.name} needs the folder {folder}, which cannot be made: {error}. {unwritable}") from error
    # "identity": with another encoding a .gz file may arrive unpacked, and have another checksum.
    downloader = pooch.HTTPDownloader(
        progressbar=True, chunk_size=1 << 16, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}
    )
    tried = []
    for address in file.addresses():
        try:
            return Path(pooch.retrieve(address, file.checksum, fname=file.name, path=folder, downloader=downloader))
        except (ValueError, requests.exceptions.RequestException) as error:  # ValueError: a wrong checksum
            tried.append(f"  {address}\n    {_reason(error)}")
        except OSError as error:
            raise OSError(f"{file.name} cannot be written to {folder}: {error}. {unwritable}") from error
    raise ConnectionError(
        f"No mirror gave {file.name} ({file.size / 1e6:.1f} MB, {file.checksum}). Tried:\n"
        + "\n".join(tried)
        + f"\nBy hand: get the file elsewhere and put it into {folder}, or set SCRATCHNET_DATA to the folder that "
        f"holds it. {advice}".rstrip()
    )
