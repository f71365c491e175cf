"""Data sets' files, read without trusting them: archives are never unpacked to disk, pickles cannot run code.

Whatever is wrong with a file, the error is a ValueError that names it.
"""

from __future__ import annotations

import gzip
import io
import pickle
import sys
import tarfile
import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

BROKEN = (EOFError, OSError, tarfile.TarError, zlib.error)  # what reading a truncated or damaged archive may raise
TAIL = 1 << 20  # bytes of padding that an archive may have after its last member
MOST = 1000  # members of an archive
LONGEST = 1 << 16  # bytes of what stands before a member besides its header: long names, PAX fields


def read_members(path: Path, names: Iterable[str], largest: int) -> dict[str, bytes]:
    """The contents of some files of a .tar.gz, by their names within it. Nothing is written anywhere.

    Args:
        path: the archive.
        names: such as "cifar-10-batches-py/test_batch"; other members are passed over.
        largest: bytes above which a member is refused.

    Raises:
        ValueError: the archive is damaged or truncated, lacks a member, has one that is too large or no plain file, or
            unpacks to much more than these members.
    """
    wanted, found = set(names), {}
    try:
        # Read as a stream to its very end: only there does gzip compare its checksum.
        with gzip.open(path) as unpacked:
            plain = _Limited(unpacked, len(wanted) * largest + 2 * TAIL, path.name)
            with tarfile.open(fileobj=plain, mode="r|", tarinfo=Header) as archive:  # type: ignore[call-overload]
                for number, member in enumerate(archive):
                    if number == MOST:
                        raise ValueError(f"{path.name}: has over {MOST} members. This is not the original archive.")
                    if member.name not in wanted:
                        continue
                    if not member.isreg() or member.size > largest:
                        kind = f"{member.size:,} bytes" if member.isreg() else "a link or a device"
                        raise ValueError(
                            f"{path.name}: expected {member.name} as a plain file of at most {largest:,} bytes, "
                            f"found {kind}. This is not the original archive."
                        )
                    file = archive.extractfile(member)
                    assert file is not None  # it is for links and folders only
                    found[member.name] = file.read()
            if len(plain.read(TAIL)) == TAIL:
                raise ValueError(f"{path.name}: goes on after the archive's end. This is not the original archive.")
    except (*BROKEN, ValueError) as error:
        if str(error).startswith(path.name):
            raise
        raise ValueError(f"{path.name} is damaged or truncated: {error}. Delete {path}, then load again.") from error
    if missing := sorted(wanted - found.keys()):
        raise ValueError(f"{path.name} lacks {', '.join(missing)}. Delete {path}, then load again.")
    return found


class _Limited:
    """What a gzip file unpacks to, up to a limit: a file of 10 MB can unpack to 10 GB.

    Behind its end there is an EOFError: tarfile would ask there for years, for a member that announces 10^18 bytes.
    """

    def __init__(self, file: gzip.GzipFile, limit: int, name: str):
        self.file, self.left, self.limit, self.name = file, limit, limit, name
        self.asked_in_vain = 0

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data = self.file.read(size)
        self.left -= len(data)
        self.asked_in_vain += not data
        if self.asked_in_vain > 100:
            raise EOFError("it ends within a member")
        if self.left < 0:
            raise ValueError(
                f"{self.name}: unpacks to more than {self.limit:,} bytes. This is not the original archive."
            )
        return data


class Header(tarfile.TarInfo):
    """A member's header; one that announces a long name or PAX fields of megabytes, which tarfile would read whole, is
    refused.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Header:
        """The header in a block of the archive."""
        header = super().frombuf(buf, encoding, errors)
        if header.type not in (*tarfile.REGULAR_TYPES, tarfile.DIRTYPE) and not 0 <= header.size <= LONGEST:
            raise ValueError(f"a header announces {header.size:,} bytes. This is not the original archive")
        return header


class _Array:
    """The stand-in that a pickle gets for a NumPy array: it keeps the array's state and does nothing with it."""

    __slots__ = ("state",)

    def __init__(self, *arguments):
        self.state = None

    def __setstate__(self, state):
        self.state = state


class _Dtype(_Array):
    """The stand-in for an array's dtype."""

    __slots__ = ("arguments",)

    def __init__(self, *arguments):
        super().__init__()
        self.arguments = arguments


class _Unpickler(pickle._Unpickler):
    """Reads dictionaries, lists, numbers, bytes and arrays of bytes, and refuses to look up anything else.

    It is built on pickle's reader in Python, since the one in C allocates whatever a number in the file says: a file of
    five bytes can ask for 64 GB. It is not slower here: a batch has few, long items, a tenth of a second either way.
    """

    known = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Dtype,
    }

    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in self.known:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no file of pictures needs")
        return self.known[module, name]

    def persistent_load(self, key: object) -> None:
        raise pickle.UnpicklingError("it asks for an object outside of it")


