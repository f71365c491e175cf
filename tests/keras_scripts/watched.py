"""EarlyStopping, ModelCheckpoint and ReduceLROnPlateau; the best weights are read again."""

import keras
import numpy as np
from keras.callbacks import CSVLogger, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from keras.layers import Dense
from keras.models import Sequential, load_model

rng = np.random.default_rng(0)
x = rng.normal(size=(30, 5)).astype("float32")
y = (x[:, 0] > 0).astype("float32")

model = Sequential([keras.Input((5,)), Dense(12, activation="relu"), Dense(1, activation="sigmoid")])
model.set_weights([rng.normal(0, 0.4, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(1.0), metrics=["accuracy"])
callbacks = [
    ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True, verbose=0),
    ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_lr=0.01),
    EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True),
    CSVLogger("log.csv"),
]
history = model.fit(
    x[:20],
    y[:20],
    validation_data=(x[20:], 1 - y[20:]),
    batch_size=20,
    epochs=10,
    shuffle=False,
    callbacks=callbacks,
    verbose=0,
).history
losses = history["loss"] + history["val_loss"] + history["learning_rate"]
falls = history["loss"][-1] < history["loss"][0]

assert len(history["loss"]) == 4, "labels turned round: every epoch makes it worse"
assert history["learning_rate"][-1] < 1
with open("log.csv") as log:
    assert len(log.readlines()) == 5
best = load_model("best.keras")
np.testing.assert_allclose(best.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
