"""Activations, losses and metrics given as functions, and losses called by hand."""

import keras
import numpy as np
from keras import activations, layers
from keras import losses as keras_losses
from keras.activations import relu
from keras.initializers import HeNormal
from keras.metrics import categorical_accuracy

rng = np.random.default_rng(0)
x = rng.normal(size=(20, 6)).astype("float32")
y = keras.utils.to_categorical(rng.integers(0, 3, 20), num_classes=3)

model = keras.Sequential(
    [
        layers.Input(shape=(6,)),
        layers.Dense(8, activation=relu, kernel_initializer=HeNormal(seed=1)),
        layers.Dense(8, activation=keras.activations.elu),
        layers.Dense(8, activation="gelu"),
        layers.Dense(3, activation=activations.softmax),
    ]
)
model.set_weights([rng.normal(0, 0.4, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(
    loss=keras_losses.categorical_crossentropy,
    optimizer=keras.optimizers.Adagrad(0.05),
    metrics=[categorical_accuracy],
)
history = model.fit(x, y, batch_size=20, epochs=10, shuffle=False, verbose=0).history
bce = keras_losses.BinaryCrossentropy()
by_hand = float(bce(np.ones((4, 1)), np.full((4, 1), 0.8)) + bce(np.zeros((4, 1)), np.full((4, 1), 0.3)))
losses = [*history["loss"], *history["categorical_accuracy"], by_hand]
falls = history["loss"][-1] < history["loss"][0]

np.testing.assert_allclose(by_hand, -np.log(0.8) - np.log(0.7), rtol=1e-5)
