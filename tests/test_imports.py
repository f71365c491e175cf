"""The architecture as a test: who may import whom, how long a file may be, and what `import scratchnet` pulls in."""

import ast
from pathlib import Path

import pytest
from import_graph import circle, file_edges, files, wrong_devices, wrong_rooms
from processes import python

PACKAGE = Path(__file__).parent.parent / "scratchnet"
LONGEST = 300  # lines of a file

# A room may import itself and rooms that stand before it.
ROOMS = [
    {"reference", "fields"},
    {"shapes", "signatures", "files", "locks", "printing"},
    {"attributes", "arguments", "replay"},
    {"old_names"},
    {"annotations", "random", "devices"},
    {"config"},
    {"kernels", "structures", "trees"},
    {"activations", "constraints", "initializers", "placement", "regularizers"},
    {"layers"},
    {"losses", "schedules"},
    {"metrics", "optimizers"},
    {"augment", "averaging", "divergence", "saving"},
    {"callbacks"},
    {"training"},
    {"models"},
]
# A leaf may import every room, the whole package, and the leaves that are named here. No room imports a leaf.
LEAVES = {
    "backend": set(),
    "bench": {"gan", "plot"},
    "blocks": set(),
    "book": set(),
    "check": {"blocks"},
    "compile": {"gan", "recipes", "zoo"},
    "datasets": set(),
    "doctor": {"datasets"},
    "gan": {"datasets", "plot"},
    "generation": {"datasets"},
    "gradcheck": set(),
    "interact": {"blocks", "datasets", "gan", "generation", "plot", "recipes", "zoo"},
    "ladder": set(),
    "live": {"plot"},
    "plot": set(),
    "preprocessing": {"datasets", "utils"},
    "recipes": {"datasets", "doctor", "gan", "generation", "plot", "zoo"},
    "unbuilt": set(),
    "utils": {"datasets", "plot"},
    "zoo": set(),
}


def test_the_map_names_rooms_that_there_are():
    there = {path.stem for path in PACKAGE.glob("*.py")} | {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    named = set().union(*ROOMS, LEAVES, *LEAVES.values())
    assert named <= there


def test_imports_run_one_way():
    assert wrong_rooms(PACKAGE, ROOMS, LEAVES) == []


def test_leaves_hold_no_circle():
    assert circle(LEAVES) == []


def test_files_hold_no_circle():
    assert circle(file_edges(PACKAGE)) == []


def test_cpu_and_gpu_kernels_never_import_each_other():
    assert wrong_devices(PACKAGE) == []


def test_no_file_is_too_long():
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text("utf-8").splitlines()) for path in files(PACKAGE)
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


# The checks themselves must be able to fail: a small package with each fault.


@pytest.fixture
def package(tmp_path):
    """Writes a package of these files, and returns its folder."""

    def write(modules):
        for name, text in {"__init__": "", **modules}.items():
            path = tmp_path / "scratchnet" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "scratchnet"

    return write


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("from scratchnet.shapes import pair\nimport numpy\nfrom scratchnet.layers.conv import Conv2D", []),
        ("from scratchnet.losses import Loss", ["imports scratchnet.losses"]),
        ("def late():\n    from scratchnet import plot", ["imports scratchnet.plot"]),
        ("if TYPE_CHECKING:\n    import scratchnet.models", ["imports scratchnet.models"]),
        ("import scratchnet as sn", ["imports scratchnet"]),
    ],
)
def test_a_room_that_imports_what_it_must_not_is_found(package, text, wrong):
    place = package({**dict.fromkeys(["shapes", "losses", "plot", "models", "layers/conv"], ""), "layers/base": text})
    assert wrong_rooms(place, ROOMS, LEAVES) == [f"layers/base.py {end}" for end in wrong]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("from scratchnet.models import Sequential\nimport scratchnet as sn\nfrom scratchnet import datasets", []),
        ("from scratchnet import recipes", ["imports scratchnet.recipes"]),
        ("from scratchnet.doctor import report", ["imports scratchnet.doctor"]),
    ],
)
def test_a_leaf_that_imports_another_is_found(package, text, wrong):
    place = package({**dict.fromkeys(["models", "datasets", "recipes", "doctor"], ""), "gan/model": text})
    assert wrong_rooms(place, ROOMS, LEAVES) == [f"gan/model.py {end}" for end in wrong]


