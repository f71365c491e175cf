"""Where an array is: device.py, and arrays of two devices, of which none is moved unasked.

The tests of devices run on one that stands in for a GPU (`stand_in.py`): its arrays refuse to become NumPy's, as CuPy's
do, and its kernels are the CPU's. So each result must be an array of the device, with the bits of the CPU's.
"""

import copy
import pickle

import numpy as np
import pytest
import stand_in
from on_both import PICTURES, ROWS, assert_same, classifiers
from stand_in import put

import scratchnet as sn
from scratchnet import devices, divergence, gan, kernels, metrics

pytestmark = pytest.mark.usefixtures("stand_in_device")


# The stand-in, which must be as strict as the device that it stands for.


def test_an_array_of_the_device_never_becomes_one_of_numpy_by_itself():
    x = put(PICTURES)
    for convert in (np.asarray, np.array, np.ascontiguousarray, memoryview, lambda x: np.empty(x.shape)[...] + x):
        with pytest.raises(TypeError):
            convert(x)
    for function in (np.sum, np.exp, np.zeros_like, lambda x: np.concatenate([x]), lambda x: np.may_share_memory(x, x)):
        with pytest.raises(TypeError):
            function(x)
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.zeros(x.shape)[...] = x


def test_arrays_of_two_devices_do_not_mix():
    x, y = put(PICTURES), PICTURES
    for mix in (lambda: x + y, lambda: y + x, lambda: x * y, lambda: y == x, lambda: x < y):
        with pytest.raises(TypeError):
            mix()
    with pytest.raises(TypeError):
        x[...] = y
    with pytest.raises(TypeError):
        x += y
    with pytest.raises(TypeError, match="NumPy array"):
        stand_in.module.stack([x, y])
    with pytest.raises(TypeError, match="NumPy array"):
        kernels.of(x).dense(x.reshape(24, -1), np.zeros((128, 3), np.float32), None)


class Converting(sn.Dense):
    """A layer as nobody should write it."""

    def call(self, x, training):
        return super().call(np.asarray(x), training)


class ConvertingBack(sn.Dense):
    def call_backward(self, dy, param_grads, input_grad):
        return super().call_backward(np.asarray(dy), param_grads, input_grad)


def test_a_layer_that_converts_is_found_out():
    """What these tests are for: one np.asarray in a forward or a backward, and they fail."""
    x = put(ROWS)
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
        Converting(3).forward(x)
    layer = ConvertingBack(3)
    y = layer.forward(x)
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
        layer.backward(y)


USES = {
    "losses.crossentropy": lambda: sn.BinaryCrossentropy()(put([[1.0]]), put([[0.5]])),
    "losses.regression": lambda: sn.MeanSquaredError()(put([[1.0]]), put([[2.0]])),
    "metrics.accuracy": lambda: metrics.TopKCategoricalAccuracy(1).update_state(put([1]), put([[0.2, 0.8]])),
    "optimizers.base": lambda: sn.Adam().update({"w": put([1.0, 2.0])}, {"w": put([0.1, 0.2])}),
    "divergence": lambda: divergence.all_finite(classifiers()[0]),
    "gan.losses": lambda: gan.losses.Hinge().real(put([[1.0]])),
}


@pytest.mark.parametrize("module", USES)
def test_a_module_that_takes_numpys_functions_is_found_out(module, monkeypatch):
    USES[module]()
    monkeypatch.setattr(f"scratchnet.{module}.array_module", lambda x: np)
    with pytest.raises(TypeError):
        USES[module]()


# device.py itself.


def test_what_is_said_of_arrays():
    x, here = put([1.0, 2.0]), devices.named(stand_in.NAME)
    assert devices.device_of(x) is here
    assert devices.array_module(x) is stand_in.module
    assert devices.device_of(PICTURES) is kernels.CPU
    assert devices.array_module(PICTURES) is devices.array_module([1, 2]) is np
    assert devices.device_of([1, 2]) is None
    assert kernels.of(x) is stand_in.kernels
    with pytest.raises(TypeError, match="list"):
        kernels.of([1, 2])


def test_ways_onto_the_device_and_off_it():
    x = put([1.0, 2.0])
    assert devices.as_array(x) is x
    assert devices.as_array(x, np.float64) is x
    assert devices.as_array(x, np.float32).dtype == np.float32
    assert isinstance(devices.as_array([1, 2]), np.ndarray)
    assert devices.to_numpy(PICTURES) is PICTURES
    np.testing.assert_array_equal(devices.to_numpy(x), [1, 2])
    assert devices.to_device(x, stand_in.NAME) is x
    assert devices.to_device(PICTURES, "cpu") is PICTURES
    for came in ([1, 2], np.array([1, 2])):
        assert_same(devices.to_device(came, stand_in.NAME), np.array([1, 2]))
        assert_same(devices.like(came, x), np.array([1, 2]))
    for there in (devices.to_device(x, kernels.CPU), devices.like(x, PICTURES)):
        assert isinstance(there, np.ndarray)
        np.testing.assert_array_equal(there, [1, 2])


def test_a_device_that_is_not_there():
    with pytest.raises(ValueError, match=r"unknown device 'gpu_7'\. Known: cpu, stand_in"):
        devices.to_device(PICTURES, "gpu_7")
    devices.unregister(stand_in.NAME)
    with pytest.raises(ValueError, match="unknown device 'stand_in'"):
        devices.named(stand_in.NAME)


def test_a_copied_device_is_the_same_one():
    here = devices.named(stand_in.NAME)
    assert copy.deepcopy(here) is here
    assert pickle.loads(pickle.dumps(here)) is here


# Arrays of two devices.


def test_a_layer_says_that_its_input_is_on_another_device():
    x = ROWS
    for layer, first, then, names in (
        (sn.Dense(3, name="dense"), put(x), x, ("'stand_in'", "'cpu'")),
        (sn.Dense(3, name="dense"), x, put(x), ("'cpu'", "'stand_in'")),
    ):
        y = layer.forward(first)
        with pytest.raises(TypeError, match=f"Dense 'dense': expected x on {names[0]}.*{names[1]}.*Bring"):
            layer.forward(then)
        dy = put(y) if isinstance(y, np.ndarray) else y.get()
        with pytest.raises(TypeError, match=f"Dense 'dense': expected dy on {names[0]}.*{names[1]}.*Bring"):
            layer.backward(dy)


def test_a_model_says_that_its_input_is_on_another_device():
    with pytest.raises(TypeError, match=r"'stand_in'.*'cpu'.*Bring"):
        classifiers()[0].forward(PICTURES)


def test_an_optimizer_says_that_gradients_are_on_another_device():
    said = "Adam: the gradient of 'w' is on 'cpu', expected it on 'stand_in', where the weights are. Bring it there"
    with pytest.raises(TypeError, match=said):
        sn.Adam().update({"w": put([1.0])}, {"w": np.array([1.0])})
