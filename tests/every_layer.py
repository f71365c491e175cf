"""Every layer in several settings, each with the shape of an input: what must hold for all is tested on all."""

from scratchnet.layers import (
    Activation,
    ActivityRegularization,
    AveragePooling2D,
    BatchNormalization,
    Chain,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GroupNormalization,
    LeakyReLU,
    MaxPooling2D,
    Normalization,
    Parallel,
    ReLU,
    Rescaling,
    Reshape,
    SpectralNormalization,
    UpSampling2D,
    ZeroPadding2D,
)

PICTURES = (3, 6, 5, 4)


def squeeze_excite():
    squeeze = [GlobalAveragePooling2D(keepdims=True), Dense(2, activation="relu"), Dense(4, activation="sigmoid")]
    return Parallel([[], squeeze], merge="multiply")


EVERY = {
    "Conv2D": (lambda: Conv2D(3, 3), PICTURES),
    "Conv2D same, strides": (lambda: Conv2D(3, (2, 3), strides=(2, 1), padding="same", activation="tanh"), PICTURES),
    "Conv2D without bias": (lambda: Conv2D(5, 1, strides=2, use_bias=False, activation="relu"), PICTURES),
    "Conv2DTranspose": (lambda: Conv2DTranspose(3, (3, 2), strides=2), PICTURES),
    "Conv2DTranspose same": (lambda: Conv2DTranspose(2, 4, strides=2, padding="same", activation="silu"), PICTURES),
    "Conv2DTranspose gaps": (lambda: Conv2DTranspose(2, 2, strides=3, use_bias=False), PICTURES),
    "DepthwiseConv2D": (lambda: DepthwiseConv2D(3), PICTURES),
    "DepthwiseConv2D same": (
        lambda: DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, activation="sigmoid"),
        PICTURES,
    ),
    "Conv2D penalized": (lambda: Conv2D(3, 2, activation="tanh", activity_regularizer="l1_l2"), PICTURES),
    "MaxPooling2D": (lambda: MaxPooling2D(), PICTURES),
    "MaxPooling2D same": (lambda: MaxPooling2D(3, strides=2, padding="same"), PICTURES),
    "AveragePooling2D": (lambda: AveragePooling2D(2), PICTURES),
    "AveragePooling2D same": (lambda: AveragePooling2D((3, 2), strides=1, padding="same"), PICTURES),
    "GlobalAveragePooling2D": (lambda: GlobalAveragePooling2D(), PICTURES),
    "GlobalAveragePooling2D keepdims": (lambda: GlobalAveragePooling2D(keepdims=True), PICTURES),
    "UpSampling2D": (lambda: UpSampling2D((2, 3)), PICTURES),
    "ZeroPadding2D": (lambda: ZeroPadding2D(((1, 0), (2, 3))), PICTURES),
    "Dense": (lambda: Dense(4), (3, 7)),
    "Dense softmax": (lambda: Dense(4, activation="softmax"), (3, 7)),
    "Dense softmax penalized": (lambda: Dense(4, activation="softmax", activity_regularizer="l2"), (3, 7)),
    "Dense on pictures": (lambda: Dense(2, activation="leaky_relu", use_bias=False), PICTURES),
    # So many iterations that u and v stand still, as its backward takes them to do.
    "SpectralNormalization Conv2D": (
        lambda: SpectralNormalization(Conv2D(5, 3, strides=2, padding="same", activation="leaky_relu"), 100),
        PICTURES,
    ),
    "SpectralNormalization Conv2DTranspose": (
        lambda: SpectralNormalization(Conv2DTranspose(3, 4, strides=2, padding="same", use_bias=False), 100),
        PICTURES,
    ),
    "SpectralNormalization Dense": (lambda: SpectralNormalization(Dense(4, activation="relu"), 100), (3, 7)),
    "Flatten": (lambda: Flatten(), PICTURES),
    "Reshape": (lambda: Reshape((10, -1)), PICTURES),
    "Activation relu": (lambda: Activation("relu"), PICTURES),
    "Activation leaky_relu": (lambda: Activation("leaky_relu"), PICTURES),
    "Activation sigmoid": (lambda: Activation("sigmoid"), (3, 7)),
    "Activation tanh": (lambda: Activation("tanh"), PICTURES),
    "Activation silu": (lambda: Activation("silu"), PICTURES),
    "Activation softmax": (lambda: Activation("softmax"), (3, 2, 7)),
    "Activation linear": (lambda: Activation("linear"), (3, 7)),
    "ActivityRegularization": (lambda: ActivityRegularization(0.1, 0.2), PICTURES),
    "ReLU": (lambda: ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), PICTURES),
    "LeakyReLU": (lambda: LeakyReLU(0.2), PICTURES),
    "BatchNormalization": (lambda: BatchNormalization(), PICTURES),
    "BatchNormalization bare": (lambda: BatchNormalization(center=False, scale=False), (5, 3)),
    "GroupNormalization": (lambda: GroupNormalization(2), PICTURES),
    "GroupNormalization one": (lambda: GroupNormalization(1, epsilon=1e-2), (5, 3)),
    "GroupNormalization each": (lambda: GroupNormalization(-1, center=False, scale=False), PICTURES),
    "Rescaling": (lambda: Rescaling(1 / 127.5, [-1.0, 0.0, 1.0, 2.0]), PICTURES),
    "Normalization": (lambda: Normalization(mean=[0.4, 0.5, 0.6, 0.1], variance=[0.2, 4.0, 1.0, 0.5]), PICTURES),
    "Normalization adapted": (lambda: Normalization(), (5, 3)),
    "Dropout": (lambda: Dropout(0.4), PICTURES),
    "Chain": (lambda: Chain([Conv2D(3, 2), BatchNormalization(), ReLU(), Flatten(), Dense(2)]), PICTURES),
    "Chain of none": (lambda: Chain([]), PICTURES),
    "Parallel add": (lambda: Parallel([[Conv2D(4, 3, padding="same"), Activation("tanh")], []]), PICTURES),
    "Parallel concat": (lambda: Parallel([Conv2D(2, 1), MaxPooling2D(3, 1, "same"), []], merge="concat"), PICTURES),
    "Parallel multiply": (squeeze_excite, PICTURES),
}
