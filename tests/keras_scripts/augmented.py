"""Layers that change pictures at random, first in a model."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
y = rng.integers(0, 2, 24)
x = (rng.normal(size=(24, 8, 8, 3)) + y[:, None, None, None]).astype("float32")

data_augmentation = keras.Sequential(
    [layers.RandomFlip("horizontal"), layers.RandomRotation(0.05), layers.RandomZoom(0.1)]
)
model = keras.Sequential(
    [
        keras.Input((8, 8, 3)),
        data_augmentation,
        layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.03), metrics=["accuracy"])
losses = model.fit(x, y, batch_size=8, epochs=4, verbose=0).history["loss"]

assert np.array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0)), "as it is in predicting"
