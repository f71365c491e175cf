"""The contestant on the GPU: PyTorch, eager, compiled, or captured as a CUDA graph. Needs PyTorch, not scratchnet.

Its networks are those of `with_torch`, its steps those of `ours_on_gpu`: batches are gathered from bytes that lie on
the GPU, noise is drawn there, and a call makes `Sizes.steps` steps and waits once. What PyTorch offers is on:
channels_last, fused Adam, and cuDNN's search for the fastest algorithm. Losses are not looked at.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import nn

shapes = importlib.import_module("shapes")  # the files beside this one
with_torch = importlib.import_module("with_torch")

Function = Callable[[], object]
GROUPS = 8  # of batches that the data have, as in `ours_on_gpu`


class Task(NamedTuple):
    """A step, what it takes a batch of, and how many examples that are."""

    step: Callable[..., None]
    data: tuple[torch.Tensor, ...]
    batch: int


def prepare(task: str, way: str, precision: str, device: str = "cuda", sizes: Any = shapes.GPU) -> Function | None:
    """The task as a function; None for one that this contestant does not run.

    Args:
        task: a step, or for "captured", whose time has no launches in it, one of the two roofs.
        way: "eager", "compiled" (torch.compile of the networks), or "captured" (torch.cuda.CUDAGraph).
        precision: "float32", or "tf32" for all products.
        device: "cpu" is for trying out what is not captured.
        sizes: how large all is.
    """
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    if task in (shapes.PRODUCT, shapes.COPY):
        return roof(task, device, sizes) if way == "captured" else None
    steps = {"cnn step": cnn, "dcgan step": dcgan}
    if task not in steps:
        return None
    found = steps[task](way, device, sizes)
    return captured(found, sizes.steps) if way == "captured" else one_by_one(found, sizes.steps)


def network(model: nn.Module, way: str, device: str) -> Any:
    """The model on the device, compiled where that is asked for."""
    model = model.to(device, memory_format=torch.channels_last)
    return torch.compile(model) if way == "compiled" else model


def adam(model: nn.Module, device: str, **options: Any) -> torch.optim.Optimizer:
    """Adam in one kernel, whose step count a graph can record, too."""
    return torch.optim.Adam(model.parameters(), fused=True, capturable=device == "cuda", **options)


def pictures(count: int, device: str) -> torch.Tensor:
    """(count, 3, 32, 32) random bytes, the channels innermost in memory."""
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8).to(device, memory_format=torch.channels_last)


def cnn(way: str, device: str, sizes: Any) -> Task:
    """A training step of the article's CNN."""
    model, loss, count = network(with_torch.article_cnn(), way, device), nn.CrossEntropyLoss(), GROUPS * sizes.steps
    optimizer = adam(model, device, eps=1e-7)

    def step(x: torch.Tensor, y: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss(model(x / 255), y).backward()
        optimizer.step()

    count *= sizes.cnn_batch
    return Task(step, (pictures(count, device), torch.randint(0, 10, (count,), device=device)), sizes.cnn_batch)


def dcgan(way: str, device: str, sizes: Any) -> Task:
    """As in `with_torch.dcgan_step`: one forward of the generator serves both networks' steps."""
    generator, discriminator = (network(model, way, device) for model in with_torch.dcgan())
    loss, n = nn.BCEWithLogitsLoss(), sizes.dcgan_batch
    g_adam, d_adam = (adam(model, device, lr=2e-4, betas=(0.5, 0.999)) for model in (generator, discriminator))
    ones, zeros = torch.ones(n, 1, device=device), torch.zeros(n, 1, device=device)

    def step(real: torch.Tensor) -> None:
        fake = generator(torch.randn(n, shapes.LATENT, device=device))
        d_adam.zero_grad()
        (loss(discriminator(real / 127.5 - 1), ones) + loss(discriminator(fake.detach()), zeros)).backward()
        d_adam.step()
        g_adam.zero_grad()
        discriminator.requires_grad_(False)
        loss(discriminator(fake), ones).backward()
        discriminator.requires_grad_(True)
        g_adam.step()

    return Task(step, (pictures(GROUPS * sizes.steps * n, device),), n)


def drawn(task: Task, count: int) -> Iterator[list[torch.Tensor]]:
    """The examples of `count` batches, again and again, in an order that is drawn once."""
    order = torch.randperm(len(task.data[0]), device=task.data[0].device)
    for part in itertools.cycle(order.split(count * task.batch)):
        yield [array[part] for array in task.data]


def wait(device: torch.device) -> None:
    """Until the GPU has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def one_by_one(task: Task, count: int) -> Function:
    """`count` steps, each asked for by Python."""
    examples = drawn(task, count)

    def several() -> None:
        for batch in zip(*(array.split(task.batch) for array in next(examples))):
            task.step(*batch)
        wait(task.data[0].device)

    return several


def captured(task: Task, count: int) -> Function:
    """`count` steps as one launch, as PyTorch's manual captures a whole step.

    Source: https://docs.pytorch.org/docs/stable/notes/cuda.html#whole-network-capture
    """
    examples, stream = drawn(task, count), torch.cuda.Stream()
    held = next(examples)
    batches = list(zip(*(array.split(task.batch) for array in held)))
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for batch in batches[:3]:  # lazy parts are made, and algorithms searched for, before
            task.step(*batch)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for batch in batches:
            task.step(*batch)

    def several() -> None:
        for place, array in zip(held, next(examples)):
            place.copy_(array)
        graph.replay()
        wait(held[0].device)

    return several


def roof(task: str, device: str, sizes: Any) -> Function:
    """The large product, or the copy of a large array: see `gpu_kernels.roofs`."""
    square = task == shapes.PRODUCT
    shape = [sizes.side, sizes.side] if square else [sizes.copied]
    work = 2.0 * sizes.side**3 if square else float(sizes.copied)
    x, w, y = (torch.rand(shape, device=device) for _ in range(3))

    def several() -> None:
        for _ in range(sizes.calls(work)):
            if square:
                torch.mm(x, w, out=y)
            else:
                y.copy_(x)
        wait(y.device)

    return several
