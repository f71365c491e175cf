"""How kernels are compiled: once a machine. For narrower vectors: test_narrow_vectors.py."""

import ast
import gc
import hashlib
from collections import Counter
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher
from processes import python

import scratchnet.ladder  # all kernels there are
from scratchnet.kernels.cpu.compiling import cache

TESTS = Path(__file__).parent

TRAIN = """
import hashlib, sys
import numpy as np, scratchnet as sn
model = sn.Sequential([
    sn.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 3)), sn.MaxPooling2D(), sn.Flatten(),
    sn.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy")
model.train_on_batch(np.ones((2, 8, 8, 3)), np.array([1, 2]))

# Enough channels for each of Winograd's algorithms.
rng, pads, kernels, found = np.random.default_rng(0), ((1, 1), (1, 1)), sn.kernels.cpu, hashlib.sha256()
x = rng.normal(size=(32, 16, 16, 64)).astype(np.float32)
for size, step in ((3, 1), (4, 2)):
    w = rng.normal(size=(size, size, 64, 64)).astype(np.float32)
    y = kernels.conv2d(x, w, None, (step, step), pads)
    found.update(y)
    found.update(kernels.conv2d_weight_grad(x, y, (size, size), (step, step), pads))
print(found.hexdigest())

# A run that is killed in the process that compiles goes on in one that compiles nothing.
sys.path.insert(0, sys.argv[1])
import resumed_run
resumed_run.main(sys.argv[2], "2", "epoch")
"""


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """(the files of the cache, what was printed) after a process that compiled, and after the same once more."""
    cache, seen = tmp_path_factory.mktemp("cache"), []
    for name in ("first", "second"):
        printed = python("-c", TRAIN, TESTS, tmp_path_factory.mktemp(name), NUMBA_CACHE_DIR=str(cache))
        files = [file for file in cache.rglob("*") if file.is_file()]
        seen.append(({file: (file.stat().st_mtime_ns, file.stat().st_size) for file in files}, printed.split()))
    return seen


def test_a_second_process_compiles_nothing(two_processes):
    (before, _), (after, _) = two_processes
    assert any(file.suffix == ".nbc" for file in before)
    assert after == before


def test_the_process_that_compiles_gets_the_bits_of_those_that_find_it_compiled(two_processes):
    hashes = [[word for word in printed if len(word) == 64] for _, printed in two_processes]
    assert len(hashes[0]) == 2
    assert hashes[0] == hashes[1]


MADE = """
import sys
import numpy as np
from scratchnet.kernels.cpu.compiling import cache
from scratchnet.kernels.cpu.runtime.jit import serial

cache.SOURCES += sys.argv[1]

def make_inner(n):
    @serial
    @cache.variant(n)
    def inner(x):  # too much to become a part of what calls it
        for i in range(len(x)):
            x[i] += n
            if x[i] > 1e6:
                for j in range(len(x)):
                    x[j] = np.sin(x[j]) * np.cos(x[i]) + np.exp(x[j])
    return inner

def make(n):
    inner = make_inner(n)
    def outer(x):
        for k in range(n):
            inner(x)
        inner(x)
        inner(x[1:])
    outer.__qualname__ = f"outer_{n}"
    return serial(outer)

for word in sys.argv[2:]:
    n, dtype = int(word.rstrip("f")), np.float32 if word.endswith("f") else np.float64
    x, kernel = np.zeros(2, dtype), make(n)
    kernel(x)
    print(x[0] / (n + 1), sum(kernel.stats.cache_hits.values()))
"""


@pytest.fixture
def made(tmp_path):
    """Kernels that call others, made by functions: runs such a program, and returns (result, found in the cache)."""
    program = tmp_path / "made.py"
    program.write_text(MADE)

    def made(sources, *numbers):
        # The same seed, or the names of kernels would differ by the order of fastmath's set.
        environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONHASHSEED": "0"}
        lines = python(program, sources, *numbers, **environment).splitlines()
        return [tuple(float(word) for word in line.split()) for line in lines]

    return made


