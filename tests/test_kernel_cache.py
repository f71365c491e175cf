"""A cache of compiled kernels that cannot be read or written is as good as none: compiled anew, and one warning."""

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numba
import numpy as np
import pytest

import scratchnet
from scratchnet.kernels.cpu.compiling import cache
from scratchnet.kernels.cpu.runtime.jit import serial

SMALL = "def add(x):\n    return x + 1\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder that is NUMBA_CACHE_DIR, in a process that has seen no trouble yet."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "trouble", None)
    return tmp_path / "cache"


@pytest.fixture
def small(folder):
    """small() is a kernel as a new process has it; nothing of it is compiled yet."""
    path = folder.parent / "small.py"
    path.write_text(SMALL)
    spec = importlib.util.spec_from_file_location("small", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda: serial(module.add, makes_arrays=True)


def found(kernel, number=1):
    """Whether it was on disk; it must compute in any case."""
    assert kernel(number) == number + 1
    return sum(kernel.stats.cache_hits.values()) > 0


def warned(kernels, number=1):
    """What the kernels warn of, who must compute and have been found nowhere."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert not any(found(kernel, number) for kernel in kernels)
    return [str(one.message) for one in caught]


def files(folder, kind):
    return sorted(folder.rglob(f"*.{kind}"))


DAMAGES = {
    "emptied": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1],
    "one bit": lambda data: data[:-200] + bytes([data[-200] ^ 1]) + data[-199:],
    "something else": lambda data: b"<html>" * 50,
}


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_written_anew(folder, small, kind, damage):
    assert not found(small())
    assert found(small())
    (file,) = files(folder, kind)
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    (message,) = warned([small()])
    assert "NUMBA_CACHE_DIR" in message
    assert found(small())


def test_every_flipped_bit_of_machine_code_is_seen(folder, small):
    found(small())
    (file,) = files(folder, "nbc")
    whole = file.read_bytes()
    own = small()._cache._cache_file
    for place in range(0, len(whole), 997):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="is damaged"):
            own._load_data(file.name)


def test_a_full_disk(folder, small, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache._Files, "_open_for_write", full)
    (message,) = warned([small(), small()])  # two kernels, one warning
    assert "No space left on device" in message
    assert "NUMBA_CACHE_DIR" in message
    monkeypatch.undo()


def test_code_of_older_sources_that_a_full_disk_left_is_not_run(folder, small, monkeypatch):
    """The index was written for the new sources, and the file that it names was not."""
    found(small())

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cache, "SOURCES", "newer")
        patch.setattr(cache._Files, "_save_data", full)
        warned([small()])
        assert len(files(folder, "nbc")) == 1
        assert not found(small())


def test_a_cache_that_is_removed_while_kernels_run(folder, small):
    kernel = small()
    found(kernel)
    shutil.rmtree(folder)
    assert warned([kernel], 1.0) == []  # another type is compiled, and the folder made anew
    assert found(small(), 1.0)


def test_a_file_in_place_of_the_folder(folder, small):
    kernel = small()
    found(kernel)
    shutil.rmtree(folder)
    folder.touch()
    (message,) = warned([kernel], 1.0)
    assert "NUMBA_CACHE_DIR" in message
    assert found(kernel, 2.0) is False  # what is compiled stays compiled, without another warning


def test_no_folder_at_all(folder, small, monkeypatch):
    """As for a user without a home, who cannot write to site-packages."""
    folder.touch()
    (folder.parent / "__pycache__").touch()
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(folder))
    with pytest.warns(RuntimeWarning, match="no locator available.*NUMBA_CACHE_DIR"):
        kernels = [small(), small()]
    assert warned(kernels) == []


@pytest.fixture
def unwritable(tmp_path):
    """Runs Python on a copy of the package where no compiled kernel can be kept; what it did."""
    home = tmp_path / "home"
    home.touch()
    package = Path(scratchnet.__file__).parent
    shutil.copytree(package, tmp_path / "scratchnet", ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    for place in [tmp_path / "scratchnet", *(tmp_path / "scratchnet").rglob("*/")]:
        if place.is_dir():
            (place / "__pycache__").touch()
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
        )

    return run


def test_without_a_folder_the_package_computes_and_the_doctor_says_what_to_do(unwritable):
    done = unwritable("-c", "import numpy as np, scratchnet as sn; print(sn.ReLU().forward(np.float32([[-1, 2]])))")
    assert (done.returncode, done.stdout.strip()) == (0, "[[0. 2.]]"), done.stderr
    assert done.stderr.count("RuntimeWarning") == 1
    report = unwritable("-m", "scratchnet.doctor")
    assert report.returncode == 0, report.stderr
    assert "-> Set NUMBA_CACHE_DIR to a folder of yours" in report.stdout


def test_without_numba_s_compiler_the_first_kernel_says_so():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", "import numpy, scratchnet; scratchnet.ReLU().forward(numpy.ones((1, 2)))"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert "NUMBA_DISABLE_JIT" in last


def test_arrays_are_right_whatever_became_of_the_cache(folder, small):
    x = np.arange(4.0)
    found_first, again = small(), small()
    np.testing.assert_array_equal(found_first(x), x + 1)
    files(folder, "nbc")[0].write_bytes(b"")
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        np.testing.assert_array_equal(again(x), x + 1)


@pytest.mark.skipif(shutil.which("setpriv") is None or os.name != "posix" or os.getuid() != 0, reason="needs root")
def test_a_user_without_a_home_on_a_package_that_only_root_can_write():
    """For root no folder is read-only, so another user runs it, who can read what root has written."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        package = Path(scratchnet.__file__).parent
        shutil.copytree(package, folder / "scratchnet", ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
        subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
        kept = {name: value for name, value in os.environ.items() if name not in ("HOME", "NUMBA_CACHE_DIR")}
        program = "import numpy as np, scratchnet as sn; print(sn.ReLU().forward(np.float32([[-1, 2]])))"
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", program],
            capture_output=True, text=True, env={**kept, "PYTHONPATH": str(folder)}, cwd="/", check=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)
    if "ermission denied" in done.stderr and "scratchnet" not in done.stderr:
        pytest.skip("another user cannot run this Python")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[[0. 2.]]"
    assert done.stderr.count("RuntimeWarning") == 1
    assert "Set NUMBA_CACHE_DIR to a folder of yours" in done.stderr
