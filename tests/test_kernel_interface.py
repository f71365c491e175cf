"""Each device's kernels keep the contract: its names, their arguments and the order of these; so does the reference."""

import inspect
import re
import types
from pathlib import Path

import numpy as np
import pytest
from devices import DEVICES, UnderTest
from devices import Kernels as OnDevice

from scratchnet import devices, kernels, reference
from scratchnet.kernels import cpu
from scratchnet.kernels.interface import FILL_MODES, Kernels

MODULES = {name: under.kernels for name, under in DEVICES.items()}


def signature(function, skip=0):
    """(name, kind, default) of each parameter."""
    return [(p.name, p.kind.name, p.default) for p in list(inspect.signature(function).parameters.values())[skip:]]


def contract():
    """All kernels of the contract by name."""
    methods = {}
    for part in Kernels.__mro__:
        if part.__module__.startswith("scratchnet."):
            methods |= {name: m for name, m in vars(part).items() if inspect.isfunction(m) and name[0] != "_"}
    return methods


def breaches(module):
    """What of the contract a module of kernels does not keep, as lines of text."""
    found = []
    methods, names = contract(), set(module.__all__)
    found += [f"{name} is missing" for name in sorted(methods.keys() - names)]
    found += [f"{name} is not in the contract" for name in sorted(names - methods.keys())]
    for name in sorted(methods.keys() & names):
        kernel = getattr(module, name)
        if signature(kernel) != signature(methods[name], skip=1):
            found.append(f"{name}{inspect.signature(kernel)} is not {name}{inspect.signature(methods[name])}")
        if not (kernel.__doc__ or "").strip():
            found.append(f"{name} has no docstring")
    return found


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_a_device_s_kernels_keep_the_contract(module):
    assert breaches(module) == []


def test_the_contract_explains_every_kernel():
    assert len(contract()) > 40
    for name, method in contract().items():
        assert (method.__doc__ or "").strip(), name


def fake(**changes):
    """A module with the CPU's kernels, some of them changed; None takes one away."""
    functions = {**{name: getattr(cpu, name) for name in cpu.__all__}, **changes}
    functions = {name: function for name, function in functions.items() if function is not None}
    module = types.ModuleType("fake")
    vars(module).update(functions, __all__=list(functions))
    return module


def swapped(w, x, b, relu=False):
    """The arguments in another order."""


def renamed(x, w, bias, relu=False):
    """One argument under another name."""


def by_name(x, w, b, *, relu=False):
    """One argument by name only."""


def other_default(x, w, b, relu=True):
    """Another default."""


def undocumented(x, w, b, relu=False):
    return x


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({"conv2d": None}, "conv2d is missing"),
        ({"conv3d": cpu.conv2d}, "conv3d is not in the contract"),
        ({"dense": undocumented}, "dense has no docstring"),
        *(({"dense": dense}, "dense(") for dense in (swapped, renamed, by_name, other_default)),
    ],
)
def test_a_breach_is_found(changes, breach):
    assert breaches(fake()) == []
    (found,) = breaches(fake(**changes))
    assert found.startswith(breach)


def test_every_kernel_is_used():
    """By a layer, a loss, an optimizer, ...: as `kernels.of(x).name` or `k.name`."""
    of_names = ("elu", "gelu", "hard_sigmoid", "hard_silu", "mish", "sigmoid", "silu", "tanh")
    put_together = {f"{name}{end}" for name in of_names for end in ("", "_backward")}
    package = Path(kernels.__file__).parent.parent
    files = [p for p in package.rglob("*.py") if p.relative_to(package).parts[0] not in ("kernels", "bench")]
    text = "".join(p.read_text(encoding="utf-8") for p in files)
    unused = [name for name in contract() if not re.search(rf"(\)|\bk)\.{name}\b", text)]
    assert set(unused) <= put_together


def test_the_reference_takes_its_arguments_in_the_kernels_order():
    """A function of the reference has its kernel's arguments, without some that only serve speed."""
    common = contract().keys() & set(reference.__all__)
    assert {"conv2d", "max_pool2d_backward", "batch_norm_backward", "softmax_backward", "augment"} <= common
    for name in common:
        wanted = [parameter for parameter, _, _ in signature(contract()[name], skip=1)]
        taken = [parameter for parameter, _, _ in signature(getattr(reference, name))]
        assert taken == [parameter for parameter in wanted if parameter in taken], name


def test_in_the_reference_every_backward_takes_dy_first():
    backwards = [name for name in reference.__all__ if name.endswith("_backward")]
    assert len(backwards) > 10
    for name in backwards:
        assert signature(getattr(reference, name))[0][0] == "dy", name


def test_arrays_go_to_a_device_and_what_it_changed_comes_back():
    """On a device whose memory is its own, tests see the same as on the CPU."""
    there = OnDevice(UnderTest(cpu, np.array, np.array))
    rng = np.random.default_rng(0)
    x, dy, p = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.normal(size=4)
    dw, db, g, m = np.ones((3, 2)), np.ones(2), np.ones(4), np.zeros(4)
    np.testing.assert_array_equal(there.dense_weight_grad(x, dy, dw, db=db), dw)
    np.testing.assert_allclose(dw, 1 + x.T @ dy)
    np.testing.assert_allclose(db, 1 + dy.sum(axis=0))
    before = p.copy()
    there.sgd([(p, g, m)], 0.5, 0.0, False)
    np.testing.assert_array_equal(p, before - 0.5)
    np.testing.assert_array_equal(m, np.full(4, -0.5))
    loss, dz = there.softmax_cross_entropy(dy, np.zeros(5, np.int64))
    assert type(loss) is float
    assert dz.shape == dy.shape


@pytest.mark.parametrize("mode", FILL_MODES)
def test_every_fill_mode_is_known_to_every_device(device, mode):
    x = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    moved = np.array([[1.0, 0, 2, 0, 1, 2]])  # by two pixels: y[2, 3] would be x[4, 5]
    y = device.augment(x, np.array([0]), moved, mode, 50)
    assert y[0, 0, :2, 0].tolist() == [10, 11]
    assert y[0, 2, 3, 0] == {"constant": 50, "nearest": 11, "reflect": 6, "wrap": 5}[mode]


class Elsewhere:
    """An array on another device."""


@pytest.fixture
def elsewhere():
    """A device whose kernels are loaded when they are first asked for; the times that was."""
    loaded = []
    module = fake()

    def load():
        loaded.append(module)
        return module

    devices.register(devices.Device("elsewhere", Elsewhere, np, load, lambda x: np.zeros(1)))
    yield module, loaded
    devices.unregister("elsewhere")


def test_the_type_of_an_array_picks_the_kernels(elsewhere):
    module, loaded = elsewhere
    assert kernels.of(np.ones(1)) is cpu
    assert kernels.of(np.ones(1).view(np.memmap)) is cpu
    assert loaded == []
    assert kernels.of(Elsewhere()) is module


def test_kernels_of_something_else_is_an_error(elsewhere):
    with pytest.raises(TypeError, match=r"\(numpy.ndarray, .*Elsewhere\), got list. Convert it first: np.asarray"):
        kernels.of([1.0])
    assert devices.device_of([1.0]) is None


def test_the_cpu_is_a_device_like_others():
    assert devices.device_of(np.ones(1)).name == "cpu"
    assert devices.device_of(np.ones(1)).kernels() is cpu
    assert devices.array_module(np.ones(1)) is np
