"""What goes wrong is said: what came, what was expected, what to do."""

import re

import numpy as np
import pytest

from scratchnet.layers import (
    Activation,
    AlphaDropout,
    AveragePooling2D,
    BatchNormalization,
    CenterCrop,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GroupNormalization,
    LayerNormalization,
    LeakyReLU,
    LocalResponseNormalization,
    MaxPooling2D,
    Permute,
    ReLU,
    RepeatVector,
    Reshape,
    Resizing,
    SpatialDropout2D,
    StochasticDepth,
    UnitNormalization,
    UpSampling2D,
    ZeroPadding2D,
)


def built(layer, shape):
    layer.build(shape)
    return layer


def said(error, call):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def input_error(layer, shape):
    return said(ValueError, lambda: layer.forward(np.zeros(shape, np.float32)))


@pytest.fixture
def conv():
    return built(Conv2D(4, 3, name="conv2d_1"), (None, 32, 32, 3))


def test_channels_first_is_recognized(conv):
    assert input_error(conv, (8, 3, 32, 32)) == (
        "Conv2D 'conv2d_1': expected x of shape (N, H, W, 3), got (8, 3, 32, 32). "
        "Channels come last: x.transpose(0, 2, 3, 1)."
    )


def test_wrong_channels(conv):
    assert input_error(conv, (8, 32, 32, 1)) == (
        "Conv2D 'conv2d_1': expected x of shape (N, H, W, 3), got (8, 32, 32, 1). "
        "The weights are made for 3 channels; build a new layer for other pictures."
    )


def test_wrong_rank(conv):
    expected = "Conv2D 'conv2d_1': expected x of shape (N, H, W, 3), got "
    assert input_error(conv, (32, 32, 3)) == expected + "(32, 32, 3). One picture alone needs a batch axis: x[None]."
    flat = "(8, 3072). Flat pictures need their shape back: x.reshape(-1, H, W, C)."
    assert input_error(conv, (8, 3072)) == expected + flat
    assert "(N, H, W, C), got (8, 28, 28). Grey pictures need a channel axis: x[..., None]." in input_error(
        MaxPooling2D(), (8, 28, 28)
    )


def test_the_rank_is_checked_before_the_layer_is_built():
    layer = Conv2D(4, 3)
    assert "Grey pictures need a channel axis" in input_error(layer, (8, 28, 28))
    assert not layer.built
    assert "One example alone needs a batch axis: x[None]." in input_error(Dense(3), (5,))
    assert "batch axis" in input_error(Flatten(), ())


def test_empty_batches(conv):
    text = "got an empty array of shape (0, 32, 32, 3). A batch needs at least one element."
    assert text in input_error(conv, (0, 32, 32, 3))
    assert "N of at least 1, got (0, 5)" in input_error(Dense(2), (0, 5))
    assert "empty" in input_error(MaxPooling2D(), (2, 0, 4, 3))


@pytest.mark.parametrize(
    "layer",
    [Conv2D(4, (3, 5)), DepthwiseConv2D((3, 5)), MaxPooling2D((3, 5)), AveragePooling2D((3, 5))],
    ids=lambda layer: type(layer).__name__,
)
def test_a_kernel_larger_than_the_picture(layer):
    text = (
        "a kernel of 3 x 5 does not fit into pictures of 8 x 4 pixels. "
        'Use a smaller kernel, padding="same", or fewer pooling layers before this one.'
    )
    assert said(ValueError, lambda: layer.build((None, 8, 4, 3))) == f"{layer.full_name}: {text}"
    assert input_error(layer, (2, 8, 4, 3)) == f"{layer.full_name}: {text}"
    layer.build((None, 8, 8, 3))
    assert input_error(layer, (2, 8, 4, 3)) == f"{layer.full_name}: {text}"
    layer.padding = "same"
    assert layer.forward(np.zeros((1, 8, 4, 3))).shape[1:3] == layer.compute_output_shape((None, 8, 4, 3))[1:3]


