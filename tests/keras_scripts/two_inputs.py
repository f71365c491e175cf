"""A picture and numbers that belong to it, brought together by concatenate; the data as a dict and as a list."""

import keras
import numpy as np
from keras.layers import Concatenate, Conv2D, Dense, Flatten, Input

rng = np.random.default_rng(0)
pictures = rng.normal(size=(20, 6, 6, 1)).astype("float32")
numbers = rng.normal(size=(20, 4)).astype("float32")
prices = pictures.mean(axis=(1, 2)) + numbers[:, :1]

picture_input = Input(shape=(6, 6, 1), name="picture")
number_input = Input(shape=(4,), name="numbers")
a = Flatten()(Conv2D(3, 3, activation="relu")(picture_input))
b = Dense(5, activation="tanh")(number_input)
joined = Concatenate()([a, b])
output = Dense(1, name="price")(Dense(6, activation="relu")(joined))
model = keras.Model(inputs=[picture_input, number_input], outputs=output)
model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(learning_rate=0.01), metrics=["mae"])
first = model.fit([pictures, numbers], prices, batch_size=20, epochs=5, shuffle=False, verbose=0)
then = model.fit({"picture": pictures, "numbers": numbers}, prices, batch_size=20, epochs=5, shuffle=False, verbose=0)
losses = first.history["loss"] + then.history["loss"]

assert model.predict([pictures, numbers], verbose=0).shape == (20, 1)
assert len(model.inputs) == 2
assert len(model.outputs) == 1
