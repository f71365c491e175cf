"""The contestant: Keras 3 on TensorFlow. Needs both, not scratchnet.

Its networks are those of `scratchnet.zoo`; the large ones are Keras's own, of `keras.applications`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

shapes = importlib.import_module("shapes")  # the file beside this one
if "BENCH_THREADS" in os.environ:
    tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["BENCH_THREADS"]))


layers = keras.layers
APPLICATIONS = {
    "densenet_121": "DenseNet121",
    "efficientnet_b0": "EfficientNetB0",
    "inception_v3": "InceptionV3",
    "resnet_50": "ResNet50",
}


def article_cnn() -> Any:
    """That of `zoo.article_cnn()`."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _conv(x: Any, filters: int, kernel_size: int, strides: int = 1) -> Any:
    return layers.Conv2D(filters, kernel_size, strides, padding="same", use_bias=False)(x)


def _end(inputs: Any, x: Any) -> Any:
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def resnet_20() -> Any:
    """That of `zoo.resnet_20()`."""
    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(layers.BatchNormalization()(_conv(inputs, 16, 3)))
    for filters in (16, 32, 64):
        for number in range(3):
            strides = 2 if filters > 16 and not number else 1
            y = layers.ReLU()(layers.BatchNormalization()(_conv(x, filters, 3, strides)))
            y = layers.BatchNormalization()(_conv(y, filters, 3))
            x = x if strides == 1 else layers.BatchNormalization()(_conv(x, filters, 1, strides))
            x = layers.ReLU()(layers.Add()([x, y]))
    return _end(inputs, x)


def densenet_40() -> Any:
    """That of `zoo.densenet_40()`."""

    def before(x: Any, filters: int, kernel_size: int) -> Any:
        return _conv(layers.ReLU()(layers.BatchNormalization()(x)), filters, kernel_size)

    inputs = keras.Input((32, 32, 3))
    x = _conv(inputs, 16, 3)
    for block in range(3):
        if block:
            x = layers.AveragePooling2D(2)(before(x, x.shape[-1], 1))
        for _ in range(12):
            x = layers.Concatenate()([x, before(x, 12, 3)])
    return _end(inputs, layers.ReLU()(layers.BatchNormalization()(x)))


def training(model: Any, optimizer: Any, batch: int) -> Callable[[], object]:
    """A step on pictures of 32 x 32: what fit calls for each batch, without fit's own loop."""
    model.compile(optimizer, "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x, y = tf.constant(rng.random((batch, 32, 32, 3), np.float32)), tf.constant(rng.integers(0, 10, batch))
    model.make_train_function()
    batches = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    return lambda: {name: float(value) for name, value in model.train_function(batches).items()}


def inference(model: Any, batch: int, size: int) -> Callable[[], object]:
    """Outputs for pictures of `size` x `size`."""
    x = tf.constant(np.random.default_rng(0).random((batch, size, size, 3), np.float32))
    call = tf.function(lambda pictures: model(pictures, training=False))
    return lambda: call(x).numpy()


def prepare(task: str) -> Callable[[], object] | None:
    """The task as a function; None for one that this contestant does not run."""
    if task in shapes.NETWORKS:
        name, step, batch, size = shapes.network(task)
        if step:
            sgd = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
            return training({"resnet_20": resnet_20, "densenet_40": densenet_40}[name](), sgd, batch)
        if name not in APPLICATIONS:
            return None
        return inference(getattr(keras.applications, APPLICATIONS[name])(weights=None), batch, size)
    if not task.startswith("cnn") or "," in task:
        return None
    if task == "cnn step":
        return training(article_cnn(), "adam", 32)
    return inference(article_cnn(), int(task.split()[-1]), 32)
