"""The article's listing 4.1 with only its import lines changed, on few pictures."""

import re

import numpy as np

import scratchnet as sn
from scratchnet.datasets import shapes10

IMPORTS = """
from scratchnet.datasets import shapes10 as cifar10
from scratchnet.models import Sequential
from scratchnet.layers import Conv2D, MaxPooling2D, Flatten, Dense, Activation
"""

# Below its imports the listing is the article's, settings and all.
LISTING = """
(x_train, y_train), (x_test, y_test) = cifar10.load_data()

x_train = x_train / 255.0
x_test = x_test / 255.0

model = Sequential()
model.add(Conv2D(32, kernel_size=(3, 3), activation='relu', input_shape=(32, 32, 3)))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Conv2D(64, kernel_size=(3, 3), activation='relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(128, activation='relu'))
model.add(Dense(10, activation='softmax'))

model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])

model.fit(x_train, y_train, epochs=10, batch_size=32, validation_data=(x_test, y_test))
"""


def test_the_listing_runs_prints_a_line_an_epoch_and_learns(monkeypatch, capsys):
    (x_train, y_train), (x_test, y_test) = shapes10.load_data(num_train=400, num_test=200, seed=0)
    few = (x_train, y_train[:, None]), (x_test, y_test[:, None])  # (N, 1), as CIFAR-10's labels come
    monkeypatch.setattr(shapes10, "load_data", lambda: few)
    sn.set_random_seed(0)
    names = {}
    exec(compile(IMPORTS + LISTING, "listing_4_1.py", "exec"), names)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    for n, line in enumerate(lines, 1):
        assert re.match(rf"Epoch {n}/10 - .*accuracy: .* - loss: .* - val_accuracy: .* - val_loss: ", line), line

    model = names["model"]
    assert model.count_params() == 315_722
    assert all(w.dtype == np.float32 for w in model.get_weights())  # though x / 255.0 is float64
    losses = model.history.history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    assert model.history.history["val_accuracy"][-1] > 0.2  # chance is 0.1, give or take 0.02 for 200 pictures
