"""The DCGAN of the recipes in PyTorch, to compare with: the same network, settings, data and number of steps.

Its networks are those of `scratchnet.zoo.dcgan`, layer by layer; tests/test_torch_networks.py compares them.

It is run as a program by a Python that has PyTorch, which need not have scratchnet:

    python torch_dcgan.py PICTURES.npy GENERATED.npy SETTINGS   (settings: JSON, as `generation.torch_settings` gives)
"""

from __future__ import annotations

import copy
import itertools
import json
import sys

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy


def networks(size: int, channels: int, latent_dim: int, width: int) -> tuple[nn.Module, nn.Module]:
    """(generator, discriminator) of `zoo.dcgan(size, channels, latent_dim, width)`, for a size of 4 * 2^k."""
    doublings = size.bit_length() - 3  # from 4 x 4 pixels to size x size
    widths = [width * 2**i for i in range(doublings)]

    def norm(filters: int) -> nn.Module:
        layer = nn.BatchNorm2d(filters, eps=1e-5, momentum=0.1)
        nn.init.normal_(layer.weight, 1.0, 0.02)
        return layer

    up = [nn.Linear(latent_dim, 16 * widths[-1], bias=False), nn.Unflatten(1, (widths[-1], 4, 4)), norm(widths[-1])]
    up.append(nn.ReLU())
    for before, after in zip(widths[::-1], widths[-2::-1]):
        up += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), norm(after), nn.ReLU()]
    up += [nn.ConvTranspose2d(widths[0], channels, 4, 2, 1), nn.Tanh()]
    down = [nn.Conv2d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
    for before, after in itertools.pairwise(widths):
        down += [nn.Conv2d(before, after, 4, 2, 1, bias=False), norm(after), nn.LeakyReLU(0.2)]
    down += [nn.Flatten(), nn.Linear(16 * widths[-1], 1)]
    for layer in [*up, *down]:
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*up), nn.Sequential(*down)


def average_in(average: nn.Module, network: nn.Module, momentum: float, updates: int) -> None:
    """Update the moving average with the network's weights and statistics, as `scratchnet.averaging` does."""
    momentum = min(momentum, (1 + updates) / (10 + updates))
    with torch.no_grad():
        for ours, theirs in zip(average.state_dict().values(), network.state_dict().values()):
            if ours.dtype.is_floating_point:
                ours.lerp_(theirs, 1 - momentum)


def train(x: np.ndarray, s: dict) -> np.ndarray:
    """Pictures (count, H, W, C) from -1 to 1 of a GAN trained on x, uint8."""
    torch.manual_seed(s["seed"])
    rng = np.random.default_rng(s["seed"])
    generator, discriminator = (
        network.to(memory_format=torch.channels_last)
        for network in networks(x.shape[1], x.shape[3], s["latent_dim"], s["width"])
    )
    average, updates = copy.deepcopy(generator), 0
    g_adam, d_adam = (
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999), eps=1e-7) for network in (generator, discriminator)
    )
    n = s["batch_size"]
    for _ in range(s["epochs"]):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - n + 1, n):
            batch = x[order[start : start + n]].transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
            real = torch.from_numpy(batch).contiguous(memory_format=torch.channels_last)
            fake = generator(torch.randn(n, s["latent_dim"]))
            z_real, z_fake = discriminator(real), discriminator(fake.detach())
            loss = cross_entropy(z_real, torch.full_like(z_real, s["real_label"]))
            loss = loss + cross_entropy(z_fake, torch.zeros_like(z_fake))
            d_adam.zero_grad()
            loss.backward()
            d_adam.step()
            z = discriminator(fake)
            g_adam.zero_grad()
            cross_entropy(z, torch.ones_like(z)).backward()
            g_adam.step()
            average_in(average, generator, s["average"], updates)
            updates += 1
    average.eval()
    with torch.no_grad():
        made = [average(torch.randn(100, s["latent_dim"])) for _ in range(-(-s["count"] // 100))]
    return torch.cat(made)[: s["count"]].permute(0, 2, 3, 1).numpy()


if __name__ == "__main__":
    pictures, generated, settings = sys.argv[1:]
    np.save(generated, train(np.load(pictures), json.loads(settings)))
