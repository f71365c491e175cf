"""Are two pictures of the same kind? One base looks at both."""

import numpy as np
from keras.layers import Conv2D, Dense, Dot, Flatten, Input, Subtract, concatenate
from keras.models import Model, Sequential
from keras.optimizers import Adam

rng = np.random.default_rng(0)
kinds = rng.integers(0, 2, (24, 2))
left = rng.normal(size=(24, 6, 6, 1)) + kinds[:, :1, None, None]
right = rng.normal(size=(24, 6, 6, 1)) + kinds[:, 1:, None, None]
same = (kinds[:, 0] == kinds[:, 1]).astype("float32")

base = Sequential([Input((6, 6, 1)), Conv2D(3, 3, activation="relu"), Flatten(), Dense(4, activation="tanh")])
a, b = Input((6, 6, 1)), Input((6, 6, 1))
u, v = base(a), base(b)
h = concatenate([Subtract()([u, v]), Dot(axes=1)([u, v])])
model = Model([a, b], Dense(1, activation="sigmoid")(Dense(6, activation="relu")(h)))
model.set_weights([rng.normal(0, 0.4, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(loss="binary_crossentropy", optimizer=Adam(0.01), metrics=["accuracy"])
losses = model.fit([left, right], same, batch_size=24, epochs=10, shuffle=False, verbose=0).history["loss"]

assert len(model.get_weights()) == 8, "the base once"
assert base.predict(left, verbose=0).shape == (24, 4)
