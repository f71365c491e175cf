"""A wheel built from the project holds the data and the licence, and works where nothing else of the project is."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAM = """
import numpy as np, scratchnet as sn
assert "site" in sn.__file__, sn.__file__
(x, y), _ = sn.datasets.fashion_mnist_small.load_data()
assert x.shape == (6000, 28, 28) and y.shape == (6000,)
assert sn.generation.classifier("fashion_mnist").features(x[:2]).shape == (2, 64)
model = sn.Sequential([sn.Flatten(input_shape=(28, 28)), sn.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
record = model.fit(x[:320] / 255.0, y[:320], epochs=2, verbose=0)
assert record.history["loss"][-1] < record.history["loss"][0]
print("works")
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_holds_the_data_and_works_elsewhere(tmp_path):
    # No isolation: the build tools are in the test extra, so that nothing is fetched here.
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT))
    (wheel,) = tmp_path.glob("scratchnet-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    data = ("datasets/data/fashion_mnist_small.npz", "datasets/data/FASHION_MNIST_LICENSE.txt")
    weights = ("generation/weights/fashion_mnist.safetensors", "generation/weights/cifar10.safetensors")
    kernels = [path.relative_to(ROOT).as_posix() for path in (ROOT / "scratchnet").rglob("*.cu*")]
    assert "scratchnet/kernels/gpu/common.cuh" in kernels
    for wanted in (*data, *weights, "py.typed"):
        assert f"scratchnet/{wanted}" in names
    assert set(kernels) <= set(names)
    assert not [n for n in names if n.startswith(("tests", "notebooks")) or n.endswith((".pyc", ".nbi", ".nbc"))]
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(tmp_path / "site"),
        str(wheel),
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert run(sys.executable, "-c", PROGRAM, cwd=tmp_path, env=environment).strip() == "works"
