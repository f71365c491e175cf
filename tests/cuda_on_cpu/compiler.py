"""CUDA C made a shared library by g++, in four steps.

1. g++'s preprocessor expands the kernels' own macros and takes the comments out: the next steps see declarations.
2. Each `__shared__` declaration becomes a reference to memory that the harness hands out (cpp/shared_memory.h).
3. For each kernel two functions with C names are added at the end: its launch and its signature (cpp/launch.h).
4. g++ compiles that, and links it to the engine: the files cpp/*.cpp, compiled once, which play the threads.

Libraries lie in a folder of the user's among the temporary files, under the hash of all that went into them. Several
processes may build one at the same time: each writes a file of its own, and renames it when it is complete.
"""

import ctypes
import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

CPP = Path(__file__).with_name("cpp")
FLAGS = ("-std=c++17", "-O2", "-fPIC", "-shared", "-w", "-U_FORTIFY_SOURCE", "-ffp-contract=off", "-fno-gnu-unique")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g", "-fno-omit-frame-pointer")
SANITIZED = "CUDA_ON_CPU_SANITIZED"  # set in the environment of a process that has AddressSanitizer loaded
MOST_THREADS = 1024  # of a block


class Compiled(NamedTuple):
    """A kernel as machine code.

    Attributes:
        launch: calls it for all threads of a grid; returns what went wrong, or None.
        signature: the types of its parameters, as cpp/launch.h writes them.
        most_threads: as its __launch_bounds__ says.
    """

    launch: Callable[..., bytes | None]
    signature: tuple[str, ...]
    most_threads: int


class CompileError(Exception):
    """g++ did not accept the kernels."""


def missing() -> str | None:
    """Why kernels cannot be built here, or None."""
    if platform.system() != "Linux":
        return f"CUDA C runs on the CPU on Linux only, not on {platform.system()}"
    if shutil.which("g++") is None:
        return "g++ is missing, which compiles CUDA C for the CPU"
    return None


def build(code: str, defines: Iterable[str] = (), templates: Iterable[str] = ()) -> dict[str, Compiled]:
    """The kernels of a .cu file, by name.

    Args:
        code: the text.
        defines: options for the preprocessor, such as "-DREAL=float".
        templates: instances of templates to have too, such as "sum<float>".

    Raises:
        CompileError: with g++'s messages.
    """
    text = _preprocessed(code, tuple(defines))
    found = _kernels(text)
    names = [*found, *templates]
    source = "\n".join(
        [f'#include "{CPP / "cuda_cpu.h"}"', _with_shared_placed(text)]
        + [_entry(number, name, found.get(name, str(MOST_THREADS))) for number, name in enumerate(names)]
    )
    # PyDLL lets no other thread of Python's run meanwhile: there is only one engine.
    library = ctypes.PyDLL(str(_library(source, (str(_engine()),))))
    return {name: _loaded(library, number) for number, name in enumerate(names)}


def _preprocessed(code: str, defines: tuple[str, ...]) -> str:
    command = ("g++", "-E", "-x", "c++", "-std=c++17", "-D__CUDA_CPU_SHIM__=1", *defines, "-")
    return _run(command, '#line 1 "kernels.cu"\n' + code)


def _kernels(text: str) -> dict[str, str]:
    """The names of the kernels, and for each the greatest number of threads as its __launch_bounds__ has it."""
    bounds = r"(?:__launch_bounds__\s*\((?P<bounds%d>[^()]*(?:\([^()]*\)[^()]*)*)\)\s*)?"
    kernel = re.compile(r"__global__\s+" + bounds % 1 + r"void\s+" + bounds % 2 + r"(?P<name>\w+)\s*\(")
    template = re.compile(r"template\s*<[^{};]*>\s*$")
    found = {}
    for match in kernel.finditer(text):
        if not template.search(text, 0, match.start()):
            limit = (match["bounds1"] or match["bounds2"] or str(MOST_THREADS)).split(",")[0]
            found[match["name"]] = limit
    return found


