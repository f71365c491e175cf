"""The embedded data are whole and balanced; the drawn shapes are reproducible, and hard for a linear model."""

import gzip
import hashlib
import struct
from importlib import resources

import numpy as np
import pytest

from scratchnet.datasets import embed, fashion_mnist_small, shapes10


def test_fashion_mnist_small_is_balanced_and_fresh():
    (x, y), (x_test, y_test) = fashion_mnist_small.load_data()
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((6000, 28, 28), (6000,), (1000, 28, 28), (1000,))
    assert {a.dtype for a in (x, y, x_test, y_test)} == {np.dtype(np.uint8)}
    assert np.bincount(y).tolist() == [600] * 10
    assert np.bincount(y_test).tolist() == [100] * 10
    assert len(fashion_mnist_small.CLASS_NAMES) == 10
    assert all(len(set(y[start : start + 100].tolist())) == 10 for start in range(0, 6000, 100))  # mixed
    x[:] = 0  # the caller's own
    assert fashion_mnist_small.load_data()[0][0].any()


def test_no_test_picture_is_a_training_picture():
    (x, _), (x_test, _) = fashion_mnist_small.load_data()
    assert not {p.tobytes() for p in x} & {p.tobytes() for p in x_test}


def test_licence_lies_beside_the_data():
    text = resources.files("scratchnet.datasets").joinpath("data", "FASHION_MNIST_LICENSE.txt").read_text()
    assert "Zalando SE" in text
    assert "Permission is hereby granted" in text


def test_damage_is_named(monkeypatch):
    monkeypatch.setattr(fashion_mnist_small, "SHA256", "0" * 64)
    with pytest.raises(RuntimeError, match=r"damaged.*pip install"):
        fashion_mnist_small.load_data()


def write_idx(path, array):
    header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def originals(tmp_path, monkeypatch):
    """Four small files in the original's format, 3 and 2 pictures of each class and some to spare."""
    monkeypatch.setattr(embed, "PER_CLASS", {"train": 3, "t10k": 2})
    rng = np.random.default_rng(0)
    for split, count in (("train", 60), ("t10k", 40)):
        write_idx(tmp_path / f"{split}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28)).astype(np.uint8))
        write_idx(tmp_path / f"{split}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))
    return tmp_path


def test_embedding_is_reproducible_and_loads(originals, monkeypatch, capsys):
    assert embed.build(originals) == embed.build(originals)
    embed.main([str(originals), str(originals / "out.npz")])
    digest = hashlib.sha256((originals / "out.npz").read_bytes()).hexdigest()
    assert digest in capsys.readouterr().out
    assert not list(originals.glob("*.part"))
    with np.load(originals / "out.npz", allow_pickle=False) as arrays:
        assert np.bincount(arrays["y_train"]).tolist() == [3] * 10
        assert np.bincount(arrays["y_test"]).tolist() == [2] * 10
        assert arrays["x_train"].shape == (30, 28, 28)


def test_idx_files_are_checked(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"\x89PNG"))
    with pytest.raises(ValueError, match="not an IDX file"):
        embed.read_idx(path)
    path.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0"))
    with pytest.raises(ValueError, match="ends within its header"):
        embed.read_idx(path)
    path.write_bytes(gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 5) + b"abc"))
    with pytest.raises(ValueError, match="expected 5 bytes"):
        embed.read_idx(path)
    with pytest.raises(ValueError, match="at least 4 examples of class 0"):
        embed.choose(np.arange(30) % 10, 4)


def test_shapes10_is_reproducible_and_balanced():
    (x, y), (x_test, y_test) = shapes10.load_data(200, 50, seed=3)
    (again, labels), _ = shapes10.load_data(200, 0, seed=3)
    assert np.array_equal(x, again)
    assert np.array_equal(y, labels)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((200, 32, 32, 3), np.uint8, (200,), np.uint8)
    assert np.bincount(y).tolist() == [20] * 10
    assert np.bincount(y_test).tolist() == [5] * 10
    assert not np.array_equal(x[:50], x_test)
    assert not np.array_equal(x, shapes10.load_data(200, 0, seed=4)[0][0])
    assert x.flags.writeable
    assert len(shapes10.CLASS_NAMES) == 10


def test_a_larger_set_begins_with_the_smaller_one():
    (small, y_small), _ = shapes10.load_data(25, 0)
    (large, y_large), _ = shapes10.load_data(60, 0)
    assert np.array_equal(small, large[:25])
    assert np.array_equal(y_small, y_large[:25])


@pytest.mark.parametrize("arguments", [(-1, 0), (1.5, 0), (1, -1), (1, 1, -1), ("3", 1)])
def test_shapes10_refuses(arguments):
    with pytest.raises(ValueError, match="whole number of at least 0"):
        shapes10.load_data(*arguments)


def test_a_linear_model_stays_below_one_half_on_shapes10():
    """Least squares on the pixels, with the ridge that suits the test pictures best: the best a linear model does."""
    (x, y), (x_test, y_test) = shapes10.load_data()
    mean = x.mean(axis=0, dtype=np.float32)
    a, b = ((p.reshape(len(p), -1) - mean.reshape(-1)) / np.float32(255) for p in (x, x_test))
    targets = np.eye(10, dtype=np.float32)[y]
    gram, right = a.T @ a, a.T @ targets
    accuracies = []
    for ridge in (1, 10, 100, 1000):
        w = np.linalg.solve(gram + ridge * np.eye(len(gram), dtype=np.float32), right)
        accuracies.append(np.mean((b @ w).argmax(axis=1) == y_test))
    assert 0.15 < max(accuracies) < 0.5
