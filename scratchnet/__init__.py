"""scratchnet: convolutional networks and GANs by hand, in loops that a student reads and kernels that a laptop runs.

    import scratchnet as sn

All public names are here; the module each comes from is where it is explained.
"""

from scratchnet import (
    callbacks,
    check,
    datasets,
    gan,
    initializers,
    losses,
    metrics,
    optimizers,
    plot,
    reference,
    schedules,
)
from scratchnet.averaging import MovingAverage
from scratchnet.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    ExponentialMovingAverage,
    History,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
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
from scratchnet.layers import (
    Activation,
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
    Layer,
    LeakyReLU,
    MaxPooling2D,
    Parallel,
    ReLU,
    Reshape,
    UpSampling2D,
    ZeroPadding2D,
)
from scratchnet.live import LiveCurve
from scratchnet.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from scratchnet.metrics import Accuracy, BinaryAccuracy, Metric, TopKCategoricalAccuracy, confusion_matrix
from scratchnet.models import Sequential
from scratchnet.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from scratchnet.random import set_random_seed
from scratchnet.saving import load_model
from scratchnet.schedules import CosineDecay, Schedule, StepDecay, WarmUp
from scratchnet.steps import train_step

__version__ = "0.1.0"

__all__ = [
    "GAN",
    "SGD",
    "Accuracy",
    "Activation",
    "Adam",
    "AdamW",
    "AveragePooling2D",
    "BackupAndRestore",
    "BatchNormalization",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CSVLogger",
    "Callback",
    "CategoricalCrossentropy",
    "Chain",
    "Constant",
    "Conv2D",
    "Conv2DTranspose",
    "CosineDecay",
    "Dense",
    "DepthwiseConv2D",
    "DivergedError",
    "Dropout",
    "EarlyStopping",
    "ExponentialMovingAverage",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlorotNormal",
    "GlorotUniform",
    "GradcheckReport",
    "HeNormal",
    "HeUniform",
    "History",
    "Layer",
    "LeakyReLU",
    "LearningRateScheduler",
    "LecunNormal",
    "LecunUniform",
    "LiveCurve",
    "Loss",
    "MaxPooling2D",
    "MeanSquaredError",
    "Metric",
    "ModelCheckpoint",
    "MovingAverage",
    "Ones",
    "Optimizer",
    "Orthogonal",
    "Parallel",
    "RMSprop",
    "RandomNormal",
    "RandomUniform",
    "ReLU",
    "ReduceLROnPlateau",
    "Reshape",
    "Schedule",
    "Sequential",
    "SparseCategoricalCrossentropy",
    "StepDecay",
    "TopKCategoricalAccuracy",
    "TruncatedNormal",
    "UpSampling2D",
    "VarianceScaling",
    "WarmUp",
    "ZeroPadding2D",
    "Zeros",
    "callbacks",
    "check",
    "confusion_matrix",
    "datasets",
    "gan",
    "gradcheck",
    "initializers",
    "load_model",
    "losses",
    "metrics",
    "optimizers",
    "plot",
    "reference",
    "schedules",
    "set_random_seed",
    "train_step",
]
