"""A DCGAN of PyTorch, trained for some steps from given weights; a program, since PyTorch may live in another Python.

    python with_torch.py FILE.npz

reads real_0, noise_0, ..., g_0, g_1, ... and d_0, d_1, ... (weights in Keras's layouts, in the order of `get_weights`)
from the file, and writes its losses (steps, 2) and the first of its generated pictures into FILE.out.npz.
"""

import sys

import numpy as np
import torch
from torch import nn

EPSILON, MOMENTUM = 1e-5, 0.1  # torch's momentum is 1 - Keras's


def networks(latent, width, channels):
    """(generator, discriminator) of sn.zoo.dcgan(16, channels, latent, width)."""
    up = {"kernel_size": 4, "stride": 2, "padding": 1}
    generator = nn.Sequential(
        nn.Linear(latent, 4 * 4 * 2 * width, bias=False),
        nn.Unflatten(1, (4, 4, 2 * width)),
        Permute(0, 3, 1, 2),
        nn.BatchNorm2d(2 * width, EPSILON, MOMENTUM),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, **up, bias=False),
        nn.BatchNorm2d(width, EPSILON, MOMENTUM),
        nn.ReLU(),
        nn.ConvTranspose2d(width, channels, **up),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(channels, width, **up),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, **up, bias=False),
        nn.BatchNorm2d(2 * width, EPSILON, MOMENTUM),
        nn.LeakyReLU(0.2),
        Permute(0, 2, 3, 1),
        nn.Flatten(),
        nn.Linear(4 * 4 * 2 * width, 1),
    )
    return generator, discriminator


class Permute(nn.Module):
    """Channels last to channels first, or back."""

    def __init__(self, *axes):
        super().__init__()
        self.axes = axes

    def forward(self, x):
        return x.permute(*self.axes)


def fill(network, weights):
    """Put weights in Keras's layouts and order into a network."""
    rest = iter(weights)
    with torch.no_grad():
        for module in network:
            if isinstance(module, nn.Linear):
                module.weight.copy_(torch.from_numpy(next(rest).T))
            elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                module.weight.copy_(torch.from_numpy(next(rest).transpose(3, 2, 0, 1)))
            elif isinstance(module, nn.BatchNorm2d):
                module.weight.copy_(torch.from_numpy(next(rest)))
            else:
                continue
            if module.bias is not None:
                module.bias.copy_(torch.from_numpy(next(rest)))
            if isinstance(module, nn.BatchNorm2d):
                next(rest), next(rest)  # its moving averages begin as ours do
    assert next(rest, None) is None


def main(path):
    """Train, and write what came out."""
    torch.set_num_threads(1)
    arrays = dict(np.load(path))
    group = {start: [arrays[n] for n in arrays if n.startswith(start)] for start in ("real_", "noise_", "g_", "d_")}
    channels, width = group["d_"][0].shape[2:]
    generator, discriminator = networks(group["noise_"][0].shape[1], width, channels)
    fill(generator, group["g_"])
    fill(discriminator, group["d_"])
    adams = [torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999), eps=1e-7) for n in (generator, discriminator)]
    loss, losses = nn.BCEWithLogitsLoss(), []
    for real, noise in zip(group["real_"], group["noise_"]):
        real = torch.from_numpy(real).permute(0, 3, 1, 2)
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        fake = generator(torch.from_numpy(noise))
        discriminator.zero_grad()
        d_loss = loss(discriminator(real), ones) + loss(discriminator(fake.detach()), zeros)
        d_loss.backward()
        adams[1].step()
        generator.zero_grad()
        g_loss = loss(discriminator(fake), ones)
        g_loss.backward()
        adams[0].step()
        losses.append((d_loss.item(), g_loss.item()))
    generator.eval()
    with torch.no_grad():
        pictures = generator(torch.from_numpy(group["noise_"][0])).permute(0, 2, 3, 1).numpy()
    np.savez(path.removesuffix(".npz") + ".out.npz", losses=losses, pictures=pictures)


if __name__ == "__main__":
    main(sys.argv[1])
