"""The contestant: scratchnet. `prepare(task)` returns a function without arguments that does the task once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

import scratchnet as sn
from scratchnet.bench.shapes import CONVS, DCGAN_BATCH, DENSES, LATENT, NETWORKS, network
from scratchnet.kernels import cpu
from scratchnet.shapes import output_hw, pads_2d
from scratchnet.training.data import Feed
from scratchnet.training.step import train_step

Function = Callable[[], object]


def article_cnn(fuse: bool = True) -> sn.Sequential:
    """The network of the article's section 4.1; with fuse=False no layers run as one."""
    model = sn.zoo.article_cnn()
    model.fuse = fuse
    return model


def dcgan() -> tuple[sn.Sequential, sn.Sequential]:
    """(generator, discriminator) of the article's section 4.2, with the usual kernels of 4 x 4 in the generator."""
    generator = sn.zoo.article_generator(kernel_size=4, activate_projection=False)
    return generator, sn.zoo.article_discriminator()


def dcgan_step() -> Function:
    """One forward of the generator; then the discriminator's step and the generator's."""
    generator, discriminator = dcgan()
    loss, g_adam, d_adam = sn.gan.NonSaturating(), sn.Adam(2e-4, 0.5), sn.Adam(2e-4, 0.5)
    rng = np.random.default_rng(0)
    real = rng.uniform(-1, 1, (DCGAN_BATCH, 32, 32, 3)).astype(np.float32)
    z = rng.normal(size=(DCGAN_BATCH, LATENT)).astype(np.float32)

    def step() -> None:
        fake = generator.forward(z, training=True)
        sn.gan.discriminator_step(discriminator, loss, d_adam, real, fake)
        sn.gan.generator_step(generator, discriminator, loss, g_adam, fake)

    return step


def cnn_step(fuse: bool = True) -> Function:
    """A training step of the article's CNN on one batch."""
    rng, model, loss, adam = np.random.default_rng(0), article_cnn(fuse), sn.SparseCategoricalCrossentropy(), sn.Adam()
    x, y = rng.random((32, 32, 32, 3), dtype=np.float32), rng.integers(0, 10, 32)
    return partial(train_step, model, loss, adam, x, y)


def augmented_cnn_step() -> Function:
    """The same on bytes that are augmented first."""
    rng, model, loss, adam = np.random.default_rng(0), article_cnn(), sn.SparseCategoricalCrossentropy(), sn.Adam()
    x, y = rng.integers(0, 256, (1024, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, 1024)
    feed = Feed(x, y, None, np.dtype(np.float32), sn.Augment(seed=0))
    index = rng.choice(1024, 32, replace=False)

    def step() -> None:
        pictures, labels, _ = feed.take(index)
        assert labels is not None  # they were given
        train_step(model, loss, adam, pictures, labels)

    return step


def cnn_predict(batch: int) -> Function:
    """Inference of the article's CNN."""
    x = np.random.default_rng(0).random((batch, 32, 32, 3), dtype=np.float32)
    return partial(article_cnn().forward, x)


def network_task(task: str) -> Function:
    """A task of NETWORKS."""
    name, step, batch, size = network(task)
    model, rng = getattr(sn.zoo, name)(), np.random.default_rng(0)
    x, y = rng.random((batch, size, size, 3), dtype=np.float32), rng.integers(0, 10, batch)
    if not step:
        return partial(model.predict_on_batch, x)
    sgd = sn.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    return partial(train_step, model, sn.SparseCategoricalCrossentropy(), sgd, x, y)


def prepare(task: str) -> Function:
    """The task as a function; "dcgan: NAME" is a kernel of that model."""
    if ": " in task:
        model, name = task.split(": ", 1)
        return next(function for kernel, _, function in kernels(model) if kernel == name)
    steps: dict[str, Callable[[], Function]] = {
        "cnn step": cnn_step,
        "cnn step, augmented": augmented_cnn_step,
        "cnn step, layer by layer": partial(cnn_step, fuse=False),
        "dcgan step": dcgan_step,
        **{name: partial(network_task, name) for name in NETWORKS},
    }
    return steps[task]() if task in steps else cnn_predict(int(task.removeprefix("cnn predict ")))


def kernels(model: str) -> list[tuple[str, float, Function]]:
    """(name, multiplications and additions, function) of each convolution and dense product of a model."""
    rng, found = np.random.default_rng(0), list[tuple[str, float, Function]]()
    for name, N, H, C, F, K, stride, padding, pool in CONVS[model]:
        hw, kernel, strides = (H, H), (K, K), (stride, stride)
        pads = pads_2d(hw, kernel, strides, padding)
        x, w, b = (rng.random(shape, dtype=np.float32) for shape in ((N, H, H, C), (K, K, C, F), (F,)))
        dy = rng.random((N, *output_hw(hw, kernel, strides, pads), F), dtype=np.float32)
        work = 2.0 * dy.size * K * K * C
        found += [
            (f"{name}: y", work, partial(cpu.conv2d, x, w, b, strides, pads)),
            (f"{name}: dx", work, partial(cpu.conv2d_input_grad, dy, w, hw, strides, pads)),
            (f"{name}: dw", work, partial(cpu.conv2d_weight_grad, x, dy, kernel, strides, pads)),
        ]
        if pool:
            # The work of both formulas. The kernel does less: most of what comes back through a max-pooling is 0.
            window = (pool, pool), (pool, pool), ((0, 0), (0, 0))
            pooled, argmax = cpu.max_pool2d(dy, *window)
            arguments = pooled, x, w, argmax, strides, pads, window, np.zeros_like(w), np.zeros_like(b), True
            function = partial(cpu.conv2d_max_pool2d_backward, *arguments)
            found.append((f"{name}: dx and dw behind a pooling", 2 * work, function))
    for N, D, U in DENSES[model]:
        x, w, b, dy = (rng.random(shape, dtype=np.float32) for shape in ((N, D), (D, U), (U,), (N, U)))
        work, name = 2.0 * N * D * U, f"dense {D} to {U}"
        found += [
            (f"{name}: y", work, partial(cpu.dense, x, w, b)),
            (f"{name}: dx", work, partial(cpu.dense_input_grad, dy, w)),
            (f"{name}: dw", work, partial(cpu.dense_weight_grad, x, dy)),
        ]
    return found