def test_dense_after_pictures():
    layer = built(Dense(10, name="dense"), (None, 48))
    assert input_error(layer, (2, 4, 4, 3)) == (
        "Dense 'dense': expected x of shape (N, 48), got (2, 4, 4, 3). Put a Flatten() before it, or "
        "x.reshape(len(x), -1)."
    )
    assert input_error(layer, (2, 47)) == "Dense 'dense': expected x of shape (N, 48), got (2, 47)."


def test_batch_normalization_of_other_channels():
    layer = built(BatchNormalization(), (None, 4, 4, 3))
    assert "expected x of shape (N, ..., 3), got (2, 4, 4, 5)" in input_error(layer, (2, 4, 4, 5))


def test_an_input_shape_that_cannot_be():
    assert "expected an input shape of 4 axes, got (N, 8)" in said(ValueError, lambda: Conv2D(1, 1).build((None, 8)))
    for shape in ((None, None, None, 3), (None, 0, 8, 3)):
        assert "sizes of at least 1 after" in said(ValueError, lambda s=shape: Conv2D(1, 1).build(s))
    assert "sizes of at least 1 after" in said(ValueError, lambda: Dense(2).build((None,)))


def test_weights_of_wrong_shapes(conv):
    kernel, bias = conv.get_weights()
    assert said(ValueError, lambda: conv.set_weights([kernel])) == (
        "Conv2D 'conv2d_1': expected weights as 2 arrays (kernel, bias), got 1."
    )
    text = said(ValueError, lambda: conv.set_weights([kernel + 1, bias[:-1]]))
    assert text.startswith("Conv2D 'conv2d_1': expected bias of shape (4,), got (3,). Weights fit only")
    torchs = kernel.transpose(3, 2, 0, 1)
    text = said(ValueError, lambda: conv.set_weights([torchs, bias]))
    assert "expected kernel of shape (3, 3, 3, 4), got (4, 3, 3, 3)" in text
    np.testing.assert_array_equal(conv.params["kernel"], kernel)  # nothing was taken over
    text = said(RuntimeError, lambda: Dense(2).set_weights([kernel, bias]))
    assert "set_weights before build. Call layer.build(input_shape) first." in text


def test_backward_before_forward():
    for layer in (Conv2D(4, 3, name="a"), built(Conv2D(4, 3, name="a"), (None, 8, 8, 3))):
        assert said(RuntimeError, lambda c=layer: c.backward(np.zeros((1, 6, 6, 4)))) == (
            "Conv2D 'a': backward before forward. Call y = forward(x) first; predict and evaluate keep nothing for a "
            "backward."
        )


def test_unknown_names_get_the_nearest():
    text = ": unknown activation 'rleu'. Did you mean 'relu'? Known: celu, elu, exponential, gelu, "
    for make in (Activation, lambda a: Dense(2, activation=a), lambda a: Conv2D(2, 3, activation=a)):
        assert said(ValueError, lambda m=make: m("rleu")).partition(":")[0] in ("Activation", "Dense", "Conv2D")
        assert text in said(ValueError, lambda m=make: m("rleu"))
    assert "Activation: expected activation to be a name such as 'relu', a function of" in said(
        ValueError, lambda: Activation(5)
    )
    assert "Did you mean 'he_normal'?" in said(ValueError, lambda: Dense(2, kernel_initializer="henormal"))
    assert "unknown initializer" in said(ValueError, lambda: Conv2D(2, 3, bias_initializer="nought"))
    assert "unknown initializer" in said(ValueError, lambda: BatchNormalization(gamma_initializer="two"))


def test_arguments_that_are_not_there():
    text = said(TypeError, lambda: Conv2D(2, 3, dilation=2))
    assert text.startswith(
        "Conv2D: unknown argument 'dilation'. Known: activation, activity_regularizer, bias_constraint,"
    )
    assert "data_format" not in text
    assert "name" in said(TypeError, lambda: Flatten(order="F"))


