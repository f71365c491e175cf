"""Learning rates that change with the steps, and one that a callback sets."""

import keras
import numpy as np
from keras.callbacks import LearningRateScheduler
from keras.layers import Dense
from keras.optimizers.schedules import CosineDecay, ExponentialDecay, PiecewiseConstantDecay

rng = np.random.default_rng(0)
x = rng.normal(size=(16, 5)).astype("float32")
y = x[:, :1] - x[:, 1:2] * x[:, 2:3]
schedules = [
    ExponentialDecay(initial_learning_rate=0.1, decay_steps=2, decay_rate=0.8, staircase=True),
    CosineDecay(0.1, decay_steps=10),
    PiecewiseConstantDecay([3, 6], [0.1, 0.05, 0.01]),
]
losses, rates = [], []
for schedule in schedules:
    model = keras.Sequential([keras.Input((5,)), Dense(6, activation="relu"), Dense(1)])
    model.set_weights([rng.normal(0, 0.4, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=schedule), loss="mse")
    losses += model.fit(x, y, batch_size=16, epochs=10, shuffle=False, verbose=0).history["loss"]
    rates.append(float(schedule(5)))

by_epoch = LearningRateScheduler(lambda epoch, lr: 0.05 * 0.5**epoch)
model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
losses += model.fit(x, y, batch_size=16, epochs=4, shuffle=False, callbacks=[by_epoch], verbose=0).history["loss"]
rates.append(float(model.optimizer.learning_rate))
np.testing.assert_allclose(rates, [0.1 * 0.8**2, 0.05, 0.05, 0.05 / 8], rtol=1e-5)
falls = losses[9] < losses[0] and losses[-1] < losses[20]
