"""scratchnet: convolutional networks and GANs by hand, in loops that a student reads and kernels that a laptop runs.

    import scratchnet as sn

All public names are here; the module each comes from is where it is explained. `sn.check`, for the exercises, is
imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from scratchnet import (
    activations,
    backend,
    callbacks,
    constraints,
    datasets,
    gan,
    generation,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    plot,
    preprocessing,
    reference,
    regularizers,
    schedules,
    unbuilt,
    utils,
    zoo,
)
from scratchnet.augment import Augment
from scratchnet.averaging import MovingAverage
from scratchnet.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    ExponentialMovingAverage,
    FreezeLayers,
    History,
    LambdaCallback,
    LearningRateScheduler,
    Lookahead,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from scratchnet.divergence import DivergedError
from scratchnet.gan import GAN
from scratchnet.gradcheck import GradcheckReport, gradcheck
from scratchnet.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
from scratchnet.kernels.gpu_probe import GPUNotAvailable
from scratchnet.layers import (
    ELU,
    Activation,
    ActivityRegularization,
    Add,
    AlphaDropout,
    Average,
    AveragePooling2D,
    BatchNormalization,
    CenterCrop,
    Chain,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dot,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    GroupNormalization,
    Identity,
    Input,
    InputLayer,
    Layer,
    LayerNormalization,
    LeakyReLU,
    LocalResponseNormalization,
    Maximum,
    MaxPooling2D,
    Minimum,
    Multiply,
    Normalization,
    Parallel,
    Permute,
    PReLU,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    ReLU,
    RepeatVector,
    Rescaling,
    Reshape,
    Resizing,
    SeparableConv2D,
    Softmax,
    SpatialDropout2D,
    SpectralNormalization,
    StochasticDepth,
    Subtract,
    UnitNormalization,
    UpSampling2D,
    ZeroPadding2D,
)
from scratchnet.layers.symbolic import KerasTensor
from scratchnet.live import LiveCurve
from scratchnet.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from scratchnet.metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    Metric,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    confusion_matrix,
)
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Nadam, Optimizer, RMSprop
from scratchnet.placement import device
from scratchnet.random import set_random_seed
from scratchnet.saving import load_model
from scratchnet.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PiecewiseLinear,
    PolynomialDecay,
    Schedule,
    StepDecay,
    WarmUp,
)
from scratchnet.training.step import train_step

if TYPE_CHECKING:
    from scratchnet import check

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "check":
        return importlib.import_module("scratchnet.check")
    raise AttributeError(name)


def __dir__() -> list[str]:  # what Jupyter completes
    return sorted({*globals(), *__all__})


unbuilt.install()  # names that are not here are answered by what there is instead


# fmt: off
__all__ = [
    "ELU", "GAN", "SGD", "Accuracy", "Activation", "ActivityRegularization", "Adadelta", "Adagrad", "Adam", "AdamW",
    "Adamax", "Add", "AlphaDropout", "Augment", "Average", "AveragePooling2D", "BackupAndRestore",
    "BatchNormalization", "BinaryAccuracy", "BinaryCrossentropy", "CSVLogger", "Callback", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CenterCrop", "Chain", "Concatenate", "Constant", "Conv2D", "Conv2DTranspose",
    "CosineDecay", "CosineDecayRestarts", "Cropping2D", "Dense", "DepthwiseConv2D", "DivergedError", "Dot", "Dropout",
    "EarlyStopping", "Embedding", "ExponentialDecay", "ExponentialMovingAverage", "Flatten", "FreezeLayers",
    "GPUNotAvailable", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
    "GlorotNormal", "GlorotUniform", "GradcheckReport", "GroupNormalization", "HeNormal", "HeUniform", "History",
    "Identity", "Input", "InputLayer", "InverseTimeDecay", "KerasTensor", "LambdaCallback", "Layer",
    "LayerNormalization", "LeakyReLU", "LearningRateScheduler", "LecunNormal", "LecunUniform", "Lion", "LiveCurve",
    "LocalResponseNormalization", "Lookahead", "Loss", "MaxPooling2D", "Maximum", "MeanSquaredError", "Metric",
    "Minimum", "Model", "ModelCheckpoint", "MovingAverage", "Multiply", "Nadam", "Normalization", "Ones", "Optimizer",
    "Orthogonal", "PReLU", "Parallel", "Permute", "PiecewiseConstantDecay", "PiecewiseLinear", "PolynomialDecay",
    "RMSprop", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomNormal", "RandomRotation",
    "RandomTranslation", "RandomUniform", "RandomZoom", "ReLU", "ReduceLROnPlateau", "RepeatVector", "Rescaling",
    "Reshape", "Resizing", "Schedule", "SeparableConv2D", "Sequential", "Softmax", "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy", "SpatialDropout2D", "SpectralNormalization",
    "StepDecay", "StochasticDepth", "Subtract", "TerminateOnNaN", "TopKCategoricalAccuracy", "TruncatedNormal",
    "UnitNormalization", "UpSampling2D", "VarianceScaling", "WarmUp", "ZeroPadding2D", "Zeros", "activations",
    "backend", "callbacks", "check", "confusion_matrix", "constraints", "datasets", "device", "gan", "generation",
    "gradcheck", "initializers", "layers", "load_model", "losses", "metrics", "models", "optimizers", "plot",
    "preprocessing", "reference", "regularizers", "schedules", "set_random_seed", "train_step", "utils", "zoo",
]
# fmt: on
