"""A training loop of one's own, with train_on_batch, test_on_batch and predict_on_batch."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
x = rng.normal(size=(40, 6, 6, 1)).astype("float32")
y = rng.integers(0, 3, 40)
x += y[:, None, None, None]

model = keras.Sequential(
    [
        keras.Input((6, 6, 1)),
        layers.Conv2D(4, 3, activation="relu"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ]
)
model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
start = model.test_on_batch(x, y, return_dict=True)["loss"]
losses = []
for _ in range(5):
    for first in range(0, 40, 20):
        model.reset_metrics()
        logs = model.train_on_batch(x[first : first + 20], y[first : first + 20], return_dict=True)
        losses.append(float(logs["loss"]))
    model.reset_metrics()
end = model.test_on_batch(x, y, return_dict=True)["loss"]

assert end < start
assert set(logs) == {"accuracy", "loss"}
assert np.shape(model.predict_on_batch(x[:7])) == (7, 3)
assert np.allclose(np.asarray(model(x[:7])), model.predict_on_batch(x[:7]), atol=1e-6)
