"""Two outputs with a loss, a weight and metrics for each, by name."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
x = rng.normal(size=(20, 6, 6, 1)).astype("float32")
kinds = keras.utils.to_categorical(rng.integers(0, 3, 20), 3)
ages = x.mean(axis=(1, 2)) + 1

inputs = keras.Input(shape=(6, 6, 1))
features = layers.Dense(8, activation="relu")(layers.Flatten()(inputs))
kind = layers.Dense(3, activation="softmax", name="kind")(features)
age = layers.Dense(1, name="age")(features)
model = keras.Model(inputs, [kind, age])
model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(
    optimizer=keras.optimizers.RMSprop(0.003),
    loss={"kind": "categorical_crossentropy", "age": keras.losses.MeanSquaredError()},
    loss_weights={"kind": 1.0, "age": 0.5},
    metrics={"kind": ["accuracy"], "age": ["mae"]},
)
history = model.fit(x, {"kind": kinds, "age": ages}, batch_size=20, epochs=10, shuffle=False, verbose=0).history
losses = history["loss"] + history["kind_loss"] + history["age_loss"] + history["age_mae"]
falls = history["loss"][-1] < history["loss"][0]

p, q = model.predict(x, verbose=0)
assert p.shape == (20, 3)
assert q.shape == (20, 1)
scores = model.evaluate(x, [kinds, ages], verbose=0, return_dict=True)
assert set(scores) == {"loss", "kind_loss", "age_loss", "kind_accuracy", "age_mae"}
