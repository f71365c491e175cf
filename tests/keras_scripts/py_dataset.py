"""Batches from a class of one's own."""

import math

import keras
import numpy as np
from keras.layers import Dense, Flatten
from keras.models import Sequential


class Batches(keras.utils.PyDataset):
    def __init__(self, x_set, y_set, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = x_set, y_set
        self.batch_size = batch_size
        self.epochs_ended = 0

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __getitem__(self, index):
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        self.epochs_ended += 1


rng = np.random.default_rng(0)
x = rng.normal(size=(22, 4, 4, 1)).astype("float32")
y = x.mean(axis=(1, 2))
batches = Batches(x, y, 8)

model = Sequential([keras.Input((4, 4, 1)), Flatten(), Dense(6, activation="relu"), Dense(1)])
model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
history = model.fit(batches, epochs=4, shuffle=False, validation_data=Batches(x[:5], y[:5], 3), verbose=0)
losses = history.history["loss"] + history.history["val_loss"]
falls = history.history["loss"][-1] < history.history["loss"][0]

assert batches.epochs_ended >= 3
assert model.predict(batches, verbose=0).shape == (22, 1)
assert np.isclose(model.evaluate(batches, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-4)
