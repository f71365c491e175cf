"""The decoded file: there at once, whole or not at all, and made anew when it is not right."""

import os
from pathlib import Path

import numpy as np
import pytest
import small_cifar

from scratchnet import files
from scratchnet.datasets import archives, cifar10, decoded

pytestmark = pytest.mark.usefixtures("folder")


def test_later_loads_decode_nothing(folder, monkeypatch):
    small_cifar.lay(folder, small_cifar.FORMS[3])
    cifar10.load_data()
    monkeypatch.setattr(archives, "read_members", None)
    monkeypatch.setattr(archives, "unpickle_batch", None)
    (x, y), _ = cifar10.load_data()
    assert isinstance(x.base.base if x.base.base is not None else x.base, np.memmap)
    assert np.shares_memory(x.base, y.base)


def test_what_a_killed_process_left_is_removed(folder):
    small_cifar.lay(folder, small_cifar.FORMS[0])
    with files.whole_file(folder / "cifar10.npy") as unfinished:
        start = unfinished.name.rsplit(str(os.getpid()), 1)[0]
    (folder / "cifar10.npy").unlink()
    old, new = Path(f"{start}{os.getpid()}.aa.part"), Path(f"{start}{os.getpid()}.bb.part")
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    cifar10.load_data()
    assert sorted(folder.glob("*.part")) == [new]  # another process may be at it


def test_decoded_data_outlive_their_source_and_follow_it(folder):
    small_cifar.lay(folder, small_cifar.FORMS[2])
    cifar10.load_data()
    (folder / small_cifar.FORMS[2]).unlink()
    assert small_cifar.same(cifar10.load_data())
    small_cifar.lay(folder, small_cifar.FORMS[2], seed=1)  # another source: decoded anew
    assert small_cifar.same(cifar10.load_data(), seed=1)


@pytest.mark.parametrize("damage", ["truncated", "longer", "empty", "pixel", "header", "other"])
def test_a_damaged_decoded_file_is_made_anew(folder, damage):
    small_cifar.lay(folder, small_cifar.FORMS[0])
    cifar10.load_data()
    path = folder / "cifar10.npy"
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "truncated": whole[:-1],
            "longer": whole + b"\0",
            "empty": b"",
            "pixel": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "header": b"\x80" + whole[1:],
            "other": b"no array",
        }[damage]
    )
    assert decoded.read(path, cifar10.DESCRIPTION.shapes, None) is None
    assert small_cifar.same(cifar10.load_data())
    assert path.read_bytes() == whole


def test_a_decoded_file_is_an_npy_file(folder):
    small_cifar.lay(folder, small_cifar.FORMS[0])
    cifar10.load_data()
    flat = np.load(folder / "cifar10.npy", mmap_mode="r")
    assert flat.dtype == np.uint8
    assert np.array_equal(flat[:3072], small_cifar.arrays()[0][0].reshape(-1))


def test_without_leave_to_write_it_is_decoded_each_time(folder, monkeypatch):
    small_cifar.lay(folder, small_cifar.FORMS[3])

    def refuse(*arguments):
        raise PermissionError("read-only")

    monkeypatch.setattr(decoded.os, "replace", refuse)
    assert small_cifar.same(cifar10.load_data())
    assert not (folder / "cifar10.npy").exists()
    assert not list(folder.glob("*.part"))
    folder.chmod(0o555)
    try:
        assert small_cifar.same(cifar10.load_data())
    finally:
        folder.chmod(0o755)
