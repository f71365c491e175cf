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

    with pytest.raises(FileNotFoundError):
        writes()
