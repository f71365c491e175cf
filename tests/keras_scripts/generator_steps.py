"""An endless Python generator, with steps_per_epoch and validation_steps."""

import numpy as np
from keras.layers import Conv2D, Dense, Flatten, Input
from keras.models import Sequential
from keras.optimizers import Adam


def batches(seed, size=8):
    rng = np.random.default_rng(seed)
    while True:
        y = rng.integers(0, 2, size)
        yield rng.normal(size=(size, 6, 6, 1)) + y[:, None, None, None], y


rng = np.random.default_rng(0)
model = Sequential([Input((6, 6, 1)), Conv2D(3, 3, activation="relu"), Flatten(), Dense(1, activation="sigmoid")])
model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(optimizer=Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(batches(1), steps_per_epoch=2, epochs=5, validation_data=batches(2), validation_steps=2, verbose=0)
losses = history.history["loss"]

assert len(history.history["val_loss"]) == 5
assert len(model.evaluate(batches(3), steps=3, verbose=0)) == 2
assert model.predict(batches(3), steps=3, verbose=0).shape == (24, 1)
