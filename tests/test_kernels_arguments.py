"""No kernel reads or writes outside of an array, whatever it is given, by itself or through a layer or an optimizer."""

import sys
from pathlib import Path

import numpy as np
import pytest
from processes import python

import scratchnet as sn
from scratchnet import optimizers
from scratchnet.kernels import cpu

NONE = ((0, 0), (0, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system to guard the ends of arrays")
def test_no_kernel_leaves_its_arrays():
    """In a process of its own: a kernel that does, ends it."""
    assert python("-X", "faulthandler", Path(__file__).with_name("wrong_arguments.py")).endswith(" calls")


def test_the_message_says_what_came_and_what_was_expected():
    x = np.ones((2, 4, 4, 3), np.float32)
    with pytest.raises(ValueError, match=r"^conv2d: expected w of shape \(3, 3, 3, F\), .*got \(3, 3, 4, 8\)"):
        cpu.conv2d(x, np.ones((3, 3, 4, 8), np.float32), None, (1, 1), NONE)
    with pytest.raises(ValueError, match=r"conv2d: expected w as float32, .*got float64"):
        cpu.conv2d(x, np.ones((3, 3, 3, 8)), None, (1, 1), NONE)
    with pytest.raises(ValueError, match=r"expected an output of \(2, 2\) for an input of \(4, 4\).*got \(3, 2\)"):
        cpu.conv2d_weight_grad(x, np.ones((2, 3, 2, 8), np.float32), (3, 3), (1, 1), NONE)
    with pytest.raises(TypeError, match="relu: expected a NumPy array as x, got list"):
        cpu.relu([1.0])
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        cpu.relu()
    with pytest.raises(ValueError, match="labels from 0 to 2, got -1 to 3"):
        cpu.softmax_cross_entropy(np.ones((2, 3), np.float32), np.array([3, -1]))


def test_a_place_outside_of_the_picture_is_refused():
    x, w = np.ones((1, 6, 6, 4), np.float32), np.ones((3, 3, 4, 8), np.float32)
    _, argmax = cpu.max_pool2d(cpu.conv2d(x, w, None, (1, 1), NONE), (2, 2), (2, 2), NONE)
    dy, pooling = np.ones(argmax.shape, np.float32), ((2, 2), (2, 2), NONE)
    for place in (16, 2**31 - 1, -2, -(2**31)):
        wrong, dw = argmax.copy(), np.zeros_like(w)
        wrong[0, 1, 1, 3] = place
        with pytest.raises(ValueError, match="places from -1 to 15 in argmax"):
            cpu.conv2d_max_pool2d_backward(dy, x, w, wrong, (1, 1), NONE, pooling, dw, None, True)
        with pytest.raises(ValueError, match="places from -1 to 15 in argmax"):
            cpu.max_pool2d_backward(dy, wrong, (4, 4), *pooling)
        assert not dw.any()


@pytest.mark.parametrize("name", ["gamma", "beta", "moving_mean", "moving_variance"])
def test_normalization_refuses_weights_of_another_length(name):
    layer, x = sn.BatchNormalization(), np.ones((4, 5), np.float32)
    layer.forward(x, training=True)
    (layer.params if name in layer.params else layer.state)[name] = np.ones(1, np.float32)
    with pytest.raises(ValueError, match=r"expected (gamma|beta|mean|var) of shape \(5,\).* got \(1,\)"):
        layer.forward(x)


def test_a_gradient_that_cannot_be_written_to_is_refused():
    layer, x = sn.Dense(3), np.ones((4, 5), np.float32)
    y = layer.forward(x)
    for wrong in (np.zeros((5, 2), np.float32), np.zeros((3, 5), np.float32).T, np.zeros((5, 3))):
        layer.grads["kernel"] = wrong
        with pytest.raises(ValueError, match=r"dense_weight_grad: .*dw"):
            layer.backward(y)
        assert not wrong.any()


def read_only(folder):
    array = np.ones(5000, np.float32)
    array.flags.writeable = False
    array.tofile(folder / "weights")
    return array, np.memmap(folder / "weights", np.float32, "r")


@pytest.mark.parametrize("optimizer", optimizers.OPTIMIZERS.values())
def test_an_optimizer_refuses_read_only_weights(tmp_path, optimizer):
    for weight in read_only(tmp_path):
        with pytest.raises(ValueError, match=r"read-only|writeable"):
            optimizer(0.1).update({"w": weight}, {"w": np.ones_like(weight)})
        assert (weight == 1).all()


def test_weights_that_become_read_only_are_refused_at_the_next_step():
    weight, optimizer = np.ones(9, np.float32), sn.Adam(0.1)
    optimizer.update({"w": weight}, {"w": np.ones_like(weight)})
    weight.flags.writeable = False
    before = weight.copy()
    with pytest.raises(ValueError, match="read-only"):
        optimizer.update({"w": weight}, {"w": np.ones_like(weight)})
    np.testing.assert_array_equal(weight, before)


def test_weights_known_to_the_optimizer_cannot_shrink():
    """The kernel has their address."""
    weight, gradient, memory = (np.ones(9, np.float32) for _ in range(3))
    cpu.sgd([(weight, gradient, memory)], 0.1, 0.9, False)
    with pytest.raises(ValueError, match="cannot resize"):
        weight.resize(100000, refcheck=False)


def test_a_read_only_input_is_read(tmp_path):
    """Pictures mapped from a file, or broadcast."""
    layer, x = sn.Conv2D(4, 3, padding="same"), np.random.default_rng(0).random((2, 5, 5, 3)).astype(np.float32)
    y = layer.forward(x)
    x.tofile(tmp_path / "x")
    np.testing.assert_array_equal(layer.forward(np.memmap(tmp_path / "x", np.float32, "r", shape=x.shape)), y)
    one = np.broadcast_to(x[:1], x.shape)
    np.testing.assert_array_equal(layer.forward(one), np.stack([y[0], y[0]]))