def test_a_new_room_is_asked_for_its_place(package):
    place = package({"attic/trunk": ""})
    assert wrong_rooms(place, ROOMS, LEAVES) == [
        "attic has no place in the map of rooms yet: give it one in test_imports.py"
    ]


def test_a_circle_of_files_is_found(package):
    place = package(
        {
            "layers/__init__": "from scratchnet.layers.conv import Conv2D",
            "layers/conv": "from scratchnet.layers.base import Layer",
            "layers/base": "def late():\n    from scratchnet.layers import fusion",
            "layers/fusion": "from scratchnet.layers.conv import Conv2D",
        }
    )
    assert circle(file_edges(place)) == [f"scratchnet.layers.{name}" for name in ("base", "conv", "fusion")]


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("cpu/conv", "from scratchnet.kernels.cpu.jit import parallel", []),
        ("cpu/conv", "from scratchnet.kernels import gpu", ["scratchnet.kernels.gpu"]),
        ("gpu/conv/direct", "from scratchnet.kernels.cpu.jit import PARTS", ["scratchnet.kernels.cpu.jit"]),
        ("cpu/conv", "from scratchnet.kernels.interface import Kernels", []),
        ("of", "from scratchnet.kernels import cpu, gpu", []),
    ],
)
def test_kernels_of_one_device_that_import_the_other_s_are_found(package, name, text, wrong):
    modules = {"kernels/cpu/jit": "", "kernels/gpu/launch": "", "kernels/interface/norm": "", f"kernels/{name}": text}
    assert wrong_devices(package(modules)) == [f"kernels/{name}.py imports {other}" for other in wrong]


# What is imported, and what is public.


# The rooms of each device's kernels, each of which imports only those before it; "" are the files beside the rooms.
CPU_ROOMS = ["machine", "compiling", "threads", "runtime", "", "gemm", "winograd", "conv"]
GPU_ROOMS = ["runtime", "", "gemm", "conv"]


def wrong_order(package, device, rooms):
    """What imports a later room, or has no place among the rooms."""
    wrong, start = [], f"scratchnet.kernels.{device}."
    for path in files(package / "kernels" / device):
        name, parts = path.relative_to(package).as_posix(), path.relative_to(package).parts[2:]
        if parts == ("__init__.py",):
            continue
        room = parts[0] if len(parts) > 1 else ""
        if room not in rooms:
            wrong.append(f"{name} is in no room")
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(start):
                # "from scratchnet.kernels.gpu import activation", too
                below = node.module[len(start) :]
                for first in [below.partition(".")[0]] if below else [alias.name for alias in node.names]:
                    if rooms.index(first if first in rooms else "") > rooms.index(room):
                        wrong.append(f"{name} imports {first}")
    return wrong


@pytest.mark.parametrize(("device", "rooms"), [("cpu", CPU_ROOMS), ("gpu", GPU_ROOMS)])
def test_imports_among_the_kernels_of_a_device_run_one_way(device, rooms):
    assert wrong_order(PACKAGE, device, rooms) == []


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("conv/direct", "from scratchnet.kernels.gpu.pool import f", []),
        ("conv/dense", "from scratchnet.kernels.gpu.runtime.memory import empty", []),
        ("pool", "from scratchnet.kernels.gpu.sums import f", []),
        ("pool", "from scratchnet.kernels.gpu.conv.direct import f", ["imports conv"]),
        ("runtime/memory", "from scratchnet.kernels.gpu import pool", ["imports pool"]),
        ("attic/trunk", "", ["is in no room"]),
    ],
)
def test_kernels_that_import_a_later_room_are_found(package, name, text, wrong):
    place = package({f"kernels/gpu/{name}": text})
    assert wrong_order(place, "gpu", GPU_ROOMS) == [f"kernels/gpu/{name}.py {end}" for end in wrong]


def test_import_is_light():
    heavy = ("matplotlib", "cupy", "IPython", "jupyter_client", "ipywidgets", "torch", "tensorflow", "scipy")
    heavy += ("pooch", "requests", "PIL", "safetensors")  # needed for downloads, pictures and files only
    heavy += ("numba", "llvmlite")  # needed from the first kernel on
    assert python("-c", f"import sys, scratchnet; print(sorted(set({heavy!r}) & sys.modules.keys()))") == "[]"


def test_every_public_name_is_there_and_listed():
    import scratchnet as sn

    assert set(sn.__all__) <= set(dir(sn))
    for name in sn.__all__:
        assert getattr(sn, name) is not None
