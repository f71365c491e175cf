"""The arithmetic of shapes, and the messages that explain what does not fit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import arguments, shapes

sizes = st.integers(1, 40)


@given(sizes, st.integers(1, 7), st.integers(1, 7))
def test_same_gives_one_output_a_stride_and_pads_after_before_before(size, kernel, stride):
    before, after = shapes.pads_1d(size, kernel, stride, "same")
    assert shapes.output_size(size, kernel, stride, before + after) == math.ceil(size / stride)
    assert 0 <= after - before <= 1
    assert max(before, after) < kernel


@given(sizes, st.integers(1, 7), st.integers(1, 7), st.integers(0, 5))
def test_output_size_counts_the_places(size, kernel, stride, pad):
    places = [start for start in range(0, size + pad, stride) if start + kernel <= size + pad]
    assert max(0, shapes.output_size(size, kernel, stride, pad)) == len(places)


def test_valid_pads_nothing():
    assert shapes.pads_2d((7, 8), (3, 3), (2, 2), "valid") == ((0, 0), (0, 0))
    assert shapes.pads_2d((7, 8), (3, 2), (2, 2), "same") == ((1, 1), (0, 0))


@pytest.mark.parametrize("value", [0, -1, 1.5, (1, 2, 3), (2, 0), "3", None, (1.0, 2)])
def test_pair_refuses(value):
    with pytest.raises(ValueError, match=r"Conv2D 'c': expected strides to be one or two whole numbers"):
        arguments.pair(value, "strides", "Conv2D 'c'")


@pytest.mark.parametrize(
    ("value", "expected"), [(3, (3, 3)), ((3, 5), (3, 5)), ([2, 1], (2, 1)), (np.int64(4), (4, 4))]
)
def test_pair_takes(value, expected):
    assert arguments.pair(value, "strides", "x") == expected


def test_padding_is_one_of_two_words():
    assert arguments.check_padding("SAME", "x") == "same"
    for wrong in ("full", 1, None):
        with pytest.raises(ValueError, match='expected padding="valid"'):
            arguments.check_padding(wrong, "x")


def test_kernel_larger_than_the_picture():
    with pytest.raises(ValueError, match=r"a kernel of 5 x 3 does not fit into pictures of 4 x 9"):
        arguments.check_kernel_fits((4, 9), (5, 3), (1, 1), "valid", "x")
    assert arguments.check_kernel_fits((4, 9), (5, 3), (1, 1), "same", "x")[1] == (4, 9)


IMAGES = (None, None, None, 3)


@pytest.mark.parametrize(
    ("shape", "expected", "hint"),
    [
        (
            (8, 3, 32, 32),
            IMAGES,
            r"\(N, H, W, 3\), got \(8, 3, 32, 32\). Channels come last: x.transpose\(0, 2, 3, 1\)",
        ),
        ((32, 32, 3), IMAGES, r"batch axis: x\[None\]"),
        ((8, 28, 28), (None, None, None, 1), r"channel axis: x\[..., None\]"),
        ((8, 784), IMAGES, "reshape"),
        ((8, 32, 32, 4), IMAGES, "made for 3 channels"),
        ((8, 2, 5), (None, 10), "Flatten"),
        ((10,), (None, 10), r"x\[None\]"),
        ((0, 32, 32, 3), IMAGES, "empty"),
        ((1, 0, 32, 3), IMAGES, "empty"),
    ],
)
def test_check_input_says_what_to_do(shape, expected, hint):
    with pytest.raises(ValueError, match=hint):
        arguments.check_input(np.zeros(shape), expected, "Conv2D 'conv2d_1'")


def test_check_input_takes_what_fits():
    arguments.check_input(np.zeros((1, 2, 3, 3)), IMAGES, "x")
    arguments.check_input(np.zeros((1, 10)), (None, 10), "x")


def test_a_choice_that_is_none_names_the_nearest():
    assert arguments.check_choice("ReLU", ["relu", "tanh"], "activation") == "relu"
    with pytest.raises(ValueError, match=r"unknown activation 'rleu'. Did you mean 'relu'\? Known: relu, tanh."):
        arguments.check_choice("rleu", ["relu", "tanh"], "activation")
    with pytest.raises(ValueError, match=r"unknown loss 7. Known: mse."):
        arguments.check_choice(7, ["mse"], "loss")
