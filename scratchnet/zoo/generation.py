"""Networks that generate: the article's generator and discriminator, corrected, and the DCGAN."""

from __future__ import annotations

from typing import Any

from scratchnet.annotations import checked
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

WEIGHTS: dict[str, Any] = {"kernel_initializer": RandomNormal(stddev=0.02)}  # the start of the DCGAN paper, N(0, 0.02)


@checked
def article_generator(*, kernel_size: int = 3, activate_projection: bool = True) -> Sequential:
    """The generator of the article's listing 4.2, (N, 100) -> (N, 32, 32, 3) from -1 to 1, corrected.

    In the listing three convolutions of stride 2 shrink 4 x 4 pixels to one; here they are transposed convolutions,
    4 -> 8 -> 16 -> 32. Layers before a normalization have no bias, for it subtracts the mean. Weights begin as
    N(0, 0.02), as in the DCGAN paper. All else is as listed, kernels of 3 x 3 among it.

    Args:
        kernel_size: of the transposed convolutions, 3 as listed. 4, a multiple of their stride, covers every pixel
            equally often; `python -m scratchnet.bench` measures that. `dcgan` says what the paper's authors took.
        activate_projection: whether LeakyReLU follows the dense layer, as listed.
    """
    up: dict[str, Any] = {"kernel_size": kernel_size, "strides": 2, "padding": "same", "use_bias": False, **WEIGHTS}
    model = Sequential(name="article_generator")
    model.add(Dense(4 * 4 * 256, input_shape=(100,), use_bias=False, **WEIGHTS))
    if activate_projection:
        model.add(LeakyReLU(0.2))
    model.add(Reshape((4, 4, 256)))
    for filters in (128, 128, 64):
        model.add(Conv2DTranspose(filters, **up))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Activation("relu"))
    model.add(Conv2D(3, kernel_size=3, padding="same", **WEIGHTS))
    model.add(Activation("tanh"))
    return model


def article_discriminator() -> Sequential:
    """The discriminator of the article's listing 4.2, (N, 32, 32, 3) -> (N, 1), as listed; weights begin as N(0, 0.02).

    Its kernels are 3 x 3, as listed, at strides of 2; other than the DCGAN paper's, it has no batch normalization.
    The sigmoid at its end may stay: `sn.GAN` leaves it out and works on the scores before it.
    """
    down: dict[str, Any] = {"kernel_size": 3, "strides": 2, "padding": "same", **WEIGHTS}
    model = Sequential(name="article_discriminator")
    model.add(Conv2D(64, input_shape=(32, 32, 3), **down))
    model.add(LeakyReLU(0.2))
    for filters in (128, 256):
        model.add(Conv2D(filters, **down))
        model.add(LeakyReLU(0.2))
    model.add(Flatten())
    model.add(Dense(1, **WEIGHTS))
    model.add(Activation("sigmoid"))
    return model


def _halvings(size: int) -> tuple[int, int] | None:
    """(s, k) with size = s * 2^k, s from 4 to 7 and k at least 1; None where there are no such numbers."""
    start, halvings = size, 0
    while start > 7 and start % 2 == 0:
        start, halvings = start // 2, halvings + 1
    return (start, halvings) if 4 <= start <= 7 and halvings > 0 else None


def _check_size(size: int) -> tuple[int, int]:
    """`_halvings` of a size, or a ValueError that names the nearest sizes which have them."""
    if (found := _halvings(size)) is not None:
        return found
    below = next((s for s in range(size, 7, -1) if _halvings(s)), None)
    above = next(s for s in range(max(size, 8), 2 * size + 9) if _halvings(s))
    near = f"{above}" if below is None else f"{below} or {above}"
    raise ValueError(
        f"dcgan: expected a size of 4, 5, 6 or 7 doubled once or more (16, 28, 32, 64, ...), got {size}. "
        f"The nearest: {near}. Pad or cut the pictures."
    )


