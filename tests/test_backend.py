"""Keras's settings under the name of its backend."""

import pytest

import scratchnet as sn
from scratchnet import backend as K


def test_settings_have_keras_s_defaults():
    assert (K.image_data_format(), K.floatx(), K.epsilon()) == ("channels_last", "float32", 1e-7)
    assert K.backend() == "scratchnet"
    K.set_image_data_format("channels_last")
    K.set_floatx("float32")
    K.set_epsilon(1e-7)


def test_what_they_cannot_be_is_said():
    with pytest.raises(ValueError, match=r"Channels come last: x\.transpose"):
        K.set_image_data_format("channels_first")
    with pytest.raises(ValueError, match=r"set_floatx: expected value='float32', got 'float64'.*dtype='float64'"):
        K.set_floatx("float64")
    with pytest.raises(ValueError, match=r"set_floatx: expected value float32 or float64, got 'float16'"):
        K.set_floatx("float16")
    with pytest.raises(ValueError, match=r"set_epsilon: expected value=1e-07, got 0\.1\."):
        K.set_epsilon(0.1)


def test_names_count_from_the_start_again():
    sn.Dense(1)
    K.clear_session()
    assert [sn.Dense(1).name, sn.Dense(1).name] == ["dense", "dense_1"]
    K.clear_session()
    assert sn.Dense(1).name == "dense"
