"""`get_file`: a file from the network, checked, kept, and unpacked where it is an archive."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, shortened
from scratchnet.datasets.download import RemoteFile, data_folder, fetch
from scratchnet.utils.unpacking import unpack

DIGITS = {"md5": 32, "sha256": 64}  # of a hash, in hexadecimal


@checked
def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file from the network, which is downloaded once; or of the folder that an archive is unpacked to.

    Args:
        fname: the name it is kept under; None for the address's. A name without an ending is that of the folder, where
            an archive is unpacked.
        origin: the address, http or https.
        untar: as extract, of tar archives alone.
        md5_hash: an MD5, as file_hash.
        file_hash: the SHA-256 or MD5 that the file must have. Without it, nobody notices another file.
        cache_subdir: the folder within cache_dir.
        hash_algorithm: "sha256", "md5", or "auto" for what the length of file_hash says.
        extract: whether it is an archive to be unpacked, once.
        archive_format: "tar" (with gzip, bzip2 or xz), "zip", "auto" for either, or a list of them.
        cache_dir: where it is kept; None for the data folder ($SCRATCHNET_DATA, or the user's cache folder).
        force_download: whether it is downloaded even if it is there.

    Raises:
        ValueError: bad arguments; or the archive is damaged, or wants to be unpacked to outside of its folder.
        ConnectionError: the file could not be had, or is not that of the hash.
        OSError: the folder cannot be written.
    """
    scheme = urllib.parse.urlsplit(origin or "").scheme
    if origin is None or scheme not in ("http", "https"):
        raise ValueError(f"get_file: expected origin to be an address, http or https, got {shortened(origin)}.")
    name = _name(fname, origin)
    folder = Path(data_folder() if cache_dir is None else cache_dir).expanduser() / cache_subdir
    unpacked = folder / name
    if extract or untar:
        stem, dot, _ = name.partition(".")
        kept = name if dot and fname else f"{name}_archive"
        unpacked = folder / (f"{stem}_extracted" if dot and fname else name)
        formats = ("tar",) if untar else _formats(archive_format)
        name = kept
    path = folder / name
    if force_download:
        path.unlink(missing_ok=True)
    before = path.stat().st_mtime_ns if path.exists() else None
    address = origin.replace("{", "{{").replace("}", "}}")
    fetch(RemoteFile(name, None, _checksum(file_hash, md5_hash, hash_algorithm), (address,)), folder)
    if not (extract or untar):
        return str(path)
    if not unpacked.is_dir() or path.stat().st_mtime_ns != before:
        unpack(path, unpacked, formats)
    return str(unpacked)


def _name(fname: str | os.PathLike | None, origin: str) -> str:
    """The file's name, which must not lead to another folder."""
    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ValueError(f"get_file: expected origin to end in a file's name, got {shortened(origin)}. Give fname.")
    if name in (".", "..") or any(character in name for character in "/\\:\0"):
        raise ValueError(
            f"get_file: expected fname to be a file's name without folders, got {shortened(name)}. The folder is "
            "cache_dir and cache_subdir."
        )
    return name


def _formats(archive_format: str | Sequence[str] | None) -> tuple[str, ...]:
    if archive_format == "auto":
        return ("tar", "zip")
    formats = [archive_format] if isinstance(archive_format, str) else list(archive_format or ())
    if not formats or not set(formats) <= {"tar", "zip"}:
        raise ValueError(f'get_file: expected archive_format to be "auto", "tar" or "zip", got {archive_format!r}.')
    return tuple(formats)


def _checksum(file_hash: str | None, md5_hash: str | None, hash_algorithm: str) -> str | None:
    """The hash as pooch writes it."""
    kind = check_choice(hash_algorithm, ("auto", *DIGITS), "hash_algorithm")
    if file_hash is None and md5_hash is not None:
        file_hash, kind = md5_hash, "md5"
    if file_hash is None:
        return None
    fitting = [name for name, digits in DIGITS.items() if digits == len(file_hash) and kind in ("auto", name)]
    if not fitting or not all(digit in "0123456789abcdefABCDEF" for digit in file_hash):
        raise ValueError(
            "get_file: expected file_hash to be a SHA-256 of 64 hexadecimal digits or an MD5 of 32, got "
            f"{shortened(file_hash)}."
        )
    return f"{fitting[0]}:{file_hash.lower()}"
