"""The article's network in Keras, with one order of the pictures for all epochs or with a new one in each.

It is run as a program by a Python that has Keras, which need not have scratchnet:

    python keras_order.py DATA.npz RESULT.json SETTINGS   (settings: JSON, as `order.keras_settings` gives)

With a seed set, Keras on TensorFlow goes through the pictures in the same order in each epoch, even if `fit` is told to
shuffle. So the order comes from outside here, and `fit` gets `shuffle=False` both times.
"""

from __future__ import annotations

import json
import sys

import keras
import numpy as np
from keras import layers


def network() -> keras.Model:
    """The article's, which takes pictures from 0 to 255 and divides them itself."""
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(data: dict[str, np.ndarray], s: dict) -> dict:
    """Accuracies after each epoch, on the training pictures x and on the others."""
    keras.utils.set_random_seed(s["seed"])
    model = network()
    rng = np.random.default_rng(s["seed"])
    order = rng.permutation(len(data["x"]))
    history: dict[str, list[float]] = {"accuracy": [], "val_accuracy": []}
    for epoch in range(s["epochs"]):
        if epoch and s["new_each_epoch"]:
            order = rng.permutation(len(data["x"]))
        record = model.fit(
            data["x"][order],
            data["y"][order],
            batch_size=s["batch_size"],
            shuffle=False,
            validation_data=(data["x_test"], data["y_test"]),
            verbose=0,
        ).history
        for name, values in history.items():
            values.append(record[name][0])
    return history


def versions(threads: int) -> str:
    """What it is run with, which is told to use so many threads; say it before anything is computed."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        return f"Keras {keras.__version__} on {backend}"
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    return f"Keras {keras.__version__} on TensorFlow {tensorflow.__version__}"


if __name__ == "__main__":
    pictures, result, settings = sys.argv[1:]
    chosen = json.loads(settings)
    program = versions(chosen["threads"])
    with np.load(pictures) as stored:
        found = train(dict(stored), chosen)
    with open(result, "w") as file:
        json.dump({"with": program, **found}, file)
