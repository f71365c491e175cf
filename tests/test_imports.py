"""The architecture as a test: who may import whom, and what `import scratchnet` pulls in."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "scratchnet"

# A room may import itself and rooms that stand before it. Leaves may import any room, and no room imports a leaf.
ROOMS = [
    {"reference", "reference_augment", "fields"},
    {"shapes", "random", "config", "files"},
    {"arguments", "device"},
    {"kernels", "trees"},
    {"initializers"},
    {"layers"},
    {"losses", "schedules"},
    {"metrics", "optimizers"},
    {"augment", "averaging", "divergence", "saving"},
    {"callbacks"},
    {"training"},
    {"models"},
]
LEAVES = {"bench", "check", "datasets", "doctor", "gan", "generation", "gradcheck", "ladder"}
LEAVES |= {"live", "plot", "preprocessing", "recipes", "zoo"}
RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(path: Path) -> set[str]:
    """The rooms of scratchnet that a file imports, at its top or inside a function."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written from the package's root"
            names = [node.module] if node.module != "scratchnet" else [f"scratchnet.{a.name}" for a in node.names]
        else:
            continue
        rooms |= {name.split(".")[1] for name in names if name.startswith("scratchnet.")}
    return rooms


FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    room = room_of(path)
    assert room in LEAVES or room in RANK, f"{room} has no place in the architecture yet: give it one in this test"
    for other in imported_rooms(path) - {room}:
        if room in LEAVES:
            assert other in LEAVES or other in RANK
        else:
            assert other not in LEAVES, f"{room} imports the leaf {other}"
            assert RANK[other] < RANK[room], f"{room} imports {other}, which stands beside or after it"


def test_leaves_hold_no_circle():
    edges = {leaf: set() for leaf in LEAVES}
    for path in FILES:
        if room_of(path) in LEAVES:
            edges[room_of(path)] |= imported_rooms(path) & LEAVES - {room_of(path)}
    while edges:
        free = {leaf for leaf, needs in edges.items() if not needs & edges.keys()}
        assert free, f"a circle among {sorted(edges)}"
        edges = {leaf: needs for leaf, needs in edges.items() if leaf not in free}


def test_cpu_and_gpu_kernels_never_import_each_other():
    for path in FILES:
        parts = path.relative_to(PACKAGE).parts
        if parts[0] == "kernels" and len(parts) == 3:
            other = {"cpu": "gpu", "gpu": "cpu"}[parts[1]]
            assert f"kernels.{other}" not in path.read_text(encoding="utf-8")


def test_import_is_light():
    heavy = ("matplotlib", "cupy", "IPython", "jupyter_client", "ipywidgets", "torch", "tensorflow", "scipy")
    heavy += ("pooch", "requests", "PIL", "safetensors")  # needed for downloads, pictures and files only
    code = f"import sys, scratchnet; print(sorted(set({heavy!r}) & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_listed():
    import scratchnet as sn

    assert set(sn.__all__) <= set(dir(sn))
    for name in sn.__all__:
        assert getattr(sn, name) is not None