def test_kernels_that_functions_make_are_found_and_told_apart(made):
    """Each of the first two processes compiles its own as the first of all; the third finds both."""
    assert made("", 5) == [(5, 0)]
    assert made("", 7) == [(7, 0)]
    assert made("", 5, 7) == [(5, 1), (7, 1)]


def test_kernels_are_compiled_anew_where_the_source_of_another_has_changed(made):
    assert made("", 5) == [(5, 0)]
    assert made("changed", 5) == [(5, 0)]
    assert made("changed", 5) == [(5, 1)]


def test_the_sources_are_all_files_of_the_cpu_kernels_in_all_rooms():
    folder = Path(scratchnet.kernels.cpu.__file__).parent
    kernels = [one.py_func for one in gc.get_objects() if isinstance(one, Dispatcher)]
    files = {Path(function.__code__.co_filename) for function in kernels}
    files = {file for file in files if folder in file.parents}
    assert len({file.parent for file in files}) >= 4  # the rooms, and the files beside them
    assert files <= set(cache._FILES)
    sources = b"".join(file.read_bytes() for file in sorted(folder.rglob("*.py")))
    assert hashlib.sha256(sources).hexdigest() == cache.SOURCES


UNKNOWN = """
import warnings
import numba
import numpy as np
from numba.core import caching, dispatcher

numba.njit(lambda x: x)(1)  # now Numba has imported what it takes from its cache itself

def renamed(*arguments):
    raise AssertionError("not to be called")

{change}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from scratchnet.kernels import cpu
    y = cpu.conv2d(np.ones((1, 3, 3, 1), np.float32), np.ones((2, 2, 1, 1), np.float32), None, (1, 1), ((0, 0), (0, 0)))
assert y.shape == (1, 2, 2, 1) and (y == 4).all(), y
print([str(w.message) for w in caught if w.category is RuntimeWarning])
"""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("caching.NewCache = caching.FunctionCache; del caching.FunctionCache", "FunctionCache.load_overload does not"),
        ("caching.Cache._load_overload = renamed", "_load_overload does not use _index_key"),
        ("caching.IndexDataCacheFile.load = renamed", "load does not use _load_index"),
        ("caching.IndexDataCacheFile._save_index = renamed", "_save_index does not use _source_stamp"),
        ("dispatcher.Dispatcher.enable_caching = renamed", "enable_caching does not use _cache"),
    ],
)
def test_a_numba_whose_cache_is_another_compiles_anew_and_says_so_once(change, reason, tmp_path):
    """A slower start, not a crash, and nothing on disk that may be wrong."""
    printed = python("-c", UNKNOWN.format(change=change), NUMBA_CACHE_DIR=str(tmp_path))
    (message,) = ast.literal_eval(printed)
    assert reason in message
    assert "NUMBA_CACHE_DIR" in message
    assert not list(tmp_path.rglob("*.nb?"))


def test_this_numba_is_known():
    assert cache.difference() is None


def test_a_file_with_code_for_other_types_is_not_used(made, tmp_path):
    """As if a process had written it while another one wrote the index."""
    assert made("", "5", "5f") == [(5, 0), (5, 0)]
    assert made("", "5", "5f") == [(5, 1), (5, 1)]
    one, two = sorted((tmp_path / "cache").rglob("made.outer_5-*.nbc"))
    one.write_bytes(two.read_bytes())
    assert made("", "5f", "5") == [(5, 1), (5, 0)]
    assert made("", "5f", "5") == [(5, 1), (5, 1)]


def test_no_two_kernels_have_the_same_name():
    kernels = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
    ours = [one.py_func for one in kernels if one.py_func.__module__.startswith(scratchnet.__name__)]
    names = Counter((function.__module__, function.__qualname__) for function in ours)
    assert len(names) > 50
    assert names.most_common(1)[0][1] == 1
    assert all(isinstance(one._cache, cache._Cache) for one in kernels if one.py_func in ours)
