"""The contestant on the GPU: scratchnet. `prepare` returns a function without arguments that does a task and waits.

The steps are those of `fit` and `GAN.fit`: batches are gathered on the GPU from bytes that lie there, losses are looked
at, copies of the weights are kept. "recorded" has them in groups that are launched at once, as `fit` does; "eager" one
by one. A call makes `Sizes.steps` of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import scratchnet as sn
from scratchnet.bench import ours
from scratchnet.bench.gpu_kernels import kernels, recorded, roofs
from scratchnet.bench.shapes import GPU, GPU_FIT, LATENT, Sizes
from scratchnet.devices import Device
from scratchnet.divergence import Guard
from scratchnet.gan.pair import AdversarialMeans, PairGuard
from scratchnet.gan.training import AdversarialSteps
from scratchnet.training.checks import check_compiled
from scratchnet.training.data import Feed
from scratchnet.training.memory import Room
from scratchnet.training.recorded import Group, Steps
from scratchnet.training.step import RunningMeans
from scratchnet.training.steps import SupervisedSteps

Function = Callable[[], object]
GROUPS = 8  # of batches that the data have: each call has others


def prepare(task: str, way: str, precision: str, sizes: Sizes = GPU) -> Function | None:
    """The task as a function; None for one that this contestant does not run.

    Args:
        task: of `shapes.GPU_STEPS` or `GPU_FIT`, or of `gpu_kernels`; kernels and `fit` are only "recorded".
        way: "eager" or "recorded".
        precision: of products, as `sn.device` takes it.
        sizes: how large all is.

    Raises:
        GPUNotAvailable: there is no GPU.
        RuntimeError: the steps were not recorded.
    """
    with sn.device("gpu", precision=precision) as device:
        function = _function(task, way, device, sizes)
    if function is None:
        return None

    def as_prepared() -> None:
        with sn.device("gpu", precision=precision):
            function()

    return as_prepared


def _function(task: str, way: str, device: Device, sizes: Sizes) -> Function | None:
    steps = {"cnn step": cnn_steps, "dcgan step": dcgan_steps}
    if task in steps:
        model, found, batch = steps[task](device, sizes)
        return in_groups(model, found, batch, sizes.steps, way, device)
    if way == "eager":
        return None
    if task == GPU_FIT[0]:
        return cnn_fit(sizes)
    everything = {**roofs(sizes), **kernels("cnn", sizes), **kernels("dcgan", sizes)}
    return recorded(everything[task], device, sizes)


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    """(count, 32, 32, 3) random bytes, and as many random classes of 10."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, count)


def article_cnn() -> sn.Sequential:
    """The network of the article's section 4.1 for bytes, compiled."""
    model = sn.zoo.article_cnn(first=[sn.Rescaling(1 / 255)])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def cnn_steps(device: Device, sizes: Sizes) -> tuple[Any, Steps, int]:
    """(model, its steps as fit makes them, batch)."""
    model, batch = article_cnn(), sizes.cnn_batch
    feed = Feed(*pictures(GROUPS * sizes.steps * batch), None, np.dtype(np.float32))
    feed.bring(device, "bench")
    (loss, optimizer), room = check_compiled(model, "bench"), Room([model], batch, "bench")
    guard, means = Guard(model, optimizer), RunningMeans(model.metrics)
    return model, SupervisedSteps(model, loss, optimizer, feed, guard, means, model._outputs, room), batch


def dcgan_steps(device: Device, sizes: Sizes) -> tuple[Any, Steps, int]:
    """(GAN, its steps as GAN.fit makes them, batch)."""
    gan, batch = sn.GAN(*ours.dcgan(), latent_dim=LATENT), sizes.dcgan_batch
    gan.compile()
    feed = Feed(pictures(GROUPS * sizes.steps * batch)[0], None, None, np.dtype(np.float32))
    feed.bring(device, "bench")
    optimizer, _ = gan._compiled("bench")
    room = Room((gan.generator, gan.discriminator), batch, "bench")
    return gan, AdversarialSteps(gan, feed, PairGuard(gan, optimizer), AdversarialMeans(), room), batch


def in_groups(model: Any, steps: Steps, batch: int, count: int, way: str, device: Device) -> Function:
    """A function that does `count` steps on other batches than before, at once or one by one, and waits for them."""
    group, places = Group(steps, device, model, "bench"), [f"step {i + 1}" for i in range(count)]
    order = np.random.default_rng(0).permutation(GROUPS * count * batch)  # as `fit` draws it, once an epoch
    indices = itertools.cycle(list(part) for part in order.reshape(GROUPS, count, batch))

    def several() -> None:
        if way == "recorded":
            group(next(indices), 0, places)  # waits for its launch
            return
        for index, place in zip(next(indices), places):
            steps.one(index, 0, place)
        device.module.cuda.get_current_stream().synchronize()

    several()  # step by step: kernels are compiled
    several()  # recorded now
    if group.size == 1 and way == "recorded":
        raise RuntimeError("the steps were not recorded; the warning above says why.")
    return several


def cnn_fit(sizes: Sizes) -> Function:
    """`fit` of the article's network, from fresh weights to the last epoch."""
    x, y = pictures(sizes.pictures)

    def fit() -> None:
        article_cnn().fit(x, y, sizes.cnn_batch, sizes.epochs, verbose=0)

    return fit
