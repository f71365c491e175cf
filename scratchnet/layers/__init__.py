"""The layers, with Keras 3's names, arguments, defaults, weight order and numbers."""

from scratchnet.layers import operators as operators  # gives symbolic tensors their signs, + and so on
from scratchnet.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from scratchnet.layers.activity import ActivityRegularization
from scratchnet.layers.base import Layer
from scratchnet.layers.chain import Chain
from scratchnet.layers.conv import Conv2D, Conv2DTranspose
from scratchnet.layers.dense import Dense
from scratchnet.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from scratchnet.layers.dot import Dot, dot
from scratchnet.layers.dropout import AlphaDropout, Dropout, SpatialDropout2D, StochasticDepth
from scratchnet.layers.embedding import Embedding
from scratchnet.layers.input import Input, InputLayer
from scratchnet.layers.layer_norm import LayerNormalization, UnitNormalization
from scratchnet.layers.local_response import LocalResponseNormalization
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
from scratchnet.layers.noise import GaussianDropout, GaussianNoise
from scratchnet.layers.norm import BatchNormalization, GroupNormalization
from scratchnet.layers.parallel import Parallel
from scratchnet.layers.pool import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from scratchnet.layers.prelu import PReLU
from scratchnet.layers.random_moves import RandomRotation, RandomTranslation, RandomZoom
from scratchnet.layers.random_pictures import RandomBrightness, RandomContrast, RandomCrop, RandomFlip
from scratchnet.layers.rescale import Normalization, Rescaling
from scratchnet.layers.resize import CenterCrop, Resizing, UpSampling2D
from scratchnet.layers.shape import Cropping2D, Flatten, Identity, Permute, RepeatVector, Reshape, ZeroPadding2D
from scratchnet.layers.spectral import SpectralNormalization

# Keras has two names for these.
AvgPool2D = AveragePooling2D
Convolution2DTranspose = Conv2DTranspose
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool2D = MaxPooling2D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "CenterCrop",
    "Chain",
    "Concatenate",
    "Conv2D",
    "Conv2DTranspose",
    "Convolution2DTranspose",
    "Cropping2D",
    "Dense",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocalResponseNormalization",
    "MaxPool2D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Parallel",
    "Permute",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv2D",
    "SeparableConvolution2D",
    "Softmax",
    "SpatialDropout2D",
    "SpectralNormalization",
    "StochasticDepth",
    "Subtract",
    "UnitNormalization",
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
