"""What scripts use beside the layers: the backend's names, callbacks of their own, metrics as objects, all by turns."""

import keras
import numpy as np
from keras import backend as K
from keras import initializers, optimizers
from keras.callbacks import Callback, LambdaCallback
from keras.layers import Activation, BatchNormalization, Conv2D, Dense, Flatten, GlobalAvgPool2D, MaxPool2D
from keras.models import Sequential

K.clear_session()
assert K.image_data_format() == "channels_last"
rng = np.random.default_rng(0)
x_train = rng.normal(size=(20, 8, 8)).astype("float32")
y_train = (x_train.mean(axis=(1, 2)) > 0).astype("int32")
x_train = x_train.reshape(x_train.shape[0], 8, 8, 1)
x_test, y_test = x_train[:8], y_train[:8]


class Stop(Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append("begin")

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(float(logs["val_loss"]))
        if epoch == 9:
            self.model.stop_training = True


model = Sequential()
model.add(keras.Input(shape=(8, 8, 1)))
model.add(Conv2D(4, (3, 3), padding="same", kernel_initializer=initializers.RandomNormal(stddev=0.02)))
model.add(BatchNormalization(axis=-1, momentum=0.9, epsilon=1e-5))
model.add(Activation("relu"))
model.add(MaxPool2D((2, 2), strides=(2, 2)))
model.add(Conv2D(4, (3, 3), activation="elu", kernel_initializer="he_uniform"))
model.add(GlobalAvgPool2D())
model.add(Dense(3, activation="tanh"))
model.pop()
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(
    optimizer=optimizers.Adadelta(learning_rate=1.0),
    loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1),
    metrics=["accuracy", keras.metrics.Precision(name="precision"), keras.metrics.Recall(name="recall")],
)
stop, lines = Stop(), []
history = model.fit(
    x_train,
    y_train,
    batch_size=20,
    epochs=20,
    shuffle=False,
    verbose=0,
    validation_data=(x_test, y_test),
    callbacks=[stop, LambdaCallback(on_epoch_end=lambda epoch, logs: lines.append(epoch))],
)
losses = history.history["loss"] + stop.seen[1:]
falls = history.history["loss"][-1] < history.history["loss"][0]

assert history.epoch == lines == list(range(10))
assert stop.seen[0] == "begin"
scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
assert {"loss", "accuracy", "precision", "recall"} <= set(scores)
assert all(0 <= scores[name] <= 1 for name in ("accuracy", "precision", "recall"))
y_pred = (model.predict(x_test, verbose=0) > 0.5).astype("int32").ravel()
assert np.isclose(np.mean(y_pred == y_test), scores["accuracy"])
model.optimizer.learning_rate = 0.5
for layer in model.layers[:-1]:
    layer.trainable = False
model.compile(optimizer="adam", loss="binary_crossentropy")
assert len(model.trainable_variables) == 2
