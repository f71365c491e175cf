"""A DCGAN as a book has it: a Sequential of generator and discriminator; this one is thawed and frozen by turns."""

import numpy as np
from tensorflow import keras

rng = np.random.default_rng(0)
codings_size = 6
generator = keras.models.Sequential(
    [
        keras.layers.Input(shape=[codings_size]),
        keras.layers.Dense(2 * 2 * 8),
        keras.layers.Reshape([2, 2, 8]),
        keras.layers.BatchNormalization(),
        keras.layers.Conv2DTranspose(4, kernel_size=5, strides=2, padding="SAME", activation="selu"),
        keras.layers.BatchNormalization(),
        keras.layers.Conv2DTranspose(1, kernel_size=5, strides=2, padding="SAME", activation="tanh"),
    ]
)
discriminator = keras.models.Sequential(
    [
        keras.layers.Input(shape=[8, 8, 1]),
        keras.layers.Conv2D(4, kernel_size=5, strides=2, padding="SAME", activation=keras.layers.LeakyReLU(0.2)),
        keras.layers.Conv2D(8, kernel_size=5, strides=2, padding="SAME", activation=keras.layers.LeakyReLU(0.2)),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
gan = keras.models.Sequential([generator, discriminator])
gan.set_weights([rng.normal(0, 0.2, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in gan.get_weights()])
X_train = rng.normal(0.5, 0.3, (40, 8, 8, 1)).astype("float32")

discriminator.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(0.02))
# Keras 3 reads which weights are trained at a model's first step: one before it is frozen.
discriminator.train_on_batch(X_train[:16], np.ones((16, 1)))
discriminator.trainable = False
gan.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(0.02))


def train_gan(gan, X, batch_size, n_epochs):
    generator, discriminator = gan.layers
    for _ in range(n_epochs):
        for first in range(0, len(X), batch_size):
            noise = rng.normal(size=(batch_size, codings_size)).astype("float32")
            generated_images = np.asarray(generator(noise))
            X_fake_and_real = np.concatenate([generated_images, X[first : first + batch_size]], axis=0)
            y1 = np.array([[0.0]] * batch_size + [[1.0]] * batch_size)
            discriminator.trainable = True
            d_loss = discriminator.train_on_batch(X_fake_and_real, y1)
            discriminator.trainable = False
            g_loss = gan.train_on_batch(noise, np.ones((batch_size, 1)))
            losses.extend([float(np.ravel(d_loss)[0]), float(np.ravel(g_loss)[0])])


losses = []
train_gan(gan, X_train, batch_size=8, n_epochs=2)
model = gan
falls = None  # two that play against each other
