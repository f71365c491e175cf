"""A small ResNet with the functional API: blocks as functions, shortcuts with a 1 x 1 kernel where shapes change."""

import numpy as np
from keras import layers
from keras.models import Model
from keras.optimizers import SGD

rng = np.random.default_rng(0)
x = rng.normal(size=(24, 8, 8, 3)).astype("float32")
y = rng.integers(0, 3, 24)
x += y[:, None, None, None]


def residual_block(x, filters, stride=1):
    shortcut = x
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    if stride != 1 or shortcut.shape[-1] != filters:
        shortcut = layers.Conv2D(filters, 1, strides=stride, use_bias=False)(shortcut)
        shortcut = layers.BatchNormalization()(shortcut)
    x = layers.Add()([x, shortcut])
    return layers.ReLU()(x)


inputs = layers.Input(shape=(8, 8, 3))
h = layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")(inputs)
h = residual_block(h, 4)
h = residual_block(h, 8, stride=2)
h = layers.GlobalAveragePooling2D()(h)
outputs = layers.Dense(3, activation="softmax", name="probabilities")(h)
model = Model(inputs, outputs, name="resnet")
model.set_weights([rng.normal(0, 0.2, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
losses = model.fit(x, y, batch_size=24, epochs=10, shuffle=False, verbose=0).history["loss"]

assert model.get_layer("stem").output.shape == (None, 8, 8, 4)
assert model.output_shape == (None, 3)
assert model.predict(x, verbose=0).shape == (24, 3)
