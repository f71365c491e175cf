"""The layers, with Keras 3's names, arguments, defaults, weight order and numbers."""

from scratchnet.layers import operators as operators  # gives symbolic tensors their signs, + and so on
from scratchnet.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from scratchnet.layers.base import Layer
from scratchnet.layers.chain import Chain
from scratchnet.layers.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from scratchnet.layers.dense import Dense
from scratchnet.layers.dot import Dot, dot
from scratchnet.layers.dropout import Dropout
from scratchnet.layers.input import Input, InputLayer
from scratchnet.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from scratchnet.layers.norm import BatchNormalization, GroupNormalization
from scratchnet.layers.parallel import Parallel
from scratchnet.layers.pool import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from scratchnet.layers.prelu import PReLU
from scratchnet.layers.rescale import Normalization, Rescaling
from scratchnet.layers.shape import Flatten, Reshape, UpSampling2D, ZeroPadding2D
from scratchnet.layers.spectral import SpectralNormalization

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "Average",
    "AveragePooling2D",
    "BatchNormalization",
    "Chain",
    "Concatenate",
    "Conv2D",
    "Conv2DTranspose",
    "Dense",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GroupNormalization",
    "Input",
    "InputLayer",
    "Layer",
    "LeakyReLU",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Parallel",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpectralNormalization",
    "Subtract",
    "UpSampling2D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
