"""Who imports whom in a package, read from its files; nothing is run."""

import ast
from pathlib import Path


def files(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def module_of(package: Path, path: Path) -> str:
    """`scratchnet.layers.conv` for its file, `scratchnet.layers` for that folder's `__init__.py`."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(package: Path, path: Path) -> set[str]:
    """All that a file imports, at its top, inside a function or for the type checker only.

    `from scratchnet.kernels import cpu` counts as `scratchnet.kernels.cpu` where there is such a module, and as
    `scratchnet.kernels` where not.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written from the package's root"
            for alias in node.names:
                place = package.parent.joinpath(*node.module.split("."), alias.name)
                is_module = place.is_dir() or place.with_suffix(".py").exists()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
    return found


def room_of(module: str) -> str | None:
    """`layers` for `scratchnet.layers.conv`; None for the package itself."""
    return module.split(".")[1] if "." in module else None


def wrong_rooms(package: Path, rooms: list[set[str]], leaves: dict[str, set[str]]) -> list[str]:
    """What the map of rooms does not allow. An import of the whole package is one of a leaf's liberties."""
    rank = {room: rank for rank, beside in enumerate(rooms) for room in beside}
    wrong = []
    for path in files(package):
        room = room_of(module_of(package, path))
        if room is None:
            continue  # the package itself: it hands on the public names of all rooms
        if room not in leaves and room not in rank:
            wrong.append(f"{room} has no place in the map of rooms yet: give it one in test_imports.py")
            continue
        for name in imported(package, path):
            other = room_of(name)
            if name.split(".")[0] != package.name or other == room:
                continue
            if room in leaves:
                allowed = other is None or other in rank or other in leaves[room]
            else:
                allowed = rank.get(other, len(rooms)) < rank[room]
            if not allowed:
                wrong.append(f"{path.relative_to(package).as_posix()} imports {name}")
    return sorted(set(wrong))


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Those that import each other in a circle, or that stand between two; none if the imports run one way."""
    left = dict(edges)
    while free := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in free}
    while free := left.keys() - set().union(*left.values()):
        left = {name: needs for name, needs in left.items() if name not in free}
    return sorted(left)


def file_edges(package: Path) -> dict[str, set[str]]:
    """Each file's module, and those of the package that it names in its imports."""
    paths = {module_of(package, path): path for path in files(package)}
    return {name: imported(package, path) & paths.keys() - {name} for name, path in paths.items()}


def wrong_devices(package: Path) -> list[str]:
    """Files of one device's kernels that import another device's. The contract, `interface`, is nobody's."""
    folders = [place for place in (package / "kernels").iterdir() if any(place.glob("*.py"))]
    folders = [place for place in folders if place.name != "interface"]
    wrong = []
    for folder in folders:
        others = {module_of(package, other / "__init__.py") for other in folders if other != folder}
        for path in files(folder):
            for name in imported(package, path):
                if any(name == other or name.startswith(f"{other}.") for other in others):
                    wrong.append(f"{path.relative_to(package).as_posix()} imports {name}")
    return wrong
