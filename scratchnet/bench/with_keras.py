"""The contestant: Keras 3 on TensorFlow. Needs both, not scratchnet. Its network is that of `zoo.article_cnn()`."""

from __future__ import annotations

import os
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

if "BENCH_THREADS" in os.environ:
    tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["BENCH_THREADS"]))


def prepare(task: str) -> Callable[[], object] | None:
    """The task as a function; None for one that this contestant does not run."""
    if not task.startswith("cnn") or task.startswith("cnn step,"):
        return None
    layers = keras.layers
    model = keras.Sequential(
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
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    if task == "cnn step":
        x, y = tf.constant(rng.random((32, 32, 32, 3), np.float32)), tf.constant(rng.integers(0, 10, 32))
        # What fit calls for each batch, without fit's own loop.
        model.make_train_function()
        batches = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
        return lambda: {name: float(value) for name, value in model.train_function(batches).items()}
    x = tf.constant(rng.random((int(task.split()[-1]), 32, 32, 3), np.float32))
    call = tf.function(lambda pictures: model(pictures, training=False))
    return lambda: call(x).numpy()
