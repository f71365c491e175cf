"""Layers that prepare pictures: for all of them at once, and as the first of a model."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
y = rng.integers(0, 2, 24)
x = rng.integers(0, 100, (24, 10, 12, 3)) + 100 * y[:, None, None, None]

resize_and_rescale = keras.Sequential([layers.Resizing(8, 8), layers.Rescaling(1.0 / 255)])
small = np.asarray(resize_and_rescale(x.astype("float32")))
assert small.shape == (24, 8, 8, 3)
assert small.min() >= 0
assert small.max() <= 1

normalization = layers.Normalization(axis=-1)
normalization.adapt(small)
model = keras.Sequential(
    [
        keras.Input((8, 8, 3)),
        normalization,
        layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.03), metrics=["accuracy"])
losses = model.fit(small, y, batch_size=24, epochs=10, shuffle=False, verbose=0).history["loss"]

again = keras.Sequential([keras.Input((10, 12, 3)), resize_and_rescale, model])
np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(small, verbose=0), atol=1e-5)
