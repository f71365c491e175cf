"""Scripts as Keras's users write them, in tests/keras_scripts: each runs here with only its imports changed.

Each leaves `losses`, numbers of its steps in their order, and `model`; where it leaves `falls`, this says whether
training went well, instead of the first and the last loss; None: nothing is to fall, as in a GAN. What else must hold,
a script asserts itself. Where Keras is installed they run on it unchanged, and those in which nothing random enters
give the same numbers.
"""

import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "keras_scripts"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
# Their weights, their order or their pictures are drawn by the framework.
DRAWN = {"augmented", "cats_and_dogs", "image_folders", "mnist_cnn"}
# They use names that Keras 3 does not have.
ONLY_HERE = {"keras2_names"}
WITH_PILLOW = {"cats_and_dogs", "image_folders"}


def with_imports_changed(text):
    """A script's text with scratchnet for keras and tensorflow.keras, in its lines of imports only."""
    text = re.sub(r"^(?:import|from tensorflow import) keras$", "import scratchnet as keras", text, flags=re.MULTILINE)
    return re.sub(r"^from (?:tensorflow\.)?keras\b", "from scratchnet", text, flags=re.MULTILINE)


def run_and_check(name, text):
    """The names that a script leaves."""
    left = {"__name__": "__main__"}
    exec(compile(text, str(FOLDER / f"{name}.py"), "exec"), left)
    losses = np.array(left["losses"], float)
    assert len(losses) >= 4
    assert np.isfinite(losses).all()
    falls = left.get("falls", losses[-1] < losses[0])
    assert falls is None or falls
    assert left["model"].count_params() > 0
    return losses


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def script(name):
    if name in WITH_PILLOW:
        pytest.importorskip("PIL")
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def test_only_imports_are_changed():
    before = script("keras_gan").splitlines()
    after = with_imports_changed(script("keras_gan")).splitlines()
    changed = [line for line, other in zip(before, after, strict=True) if line != other]
    assert changed
    assert all(re.match("from keras|import keras", line) for line in changed)
    for line in ("import keras", "from tensorflow import keras"):
        assert with_imports_changed(f"keras = 3\n{line}\n") == "keras = 3\nimport scratchnet as keras\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_script_runs_here(name, capsys):
    with warnings.catch_warnings():
        if name in ONLY_HERE:
            warnings.simplefilter("ignore")
        run_and_check(name, with_imports_changed(script(name)))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ONLY_HERE])
def test_the_same_script_gives_the_same_losses_in_keras(name, capsys):
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # as in with_keras.py
    pytest.importorskip("tensorflow")
    keras = pytest.importorskip("keras")
    if name == "cats_and_dogs":
        pytest.importorskip("scipy")  # Keras turns pictures with it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras would have written in another way
        keras.backend.clear_session()
        theirs = run_and_check(name, script(name))
    if name not in DRAWN:
        Path("theirs").mkdir()
        os.chdir("theirs")
        ours = run_and_check(name, with_imports_changed(script(name)))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
