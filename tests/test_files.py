"""Files are written whole or not at all."""

import os
import signal
import subprocess
import sys
import time

import pytest

from scratchnet.files import ABANDONED, whole_file


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
    (left,) = tmp_path.glob("*.part")
    with whole_file(path) as file:
        file.write(b"newer")
    assert left.exists()  # its writer may still be at it
    long_ago = time.time() - ABANDONED - 1
    os.utime(left, (long_ago, long_ago))
    with whole_file(path) as file:
        file.write(b"newest")
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


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
