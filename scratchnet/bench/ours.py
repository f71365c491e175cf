"""The contestant: scratchnet. `prepare(task)` returns a function without arguments that does the task once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numba import prange

import scratchnet as sn
from scratchnet.bench.shapes import CONVS, DCGAN_BATCH, DENSES, LATENT, NETWORKS, Conv, network
from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.runtime.jit import BLOCK, parallel
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.layers.dilation import Grouped
from scratchnet.shapes import output_hw, pads_2d
from scratchnet.training.data import Feed
from scratchnet.training.step import train_step

Function = Callable[..., object]


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


def cnn_predict(batch: int, scale: float = 1.0) -> Function:
    """Inference of the article's CNN, on pictures of numbers from 0 to `scale`."""
    x = np.random.default_rng(0).random((batch, 32, 32, 3), dtype=np.float32) * np.float32(scale)
    return partial(article_cnn().forward, x)


def adam(scale: float) -> Function:
    """Adam's kernel on weights like the article's CNN's, whose gradients and moments are about `scale`."""
    weights = article_cnn().get_weights()
    state = [(p, *(np.full_like(p, scale) for _ in range(3))) for p in weights]
    return partial(cpu.adam, state, 1e-3, 0.9, 0.999, 1e-7, 1)


def network_task(task: str) -> Function:
    """A task of NETWORKS."""
    name, step, batch, size = network(task)
    model, rng = getattr(sn.zoo, name)(), np.random.default_rng(0)
    x, y = rng.random((batch, size, size, 3), dtype=np.float32), rng.integers(0, 10, batch)
    if not step:
        return partial(model.predict_on_batch, x)
    sgd = sn.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    return partial(train_step, model, sn.SparseCategoricalCrossentropy(), sgd, x, y)


class Kernel(NamedTuple):
    """A kernel: multiplications and additions, and the bytes of all its arrays, each once; a function that runs it."""

    name: str
    work: float
    traffic: int
    function: Function


def prepare(task: str) -> Function:
    """The task as a function; "dcgan: NAME" is a kernel of that model."""
    if ": " in task:
        return _kernel(task).function
    steps: dict[str, Callable[[], Function]] = {
        "cnn step": cnn_step,
        "cnn step, augmented": augmented_cnn_step,
        "cnn step, layer by layer": partial(cnn_step, fuse=False),
        "cnn predict 256, denormal": partial(cnn_predict, 256, 1e-39),
        "adam": partial(adam, 1e-3),
        "adam, denormal": partial(adam, 1e-40),
        "dcgan step": dcgan_step,
        **{name: partial(network_task, name) for name in NETWORKS},
    }
    return steps[task]() if task in steps else cnn_predict(int(task.removeprefix("cnn predict ")))


def prepare_copy(task: str) -> Function:
    """What the memory can do at most: reading and writing as many bytes in all as a kernel's arrays have."""
    x, y = np.zeros((2, _kernel(task).traffic // 8), np.float32)
    return partial(_copy, x, y)


@parallel
def _copy(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        source, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(out)):
            out[e] = source[e]


def _kernel(task: str) -> Kernel:
    model, name = task.split(": ", 1)
    return next(kernel for kernel in kernels(model) if kernel.name == name)


def _products(layer: Conv) -> tuple[Function, ...]:
    """The kernels of y, dx and dw, as `cpu.conv2d` and its gradients take their arguments."""
    if layer.groups == 1:
        return cpu.conv2d, cpu.conv2d_input_grad, cpu.conv2d_weight_grad
    if layer.groups == layer.C:
        return cpu.depthwise_conv2d, cpu.depthwise_conv2d_input_grad, cpu.depthwise_conv2d_weight_grad
    grouped = Grouped(cpu, layer.groups)
    return grouped.conv2d, grouped.conv2d_input_grad, grouped.conv2d_weight_grad


def _random(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Random numbers in an array as kernels return it, which begins at a cache line."""
    array = empty(shape, np.dtype(np.float32))
    return rng.random(out=array, dtype=np.float32)


def _convolution(layer: Conv) -> list[Kernel]:
    """y, dx and dw of a convolution; both gradients once more where a pooling follows."""
    rng, (name, N, H, C, F, K, stride, padding, pool, groups) = np.random.default_rng(0), layer
    hw, kernel, strides = (H, H), (K, K), (stride, stride)
    pads = pads_2d(hw, kernel, strides, padding)
    shapes = (N, H, H, C), (K, K, C, 1) if groups == C else (K, K, C // groups, F), (F,)
    x, w, b, dy = (_random(rng, shape) for shape in (*shapes, (N, *output_hw(hw, kernel, strides, pads), F)))
    work, traffic = 2.0 * dy.size * K * K * (C // groups), x.nbytes + w.nbytes + dy.nbytes
    y, dx, dw = _products(layer)
    sums = (np.zeros_like(w), None) if 1 < groups < C else ()
    found = [
        Kernel(f"{name}: y", work, traffic, partial(y, x, w, b, strides, pads)),
        Kernel(f"{name}: dx", work, traffic, partial(dx, dy, w, hw, strides, pads)),
        Kernel(f"{name}: dw", work, traffic, partial(dw, x, dy, kernel, strides, pads, *sums)),
    ]
    if pool:
        # The work of both formulas. The kernel does less: most of what comes back through a max-pooling is 0.
        window = (pool, pool), (pool, pool), ((0, 0), (0, 0))
        pooled, argmax = cpu.max_pool2d(dy, *window)
        arguments = pooled, x, w, argmax, strides, pads, window, np.zeros_like(w), np.zeros_like(b), True
        function = partial(cpu.conv2d_max_pool2d_backward, *arguments)
        read = 2 * x.nbytes + 2 * w.nbytes + pooled.nbytes + argmax.nbytes
        found.append(Kernel(f"{name}: dx and dw behind a pooling", 2 * work, read, function))
    return found


def kernels(model: str) -> list[Kernel]:
    """Each convolution and dense product of a model."""
    rng, found = np.random.default_rng(0), [kernel for layer in CONVS[model] for kernel in _convolution(layer)]
    for N, D, U in DENSES[model]:
        x, w, b, dy = (rng.random(shape, dtype=np.float32) for shape in ((N, D), (D, U), (U,), (N, U)))
        work, traffic, name = 2.0 * N * D * U, x.nbytes + w.nbytes + dy.nbytes, f"dense {D} to {U}"
        found += [
            Kernel(f"{name}: y", work, traffic, partial(cpu.dense, x, w, b)),
            Kernel(f"{name}: dx", work, traffic, partial(cpu.dense_input_grad, dy, w)),
            Kernel(f"{name}: dw", work, traffic, partial(cpu.dense_weight_grad, x, dy)),
        ]
    return found
