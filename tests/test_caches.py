"""The sizes of caches: how they are found, and that no result and no compiled kernel depends on them."""

import ast
import importlib
from pathlib import Path

import numpy as np
import pytest

from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.conv import depthwise_sliding, depthwise_weight_grad, direct, narrow, narrow_weight_grad
from scratchnet.kernels.cpu.machine import caches
from scratchnet.kernels.cpu.machine.caches import CACHES, USUAL, Caches, likely

KERNELS = Path(cpu.__file__).parent
SAME, EVEN, NONE = ((1, 1), (1, 1)), ((0, 1), (0, 1)), ((0, 0), (0, 0))


@pytest.fixture
def processor(tmp_path):
    """Writes what Linux tells of a processor: of each cache its level, type, size and who shares it."""

    def write(siblings, *found):
        (tmp_path / "topology").mkdir()
        (tmp_path / "topology" / "thread_siblings_list").write_text(siblings + "\n")
        for n, values in enumerate(found):
            folder = tmp_path / "cache" / f"index{n}"
            folder.mkdir(parents=True)
            for name, value in zip(("level", "type", "size", "shared_cpu_list"), values):
                (folder / name).write_text(value + "\n")
        return tmp_path

    return write


INTEL = [
    ("1", "Data", "48K", "0-1"),
    ("1", "Instruction", "32K", "0-1"),
    ("2", "Unified", "1280K", "0-1"),
    ("3", "Unified", "24M", "0-15"),
]
ARM = [("1", "Data", "64K", "0"), ("1", "Instruction", "64K", "0"), ("2", "Unified", "4096K", "0-3")]


def test_threads_of_one_core_share_its_caches(processor):
    assert likely(caches._from_files(processor("0-1", *INTEL))) == Caches(48 << 10, 1280 << 10, 24 << 20)


def test_cores_share_a_second_level(processor):
    assert likely(caches._from_files(processor("0", *ARM))) == Caches(64 << 10, 1 << 20, USUAL.shared)


def test_siblings_that_are_not_neighbours(processor):
    found = caches._from_files(processor("0,8", ("2", "Unified", "2M", "0,2,8,10")))
    assert likely(found) == Caches(USUAL.first, 1 << 20, USUAL.shared)


@pytest.mark.parametrize("size", ["", "K", "32", "-32K", "0K", "1K", "x", "9999999K"])
def test_what_cannot_be_true_is_not_believed(processor, size):
    assert likely(caches._from_files(processor("", ("1", "Data", size, "")))) == USUAL


def test_nothing_is_told(tmp_path):
    assert likely(caches._from_files(tmp_path)) == USUAL
    assert caches._sysctl("no.such.name") == 0


def test_this_machine():
    assert caches.read() == CACHES
    assert likely(list(CACHES)) == CACHES


def test_macos(monkeypatch):
    """The fast cores of an M1, whose second cache serves four."""
    told = {
        "hw.perflevel0.l1dcachesize": 128 << 10, "hw.perflevel0.l2cachesize": 12 << 20, "hw.perflevel0.cpusperl2": 4,
        "hw.l1dcachesize": 64 << 10,
    }  # fmt: skip
    monkeypatch.setattr(caches, "_sysctl", lambda name: told.get(name, 0))
    assert likely(caches._from_sysctl()) == Caches(128 << 10, 3 << 20, 12 << 20)


def derived():
    """Of each file of kernels the constants that are worked out from CACHES, by the module's name."""
    found = {}
    for path in KERNELS.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and "CACHES" in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}:
                names = [target.id for target in node.targets]
                module = ".".join(("scratchnet.kernels.cpu", *path.relative_to(KERNELS).with_suffix("").parts))
                found.setdefault(module, []).extend(names)
    del found["scratchnet.kernels.cpu.machine.caches"]
    return found


def test_no_compiled_kernel_holds_a_size():
    """A kernel is kept on disk under the processor's name, which does not tell its caches."""
    constants = {name for names in derived().values() for name in names}
    assert len(constants) >= 5
    for path in KERNELS.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            compiled = {"parallel", "in_order", "serial", "serial_in_order", "inlined_in_order"}
            if compiled & {d.id for d in function.decorator_list if isinstance(d, ast.Name)}:
                named = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
                assert not named & {"CACHES", *constants}, (path, function.name)


def works(dtype):
    """Computations that are cut for the caches, large enough to be cut."""
    random = np.random.default_rng(0)

    def some(*shape):
        return random.normal(size=shape).astype(dtype)

    x, w, dy = some(8, 12, 12, 64), some(3, 3, 64, 64), some(8, 12, 12, 64)
    deep, wide = some(4, 6, 6, 600), some(1, 1, 600, 64)
    own, own_w, long = some(2, 40, 40, 48), some(3, 3, 48, 1), some(3, 112, 112, 64)
    three = some(3, 3, 3, 64)
    return {
        "winograd": lambda: cpu.conv2d(x, w, None, (1, 1), SAME),
        "winograd_weight_grad": lambda: cpu.conv2d_weight_grad(x, dy, (3, 3), (1, 1), SAME),
        "winograd_weight_grad, two sums": lambda: cpu.conv2d_weight_grad(long, long, (3, 3), (1, 1), SAME),
        "direct": lambda: cpu.conv2d(deep, wide, None, (1, 1), NONE),
        "direct, window": lambda: cpu.conv2d(x, w, None, (2, 2), SAME),
        "few channels": lambda: cpu.conv2d_input_grad(x, three, (24, 24), (2, 2), ((0, 1), (0, 1))),
        "depthwise": lambda: cpu.depthwise_conv2d(own, own_w, None, (1, 1), SAME),
        "depthwise, copied": lambda: cpu.depthwise_conv2d(own, own_w[:1, :1], None, (1, 1), NONE),
        "depthwise_input_grad": lambda: cpu.depthwise_conv2d_input_grad(own, own_w, (80, 80), (2, 2), EVEN),
        "depthwise_weight_grad": lambda: cpu.depthwise_conv2d_weight_grad(own, own, (3, 3), (1, 1), SAME),
        "depthwise_weight_grad, copied": lambda: cpu.depthwise_conv2d_weight_grad(own, own, (1, 1), (1, 1), NONE),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_all_caches(monkeypatch, dtype):
    plans = [direct._plan, narrow._cut, narrow_weight_grad._plan, depthwise_sliding.plan, depthwise_weight_grad._plan]

    def clear():
        for plan in plans:
            plan.cache_clear()

    computed = works(dtype)
    right = {name: work() for name, work in computed.items()}
    try:
        for factor in (0.2, 7):
            clear()
            with monkeypatch.context() as patch:
                for module, names in derived().items():
                    there = importlib.import_module(module)
                    for name in names:
                        patch.setattr(there, name, int(getattr(there, name) * factor))
                for name, work in computed.items():
                    np.testing.assert_array_equal(work(), right[name], err_msg=f"{name}, {factor}")
    finally:
        clear()