BAD_ARGUMENTS = {
    "filters": (lambda: Conv2D(0, 3), "expected filters to be a whole number of at least 1, got 0"),
    "filters float": (lambda: Conv2DTranspose(2.5, 3), "expected filters to be a whole number"),
    "units": (lambda: Dense(-1), "expected units to be a whole number of at least 1, got -1"),
    "units bool": (lambda: Dense(True), "expected units to be a whole number"),
    "depth": (lambda: DepthwiseConv2D(3, depth_multiplier=0), "expected depth_multiplier to be a whole number"),
    "kernel": (lambda: Conv2D(2, (3, 0)), "expected kernel_size to be one or two whole numbers of at least 1"),
    "kernel of three": (lambda: Conv2D(2, (3, 3, 3)), "such as kernel_size=3 or kernel_size=(3, 3), got (3, 3, 3)"),
    "strides": (lambda: Conv2D(2, 3, strides=0), "expected strides to be one or two whole numbers"),
    "padding": (lambda: Conv2D(2, 3, padding="full"), 'expected padding="valid" (none) or padding="same"'),
    "pool": (lambda: MaxPooling2D(0), "expected pool_size to be one or two whole numbers"),
    "pads": (lambda: ZeroPadding2D(-1), "expected padding to be one or two whole numbers of at least 0"),
    "three pads": (lambda: ZeroPadding2D((1, 2, 3)), "((top, bottom), (left, right)), got (1, 2, 3)"),
    "size": (lambda: UpSampling2D(0), "expected size to be one or two whole numbers"),
    "interpolation": (lambda: UpSampling2D(2, interpolation="cubic"), "unknown interpolation 'cubic'"),
    "interpolation of sizes": (lambda: Resizing(2, 3, "linear"), "unknown interpolation 'linear'"),
    "height": (lambda: Resizing(0, 3), "expected height to be a whole number of at least 1, got 0"),
    "width": (lambda: CenterCrop(2, 2.5), "expected width to be a whole number, got 2.5"),
    "cropping": (lambda: Cropping2D((1, 2, 3)), "expected cropping as one number, (rows, columns) or ((top, bottom)"),
    "cropping of all": (lambda: Cropping2D(2).forward(np.ones((1, 4, 5, 1))), "leaves nothing of pictures of 4 x 5"),
    "dims": (lambda: Permute((0, 1)), "expected dims to be whole numbers of at least 1"),
    "dims twice": (lambda: Permute((1, 1)), "expected dims to be the numbers 1 to 2, each once, got (1, 1)"),
    "dims of another input": (lambda: Permute((2, 1)).forward(np.ones((2, 3))), "expected x of shape"),
    "n": (lambda: RepeatVector(0), "expected n to be a whole number of at least 1, got 0"),
    "stddev": (lambda: GaussianNoise(-1), "expected stddev to be a finite number of at least 0, got -1"),
    "rate of channels": (lambda: SpatialDropout2D(1), "expected a rate from 0 to below 1"),
    "rate of SELU": (lambda: AlphaDropout(1.0), "expected a rate from 0 to below 1"),
    "rate of factors": (lambda: GaussianDropout(1.0), "expected a rate from 0 to below 1"),
    "axis": (lambda: UnitNormalization([]), "expected axis as a whole number or several, such as axis=-1, got []"),
    "axis of the batch": (lambda: UnitNormalization(0).forward(np.ones((2, 3))), "expected axes from 1 to 1, or"),
    "axis not there": (lambda: UnitNormalization(3).forward(np.ones((2, 3))), "expected axes from 1 to 1, or"),
    "axis in the middle": (lambda: LayerNormalization(1).forward(np.ones((2, 3, 4))), "several axes up to the last"),
    "filters in groups": (lambda: Conv2D(5, 3, groups=2), "expected filters that make 2 equal groups, got filters=5"),
    "channels in groups": (
        lambda: Conv2D(4, 1, groups=2).forward(np.ones((1, 2, 2, 3))),
        "expected channels that make 2 equal groups, got 3 in input shape (N, 2, 2, 3). Choose groups that divide 3",
    ),
    "strides and dilation": (lambda: Conv2D(4, 3, 2, dilation_rate=2), "expected strides of 1 where dilation_rate"),
    "a dilated kernel": (
        lambda: Conv2D(4, 3, dilation_rate=3).forward(np.ones((1, 6, 9, 1))),
        "a kernel of 7 x 7 does not fit into pictures of 6 x 9",
    ),
    "rate": (lambda: Dropout(1), "expected a rate from 0 to below 1 (the share set to 0), got 1"),
    "rate below 0": (lambda: Dropout(-0.1), "expected a rate from 0 to below 1"),
    "seed": (lambda: Dropout(0.5, seed=-1), "seed to be a whole number from 0 to below 2**64, or None, got -1"),
    "momentum": (lambda: BatchNormalization(momentum=1.5), "momentum to be a finite number from 0 to 1, got 1.5"),
    "epsilon": (lambda: BatchNormalization(epsilon=0), "expected epsilon to be a finite number above 0, got 0"),
    "slope": (lambda: LeakyReLU(-1), "expected negative_slope to be a finite number of at least 0, got -1"),
    "maximum": (lambda: ReLU(max_value=-1.0), "expected max_value to be a finite number of at least 0, got -1.0"),
    "radius": (lambda: LocalResponseNormalization(-1), "expected depth_radius to be a whole number of at least 0"),
    "bias of squares": (lambda: LocalResponseNormalization(bias=0), "expected bias to be a finite number above 0, got"),
    "alpha of squares": (lambda: LocalResponseNormalization(alpha=-1), "expected alpha to be a finite number of at"),
    "beta of squares": (lambda: LocalResponseNormalization(beta=-0.5), "expected beta to be a finite number of at"),
    "rate of examples": (lambda: StochasticDepth(1), "expected a rate from 0 to below 1"),
    "groups": (lambda: GroupNormalization(0), "expected groups to be a whole number of at least 1, got 0"),
    "groups float": (lambda: GroupNormalization(2.0), "expected groups to be a whole number"),
    "epsilon of groups": (lambda: GroupNormalization(epsilon=-1), "expected epsilon to be a finite number above 0"),
    "target": (lambda: Reshape((-1, -1)), "expected sizes of at least 1, at most one of them -1"),
}


