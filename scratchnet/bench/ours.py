"""The contestant: scratchnet. `prepare(task)` returns a function without arguments that does the task once."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

import scratchnet as sn
from scratchnet.bench.shapes import CONVS, DCGAN_BATCH, DENSES, LATENT
from scratchnet.kernels import cpu
from scratchnet.shapes import output_hw, pads_2d
from scratchnet.training.data import Feed
from scratchnet.training.step import train_step


def article_cnn() -> sn.Sequential:
    """The network of the article's section 4.1."""
    model = sn.zoo.article_cnn()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def dcgan() -> tuple[sn.Sequential, sn.Sequential]:
    """(generator, discriminator) at 32 x 32, as in the article's section 4.2 with its faults mended."""
    up = dict(kernel_size=4, strides=2, padding="same", use_bias=False)
    generator = sn.Sequential([sn.Dense(4 * 4 * 256, use_bias=False, input_shape=(LATENT,)), sn.Reshape((4, 4, 256))])
    for filters in (128, 128, 64):
        for layer in (sn.Conv2DTranspose(filters, **up), sn.BatchNormalization(), sn.ReLU()):
            generator.add(layer)
    generator.add(sn.Conv2D(3, 3, padding="same", activation="tanh"))
    discriminator = sn.Sequential()
    for filters, options in ((64, {"input_shape": (32, 32, 3)}), (128, {}), (256, {})):
        discriminator.add(sn.Conv2D(filters, 3, strides=2, padding="same", **options))
        discriminator.add(sn.LeakyReLU(0.2))
    discriminator.add(sn.Flatten())
    discriminator.add(sn.Dense(1))
    return generator, discriminator


def dcgan_step() -> Callable[[], None]:
    """The discriminator learns from real and generated pictures, then the generator from the discriminator."""
    generator, discriminator = dcgan()
    loss, g_adam, d_adam = sn.BinaryCrossentropy(from_logits=True), sn.Adam(2e-4, 0.5), sn.Adam(2e-4, 0.5)
    rng = np.random.default_rng(0)
    real = rng.uniform(-1, 1, (DCGAN_BATCH, 32, 32, 3)).astype(np.float32)
    z = rng.normal(size=(DCGAN_BATCH, LATENT)).astype(np.float32)
    ones, zeros = np.ones((DCGAN_BATCH, 1), np.float32), np.zeros((DCGAN_BATCH, 1), np.float32)

    def step() -> None:
        fake = generator.forward(z, training=True)
        discriminator.zero_grads()
        for pictures, labels in ((real, ones), (fake, zeros)):
            _, dy = loss(labels, discriminator.forward(pictures, training=True))
            discriminator.backward(dy, input_grad=False)
        d_adam.update(discriminator.params, discriminator.grads)
        _, dy = loss(ones, discriminator.forward(fake, training=True))
        generator.zero_grads()
        generator.backward(discriminator.backward(dy, param_grads=False), input_grad=False)
        g_adam.update(generator.params, generator.grads)

    return step


def prepare(task: str) -> Callable[[], object]:
    """The task as a function; "dcgan: NAME" is a kernel of that model."""
    if ": " in task:
        model, name = task.split(": ", 1)
        return next(function for kernel, _, function in kernels(model) if kernel == name)
    if task == "dcgan step":
        return dcgan_step()
    rng, model = np.random.default_rng(0), article_cnn()
    if task == "cnn step":
        x, y = rng.random((32, 32, 32, 3), dtype=np.float32), rng.integers(0, 10, 32)
        return lambda: train_step(model, model.loss, model.optimizer, x, y)
    if task == "cnn step, augmented":
        x, y = rng.integers(0, 256, (1024, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, 1024)
        feed = Feed(x, y, None, np.dtype(np.float32), sn.Augment(seed=0))
        index = rng.choice(1024, 32, replace=False)

        def augmented() -> None:
            pictures, labels, _ = feed.take(index)
            train_step(model, model.loss, model.optimizer, pictures, labels)

        return augmented
    x = rng.random((int(task.split()[-1]), 32, 32, 3), dtype=np.float32)
    return lambda: model.forward(x)


def kernels(model: str) -> list[tuple[str, float, Callable[[], object]]]:
    """(name, multiplications and additions, function) of each convolution and dense product of a model."""
    rng, found = np.random.default_rng(0), []
    for name, N, H, C, F, K, stride, padding, pool in CONVS[model]:
        hw, kernel, strides = (H, H), (K, K), (stride, stride)
        pads = pads_2d(hw, kernel, strides, padding)
        x, w, b = (rng.random(shape, dtype=np.float32) for shape in ((N, H, H, C), (K, K, C, F), (F,)))
        dy = rng.random((N, *output_hw(hw, kernel, strides, pads), F), dtype=np.float32)
        work = 2.0 * dy.size * K * K * C
        found += [
            (f"{name}: y", work, lambda x=x, w=w, b=b, s=strides, p=pads: cpu.conv2d(x, w, b, s, p)),
            (f"{name}: dx", work, lambda dy=dy, w=w, h=hw, s=strides, p=pads: cpu.conv2d_input_grad(dy, w, h, s, p)),
            (
                f"{name}: dw",
                work,
                lambda x=x, dy=dy, k=kernel, s=strides, p=pads: cpu.conv2d_weight_grad(x, dy, k, s, p),
            ),
        ]
        if pool:
            # The work is that of the two formulas, which is not all made.
            window = (pool, pool), (pool, pool), ((0, 0), (0, 0))
            pooled, argmax = cpu.max_pool2d(dy, *window)
            arguments = pooled, x, w, argmax, strides, pads, window, np.zeros_like(w), np.zeros_like(b), True
            function = functools.partial(cpu.conv2d_max_pool2d_backward, *arguments)
            found.append((f"{name}: dx and dw behind a pooling", 2 * work, function))
    for N, D, U in DENSES[model]:
        x, w, b, dy = (rng.random(shape, dtype=np.float32) for shape in ((N, D), (D, U), (U,), (N, U)))
        work, name = 2.0 * N * D * U, f"dense {D} to {U}"
        found += [
            (f"{name}: y", work, lambda x=x, w=w, b=b: cpu.dense(x, w, b)),
            (f"{name}: dx", work, lambda dy=dy, w=w: cpu.dense_input_grad(dy, w)),
            (f"{name}: dw", work, lambda x=x, dy=dy: cpu.dense_weight_grad(x, dy)),
        ]
    return found
