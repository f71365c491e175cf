"""The classifier of Keras's README, on small pictures of bars."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
num_classes = 3
input_shape = (12, 12, 1)

rng = np.random.default_rng(0)
y_train = rng.integers(0, num_classes, 96)
x_train = rng.integers(0, 60, (96, 12, 12)).astype("uint8")
for picture, label in zip(x_train, y_train):
    picture[4 * label : 4 * label + 3] = 255
x_train = np.expand_dims(x_train.astype("float32") / 255, -1)
y_train = keras.utils.to_categorical(y_train, num_classes)

model = keras.Sequential(
    [
        keras.Input(shape=input_shape),
        layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.25),
        layers.Dense(num_classes, activation="softmax"),
    ]
)
model.summary()
model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(0.01), metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=16, epochs=4, validation_split=0.25, verbose=0)
losses = history.history["loss"]
score = model.evaluate(x_train, y_train, verbose=0)

assert set(history.history) == {"accuracy", "loss", "val_accuracy", "val_loss"}
assert len(score) == 2
assert 0 <= score[1] <= 1
