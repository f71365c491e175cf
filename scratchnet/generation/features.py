"""The classifiers in whose features generated pictures are compared with real ones; two come with the package.

Distances between pixels say little: a picture that is shifted by a pixel is far from itself. The features, the 64
numbers that a classifier computes before its last layer, describe what a picture shows. The metrics of the literature
use the features of Inception, trained on ImageNet; ours are those of small networks, trained by
`python -m scratchnet.generation.train_classifier`. So our numbers compare with each other, where the classifier is the
same (every report gives its hash), and not with published ones.

The test accuracy of the shipped classifier of Fashion-MNIST is 0.911, that of CIFAR-10 0.759; the CIFAR-10 that it was
trained and tested on had been compressed as JPEG once.
"""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from typing import Any, cast

import numpy as np

from scratchnet import placement, saving
from scratchnet.annotations import checked
from scratchnet.arguments import check_choice
from scratchnet.devices import to_device, to_numpy
from scratchnet.generation.pictures import Range, check_pictures, padded, scaled
from scratchnet.kernels import CPU
from scratchnet.layers import BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, ReLU
from scratchnet.layers.chain import Chain
from scratchnet.layers.inference import forward_only
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
        shape: dict[str, Any] = {"input_shape": (SIZE, SIZE, CHANNELS[name])} if i == 1 else {}
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
    """A trained classifier that gives the features and the classes of pictures.

    Args:
        model: built, for pictures (N, H, W, C), ending in a Dense layer with one output a class. The input of that
            layer are the features.
        name: how reports call it.

    Attributes:
        hash: the first 12 digits of the SHA-256 of all its weights; metrics compare where it is the same.
        picture_shape: (H, W, C) of the pictures that it takes; smaller ones get a black margin.
        dimension: the number of features.
        classes: the number of classes.

    Raises:
        ValueError: the model is not built, takes no pictures, or does not end in a Dense layer.
    """

    @checked
    def __init__(self, model: Sequential, name: str = "own"):
        if not model.built:
            raise ValueError(f"FeatureClassifier: {model.full_name} is not built. Train it first, or load one.")
        if len(model.layers) < 2 or not isinstance(model.layers[-1], Dense):
            raise ValueError(f"FeatureClassifier: expected a model that ends in a Dense layer, got {model!r}.")
        shape = model.input_shape
        if shape is None or len(shape) != 4:
            raise ValueError(f"FeatureClassifier: expected a model for pictures (N, H, W, C), got one for {shape}.")
        self.model, self.name = model, name
        self.picture_shape = cast("tuple[int, int, int]", shape[1:])  # only the batch axis is None in a built model
        self._body, self._last = Chain(model.layers[:-1], name="features_of_a_classifier"), model.layers[-1]
        self.dimension, self.classes = self._last.params["kernel"].shape
        self.hash = hash_of(model)

    def __repr__(self) -> str:
        return f"<FeatureClassifier {self.name!r}, {self.dimension} features, hash {self.hash}>"

    @checked
    def features(self, x: Any, value_range: Range | None = None, name: str = "pictures") -> np.ndarray:
        """(N, D), float32: the features of each picture, the input of the classifier's last layer.

        Args:
            x: pictures, (N, H, W, C) or (N, H, W), no larger than picture_shape.
            value_range: (black, white); None for 0 to 255 in whole numbers and -1 to 1 in floats.
            name: what errors call the pictures.

        Raises:
            ValueError: as `check_pictures` says; or pictures too large, or of another number of channels.
        """
        x, value_range = check_pictures(x, name, value_range)
        height, width, channels = self.picture_shape
        if x.shape[3] != channels or x.shape[1] > height or x.shape[2] > width or height != width:
            raise ValueError(
                f"{name}: the classifier {self.name!r} takes pictures of up to {height} x {width} pixels with "
                f"{channels} channels, got {x.shape}."
            )
        batches = (padded(scaled(x[i : i + 256], value_range), height) for i in range(0, len(x), 256))
        there = self.model.device
        with forward_only():
            return np.concatenate([to_numpy(self._body.forward(to_device(batch, there))) for batch in batches])

    @checked
    def predict(self, features: np.ndarray) -> np.ndarray:
        """(N,), the most probable class for each row of features."""
        there = to_device(np.asarray(features, np.float32), self.model.device)
        return to_numpy(self._last.forward(there, logits=True)).argmax(axis=1)


def hash_of(model: Sequential) -> str:
    """The first 12 digits of the SHA-256 of a model's weights, with their names and shapes."""
    digest = hashlib.sha256()
    for name, array in sorted(saving.weights(model).items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(to_numpy(array)).data)
    return digest.hexdigest()[:12]


@functools.cache
def _shipped(name: str) -> FeatureClassifier:
    file = resources.files("scratchnet.generation").joinpath("weights", f"{name}.safetensors")
    with resources.as_file(file) as path, placement.use(CPU):  # its numbers are the same wherever it is asked for
        return FeatureClassifier(saving.load_model(path), name)


@checked
def classifier(name: str | FeatureClassifier) -> FeatureClassifier:
    """The package's classifier of that name, "fashion_mnist" or "cifar10", read once; a FeatureClassifier as it is.

    Raises:
        ValueError: there is none of that name, or its file is damaged.
    """
    return name if isinstance(name, FeatureClassifier) else _shipped(check_choice(name, NAMES, "classifier"))
