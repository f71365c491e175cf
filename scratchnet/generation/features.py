"""The classifiers in whose features generated pictures are compared with real ones; two come with the package.

Pixels are a poor space to compare pictures in: one that is shifted by a pixel is far from itself. What a classifier
makes of them before its last layer, 64 numbers a picture, holds what is in the picture. The metrics of the literature
use the features of Inception, trained on ImageNet; ours are those of small networks trained here, by
`python -m scratchnet.generation.train_classifier`. So our numbers cannot be compared with published ones, only with
each other, and only where the classifier is the same: every report gives its hash.

On its test set the shipped classifier of Fashion-MNIST is right for 0.911 of the pictures, that of CIFAR-10 for 0.759;
the CIFAR-10 that it was trained and measured on had been through JPEG once.
"""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from typing import Any

import numpy as np

from scratchnet import saving
from scratchnet.arguments import check_choice
from scratchnet.generation.pictures import Range, check_pictures, padded, scaled
from scratchnet.layers import BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, ReLU
from scratchnet.layers.chain import Chain
from scratchnet.models import Sequential

SIZE = 32  # pixels a side; smaller pictures get a black margin
NAMES = ("cifar10", "fashion_mnist")
WIDTHS = {"cifar10": (16, 32, 48, 64, 64), "fashion_mnist": (16, 32, 32, 64, 64)}
CHANNELS = {"cifar10": 3, "fashion_mnist": 1}


def network(name: str) -> Sequential:
    """The classifier of that name, untrained: five convolutions, 64 features, ten classes.

    Convolutions of 3 x 3, the second and the fourth at stride 2, each with batch normalization and ReLU; the features,
    (N, 64), are the means of the last one's channels over the picture. Pictures (N, 32, 32, C) from -1 to 1.

    Raises:
        ValueError: there is none of that name.
    """
    name = check_choice(name, NAMES, "classifier")
    model = Sequential(name=f"classifier_{name}")
    for i, (width, strides) in enumerate(zip(WIDTHS[name], (1, 2, 1, 2, 1)), start=1):
        shape = {"input_shape": (SIZE, SIZE, CHANNELS[name])} if i == 1 else {}
        model.add(
            Conv2D(
                width,
                3,
                strides=strides,
                padding="same",
                use_bias=False,
                kernel_initializer="he_normal",
                name=f"convolution_{i}",
                **shape,
            )
        )
        model.add(BatchNormalization(momentum=0.95, name=f"normalization_{i}"))
        model.add(ReLU(name=f"relu_{i}"))
    model.add(GlobalAveragePooling2D(name="features"))
    model.add(Dense(10, activation="softmax", name="classes"))
    return model


class FeatureClassifier:
    """A trained classifier, asked for its features and its classes.

    Args:
        model: built, ending in a Dense layer with an output a class; what comes into that layer are the features.
        name: how reports call it.

    Attributes:
        hash: the first 12 digits of the SHA-256 of all its weights: other weights, other numbers.
        dimension: of the features.
        classes: their number.

    Raises:
        ValueError: the model is not built, or does not end in a Dense layer.
    """

    def __init__(self, model: Sequential, name: str = "own"):
        if not model.built:
            raise ValueError(f"FeatureClassifier: {model.full_name} is not built. Train it first, or load one.")
        if len(model.layers) < 2 or not isinstance(model.layers[-1], Dense):
            raise ValueError(f"FeatureClassifier: expected a model that ends in a Dense layer, got {model!r}.")
        self.model, self.name = model, name
        self._body, self._last = Chain(model.layers[:-1], name="features_of_a_classifier"), model.layers[-1]
        (self.dimension,) = self._last.input_shape[1:]
        self.classes = self._last.output_shape[-1]
        self.hash = hash_of(model)

    def __repr__(self) -> str:
        return f"<FeatureClassifier {self.name!r}, {self.dimension} features, hash {self.hash}>"

    def features(self, x: Any, value_range: Range | None = None, name: str = "pictures") -> np.ndarray:
        """(N, D), float32: what the classifier makes of each picture before its last layer.

        Args:
            x: pictures, (N, H, W, C) or (N, H, W), no larger than the classifier's own.
            value_range: (black, white); None for 0 to 255 in whole numbers and -1 to 1 in floats.
            name: what errors call the pictures.

        Raises:
            ValueError: see `check_pictures`; or pictures too large, or of another number of channels.
        """
        x, value_range = check_pictures(x, name, value_range)
        _, height, width, channels = self.model.input_shape
        if x.shape[3] != channels or x.shape[1] > height or x.shape[2] > width or height != width:
            raise ValueError(
                f"{name}: the classifier {self.name!r} takes pictures of up to {height} x {width} pixels with "
                f"{channels} channels, got {x.shape}."
            )
        batches = (x[i : i + 256] for i in range(0, len(x), 256))
        return np.concatenate([self._body.forward(padded(scaled(batch, value_range), height)) for batch in batches])

    def predict(self, features: np.ndarray) -> np.ndarray:
        """(N,), the most probable class for each row of features."""
        return self._last.forward(np.asarray(features, np.float32), logits=True).argmax(axis=1)


def hash_of(model: Sequential) -> str:
    """The first 12 digits of the SHA-256 of a model's weights, with their names and shapes."""
    digest = hashlib.sha256()
    for name, array in sorted(saving.weights(model).items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:12]


@functools.cache
def _shipped(name: str) -> FeatureClassifier:
    file = resources.files("scratchnet.generation").joinpath("weights", f"{name}.safetensors")
    with resources.as_file(file) as path:
        return FeatureClassifier(saving.load_model(path), name)


def classifier(name: str | FeatureClassifier) -> FeatureClassifier:
    """The package's classifier of that name, "fashion_mnist" or "cifar10", read once; one of your own as it is.

    Raises:
        ValueError: there is none of that name, or its file is damaged.
    """
    return name if isinstance(name, FeatureClassifier) else _shipped(check_choice(name, NAMES, "classifier"))
