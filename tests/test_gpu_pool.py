"""What is particular to the GPU's pooling: places that are none, pictures that it cannot count, blocks of channels."""

import cuda_on_cpu
import numpy as np
import pytest
from devices import DEVICES, Kernels

NONE = ((0, 0), (0, 0))


@pytest.fixture(scope="module")
def gpu():
    if DEVICES["gpu"] is None:
        pytest.skip(cuda_on_cpu.missing())
    return Kernels(DEVICES["gpu"])


@pytest.mark.parametrize("place", [16, 2**31 - 1, -2, -(2**31)])
def test_a_place_outside_of_the_picture_is_no_cell_s(gpu, place):
    """No thread reads or writes by a place."""
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)
    y, argmax = gpu.max_pool2d(x, (2, 2), (2, 2), NONE)
    right = gpu.max_pool2d_backward(y, argmax, (4, 4), (2, 2), (2, 2), NONE)
    h, v = divmod(argmax[1, 1, 0, 2], 4)
    argmax[1, 1, 0, 2] = place
    wrong = gpu.max_pool2d_backward(y, argmax, (4, 4), (2, 2), (2, 2), NONE)
    assert right[1, h, v, 2] == y[1, 1, 0, 2]
    right[1, h, v, 2] = 0
    np.testing.assert_array_equal(wrong, right)


def test_relu_stops_the_gradient_where_the_maximum_is_0(gpu):
    x = np.array([[0, -0.0, 1, np.nan]], np.float32).reshape(1, 1, 4, 1)
    _, argmax = gpu.max_pool2d(x, (1, 1), (1, 1), NONE, True)
    assert argmax.reshape(-1).tolist() == [-1, -1, 2, 3]


def test_what_32_bits_cannot_count_is_refused(gpu):
    x = np.ones((1, 2, 3, 1), np.float32)
    for call in (
        lambda pads: gpu.max_pool2d(x, (2, 2), (2**31 - 1, 1), pads),
        lambda pads: gpu.average_pool2d(x, (2, 2), (2**31 - 1, 1), pads),
    ):
        with pytest.raises(ValueError, match="fewer than 2\\*\\*31 cells, got \\(2, 3\\) with pads"):
            call(((2**31 - 3, 1), (0, 0)))
        call(((2**31 - 1 - 3, 0), (0, 0)))  # one less


@pytest.mark.parametrize("schedule", [s for s in cuda_on_cpu.SCHEDULES if s.late], ids=str)
@pytest.mark.parametrize("shape", [(3, 1, 1, 1), (2, 9, 31, 3), (1, 5, 5, 300), (2, 1, 1, 300)])
def test_global_means_in_blocks_of_all_forms(gpu, schedule, shape):
    x = np.random.default_rng(0).normal(size=shape)
    with cuda_on_cpu.scheduled(schedule):
        np.testing.assert_allclose(gpu.global_average_pool2d(x), x.mean(axis=(1, 2)), atol=1e-14)
