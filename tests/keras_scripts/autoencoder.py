"""A convolutional autoencoder: encoder and decoder are models of their own, which share its layers."""

import numpy as np
from keras.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Input, MaxPooling2D, Reshape, UpSampling2D
from keras.models import Model

rng = np.random.default_rng(0)
x = np.clip(rng.normal(0.5, 0.3, (16, 8, 8, 1)), 0, 1).astype("float32")

input_img = Input(shape=(8, 8, 1))
h = Conv2D(4, (3, 3), activation="relu", padding="same")(input_img)
h = MaxPooling2D((2, 2), padding="same")(h)
encoded = Dense(6, name="code")(Flatten()(h))
encoder = Model(input_img, encoded, name="encoder")

code = Input(shape=(6,))
h = Dense(2 * 2 * 4, activation="relu")(code)
h = Reshape((2, 2, 4))(h)
h = Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(h)
h = UpSampling2D((2, 2))(h)
decoder = Model(code, Conv2D(1, (3, 3), activation="sigmoid", padding="same")(h), name="decoder")

model = Model(input_img, decoder(encoder(input_img)), name="autoencoder")
model.set_weights([rng.normal(0, 0.2, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])
model.compile(optimizer="adam", loss="binary_crossentropy")
losses = model.fit(x, x, batch_size=16, epochs=10, shuffle=False, verbose=0).history["loss"]

codes = encoder.predict(x, verbose=0)
assert codes.shape == (16, 6)
np.testing.assert_allclose(decoder.predict(codes, verbose=0), model.predict(x, verbose=0), atol=1e-5)