def unpickle_batch(
    data: bytes, name: str, row: int, keys: Sequence[str] = ("labels",)
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, row) and labels (N, len(keys)), both uint8, of one batch of CIFAR's Python version.

    A pickle is a program that may call functions. The unpickler used here calls none: where NumPy's functions would
    make an array, stand-ins keep the arguments, and the array is made from them after a check.

    Args:
        data: the pickle.
        name: for errors.
        row: bytes of a picture.
        keys: under which the lists of labels stand.

    Raises:
        ValueError: no pickle, one that asks for anything but arrays, or no batch of such pictures.
    """
    try:
        batch = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a hostile pickle may raise anything
        raise ValueError(f"{name} is no pickle of pictures: {error}. Do not use this file.") from error
    try:
        _, shape, dtype, fortran, pixels = batch[b"data"].state
        lists = [batch[key.encode()] for key in keys]
        if dtype.arguments[0] not in (b"u1", "u1") or type(pixels) is not bytes:
            raise ValueError("the pixels are no array of unsigned bytes")
        for labels in lists:
            if not isinstance(labels, list) or not all(type(label) is int for label in labels):
                raise ValueError("the labels are no list of whole numbers")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(
            f"{name}: expected a dictionary with 'data' (uint8) and {', '.join(map(repr, keys))}, got something else: "
            f"{error}."
        ) from error
    for labels in lists:
        if shape != (len(labels), row) or len(pixels) != len(labels) * row:
            raise ValueError(
                f"{name}: expected {len(labels)} pictures of {row} bytes, as many as labels; "
                f"found {len(pixels):,} bytes of shape {shape}."
            )
        if bad := [label for label in labels if not 0 <= label <= 255]:
            raise ValueError(f"{name}: expected labels of one byte each, found {bad[0]}.")
    columns = np.stack([np.array(labels, np.uint8) for labels in lists], axis=1)
    return np.frombuffer(pixels, np.uint8).reshape(shape, order="F" if fortran else "C"), columns


def read_records(data: bytes, name: str, row: int, labels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, row) and labels (N, labels), both uint8, of one batch of CIFAR's binary version.

    A record is one byte for each label, then the pixels.

    Raises:
        ValueError: not a whole number of records.
    """
    if len(data) % (labels + row):
        raise ValueError(f"{name}: expected records of {labels + row} bytes, found {len(data):,} bytes: truncated?")
    records = np.frombuffer(data, np.uint8).reshape(-1, labels + row)
    return records[:, labels:], records[:, :labels]


def check_originals(found: Mapping[str, str], expected: Mapping[str, str], place: Path, name: str) -> None:
    """Compare the MD5 of a data set's files with those of the original ones.

    Where some differ, and others do not, those are damaged. Where all differ, it is another copy of the data set, such
    as one whose pictures went through JPEG: that is said, and nothing more.

    Args:
        found, expected: the MD5 of each file by its name.
        place: where they are.
        name: of the data set.

    Raises:
        ValueError: a file is damaged.
    """
    wrong = sorted(file for file, checksum in found.items() if expected[file] != checksum)
    if wrong and len(wrong) < len(found):
        raise ValueError(
            f"{place}: {', '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} damaged: expected the MD5 "
            f"{expected[wrong[0]]} of {name}'s {wrong[0]}, found {found[wrong[0]]}; the other files are the original "
            f"ones. Delete {place}, then load again."
        )
    if wrong:
        many = len(found) > 1
        what = f"none of its {len(found)} files is {name}'s original one" if many else f"not {name}'s original file"
        warnings.warn(
            f"{place}: {what}. What is learnt from {'them' if many else 'it'} is not comparable with published "
            f"results, and damage to {'them' if many else 'it'} would not be noticed.",
            UserWarning,
            stacklevel=_frames_to_the_reader(),
        )


def _frames_to_the_reader() -> int:
    """How many frames up from the caller of this is the first that is not the package's: where load_data is called."""
    frame, count = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("scratchnet."):
        frame, count = frame.f_back, count + 1
    return count


def check_batch(pixels: np.ndarray, labels: np.ndarray, name: str, count: int, classes: Sequence[int]) -> None:
    """Raise a ValueError unless there are `count` pictures and labels (count, L), each below its number of classes."""
    if len(pixels) != count or len(labels) != count:
        raise ValueError(f"{name}: expected {count} pictures and labels, found {len(pixels)} and {len(labels)}.")
    for column, most in zip(labels.T, classes):
        if column.max(initial=0) >= most:
            i = int(np.argmax(column >= most))
            raise ValueError(f"{name}: expected labels from 0 to {most - 1}, found {column[i]} at picture {i}.")
