"""A conditional GAN: an Embedding of the label is multiplied with the noise, and with the picture."""

import numpy as np
from keras.layers import Dense, Embedding, Flatten, Input, LeakyReLU, Reshape, multiply
from keras.models import Model, Sequential
from keras.optimizers import SGD

rng = np.random.default_rng(0)
img_shape, num_classes, latent_dim = (4, 4, 1), 3, 6


def fix(model):
    """The same weights in every run: matrices drawn here, vectors as they begin."""
    model.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.ndim > 1 else w for w in model.get_weights()])


def build_generator():
    model = Sequential()
    model.add(Dense(16, input_dim=latent_dim))
    model.add(LeakyReLU(0.2))
    model.add(Dense(16, activation="tanh"))
    model.add(Reshape(img_shape))
    noise = Input(shape=(latent_dim,))
    label = Input(shape=(1,), dtype="int32")
    label_embedding = Flatten()(Embedding(num_classes, latent_dim)(label))
    return Model([noise, label], model(multiply([noise, label_embedding])))


def build_discriminator():
    model = Sequential()
    model.add(Dense(16, input_dim=int(np.prod(img_shape))))
    model.add(LeakyReLU(0.2))
    model.add(Dense(1, activation="sigmoid"))
    img = Input(shape=img_shape)
    label = Input(shape=(1,), dtype="int32")
    label_embedding = Flatten()(Embedding(num_classes, int(np.prod(img_shape)))(label))
    return Model([img, label], model(multiply([Flatten()(img), label_embedding])))


def pictures():
    labels = rng.integers(0, num_classes, (12, 1))
    imgs = labels[:, :, None, None] - 1 + 0.1 * rng.normal(size=(12, *img_shape))
    return imgs.astype("float32"), labels


generator, discriminator = build_generator(), build_discriminator()
fix(generator)
fix(discriminator)
# SGD: Keras's Adam squares an Embedding's gradient before it is summed over the places of a label, on TensorFlow.
discriminator.compile(loss=["binary_crossentropy"], optimizer=SGD(0.05, momentum=0.5), metrics=["accuracy"])
# Keras 3 reads which weights are trained at a model's first step with arrays of these
# shapes and types: one before it is frozen.
discriminator.train_on_batch(list(pictures()), np.ones((12, 1)))

noise, label = Input(shape=(latent_dim,)), Input(shape=(1,), dtype="int32")
discriminator.trainable = False
combined = Model([noise, label], discriminator([generator([noise, label]), label]))
combined.compile(loss=["binary_crossentropy"], optimizer=SGD(0.05, momentum=0.5))

losses = []
for _ in range(10):
    imgs, labels = pictures()
    z = rng.normal(size=(12, latent_dim))
    gen_imgs = generator.predict([z, labels], verbose=0)
    d_loss_real = discriminator.train_on_batch([imgs, labels], np.ones((12, 1)))
    d_loss_fake = discriminator.train_on_batch([gen_imgs, labels], np.zeros((12, 1)))
    g_loss = combined.train_on_batch([z, rng.integers(0, num_classes, (12, 1))], np.ones((12, 1)))
    losses += [float(d_loss_real[0]), float(d_loss_fake[0]), float(np.ravel(g_loss)[0])]

model = generator
assert gen_imgs.shape == (12, *img_shape)
assert len(combined.trainable_weights) == len(generator.trainable_weights) == 5
falls = None  # two that play against each other
