"""The contestant: PyTorch, eager; with channels_last or without. Needs PyTorch, not scratchnet.

Its networks are those of `scratchnet.zoo`, layer by layer; tests/test_torch_networks.py compares them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable

import torch
from torch import nn

shapes = importlib.import_module("shapes")  # the file beside this one
torch.set_num_threads(int(os.environ.get("BENCH_THREADS", torch.get_num_threads())))


def article_cnn() -> nn.Module:
    """The network of `scratchnet.zoo.article_cnn()`; the softmax at its end is in the loss."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(2304, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def dcgan() -> tuple[nn.Module, nn.Module]:
    """Those of `zoo.article_generator(kernel_size=4, activate_projection=False)` and `zoo.article_discriminator()`.

    The sigmoid at the discriminator's end is in the loss. PyTorch's padding is the same on all sides, so that the pixel
    which "same" adds below and on the right at stride 2 is a layer of its own.
    """
    layers: list[nn.Module] = [nn.Linear(shapes.LATENT, 4096, bias=False), nn.Unflatten(1, (256, 4, 4))]
    for before, after in ((256, 128), (128, 128), (128, 64)):
        layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    generator = nn.Sequential(*layers, nn.Conv2d(64, 3, 3, padding=1), nn.Tanh())
    layers = []
    for before, after in ((3, 64), (64, 128), (128, 256)):
        layers += [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(before, after, 3, 2), nn.LeakyReLU(0.2)]
    return generator, nn.Sequential(*layers, nn.Flatten(), nn.Linear(4096, 1))


def prepare(task: str, channels_last: bool) -> Callable[[], object] | None:
    """The task as a function; None for one that this contestant does not run."""
    if "," in task or task == "adam":
        return None
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    if task in shapes.NETWORKS:
        return importlib.import_module("torch_networks").prepare(*shapes.network(task), layout)
    if task == "dcgan step":
        return dcgan_step(layout)
    model = article_cnn().to(memory_format=layout)
    if task == "cnn step":
        x, y = torch.rand(32, 3, 32, 32).to(memory_format=layout), torch.randint(0, 10, (32,))
        adam, loss = torch.optim.Adam(model.parameters(), eps=1e-7), nn.CrossEntropyLoss()

        def step() -> None:
            adam.zero_grad()
            loss(model(x), y).backward()
            adam.step()

        return step
    x = torch.rand(int(task.split()[-1]), 3, 32, 32).to(memory_format=layout)

    def predict() -> None:
        with torch.inference_mode():
            model(x)

    return predict


def dcgan_step(layout: torch.memory_format) -> Callable[[], None]:
    """As in `ours`: one forward of the generator serves both networks' steps."""
    generator, discriminator = (network.to(memory_format=layout) for network in dcgan())
    loss, n = nn.BCEWithLogitsLoss(), shapes.DCGAN_BATCH
    g_adam, d_adam = (
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999)) for network in (generator, discriminator)
    )
    real = (torch.rand(n, 3, 32, 32) * 2 - 1).to(memory_format=layout)
    z, ones, zeros = torch.randn(n, shapes.LATENT), torch.ones(n, 1), torch.zeros(n, 1)

    def step() -> None:
        fake = generator(z)
        d_adam.zero_grad()
        (loss(discriminator(real), ones) + loss(discriminator(fake.detach()), zeros)).backward()
        d_adam.step()
        g_adam.zero_grad()
        for parameter in discriminator.parameters():
            parameter.requires_grad_(False)
        loss(discriminator(fake), ones).backward()
        for parameter in discriminator.parameters():
            parameter.requires_grad_(True)
        g_adam.step()

    return step
