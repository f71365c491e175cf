"""What is particular to the GPU's normalization: blocks and parts of all forms, each schedule, what is recorded."""

import cuda_on_cpu
import numpy as np
import pytest
from compare import TOLERANCE
from devices import DEVICES, Kernels

from scratchnet import replay

# (N, S, C): one channel, of more rows than one part has; a block of channels and one more; more channels than a block
# has threads; groups of several channels and of several parts, the last of which is not full.
SHAPES = [(1, 9000, 1), (1, 70, 33), (2, 1, 300), (2, 1100, 6)]


@pytest.fixture(scope="module")
def gpu():
    if DEVICES["gpu"] is None:
        pytest.skip(cuda_on_cpu.missing())
    return Kernels(DEVICES["gpu"])


@pytest.fixture(params=[s for s in cuda_on_cpu.SCHEDULES if s.late], ids=str)
def schedule(request):
    """The order of the threads; nothing here is copied asynchronously."""
    with cuda_on_cpu.scheduled(request.param):
        yield


def exact(x, dy, gamma, beta, groups, relu=False):
    """(y, mean, var), (dx, dgamma, dbeta) of x (N, S, C) in float64, and how large what they are sums of is."""
    x, dy, gamma, beta = (a.astype(np.float64) for a in (x, dy, gamma, beta))
    grouped = x.reshape(*x.shape[:2], groups, -1)
    mean, var = grouped.mean(axis=(1, 3)), grouped.var(axis=(1, 3))
    scale = 1 / np.sqrt(var + 1e-3)[:, None, :, None]
    normal = ((grouped - mean[:, None, :, None]) * scale).reshape(x.shape)
    y = gamma * normal + beta
    if relu:
        dy, y = np.where(y > 0, dy, 0), np.maximum(y, 0)
    d = (gamma * dy).reshape(grouped.shape)
    u = normal.reshape(grouped.shape)
    dx = scale * (d - d.mean(axis=(1, 3), keepdims=True) - u * (d * u).mean(axis=(1, 3), keepdims=True))
    gradients = dx.reshape(x.shape), (dy * normal).sum(axis=(0, 1)), dy.sum(axis=(0, 1))
    rounding = 1 + abs(x).max() * scale.max()  # of a normalized number
    count = np.sqrt(x[..., 0].size)
    sizes = rounding * abs(gamma).max(), abs(x).max(), abs(x).max() ** 2
    return (y, mean, var), gradients, sizes, (scale.max() * abs(d).max() * rounding, count * rounding, count)


def assert_within(actual, expected, sizes, dtype):
    assert len(actual) == len(expected)
    for a, e, size in zip(actual, expected, sizes):
        assert (a.dtype, a.shape) == (dtype, e.shape)
        np.testing.assert_allclose(a, e, rtol=0, atol=TOLERANCE[dtype] * max(size, 1))


