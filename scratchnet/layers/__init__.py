"""The layers, with Keras 3's names, arguments, defaults, weight order and numbers."""

from scratchnet.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from scratchnet.layers.base import Layer
from scratchnet.layers.chain import Chain
from scratchnet.layers.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from scratchnet.layers.dense import Dense
from scratchnet.layers.dropout import Dropout
from scratchnet.layers.merge import Parallel
from scratchnet.layers.norm import BatchNormalization, GroupNormalization
from scratchnet.layers.pool import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from scratchnet.layers.prelu import PReLU
from scratchnet.layers.rescale import Normalization, Rescaling
from scratchnet.layers.shape import Flatten, Reshape, UpSampling2D, ZeroPadding2D
from scratchnet.layers.spectral import SpectralNormalization

__all__ = [
    "ELU",
    "Activation",
    "AveragePooling2D",
    "BatchNormalization",
    "Chain",
    "Conv2D",
    "Conv2DTranspose",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GroupNormalization",
    "Layer",
    "LeakyReLU",
    "MaxPooling2D",
    "Normalization",
    "PReLU",
    "Parallel",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpectralNormalization",
    "UpSampling2D",
    "ZeroPadding2D",
]
