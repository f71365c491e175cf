"""A GAN as Keras-GAN writes it: two models, and a combined one in which the discriminator is frozen."""

import numpy as np
from keras.layers import BatchNormalization, Dense, Flatten, Input, LeakyReLU, Reshape
from keras.models import Model, Sequential
from keras.optimizers import Adam

rng = np.random.default_rng(0)


class GAN:
    def __init__(self):
        self.img_shape = (6, 6, 1)
        self.latent_dim = 5
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(loss="binary_crossentropy", optimizer=Adam(0.002, 0.5), metrics=["accuracy"])
        self.generator = self.build_generator()

        # Keras 3 reads which weights are trained at a model's first step with arrays of these shapes and types, not at
        # compile. Without this step, the discriminator would be frozen by the next lines for good, in its own training,
        # too. The pictures are float32, as the generator's are: others would be read anew.
        self.first = self.discriminator.train_on_batch(pictures(), np.ones((8, 1)))

        z = Input(shape=(self.latent_dim,))
        img = self.generator(z)
        self.discriminator.trainable = False
        validity = self.discriminator(img)
        self.combined = Model(z, validity)
        self.combined.compile(loss="binary_crossentropy", optimizer=Adam(0.002, 0.5))

    def build_generator(self):
        model = Sequential()
        model.add(Input(shape=(self.latent_dim,)))
        model.add(Dense(16))
        model.add(LeakyReLU(0.2))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Dense(int(np.prod(self.img_shape)), activation="tanh"))
        model.add(Reshape(self.img_shape))
        fix(model)
        noise = Input(shape=(self.latent_dim,))
        return Model(noise, model(noise))

    def build_discriminator(self):
        model = Sequential()
        model.add(Flatten(input_shape=self.img_shape))
        model.add(Dense(16))
        model.add(LeakyReLU(0.2))
        model.add(Dense(1, activation="sigmoid"))
        fix(model)
        img = Input(shape=self.img_shape)
        return Model(img, model(img))

    def train(self, steps):
        valid, fake = np.ones((8, 1)), np.zeros((8, 1))
        for _ in range(steps):
            noise = rng.normal(0, 1, (8, self.latent_dim))
            gen_imgs = self.generator.predict(noise, verbose=0)
            d_loss_real = self.discriminator.train_on_batch(pictures(), valid)
            d_loss_fake = self.discriminator.train_on_batch(gen_imgs, fake)
            d_loss = 0.5 * np.add(d_loss_real, d_loss_fake)
            before = self.discriminator.get_weights()
            g_loss = self.combined.train_on_batch(noise, valid)
            for old, new in zip(before, self.discriminator.get_weights()):
                np.testing.assert_array_equal(old, new)
            losses.extend([float(d_loss[0]), float(np.ravel(g_loss)[0])])


def pictures():
    return rng.uniform(0.5, 1, (8, 6, 6, 1)).astype("float32")


def fix(model):
    """The same weights in every run: matrices drawn here, vectors as they begin."""
    model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])


losses = []
gan = GAN()
model = gan.combined
start = gan.discriminator.get_weights(), gan.generator.get_weights()
gan.train(10)
for old, new in zip(start, (gan.discriminator.get_weights(), gan.generator.get_weights())):
    assert all(np.abs(a - b).max() > 1e-4 for a, b in zip(old, new))
falls = None  # two that play against each other