_SHARED = re.compile(
    r"(?P<extern>extern\s+)?__shared__\s+(?:__align__\s*\(\s*\d+\s*\)\s*)?"
    r"(?P<type>(?:unsigned\s+|long\s+)*\w+(?:\s*<[^<>;]*>)?)\s+(?P<names>[^;]+);"
)


def _with_shared_placed(text: str) -> str:
    return _SHARED.sub(_placed, text)


def _placed(declaration: re.Match[str]) -> str:
    kind = declaration["type"]
    parts = [re.fullmatch(r"\s*(\w+)\s*((?:\[[^\]]*\]\s*)*)", part) for part in declaration["names"].split(",")]
    if None in parts:
        return declaration[0]  # for g++ to complain of, with the line
    if declaration["extern"]:
        return " ".join(f"{kind}* {part[1]} = shim::dynamic_shared<{kind}>();" for part in parts)
    return " ".join(f"auto& {part[1]} = shim::shared<{kind}{part[2]}>([] {{}});" for part in parts)


def _entry(number: int, name: str, most_threads: str) -> str:
    kernel = f"shim::Kernel<(&{name})>"
    return f"""
extern "C" const char* launch_{number}(void** arguments, const unsigned* grid, const unsigned* block,
                                       size_t shared_bytes, size_t shared_limit, bool backward, bool late_copies) {{
    return shim::run({{{kernel}::call, arguments, grid, block, shared_bytes, shared_limit, backward, late_copies}});
}}
extern "C" const char* signature_{number}() {{ return {kernel}::signature(); }}
extern "C" int most_threads_{number}() {{ return {most_threads}; }}
"""


def _loaded(library: ctypes.PyDLL, number: int) -> Compiled:
    launch, signature = library[f"launch_{number}"], library[f"signature_{number}"]
    launch.restype = signature.restype = ctypes.c_char_p
    numbers = ctypes.POINTER(ctypes.c_uint)
    launch.argtypes = (
        *(ctypes.POINTER(ctypes.c_void_p), numbers, numbers),
        *(ctypes.c_size_t, ctypes.c_size_t, ctypes.c_bool, ctypes.c_bool),
    )
    return Compiled(launch, tuple(signature().decode().split()), library[f"most_threads_{number}"]())


@functools.cache
def _engine() -> Path:
    """The library of what is the same for all kernels."""
    return _library("\n".join(f'#include "{path}"' for path in sorted(CPP.glob("*.cpp"))))


def _library(source: str, linked: tuple[str, ...] = ()) -> Path:
    """The library of this text; compiled unless it lies there from before."""
    flags = (*FLAGS, *(SANITIZERS if os.environ.get(SANITIZED) else ()))
    known = hashlib.sha256("\0".join((source, *flags, *linked, _headers(), _version())).encode()).hexdigest()
    path = _folder() / f"{known[:32]}.so"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=_folder()) as own:
            built = Path(own) / "built.so"
            _run(("g++", *flags, "-x", "c++", "-", "-x", "none", *linked, "-o", str(built)), source)
            built.replace(path)  # at once, for whoever looks meanwhile
    return path


@functools.cache
def _headers() -> str:
    return "".join(path.read_text() for path in sorted(CPP.iterdir()))


@functools.cache
def _version() -> str:
    return _run(("g++", "--version"), "")


@functools.cache
def _folder() -> Path:
    """For this user alone: nobody else may lay libraries there that we then load."""
    path = Path(tempfile.gettempdir()) / f"scratchnet-cuda-on-cpu-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to someone else")
    return path


def _run(command: tuple[str, ...], text: str) -> str:
    # AddressSanitizer, which a process may have loaded beforehand, is not for the compiler.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise CompileError("\n".join(done.stderr.splitlines()[:40]))
    return done.stdout
