"""The definition of right is itself checked: by examples worked out by hand, and by difference quotients."""

import numpy as np
import pytest

from scratchnet import reference as ref

# counter, key, result: Random123's kat_vectors, "philox4x32 10".
PHILOX = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
CONVOLUTIONS = [
    ((1, 1), ((0, 0), (0, 0))),
    ((2, 1), ((1, 0), (0, 2))),
    ((3, 2), ((0, 1), (1, 1))),
]


def slopes(function, array, dy, h=1e-6):
    """d sum(function() * dy) / d array, one element after the other, by central differences."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(*array.shape):
        before = array[index]
        array[index] = before + h
        above = np.sum(function() * dy)
        array[index] = before - h
        gradient[index] = (above - np.sum(function() * dy)) / (2 * h)
        array[index] = before
    return gradient


def assert_gradients(function, arrays, gradients, dy):
    for array, gradient in zip(arrays, gradients):
        np.testing.assert_allclose(gradient, slopes(function, array, dy), atol=1e-7)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_conv2d_by_hand():
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    w = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(2, 2, 1, 1)
    # Top left: 0*1 + 1*2 + 3*3 + 4*4 + 10; the kernel is not flipped.
    expected = [[37, 47], [67, 77]]
    y = ref.conv2d(x, w, np.array([10.0]), (1, 1), ((0, 0), (0, 0)))
    assert y[0, :, :, 0].tolist() == expected
    assert ref.conv2d(x, w, None, (2, 2), ((1, 0), (1, 0)))[0, :, :, 0].tolist() == [[0, 11], [30, 67]]


@pytest.mark.parametrize(("strides", "pads"), CONVOLUTIONS)
def test_conv2d_gradients(rng, strides, pads):
    x, w, b = rng.normal(size=(2, 4, 5, 2)), rng.normal(size=(2, 3, 2, 3)), rng.normal(size=3)
    y = ref.conv2d(x, w, b, strides, pads)
    dy = rng.normal(size=y.shape)
    forward = lambda: ref.conv2d(x, w, b, strides, pads)  # noqa: E731
    assert_gradients(forward, (x, w, b), ref.conv2d_backward(dy, x, w, strides, pads), dy)


@pytest.mark.parametrize(("strides", "pads"), CONVOLUTIONS)
def test_transposed_convolution_is_the_adjoint_of_the_convolution(rng, strides, pads):
    hw, w = (4, 5), rng.normal(size=(2, 3, 2, 3))
    wide = rng.normal(size=(2, *hw, 2))
    narrow = rng.normal(size=ref.conv2d(wide, w, None, strides, pads).shape)
    # <conv(wide), narrow> = <wide, transposed(narrow)>
    there = np.sum(ref.conv2d(wide, w, None, strides, pads) * narrow)
    back = np.sum(wide * ref.conv2d_transpose(narrow, w, None, strides, pads, hw))
    assert there == pytest.approx(back)
    b, dy = rng.normal(size=2), rng.normal(size=wide.shape)
    forward = lambda: ref.conv2d_transpose(narrow, w, b, strides, pads, hw)  # noqa: E731
    assert_gradients(forward, (narrow, w, b), ref.conv2d_transpose_backward(dy, narrow, w, strides, pads), dy)


@pytest.mark.parametrize(("strides", "pads"), CONVOLUTIONS)
def test_depthwise_gradients_and_that_channels_stay_apart(rng, strides, pads):
    x, w, b = rng.normal(size=(2, 4, 5, 2)), rng.normal(size=(2, 3, 2, 2)), rng.normal(size=4)
    y = ref.depthwise_conv2d(x, w, b, strides, pads)
    alone = ref.conv2d(x[..., 1:], w[:, :, 1:, :], b[2:], strides, pads)
    np.testing.assert_allclose(y[..., 2:], alone)
    dy = rng.normal(size=y.shape)
    forward = lambda: ref.depthwise_conv2d(x, w, b, strides, pads)  # noqa: E731
    assert_gradients(forward, (x, w, b), ref.depthwise_conv2d_backward(dy, x, w, strides, pads), dy)


def test_pooling_by_hand():
    x, none = np.array([[1.0, 5.0], [5.0, 2.0]]).reshape(1, 2, 2, 1), ((0, 0), (0, 0))
    y, argmax = ref.max_pool2d(x, (2, 2), (2, 2), none)
    assert (y.item(), argmax.item()) == (5, 1)
    assert ref.average_pool2d(x, (2, 2), (2, 2), none).item() == 3.25
    dy = np.full((1, 1, 1, 1), 7.0)
    assert ref.max_pool2d_backward(dy, argmax, (2, 2)).reshape(-1).tolist() == [0, 7, 0, 0]
    assert ref.average_pool2d_backward(dy, (2, 2), (2, 2), (2, 2), none).reshape(-1).tolist() == [1.75] * 4
    around = ((1, 1), (1, 1))
    y, argmax = ref.max_pool2d(-x, (2, 2), (2, 2), around)
    assert y[0, :, :, 0].tolist() == [[-1, -5], [-5, -2]]
    assert argmax[0, :, :, 0].tolist() == [[0, 1], [2, 3]]
    assert ref.average_pool2d(x, (2, 2), (2, 2), around)[0, :, :, 0].tolist() == [[1, 5], [5, 2]]


@pytest.mark.parametrize(("strides", "pads"), CONVOLUTIONS)
def test_pooling_gradients(rng, strides, pads):
    x = rng.permutation(2 * 4 * 5 * 2).reshape(2, 4, 5, 2) / 10.0  # no ties: a tie is a kink
    window = (2, 3), strides, pads
    y, argmax = ref.max_pool2d(x, *window)
    dy = rng.normal(size=y.shape)
    dx = ref.max_pool2d_backward(dy, argmax, (4, 5))
    assert_gradients(lambda: ref.max_pool2d(x, *window)[0], (x,), (dx,), dy)
    dx = ref.average_pool2d_backward(dy, (4, 5), *window)
    assert_gradients(lambda: ref.average_pool2d(x, *window), (x,), (dx,), dy)


def test_maxima_that_are_nan_or_infinite_and_windows_of_padding():
    x = np.array([[-np.inf, -np.inf], [np.nan, np.nan]]).reshape(1, 2, 2, 1)
    y, argmax = ref.max_pool2d(x, (1, 2), (1, 1), ((1, 0), (0, 0)))
    np.testing.assert_array_equal(y.reshape(-1), [-np.inf, -np.inf, np.nan])
    assert argmax.reshape(-1).tolist() == [-1, 0, 2]
    assert ref.max_pool2d_backward(np.ones(y.shape), argmax, (2, 2)).reshape(-1).tolist() == [1, 0, 1, 0]


def test_dense_by_hand_and_gradients(rng):
    assert ref.dense(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([5.0])).item() == 16
    x, w, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), rng.normal(size=2)
    dy = rng.normal(size=(3, 2))
    assert_gradients(lambda: ref.dense(x, w, b), (x, w, b), ref.dense_backward(dy, x, w), dy)


def test_batch_norm_by_hand_and_gradients(rng):
    x = np.array([[1.0], [3.0]])
    y, mean, var = ref.batch_norm(x, np.array([2.0]), np.array([10.0]), 0.0)
    assert (y.reshape(-1).tolist(), mean.item(), var.item()) == ([8.0, 12.0], 2.0, 1.0)
    x, gamma, beta = rng.normal(size=(3, 2, 2)), rng.normal(size=2), rng.normal(size=2)
    dy = rng.normal(size=x.shape)
    _, mean, var = ref.batch_norm(x, gamma, beta, 1e-3)
    forward = lambda: ref.batch_norm(x, gamma, beta, 1e-3)[0]  # noqa: E731
    assert_gradients(forward, (x, gamma, beta), ref.batch_norm_backward(dy, x, gamma, mean, var, 1e-3), dy)


def test_group_norm_by_hand_and_gradients(rng):
    x = np.array([[1.0, 3.0, 5.0, 5.0], [0.0, 4.0, 7.0, 9.0]])
    gamma, beta = np.array([2.0, 2.0, 3.0, 3.0]), np.array([10.0, 10.0, 0.0, 1.0])
    y, mean, var = ref.group_norm(x, gamma, beta, 2, 1e-300)
    assert mean.tolist() == [[2.0, 5.0], [2.0, 8.0]]
    assert var.tolist() == [[1.0, 0.0], [4.0, 1.0]]
    np.testing.assert_array_equal(y, [[8, 12, 0, 1], [8, 12, -3, 4]])
    x, gamma, beta = rng.normal(size=(2, 2, 3, 4)), rng.normal(size=4), rng.normal(size=4)
    dy = rng.normal(size=x.shape)
    for groups in (1, 2, 4):
        _, mean, var = ref.group_norm(x, gamma, beta, groups, 1e-3)
        gradients = ref.group_norm_backward(dy, x, gamma, mean, var, groups, 1e-3)
        assert_gradients(lambda g=groups: ref.group_norm(x, gamma, beta, g, 1e-3)[0], (x, gamma, beta), gradients, dy)


def test_local_response_norm_by_hand_and_gradients(rng):
    y = ref.local_response_norm(np.array([[1.0, 2.0, 3.0, 4.0]]), 1, 4.0, 1.0, 0.5)
    np.testing.assert_allclose(y, [[1 / 3, 2 / np.sqrt(18), 3 / np.sqrt(33), 4 / np.sqrt(29)]])
    x, dy = 3 * rng.normal(size=(2, 2, 6)), rng.normal(size=(2, 2, 6))
    for settings in ((1, 0.5, 0.8, 0.75), (2, 2.0, 0.3, 0.5), (9, 1.0, 0.1, 1.7), (0, 1.0, 1.0, 1.0)):
        dx = ref.local_response_norm_backward(dy, x, *settings)
        assert_gradients(lambda s=settings: ref.local_response_norm(x, *s), (x,), (dx,), dy)


def test_losses_by_hand_and_gradients(rng):
    assert ref.softmax_cross_entropy(np.zeros((2, 4)), [0, 3])[0] == pytest.approx(np.log(4))
    assert ref.sigmoid_binary_cross_entropy(np.zeros((2, 3)), np.ones((2, 3)))[0] == pytest.approx(np.log(2))
    assert ref.sigmoid_binary_cross_entropy(np.array([[-1000.0]]), np.array([[1.0]]))[0] == 1000
    z, labels = rng.normal(size=(3, 4)), [1, 0, 3]
    t = rng.random((3, 4))
    for function in (
        lambda: ref.softmax_cross_entropy(z, labels),
        lambda: ref.softmax_cross_entropy_onehot(z, t),
        lambda: ref.sigmoid_binary_cross_entropy(z, t),
    ):
        assert_gradients(lambda function=function: function()[0], (z,), (function()[1],), 1.0)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("relu", ()), ("relu", (0.2,)), ("relu", (0.3, 0.1, 0.6)), ("sigmoid", ()), ("tanh", ()), ("silu", ()),
     ("softmax", ()), ("elu", ()), ("elu", (0.5, 1.2, 0.7)), ("softplus", ()), ("gelu", ()), ("gelu", (True,)),
     ("mish", ()), ("hard_sigmoid", ()), ("hard_silu", ())],
)  # fmt: skip
def test_activation_gradients(rng, name, settings):
    x, dy = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    function, backward = getattr(ref, name), getattr(ref, f"{name}_backward")
    kept = function(x) if name in ("sigmoid", "tanh", "softmax") else x
    assert_gradients(lambda: function(x, *settings), (x,), (backward(dy, kept, *settings),), dy)


def test_prelu_gradients(rng):
    x, dy, alpha = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), rng.normal(size=4)
    dx, share = ref.prelu_backward(dy, x, alpha)
    assert_gradients(lambda: ref.prelu(x, alpha), (x, alpha), (dx, share.sum(axis=0)), dy)


def test_linear_units_by_hand():
    x = np.array([-4.0, -1.0, 0.0, 1.0, 4.0])
    assert ref.hard_sigmoid(x).tolist() == pytest.approx([0, 1 / 3, 1 / 2, 2 / 3, 1])
    assert ref.hard_silu(x).tolist() == pytest.approx([0, -1 / 3, 0, 2 / 3, 4])
    assert ref.elu(x).tolist() == pytest.approx([np.exp(-4) - 1, np.exp(-1) - 1, 0, 1, 4])
    assert ref.softplus(x[2:3]).tolist() == pytest.approx([np.log(2)])
    assert ref.gelu(x[3:4]).tolist() == pytest.approx([0.8413447460685429])  # the share below one deviation
    assert ref.prelu(x, np.full(5, 0.1)).tolist() == pytest.approx([-0.4, -0.1, 0, 1, 4])


def test_activations_by_hand():
    x = np.array([-2.0, 0.0, 3.0])
    assert ref.relu(x).tolist() == [0, 0, 3]
    assert ref.relu(x, 0.5).tolist() == [-1, 0, 3]
    assert ref.relu(x, 0.5, 1, 2).tolist() == [-1.5, -0.5, 2]
    assert ref.relu_backward(np.ones(3), x).tolist() == [0, 0, 1]
    assert ref.relu_backward(np.ones(3), x, 0.5, 1, 2).tolist() == [0.5, 0.5, 0]
    assert ref.relu(np.array([-np.inf, np.inf])).tolist() == [0, np.inf]
    assert ref.sigmoid(np.array([0.0, 1000.0, -1000.0])).tolist() == [0.5, 1, 0]
    np.testing.assert_allclose(ref.softmax(np.array([1000.0, 1000.0])), [0.5, 0.5])


@pytest.mark.parametrize(("counter", "key", "result"), PHILOX)
def test_philox_by_its_published_vectors(counter, key, result):
    counter, key = (sum(int(word, 16) << 32 * k for k, word in enumerate(words.split())) for words in (counter, key))
    assert ref.philox(key, counter) == [int(word, 16) for word in result.split()]


def test_random_numbers_by_hand():
    low, high = ref.philox(5, 7), ref.philox(5, 7 + (3 << 64) + (1 << 96))
    assert ref.uniform(5, 0, [7], 1).tolist() == [[low[0] / 2**32]]
    assert ref.uniform(5, 3, [0, 7], 6)[5, 1] == high[1] / 2**32
    words = ref.philox(5, 3 << 64)
    kept = [word < 2**31 for word in words]
    assert 0 < sum(kept) < 4
    assert ref.dropout(np.full((2, 2), 3.0), 0.5, 5, 3).reshape(-1).tolist() == [6.0 * keep for keep in kept]


def test_all_functions_are_listed_and_explained():
    for name in ref.__all__:
        assert getattr(ref, name).__doc__, name
