"""What single layers give: a model from a trained one's input to the outputs of its layers."""

import numpy as np
from keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from keras.models import Model, Sequential
from keras.optimizers import Nadam

rng = np.random.default_rng(0)
x = rng.normal(size=(20, 8, 8, 1)).astype("float32")
y = rng.integers(0, 3, 20)
model = Sequential(
    [
        Input(shape=(8, 8, 1)),
        Conv2D(3, 3, activation="relu", name="edges"),
        MaxPooling2D(),
        Flatten(),
        Dense(6, activation="relu", name="features"),
        Dense(3, activation="softmax"),
    ]
)
model.set_weights([rng.normal(0, 0.4, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(optimizer=Nadam(0.01), loss="sparse_categorical_crossentropy")
losses = model.fit(x, y, batch_size=20, epochs=10, shuffle=False, verbose=0).history["loss"]

feature_extractor = Model(inputs=model.inputs, outputs=model.get_layer("features").output)
features = feature_extractor.predict(x, verbose=0)
assert features.shape == (20, 6)
activation_model = Model(model.inputs, [layer.output for layer in model.layers])
shapes = [output.shape for output in activation_model.predict(x, verbose=0)]
assert shapes == [(20, 6, 6, 3), (20, 3, 3, 3), (20, 27), (20, 6), (20, 3)]
kernel, bias = model.layers[-1].get_weights()
scores = features @ kernel + bias
shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
np.testing.assert_allclose(shares, model.predict(x, verbose=0), atol=1e-5)

truncated = Model(model.inputs, Dense(2, name="new")(model.layers[-2].output))
assert truncated.predict(x, verbose=0).shape == (20, 2)
losses += features[0].tolist()
falls = losses[9] < losses[0]