def drawn(shape, dtype):
    """x, dy, gamma, beta."""
    rng = np.random.default_rng(0)
    shapes = shape, shape, shape[-1:], shape[-1:]
    return [(rng.normal(size=s) + (s is shape)).astype(dtype) for s in shapes]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_groups_in_blocks_of_all_forms(gpu, schedule, shape, dtype):
    x, dy, gamma, beta = drawn(shape, dtype)
    for groups in {1, 3, shape[-1]}:
        if shape[-1] % groups == 0:
            y, mean, var = gpu.group_norm(x, gamma, beta, groups, 1e-3)
            gradients = gpu.group_norm_backward(dy, x, gamma, mean, var, groups, 1e-3)
            forward, backward, sizes, gradient_sizes = exact(x, dy, gamma, beta, groups)
            assert_within((y, mean, var), forward, sizes, dtype)
            assert_within(gradients, backward, gradient_sizes, dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("relu", [False, True])
def test_batches_in_blocks_of_all_forms(gpu, schedule, shape, relu):
    x, dy, gamma, beta = drawn((1, shape[0] * shape[1], shape[2]), np.float64)
    y, mean, var = gpu.batch_norm(x[0], gamma, beta, 1e-3, relu)
    arguments = dy[0], x[0], gamma, mean, var, 1e-3, beta if relu else None
    (dx, dgamma, dbeta), fixed = gpu.batch_norm_backward(*arguments), gpu.batch_norm_inference_backward(*arguments)
    forward, backward, sizes, gradient_sizes = exact(x, dy, gamma, beta, shape[2], relu)
    assert_within((y[None], mean[None], var[None]), forward, sizes, np.float64)
    assert_within((dx[None], dgamma, dbeta), backward, gradient_sizes, np.float64)
    passed = np.where(y > 0, dy[0], 0) if relu else dy[0]
    np.testing.assert_allclose(fixed[0], gamma / np.sqrt(var + 1e-3) * passed, rtol=1e-12)
    np.testing.assert_array_equal(fixed[1], dgamma)
    np.testing.assert_array_equal(fixed[2], dbeta)
    again = gpu.batch_norm_inference(x[0], gamma, beta, mean, var, 1e-3, relu)
    np.testing.assert_array_equal(again, y)


def test_an_example_is_the_same_in_any_batch(gpu):
    x, dy, gamma, beta = drawn((3, 530, 6), np.float32)
    y, mean, var = gpu.group_norm(x, gamma, beta, 2, 1e-3)
    dx, _, _ = gpu.group_norm_backward(dy, x, gamma, mean, var, 2, 1e-3)
    for n in range(3):
        alone = gpu.group_norm(x[n : n + 1], gamma, beta, 2, 1e-3)
        for a, e in zip(alone, (y, mean, var)):
            np.testing.assert_array_equal(a[0], e[n])
        alone_dx, _, _ = gpu.group_norm_backward(dy[n : n + 1], x[n : n + 1], gamma, *alone[1:], 2, 1e-3)
        np.testing.assert_array_equal(alone_dx[0], dx[n])


def test_a_batch_without_examples(gpu):
    x, gamma = np.ones((0, 5, 4), np.float32), np.ones(4, np.float32)
    y, mean, var = gpu.group_norm(x, gamma, gamma, 2, 1e-3)
    assert (y.shape, mean.shape, var.shape) == ((0, 5, 4), (0, 2), (0, 2))
    y, mean, var = gpu.batch_norm(x, gamma, gamma, 1e-3)
    assert y.shape == x.shape
    assert np.isnan([mean, var]).all()
    gradients = gpu.batch_norm_backward(x, x, gamma, mean, var, 1e-3)
    assert [g.shape for g in gradients] == [x.shape, (4,), (4,)]
    assert not np.any(gradients[1:])


def test_a_variance_beyond_float32(gpu):
    """It comes as float64, from sums that float32 cannot hold either; a channel beside it stays as it was."""
    exact, large = np.random.default_rng(0).normal(size=(300, 2)), np.float32(6e37)
    small, gamma = exact.astype(np.float32), np.ones(2, np.float32)
    x = small * np.array([1, large], np.float32)
    y, mean, var = gpu.batch_norm(x, gamma, gamma, 1e-3)
    assert (mean.dtype, var.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(var, x.var(axis=0, dtype=np.float64), rtol=1e-6)
    normal = (exact - exact.mean(axis=0)) / exact.std(axis=0)
    np.testing.assert_allclose(y[:, 1], normal[:, 1] + 1, atol=1e-5)
    _, dgamma, _ = gpu.batch_norm_backward(small, x, gamma, mean, var, 1e-3)
    np.testing.assert_allclose(dgamma[1], (small * normal)[:, 1].sum(), rtol=1e-5)

    before, *statistics = gpu.batch_norm(small, gamma, gamma, 1e-3)
    assert [s.dtype for s in statistics] == [np.float32, np.float32]
    np.testing.assert_array_equal(y[:, 0], before[:, 0])
    assert dgamma[0] == gpu.batch_norm_backward(small, small, gamma, *statistics, 1e-3)[1][0]


@pytest.mark.parametrize("groups", [2, 1])
def test_groups_of_huge_numbers(gpu, groups):
    """Their mean and y are right, though float32 holds no sum of them; a group may have more channels than threads."""
    exact, one = np.random.default_rng(0).normal(size=(2, 7, 300)), np.ones(300, np.float32)
    x = (exact * 6e37).astype(np.float32)
    y, mean, var = gpu.group_norm(x, one, one, groups, 1e-3)
    grouped = exact.reshape(2, 7, groups, -1)
    center, deviation = grouped.mean(axis=(1, 3)), grouped.std(axis=(1, 3))
    np.testing.assert_allclose(mean / 6e37, center, atol=1e-6)
    np.testing.assert_array_equal(var, np.finfo(np.float32).max)
    normal = (grouped - center[:, None, :, None]) / deviation[:, None, :, None]
    np.testing.assert_allclose(y, normal.reshape(y.shape) + 1, atol=1e-5)


class Nothing:
    """A recording in which nothing is recorded."""


def test_nothing_is_read_in_a_recording(gpu, monkeypatch):
    """The variance then comes as float32, cut off where it ends."""
    x, gamma = np.array([[0, -3e38], [2, 3e38]], np.float32), np.ones(2, np.float32)
    y, _, var = gpu.batch_norm(x, gamma, gamma, 1e-3)
    kernels = DEVICES["gpu"].kernels
    arrays = [DEVICES["gpu"].to_device(a) for a in (x, gamma, gamma)]
    monkeypatch.setattr(kernels.ARRAY_MODULE, "asnumpy", None)
    with replay.into(Nothing()):
        recorded = kernels.batch_norm(*arrays, 1e-3)
    monkeypatch.undo()
    np.testing.assert_array_equal(DEVICES["gpu"].to_numpy(recorded[0]), y)
    cut = DEVICES["gpu"].to_numpy(recorded[2])
    assert cut.dtype == np.float32
    np.testing.assert_array_equal(cut, np.minimum(var, np.finfo(np.float32).max).astype(np.float32))
