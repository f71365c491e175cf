"""Files are written whole or not at all, and nothing else is lost for them."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scratchnet.files import ABANDONED, check_writable, whole_file


def test_it_is_there_when_it_is_whole(tmp_path):
    path = tmp_path / "a.bin"
    with whole_file(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fails():
        with whole_file(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fails()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    code = (
        "import sys, time; from scratchnet.files import whole_file\n"
        "with whole_file(sys.argv[1]) as f:\n"
        "    f.write(b'new' * 10**6); f.flush(); print('there', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"there"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.glob(".*.part"))) == 1
    with whole_file(path) as file:
        file.write(b"newer")
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_what_may_still_be_written_stays_for_an_hour(tmp_path):
    path = tmp_path / "a.bin"
    with whole_file(path) as file:
        (name,) = (p.name for p in tmp_path.iterdir())
        file.write(b"old")
    stem, machine, process = name.split(".")[1:4]
    assert process == str(os.getpid())
    here = tmp_path / f".{stem}.{machine}.{process}.00000000.part"  # another thread's
    elsewhere = tmp_path / f".{stem}.abcdef.999999999.00000000.part"  # of another machine on the same drive
    other = tmp_path / ".0123456789ab.abcdef.1.00000000.part"  # of another file
    for left in (here, elsewhere, other):
        left.write_bytes(b"part")
    with whole_file(path) as file:
        file.write(b"new")
    assert all(left.exists() for left in (here, elsewhere, other))
    long_ago = time.time() - ABANDONED - 1
    for left in (here, elsewhere, other):
        os.utime(left, (long_ago, long_ago))
    with whole_file(path) as file:
        file.write(b"newest")
    assert sorted(p.name for p in tmp_path.iterdir()) == [other.name, "a.bin"]


@pytest.mark.parametrize("name", ["a" * 255, "\u56fe" * 85, "\u56fe" * 78 + ".safetensors"])
def test_names_as_long_as_the_file_system_takes_them(tmp_path, name):
    if len(os.fsencode(name)) > os.pathconf(tmp_path, "PC_NAME_MAX"):
        pytest.skip("longer than this file system takes")
    with whole_file(tmp_path / name) as file:
        file.write(b"x")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    fifo, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(os.devnull)
    for path, kind in ((fifo, "a named pipe"), (link, "a character device"), (os.devnull, "a character device")):
        before = os.stat(path)
        message = f"expected a regular file or none, got {kind}"
        with pytest.raises(FileExistsError, match=message) as error, whole_file(path) as file:
            file.write(b"x")
        assert error.value.filename == os.fspath(path)
        assert os.stat(path).st_ino == before.st_ino
        with pytest.raises(FileExistsError):
            check_writable(Path(path))


def test_the_error_of_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as error, whole_file(tmp_path / "a.bin") as file:
        file.write(b"x")
    assert error.value.filename == str(tmp_path / "a.bin")
    assert list(tmp_path.iterdir()) == []


def test_a_working_folder_that_was_deleted(tmp_path):
    code = (
        "import os, sys; from scratchnet.files import whole_file\n"
        "os.makedirs(sys.argv[1]); os.chdir(sys.argv[1]); os.rmdir(sys.argv[1])\n"
        "try:\n"
        "    with whole_file('a.bin') as f: f.write(b'x')\n"
        "except FileNotFoundError as e: print(e)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "gone")], capture_output=True, text=True, cwd="/")
    assert "the working folder was deleted; give an absolute path" in done.stdout, done.stderr
    assert "a.bin" in done.stdout


def test_names_with_brackets(tmp_path):
    path = tmp_path / "a[0]*.bin"
    with whole_file(path) as file:
        file.write(b"x")
    assert path.read_bytes() == b"x"


def test_a_folder_that_is_not_there(tmp_path):
    def writes():
        with whole_file(tmp_path / "no" / "a.bin"):
            pass

    with pytest.raises(FileNotFoundError) as error:
        writes()
    assert error.value.filename == str(tmp_path / "no" / "a.bin")  # not that of the unfinished file
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "a.bin").mkdir()
    with pytest.raises(IsADirectoryError) as error:
        writes()
    assert error.value.filename == str(tmp_path / "no" / "a.bin")
    assert [p.name for p in (tmp_path / "no").iterdir()] == ["a.bin"]


def test_an_error_of_another_file_stays_as_it_is(tmp_path):
    def fails():
        with whole_file(tmp_path / "a.bin"):
            (tmp_path / "other").read_bytes()

    with pytest.raises(FileNotFoundError) as error:
        fails()
    assert str(error.value.filename) == str(tmp_path / "other")


def test_links_and_permissions_stay(tmp_path):
    path, link = tmp_path / "a.bin", tmp_path / "link.bin"
    path.write_bytes(b"old")
    path.chmod(0o600)
    link.symlink_to(path)
    with whole_file(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, name=name, real=real: calls.append(name) or real(*given))
    with whole_file(tmp_path / "a.bin") as file:
        file.write(b"x")
    assert calls == ["fsync", "replace"]
