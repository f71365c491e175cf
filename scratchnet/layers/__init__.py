"""The layers, with Keras 3's names, arguments, defaults, weight order and numbers."""

from scratchnet.layers.activation import Activation, LeakyReLU, ReLU
from scratchnet.layers.base import Layer
from scratchnet.layers.chain import Chain
from scratchnet.layers.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from scratchnet.layers.dense import Dense
from scratchnet.layers.dropout import Dropout
from scratchnet.layers.merge import Parallel
from scratchnet.layers.norm import BatchNormalization, GroupNormalization
from scratchnet.layers.pool import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from scratchnet.layers.rescale import Normalization, Rescaling
from scratchnet.layers.shape import Flatten, Reshape, UpSampling2D, ZeroPadding2D
from scratchnet.layers.spectral import SpectralNormalization

# Keras has two names for these.
AvgPool2D = AveragePooling2D
Convolution2DTranspose = Conv2DTranspose
GlobalAvgPool2D = GlobalAveragePooling2D
MaxPool2D = MaxPooling2D

__all__ = [
    "Activation",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Chain",
    "Conv2D",
    "Conv2DTranspose",
    "Convolution2DTranspose",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GroupNormalization",
    "Layer",
    "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D",
    "Normalization",
    "Parallel",
    "ReLU",
    "Rescaling",
    "Reshape",
    "SpectralNormalization",
    "UpSampling2D",
    "ZeroPadding2D",
]
