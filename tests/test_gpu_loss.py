"""What is particular to the GPU's losses: rows in blocks of all forms, each schedule, labels, what is recorded."""

import cuda_on_cpu
import numpy as np
import pytest
from compare import assert_close
from devices import DEVICES, Kernels

from scratchnet import replay

LOSSES = ["softmax_cross_entropy", "softmax_cross_entropy_onehot", "sigmoid_binary_cross_entropy"]


@pytest.fixture(scope="module")
def gpu():
    if DEVICES["gpu"] is None:
        pytest.skip(cuda_on_cpu.missing())
    return Kernels(DEVICES["gpu"])


def exact(z, t):
    """(loss, dz) of the softmax and of the sigmoid."""
    shifted = z - z.max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    sigmoid = 1 / (1 + np.exp(-z))
    return (
        (-(t * log_softmax).sum() / len(z), (np.exp(log_softmax) * t.sum(axis=1, keepdims=True) - t) / len(z)),
        (-(t * np.log(sigmoid) + (1 - t) * np.log(1 - sigmoid)).mean(), (sigmoid - t) / z.size),
    )


@pytest.mark.parametrize("schedule", [s for s in cuda_on_cpu.SCHEDULES if s.late], ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (300, 1), (33, 10), (3, 257), (2, 1000), (9, 128)])
def test_rows_in_blocks_of_all_forms(gpu, schedule, shape):
    """Several rows a block and rows that are left over; more numbers than threads; more blocks than one adds up."""
    rng = np.random.default_rng(0)
    z, labels = 3 * rng.normal(size=shape), rng.integers(0, shape[1], shape[0])
    t = np.eye(shape[1])[labels]
    softmax, sigmoid = exact(z, t)
    with cuda_on_cpu.scheduled(schedule):
        for name, targets, (loss, dz) in zip(LOSSES, (labels, t, t), (softmax, softmax, sigmoid)):
            actual = getattr(gpu, name)(z, targets)
            assert actual[0] == pytest.approx(loss, rel=1e-12)
            assert_close(actual[1], dz)


@pytest.mark.parametrize("wrong", [-1, 4, 2**40, -(2**63)])
def test_a_label_outside(gpu, wrong):
    z, labels = np.ones((300, 4), np.float32), np.zeros(300, np.int64)
    labels[[7, 291]] = wrong
    with pytest.raises(
        ValueError, match=rf"softmax_cross_entropy: expected labels from 0 to 3, got {min(wrong, 0)} to"
    ):
        gpu.softmax_cross_entropy(z, labels)


def test_labels_of_any_whole_dtype_and_from_the_cpu(gpu):
    z, labels = np.random.default_rng(0).normal(size=(5, 4)), np.array([3, 0, 2, 1, 3])
    expected, _ = gpu.softmax_cross_entropy(z, labels)
    under = DEVICES["gpu"]
    for dtype in (np.uint8, np.int16, np.uint64):
        for there in (labels.astype(dtype), under.to_device(labels.astype(dtype))):
            assert under.kernels.softmax_cross_entropy(under.to_device(z), there)[0] == expected
    for wrong in (labels.astype(np.float64), labels[:, None], labels[:4]):
        with pytest.raises(
            ValueError, match=r"^softmax_cross_entropy: expected labels as whole numbers of shape \(5,\)"
        ):
            gpu.softmax_cross_entropy(z, wrong)


def test_a_batch_without_examples(gpu):
    z = np.ones((0, 4), np.float32)
    for name, targets in zip(LOSSES, (np.zeros(0, np.int64), z, z)):
        loss, dz = getattr(gpu, name)(z, targets)
        assert np.isnan(loss)
        assert dz.shape == z.shape


class Nothing:
    """A recording in which nothing is recorded."""


@pytest.mark.parametrize("name", LOSSES)
def test_nothing_is_read_in_a_recording(gpu, name, monkeypatch):
    """The loss stays on the device, an array without axes; with a wrong label it is NaN."""
    under, rng = DEVICES["gpu"], np.random.default_rng(0)
    z, t, labels = rng.normal(size=(5, 4)), rng.random((5, 4)), np.array([3, 0, 2, 1, 3])
    z, targets = under.to_device(z), under.to_device(labels if name == LOSSES[0] else t)
    loss, dz = getattr(under.kernels, name)(z, targets)
    monkeypatch.setattr(under.kernels.ARRAY_MODULE, "asnumpy", None)
    with replay.into(Nothing()):
        recorded, recorded_dz = getattr(under.kernels, name)(z, targets)
        wrong = under.kernels.softmax_cross_entropy(z, under.to_device(labels + 1))[0]
    monkeypatch.undo()
    assert recorded.shape == ()
    assert under.to_numpy(recorded) == loss
    np.testing.assert_array_equal(under.to_numpy(recorded_dz), under.to_numpy(dz))
    assert np.isnan(under.to_numpy(wrong))
