"""Archives unpacked into a folder without trusting them: nothing is written outside of it, and not without end."""

from __future__ import annotations

import lzma
import os
import secrets
import shutil
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scratchnet.datasets.archives import BROKEN, Header

FILES = 1_000_000  # at most
ROOM = 1 << 30  # bytes that any archive may unpack to; above, a hundred times its own size
BLOCK = 1 << 20
DAMAGED = (*BROKEN, NotImplementedError, RuntimeError, ValueError, lzma.LZMAError, zipfile.BadZipFile)


class Member(NamedTuple):
    """A file of an archive, or a folder where it has no contents."""

    name: str
    file: BinaryIO | None


def _tar(path: Path) -> Iterator[Member]:
    with tarfile.open(path, "r|*", tarinfo=Header) as archive:
        for member in archive:
            if member.isreg():
                yield Member(member.name, archive.extractfile(member))  # type: ignore[arg-type]
            elif member.isdir():
                yield Member(member.name, None)
            else:
                warnings.warn(f"{path.name}: {member.name} is a link or a device, and left out.", stacklevel=2)


def _zip(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                yield Member(member.filename, None)
            else:
                with archive.open(member) as file:
                    yield Member(member.filename, file)  # type: ignore[arg-type]


def members(path: Path, formats: tuple[str, ...]) -> Iterator[Member] | None:
    """The members of an archive, one after the other; None where it is none of these formats, "tar" and "zip"."""
    if "zip" in formats and zipfile.is_zipfile(path):
        return _zip(path)
    try:
        with tarfile.open(path, "r|*", tarinfo=Header):
            return _tar(path) if "tar" in formats else None
    except DAMAGED:
        return None


def unpack(path: Path, folder: Path, formats: tuple[str, ...]) -> None:
    """Unpack an archive into a folder, all of it or nothing; what is there of other names stays.

    Raises:
        ValueError: not of one of these formats, damaged, or with a member that would lie outside of the folder, too
            many of them, or too many bytes.
        OSError: the folder cannot be written.
    """
    found = members(path, formats)
    if found is None:
        raise ValueError(f"{path} is no archive that can be unpacked, or is damaged. Read are: {' '.join(formats)}.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    place.mkdir()
    try:
        try:
            _write(found, place, path)
        except DAMAGED as error:
            of_the_disk = isinstance(error, OSError) and error.errno is not None
            if of_the_disk or str(error).startswith(str(path)):
                raise
            raise ValueError(f"{path} is damaged or truncated: {error}. Delete it, then ask for it again.") from error
        if folder.exists():
            shutil.copytree(place, folder, dirs_exist_ok=True)
        else:
            os.rename(place, folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _write(found: Iterator[Member], place: Path, path: Path) -> None:
    limit = left = max(ROOM, 100 * path.stat().st_size)
    for number, (name, file) in enumerate(found):
        if number == FILES:
            raise ValueError(f"{path}: has over {FILES:,} members.")
        target = _inside(place, name, path)
        if file is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "wb") as out:
            while block := file.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise ValueError(f"{path}: unpacks to more than {limit:,} bytes. This is no usual archive.")
                out.write(block)


def _inside(place: Path, name: str, path: Path) -> Path:
    """Where a member belongs. No links were made, so that its name alone decides."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or not parts[0] or ":" in name or "\0" in name:
        raise ValueError(f"{path}: the member {name!r} would lie outside of the folder. Do not use this archive.")
    return place.joinpath(*parts)
