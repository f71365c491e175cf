"""Classes with weights of their own, a model kept in a file and read again, its weights copied into a second."""

import keras
import numpy as np
from keras import layers
from keras.models import load_model, model_from_json

rng = np.random.default_rng(0)
x = rng.normal(size=(30, 6, 6, 1)).astype("float32")
y = (rng.uniform(size=30) < 0.2).astype("int32")
x += y[:, None, None, None]


def make_model():
    model = keras.Sequential(name="small")
    model.add(layers.Input(shape=(6, 6, 1)))
    model.add(layers.SeparableConv2D(4, 3, activation="swish"))
    model.add(layers.LayerNormalization())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(2))
    model.add(layers.Softmax())
    return model


model = make_model()
model.set_weights([rng.normal(0, 0.4, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=0.01, weight_decay=0.01, clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
options = dict(batch_size=30, shuffle=False, verbose=0)
losses = model.fit(x, y, epochs=6, class_weight={0: 0.5, 1: 2.0}, **options).history["loss"]
model.save("small.keras")
model.save_weights("small.weights.h5")

again = load_model("small.keras")
np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
losses += again.fit(x, y, epochs=4, class_weight={0: 0.5, 1: 2.0}, **options).history["loss"]
copy = make_model()
copy.load_weights("small.weights.h5")
np.testing.assert_allclose(copy.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
twin = keras.models.clone_model(model)
twin.set_weights(model.get_weights())
np.testing.assert_allclose(twin.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
x_small = twin.predict(x[:3], verbose=0)
twin.set_weights([0 * w for w in twin.get_weights()])
np.testing.assert_allclose(model.predict(x[:3], verbose=0), x_small, atol=1e-6)
rebuilt = model_from_json(model.to_json())
assert [layer.name for layer in rebuilt.layers] == [layer.name for layer in model.layers]
assert len(rebuilt.trainable_variables) == 7
