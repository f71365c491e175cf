"""What scripts for Keras call as K."""

import numpy as np
import pytest
from devices import gpu_registered

import scratchnet as sn
from scratchnet import backend as K
from scratchnet.devices import device_of, to_device


def test_settings():
    assert K.image_data_format() == "channels_last"
    assert K.epsilon() == 1e-7
    assert K.floatx() == "float32"
    assert K.backend() == "numpy"
    K.set_image_data_format("channels_last")
    K.set_floatx("float32")
    assert K.cast_to_floatx([1, 2]).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: K.set_image_data_format("channels_first"), r"only 'channels_last'.*x.transpose\(0, 2, 3, 1\)"),
        (lambda: K.set_floatx("float64"), r"only 'float32'.*Sequential\(layers, dtype='float64'\)"),
        (lambda: K.set_epsilon(1e-8), r"set_epsilon\(1e-08\): it stays 1e-07.*BatchNormalization\(epsilon="),
    ],
)
def test_other_settings_are_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_clear_session_numbers_layers_from_the_beginning():
    K.clear_session()
    assert [sn.Dense(1).name, sn.Dense(1).name] == ["dense", "dense_1"]
    K.clear_session(free_memory=False)
    assert sn.Dense(1).name == "dense"
    assert [K.get_uid("a"), K.get_uid("a"), K.get_uid()] == [1, 2, 1]
    K.clear_session()
    assert K.get_uid("a") == 1


def test_looks_at_arrays_and_symbolic_tensors():
    x = sn.Input((4, 3))
    assert K.is_keras_tensor(x)
    assert not K.is_keras_tensor(np.ones(3))
    assert K.int_shape(x) == (None, 4, 3)
    assert K.int_shape(np.ones((2, 3))) == K.int_shape([[1, 2, 3], [4, 5, 6]]) == (2, 3)
    assert K.ndim(x) == 3
    assert K.count_params(np.ones((2, 3))) == 6


def test_values():
    w = np.zeros((2, 3), np.float32)
    K.set_value(w, np.ones((2, 3)))
    copy = K.get_value(w)
    assert (copy == 1).all()
    copy[0] = 5
    assert (w == 1).all()
    optimizer = sn.Adam(0.25)
    assert K.get_value(optimizer.learning_rate) == 0.25
    with pytest.raises(TypeError, match=r"model\.optimizer\.learning_rate = value"):
        K.set_value(optimizer.learning_rate, 0.1)
    with pytest.raises(ValueError, match=r"expected numbers of shape \(2, 3\), got shape \(3,\)"):
        K.set_value(w, np.ones(3))
    with gpu_registered():
        there = to_device(w, "gpu")
        K.set_value(there, np.full((2, 3), 7.0))
        assert (K.get_value(there) == 7).all()
        assert device_of(K.cast_to_floatx(there)).name == "gpu"


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("mean", r"scratchnet.backend.mean: there is no autograd .* np.mean .*call_backward.*compute"),
        ("permute_dimensions", "np.transpose"),
        ("categorical_crossentropy", "Layers and losses have it with its gradient"),
        ("gradients", r"model.backward\(dy\)"),
        ("function", r"Model\(model.input, layer.output\).predict\(x\)"),
        ("set_learning_phase", "training=True"),
        ("learning_phase", "training=True"),
        ("get_session", "there is no session"),
        ("variable", "layer.add_weight"),
    ],
)
def test_what_is_not_there_says_what_to_write(name, match):
    with pytest.raises(NotImplementedError, match=match):
        getattr(K, name)(1)


def test_names_that_keras_has_not_either():
    from scratchnet.backend import square  # the error comes with the call, and says more than an ImportError

    assert "np.square" in square.__doc__
    with pytest.raises(AttributeError, match="no attribute 'meen'"):
        K.meen(1)
