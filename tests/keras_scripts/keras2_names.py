"""A script of 2016: names and arguments that Keras 3 has not any more."""

import numpy as np
from keras.layers.convolutional import Convolution2D, MaxPooling2D
from keras.layers.core import Activation, Dense, Dropout, Flatten
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils.np_utils import to_categorical

rng = np.random.default_rng(0)
labels = rng.integers(0, 2, 32)
X_train = rng.normal(size=(32, 8, 8, 1)).astype("float32") + labels[:, None, None, None]
Y_train = to_categorical(labels, 2)

model = Sequential()
model.add(Convolution2D(4, 3, 3, border_mode="same", input_shape=(8, 8, 1)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.1))
model.add(Flatten())
model.add(Dense(output_dim=2, init="glorot_uniform"))
model.add(Activation("softmax"))
sgd = SGD(lr=0.05, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])


def batches():
    while True:
        for first in range(0, 32, 8):
            yield X_train[first : first + 8], Y_train[first : first + 8]


history = model.fit(X_train, Y_train, batch_size=8, nb_epoch=3, verbose=0)
more = model.fit_generator(batches(), samples_per_epoch=32, nb_epoch=2, verbose=0)
losses = history.history["loss"] + more.history["loss"]

assert "acc" in history.history or "accuracy" in history.history
assert model.predict_classes(X_train).shape == (32,)
assert len(model.evaluate_generator(batches(), 4)) == 2
