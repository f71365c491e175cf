"""Transfer: a base is trained, frozen under a new head, and thawed in the end with a small learning rate."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
x = rng.normal(size=(20, 8, 8, 2)).astype("float32")
y = (x.mean(axis=(1, 2, 3)) > 0).astype("float32")[:, None]
x += y[:, :, None, None]

base = keras.Sequential(
    [
        keras.Input((8, 8, 2)),
        layers.Conv2D(4, 3, strides=2),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
    ],
    name="base",
)
base.trainable = False

inputs = keras.Input(shape=(8, 8, 2))
h = base(inputs, training=False)
outputs = layers.Dense(1)(h)
model = keras.Model(inputs, outputs)
model.set_weights([rng.normal(0, 0.4, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
before = base.get_weights()
loss = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.02), loss, metrics=[keras.metrics.BinaryAccuracy()])
losses = model.fit(x, y, batch_size=20, epochs=5, shuffle=False, verbose=0).history["loss"]
assert len(model.trainable_weights) == 2
assert len(model.non_trainable_weights) == 6
for old, new in zip(before, base.get_weights()):
    np.testing.assert_array_equal(old, new)

# Thawed, but for the BatchNormalization. With training=False above, it would keep its statistics in any case, says the
# guide, and does so here; in Keras 3.15 the training=True of fit goes before.
base.trainable = True
for layer in base.layers:
    if isinstance(layer, layers.BatchNormalization):
        layer.trainable = False
model.compile(keras.optimizers.Adam(1e-3), loss, metrics=[keras.metrics.BinaryAccuracy()])
losses += model.fit(x, y, batch_size=20, epochs=5, shuffle=False, verbose=0).history["loss"]
assert len(model.trainable_weights) == 4
moved = [bool(np.any(old != new)) for old, new in zip(before, base.get_weights())]
assert moved == [True, True, False, False, False, False]