@pytest.mark.parametrize("what", BAD_ARGUMENTS)
def test_bad_arguments(what):
    make, text = BAD_ARGUMENTS[what]
    assert text in said(ValueError, make)


def test_a_shape_that_cannot_be_filled():
    text = said(ValueError, lambda: Reshape((5, 5), name="r").build((None, 4, 6)))
    assert text == "Reshape 'r': 24 numbers of input shape (N, 4, 6) do not fill (5, 5)."
    assert "do not fill (5, -1)" in input_error(Reshape((5, -1)), (2, 4, 6))


def test_normalization_along_another_axis():
    assert "expected axis=-1 (channels come last), got axis=1" in said(
        ValueError, lambda: BatchNormalization(axis=1).build((None, 4, 4, 3))
    )
    BatchNormalization(axis=3).build((None, 4, 4, 3))
    assert "expected axis=-1 (channels come last), got axis=1" in said(
        ValueError, lambda: GroupNormalization(2, axis=1).build((None, 4, 4, 3))
    )
    GroupNormalization(3, axis=3).build((None, 4, 4, 3))


def test_channels_that_make_no_equal_groups():
    for groups, C in ((32, 16), (4, 6)):
        layer = GroupNormalization(groups, name="g")
        assert said(ValueError, lambda layer=layer, C=C: layer.build((None, 4, 4, C))) == (
            f"GroupNormalization 'g': expected channels that make {groups} equal groups, got {C} in input shape "
            f"(N, 4, 4, {C}). Choose groups that divide {C}; groups=-1 is one for each channel."
        )
        assert not layer.built
        layer.build((None, 4, 4, 2 * groups))
        assert f"expected x of shape (N, ..., {2 * groups})" in input_error(layer, (2, 4, 4, C))


def test_a_dtype_there_is_not():
    text = said(ValueError, lambda: Dense(2).astype(np.float16))
    assert re.search("expected dtype float32 or float64, got float16", text)