@checked
def dcgan(
    size: int = 32,
    channels: int = 3,
    latent_dim: int = 100,
    width: int = 64,
    normalization: str = "batch",
) -> tuple[Sequential, Sequential]:
    """(generator, discriminator) by the DCGAN paper's rules, for square pictures from -1 to 1.

    Both are made of 4 x 4 kernels at stride 2. G projects its noise to 4 x 4 pixels (5, 6 or 7 where `size` asks for
    it) and doubles height and width until `size`, with half as many filters each time; batch normalization and ReLU
    follow every layer but the last, which ends in tanh. D halves them the same way down to one score, with
    LeakyReLU(0.2), and batch normalization in all but the first and the last layer. Weights begin as N(0, 0.02), the
    scales of normalizations as N(1, 0.02). No bias where a normalization follows.

    Args:
        size: pixels a side; 4, 5, 6 or 7 doubled once or more: 16, 28, 32, 64, 96, 128, ...
        channels: of the pictures.
        latent_dim: how many numbers of noise G takes.
        width: filters at half the size; twice as many at each halving after that.
        normalization: of D: "batch", "spectral" (SpectralNormalization round its layers, goes with the hinge loss) or
            "none".

    Raises:
        ValueError: a size that doubling does not reach (the nearest are named), or another bad argument.

    | | the paper | its first author's code | its third author's code | here |
    |---|---|---|---|---|
    | kernels | not named in the text | 64 x 64 pixels: 5 x 5; 32 x 32: 3 x 3 | 4 x 4 | 4 x 4 |
    | strides | 2 for every doubling, no pooling | 2; at 32 x 32 2 and 1 in turn | 2 | 2 |
    | noise | uniform, 100 numbers | uniform from -1 to 1, 100; at 32 x 32 256 | normal, 100 | normal, `latent_dim` |
    | filters | | 128 and more | 128 and more | `width`, 64, and more |
    | batches | 128 | 128 | 128 | the reader's; the recipes have 64 |

    The paper and its first author's code have Adam(2e-4, beta_1=0.5), N(0, 0.02), LeakyReLU(0.2), tanh, and batch
    normalization in all layers but G's last and D's first, as here; `sn.GAN.compile` has this Adam by default.
    PyTorch's example has 4 x 4 kernels, too, with 64 filters and batches of 64.

    Source: Radford, Metz and Chintala, arXiv 1511.06434; the first author's code, https://github.com/Newmu/dcgan_code
    (faces/train_uncond_dcgan.py, imagenet/load_pretrained.py); the third's, https://github.com/soumith/dcgan.torch.
    """
    counts = {"size": size, "channels": channels, "latent_dim": latent_dim, "width": width}
    size, channels, latent_dim, width = (check_count(value, name, "dcgan") for name, value in counts.items())
    normalization = check_choice(normalization, ("batch", "spectral", "none"), "normalization")
    start, halvings = _check_size(size)
    convolution: dict[str, Any] = {"kernel_size": 4, "strides": 2, "padding": "same", **WEIGHTS}
    widths = [width * 2**i for i in range(halvings)]  # from the picture inwards

    def norm() -> BatchNormalization:
        # The moving statistics look back over about ten batches, for a generator changes too fast for the default of
        # a hundred.
        return BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=RandomNormal(1.0, 0.02))

    generator = Sequential(name="generator")
    generator.add(Dense(start * start * widths[-1], use_bias=False, input_shape=(latent_dim,), **WEIGHTS))
    generator.add(Reshape((start, start, widths[-1])))
    generator.add(norm())
    generator.add(ReLU())
    for filters in widths[-2::-1]:
        generator.add(Conv2DTranspose(filters, use_bias=False, **convolution))
        generator.add(norm())
        generator.add(ReLU())
    generator.add(Conv2DTranspose(channels, activation="tanh", **convolution))

    def wrapped(layer: Layer) -> Layer:
        return SpectralNormalization(layer) if normalization == "spectral" else layer

    discriminator = Sequential(name="discriminator")
    for i, filters in enumerate(widths):
        batch = normalization == "batch" and i > 0
        options: dict[str, Any] = {"input_shape": (size, size, channels)} if i == 0 else {}
        discriminator.add(wrapped(Conv2D(filters, use_bias=not batch, **convolution, **options)))
        if batch:
            discriminator.add(norm())
        discriminator.add(LeakyReLU(0.2))
    discriminator.add(Flatten())
    discriminator.add(wrapped(Dense(1, **WEIGHTS)))
    return generator, discriminator
