"""Regularizers and constraints of kernels and biases."""

import numpy as np
from keras import Input, regularizers
from keras.constraints import MaxNorm, NonNeg, UnitNorm
from keras.layers import Conv2D, Dense, Flatten
from keras.models import Sequential
from keras.optimizers import SGD
from keras.regularizers import l1, l2

rng = np.random.default_rng(0)
x = rng.normal(size=(20, 6, 6, 1)).astype("float32")
y = rng.integers(0, 3, 20)

model = Sequential()
model.add(Input((6, 6, 1)))
model.add(Conv2D(4, 3, activation="relu", kernel_regularizer=l2(0.01), bias_regularizer=l1(0.01)))
model.add(Flatten())
model.add(Dense(8, activation="relu", kernel_regularizer=regularizers.L1L2(1e-3, 1e-3), kernel_constraint=MaxNorm(1)))
model.add(Dense(8, activation="relu", activity_regularizer=l2(0.01), kernel_constraint=UnitNorm(axis=0)))
model.add(Dense(3, activation="softmax", kernel_regularizer="l2", bias_constraint=NonNeg()))
model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(loss="sparse_categorical_crossentropy", optimizer=SGD(0.02, momentum=0.9, nesterov=True))
losses = model.fit(x, y, batch_size=20, epochs=10, shuffle=False, verbose=0).history["loss"]

weights = model.get_weights()
assert np.linalg.norm(weights[2], axis=0).max() <= 1.0001
np.testing.assert_allclose(np.linalg.norm(weights[4], axis=0), 1, atol=1e-4)
assert weights[7].min() >= 0
