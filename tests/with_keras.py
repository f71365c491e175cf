"""What the comparisons with Keras 3 share; importing it skips the test file where Keras is not installed."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# With oneDNN, TensorFlow 2.21 writes beyond its memory in the gradient of a strided 1 x 1 kernel.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
tf = pytest.importorskip("tensorflow", reason="the comparison with Keras needs TensorFlow: pip install tensorflow")
keras = pytest.importorskip("keras", reason="the comparison with Keras needs it: pip install keras tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the comparison with Keras needs KERAS_BACKEND=tensorflow", allow_module_level=True)

largest: dict[str, float] = {}


@pytest.fixture(scope="module", autouse=True)
def report():
    """With pytest -s: the largest errors that were seen."""
    yield
    for what, error in sorted(largest.items()):
        print(f"\n{what:40} {error:.1e}", end="")


def assert_close(actual, expected, tolerance, what):
    expected = np.asarray(expected)
    assert actual.shape == expected.shape, what
    assert actual.dtype == expected.dtype, what
    error = float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-3))
    largest[what] = max(error, largest.get(what, 0.0))
    assert error <= tolerance, f"{what}: {error:.1e}"
