"""Networks that generate: the article's generator and discriminator, mended, and the DCGAN."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import check_choice, check_count
from scratchnet.initializers import RandomNormal
from scratchnet.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Flatten,
    Layer,
    LeakyReLU,
    ReLU,
    Reshape,
    SpectralNormalization,
)
from scratchnet.models import Sequential


def article_generator() -> Sequential:
    """The generator of the article's listing 4.2, (N, 100) -> (N, 32, 32, 3) from -1 to 1, with its faults mended.

    The three convolutions with stride 2 made 4 x 4 places into one; they are transposed convolutions now, 4 -> 8 -> 16
    -> 32. Those before a normalization have no bias, which it would take away again. Weights begin as N(0, 0.02), the
    DCGAN paper's start. All else is as listed.
    """
    start = {"kernel_initializer": RandomNormal(stddev=0.02)}
    up = {"kernel_size": (3, 3), "strides": (2, 2), "padding": "same", "use_bias": False, **start}
    model = Sequential(name="article_generator")
    model.add(Dense(4 * 4 * 256, input_shape=(100,), use_bias=False, **start))
    model.add(LeakyReLU(alpha=0.2))
    model.add(Reshape((4, 4, 256)))
    for filters in (128, 128, 64):
        model.add(Conv2DTranspose(filters, **up))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Activation("relu"))
    model.add(Conv2D(3, kernel_size=(3, 3), strides=(1, 1), padding="same", **start))
    model.add(Activation("tanh"))
    return model


def article_discriminator() -> Sequential:
    """The discriminator of the article's listing 4.2, (N, 32, 32, 3) -> (N, 1), as listed, begun with N(0, 0.02).

    The sigmoid at its end may stay: `sn.GAN` leaves it out and works on the scores before it.
    """
    start = {"kernel_initializer": RandomNormal(stddev=0.02)}
    down = {"kernel_size": (3, 3), "strides": (2, 2), "padding": "same", **start}
    model = Sequential(name="article_discriminator")
    for filters, options in ((64, {"input_shape": (32, 32, 3)}), (128, {}), (256, {})):
        model.add(Conv2D(filters, **down, **options))
        model.add(LeakyReLU(alpha=0.2))
    model.add(Flatten())
    model.add(Dense(1, **start))
    model.add(Activation("sigmoid"))
    return model


def _halvings(size: int) -> tuple[int, int]:
    """(s, k) with size = s * 2^k, s from 4 to 7 and k at least 1."""
    start, times = size, 0
    while start > 7 and start % 2 == 0:
        start, times = start // 2, times + 1
    if not 4 <= start <= 7 or times == 0:
        low, high = (
            [s for s in way if _fits(s)][:1] for way in (range(size, 7, -1), range(max(size, 8), 2 * size + 9))
        )
        near = " or ".join(str(s) for s in (*low, *high))
        raise ValueError(
            f"dcgan: expected a size of 4, 5, 6 or 7 doubled once or more (16, 28, 32, 64, ...), got {size}. "
            f"The nearest: {near}. Pad or cut the pictures."
        )
    return start, times


def _fits(size: int) -> bool:
    while size > 15 and size % 2 == 0:
        size //= 2
    return size in (8, 10, 12, 14)


def dcgan(
    size: int = 32,
    channels: int = 3,
    latent_dim: int = 100,
    width: int = 64,
    normalization: str = "batch",
) -> tuple[Sequential, Sequential]:
    """(generator, discriminator) as the DCGAN paper has them, for square pictures from -1 to 1.

    Both are made of 4 x 4 kernels at stride 2. G projects its noise to 4 x 4 places and doubles them until `size`, with
    half as many filters each time, batch normalization and ReLU everywhere but at its end, which is tanh. D goes the
    other way, with LeakyReLU(0.2) and batch normalization everywhere but in its first and last layer, to one score.
    Weights begin as N(0, 0.02), scales as N(1, 0.02). No bias where a normalization follows.

    Args:
        size: pixels; 4, 5, 6 or 7 doubled once or more: 16, 28, 32, 64, 96, 128, ...
        channels: 1 or 3, or any number.
        latent_dim: of the noise.
        width: filters at half the size; twice as many at each halving after that.
        normalization: of D: "batch", "spectral" (SpectralNormalization round its layers, goes with the hinge loss) or
            "none".

    Raises:
        ValueError: a size that cannot be had by doubling (the nearest are named), or another bad argument.

    Source: Radford, Metz and Chintala, arXiv 1511.06434; kernels of 4 as in the code that came with it.
    """
    counts = {"size": size, "channels": channels, "latent_dim": latent_dim, "width": width}
    size, channels, latent_dim, width = (check_count(value, name, "dcgan") for name, value in counts.items())
    normalization = check_choice(normalization, ("batch", "spectral", "none"), "normalization")
    start, times = _halvings(size)
    weights = {"kernel_initializer": RandomNormal(stddev=0.02)}
    cell: dict[str, Any] = {"kernel_size": 4, "strides": 2, "padding": "same", **weights}
    widths = [width * 2**i for i in range(times)]  # from the picture inwards

    def norm() -> BatchNormalization:
        # Statistics over about ten batches: a generator changes too fast for the default's hundred.
        return BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=RandomNormal(1.0, 0.02))

    generator = Sequential(name="generator")
    generator.add(Dense(start * start * widths[-1], use_bias=False, input_shape=(latent_dim,), **weights))
    for layer in (Reshape((start, start, widths[-1])), norm(), ReLU()):
        generator.add(layer)
    for filters in widths[-2::-1]:
        for layer in (Conv2DTranspose(filters, use_bias=False, **cell), norm(), ReLU()):
            generator.add(layer)
    generator.add(Conv2DTranspose(channels, activation="tanh", **cell))

    def wrapped(layer: Layer) -> Layer:
        return SpectralNormalization(layer) if normalization == "spectral" else layer

    discriminator = Sequential(name="discriminator")
    for i, filters in enumerate(widths):
        batch = normalization == "batch" and i > 0
        options = {"input_shape": (size, size, channels)} if i == 0 else {}
        discriminator.add(wrapped(Conv2D(filters, use_bias=not batch, **cell, **options)))
        if batch:
            discriminator.add(norm())
        discriminator.add(LeakyReLU(0.2))
    discriminator.add(Flatten())
    discriminator.add(wrapped(Dense(1, **weights)))
    return generator, discriminator
