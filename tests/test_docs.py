"""What the README, CONTRIBUTING and the settings say of files and versions is so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README, CONTRIBUTING = ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md"
DOCS = [README, CONTRIBUTING, ROOT / ".github" / "CHANGELOG.md"]
GPU = ("cupy-", "nvidia-")  # that CI has none of
TOOLS = {"ruff", "mypy", "build", "hatchling"}  # look at the code or wrap it; they need not be old for a test
TOP = "scratchnet|tests|notebooks|.github|.ci"


def missing(path, text):
    """The paths and headings that a page names and that there are not."""
    headings = {re.sub(r"[^\w -]", "", line.strip("# ").lower()).replace(" ", "-") for line in text.splitlines()}
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            found += [target] * (target[1:] not in headings)
        elif "://" not in target:
            found += [target] * (not (path.parent / target.partition("#")[0]).exists())
    for code in re.findall(r"`([^`\n]+)`", text):
        for name in re.findall(rf"(?<![\w./-])(?:{TOP.replace('.', '[.]')})/[\w./*-]*", code):
            found += [name] * (not any(ROOT.glob(name.rstrip("/"))) and "NN_" not in name)
    return found


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_path_that_is_named_is_there(path):
    assert missing(path, path.read_text("utf-8")) == []


def test_a_path_that_is_not_there_is_found():
    text = "# Set up\n[a](#set-up) [b](#away) [c](LICENSE) [d](NOWHERE.md) [e](https://f.org/g) `python tests/no.py -x`"
    text += " `scratchnet/reference*` `scratchnet/kernels/cpu/` `scratchnet/attic/*.py` `.github/nothing`"
    assert missing(README, text) == ["#away", "NOWHERE.md", "tests/no.py", "scratchnet/attic/*.py", ".github/nothing"]


def test_contributing_names_every_room():
    from test_imports import LEAVES, ROOMS

    table = re.findall(r"^\| (`[^|]+) \|", CONTRIBUTING.read_text("utf-8").split("## The rooms")[1], re.MULTILINE)
    rows = [set(re.findall(r"`(\w+)`", row)) for row in table]
    assert rows[: len(ROOMS)] == ROOMS
    text = CONTRIBUTING.read_text("utf-8").split("The other rooms (")[1].partition(")")[0]
    assert set(re.findall(r"`(\w+)`", text)) == set(LEAVES)


def test_the_oldest_versions_of_the_continuous_integration_are_those_that_are_allowed():
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / ".github" / "oldest.txt").read_text("utf-8"), re.MULTILINE))
    project = (ROOT / "pyproject.toml").read_text("utf-8").split("[tool.")[0].partition("requires-python")[2]
    allowed = dict(re.findall(r'"([\w-]+)>=([\d.]+)', project))
    assert pinned == {
        name: version for name, version in allowed.items() if name not in TOOLS and not name.startswith(GPU)
    }


def test_the_readme_has_the_line_that_the_continuous_integration_runs():
    lines = [line for line in README.read_text("utf-8").splitlines() if re.match("python3 -m venv .*pytest", line)]
    assert len(lines) == 1
    assert '".[test]"' in lines[0]
