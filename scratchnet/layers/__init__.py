"""The layers, with Keras 3's names, arguments, defaults, weight order and numbers."""

from scratchnet.layers.activation import Activation, LeakyReLU, ReLU
from scratchnet.layers.base import Layer
from scratchnet.layers.chain import Chain
from scratchnet.layers.conv import Conv2D, Conv2DTranspose
from scratchnet.layers.dense import Dense
from scratchnet.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from scratchnet.layers.dropout import AlphaDropout, Dropout, SpatialDropout2D
from scratchnet.layers.embedding import Embedding
from scratchnet.layers.layer_norm import LayerNormalization, UnitNormalization
from scratchnet.layers.merge import Parallel
from scratchnet.layers.noise import GaussianDropout, GaussianNoise
from scratchnet.layers.norm import BatchNormalization, GroupNormalization
from scratchnet.layers.pool import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from scratchnet.layers.rescale import Normalization, Rescaling
from scratchnet.layers.resize import CenterCrop, Resizing, UpSampling2D
from scratchnet.layers.shape import Cropping2D, Flatten, Identity, Permute, RepeatVector, Reshape, ZeroPadding2D
from scratchnet.layers.spectral import SpectralNormalization

__all__ = [
    "Activation",
    "AlphaDropout",
    "AveragePooling2D",
    "BatchNormalization",
    "CenterCrop",
    "Chain",
    "Conv2D",
    "Conv2DTranspose",
    "Cropping2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Identity",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPooling2D",
    "Normalization",
    "Parallel",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv2D",
    "SpatialDropout2D",
    "SpectralNormalization",
    "UnitNormalization",
    "UpSampling2D",
    "ZeroPadding2D",
]
