"""What holds for layers by themselves: building, names, counts, and what only one kind of layer does."""

import numpy as np
import pytest
from every_layer import PICTURES

import scratchnet as sn
from scratchnet import layers
from scratchnet.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Layer, LeakyReLU, MaxPooling2D, ReLU


def test_logits_leave_the_last_activation_out():
    x, rng = np.random.default_rng(0).normal(size=(4, 5)), np.random.default_rng(1)
    layer = Dense(3, activation="softmax")
    assert layer.output_activation == "softmax"
    z = layer.forward(x, logits=True)
    np.testing.assert_allclose(z, x @ layer.params["kernel"] + layer.params["bias"], rtol=1e-12)
    dz = rng.normal(size=z.shape)
    np.testing.assert_allclose(layer.backward(dz, logits=True), dz @ layer.params["kernel"].T, rtol=1e-12)
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ dz, rtol=1e-12)
    assert Dense(3).output_activation is None
    assert layers.Activation("sigmoid").output_activation == "sigmoid"
    np.testing.assert_array_equal(layers.Activation("sigmoid").forward(x, logits=True), x)


def test_build_with_and_without_the_batch_axis():
    for shape in ((None, 6, 5, 4), (6, 5, 4), [6, 5, 4], (8, 6, 5, 4)):
        layer = Conv2D(2, 3)
        layer.build(shape)
        assert layer.input_shape == (None, 6, 5, 4)
        assert layer.output_shape == (None, 4, 3, 2)
        assert layer.params["kernel"].dtype == np.float32
        np.testing.assert_array_equal(layer.params["bias"], np.zeros(2))


def test_a_built_layer_keeps_its_weights():
    layer = Conv2D(2, 3)
    layer.build((None, 6, 5, 4))
    kernel = layer.params["kernel"]
    layer.build((None, 9, 9, 4))
    assert layer.params["kernel"] is kernel
    assert layer.output_shape == (None, 7, 7, 2)
    with pytest.raises(ValueError, match=r"expected x of shape \(N, H, W, 4\)"):
        layer.build((None, 9, 9, 5))
    chain = layers.Chain([layer, Flatten(), Dense(2)])
    chain.forward(np.ones((1, 5, 5, 4), np.float32))
    assert chain.params["0_conv2d/kernel"] is kernel


def test_float64_weights_are_kept_by_a_float64_input():
    layer = Dense(2)
    layer.build((None, 3))
    kernel = np.random.default_rng(0).normal(size=(3, 2))
    layer.set_weights([kernel, np.zeros(2)])
    layer.forward(np.ones((1, 3)))
    np.testing.assert_array_equal(layer.params["kernel"], kernel)
    # An input that is refused changes nothing either.
    with pytest.raises(ValueError, match="expected x"):
        layer.forward(np.ones((1, 4), np.float32))
    np.testing.assert_array_equal(layer.params["kernel"], kernel)


def test_names_are_counted_as_in_keras():
    one, two = Conv2D(1, 1), Conv2D(1, 1)
    first, second = (int((layer.name + "_0").split("_")[1]) for layer in (one, two))
    assert second == first + 1
    assert Conv2D(1, 1, name="edges").full_name == "Conv2D 'edges'"
    stems = {ReLU: "re_lu", LeakyReLU: "leaky_re_lu", BatchNormalization: "batch_normalization", Flatten: "flatten"}
    stems |= {MaxPooling2D: "max_pooling2d", layers.Conv2DTranspose: "conv2d_transpose"}
    stems |= {layers.DepthwiseConv2D: "depthwise_conv2d", layers.UpSampling2D: "up_sampling2d"}
    for kind, stem in stems.items():
        arguments = {"filters": 1, "kernel_size": 1} if kind is layers.Conv2DTranspose else {}
        arguments = {"kernel_size": 1} if kind is layers.DepthwiseConv2D else arguments
        assert kind(**arguments).name.startswith(stem)


def test_counts_of_parameters_and_multiply_adds():
    for make, count, work in (
        (lambda: Conv2D(8, (3, 2), padding="same"), 3 * 2 * 4 * 8 + 8, 6 * 5 * 3 * 2 * 4 * 8),
        (lambda: Conv2D(8, 3, strides=2, use_bias=False), 9 * 4 * 8, 2 * 2 * 9 * 4 * 8),
        (lambda: layers.Conv2DTranspose(8, 3, strides=2), 9 * 4 * 8 + 8, 6 * 5 * 9 * 4 * 8),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), 9 * 8 + 8, 4 * 3 * 9 * 8),
        (lambda: Dense(3), 4 * 3 + 3, 6 * 5 * 4 * 3),
        (lambda: BatchNormalization(), 16, 0),
        (lambda: MaxPooling2D(), 0, 0),
    ):
        layer = make()
        layer.build((None, *PICTURES[1:]))
        assert layer.count_params() == count
        assert layer.multiply_adds() == work


def test_batch_normalizations_moving_averages():
    layer = BatchNormalization(momentum=0.9)
    rng = np.random.default_rng(3)
    mean, var = np.zeros(4), np.ones(4)
    for _ in range(3):
        x = rng.normal(2, 3, PICTURES)
        layer.forward(x, training=True)
        mean = 0.9 * mean + 0.1 * x.mean((0, 1, 2))
        var = 0.9 * var + 0.1 * x.var((0, 1, 2))
    np.testing.assert_allclose(layer.state["moving_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(layer.state["moving_variance"], var, rtol=1e-12)
    y = layer.forward(x)  # moves nothing
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + 1e-3), rtol=1e-10)
    np.testing.assert_allclose(layer.state["moving_mean"], mean, rtol=1e-12)
    assert list(layer.params) == ["gamma", "beta"]


def test_dropout_drops_in_training_only_and_each_batch_differently():
    sn.set_random_seed(0)
    layer, x = Dropout(0.25), np.ones((200, 50))
    np.testing.assert_array_equal(layer.forward(x), x)
    y = layer.forward(x, training=True)
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert abs((y == 0).mean() - 0.25) < 0.02
    np.testing.assert_array_equal(layer.backward(x), y)  # the same mask
    assert np.any(layer.forward(x, training=True) != y)
    fresh = Dropout(0.25, seed=3), Dropout(0.25, seed=3)
    np.testing.assert_array_equal(*(layer.forward(x, training=True) for layer in fresh))
    np.testing.assert_array_equal(Dropout(0.0).forward(x, training=True), x)


def test_dropouts_mask_is_the_same_in_float32():
    x = np.ones((20, 30))
    wide, narrow = (Dropout(0.5, seed=1).forward(x.astype(t), training=True) for t in (np.float64, np.float32))
    np.testing.assert_array_equal(wide, narrow)


def test_a_layer_of_ones_own():
    class Square(Layer):
        def call(self, x, training):
            self.x = x
            return x * x

        def call_backward(self, dy, param_grads, input_grad):
            return 2 * self.x * dy

    assert sn.gradcheck(Square(), np.random.default_rng(0).normal(size=(2, 3))).passed
    assert Square().name.startswith("square")
