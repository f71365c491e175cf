"""The two moves of the adversarial game, one after the other; see `GAN.train_on_batch` for both in a row.

    fake = generator.forward(noise, training=True)
    discriminator_step(discriminator, loss, its_optimizer, real, fake)     D learns to tell them apart
    generator_step(generator, discriminator, loss, its_optimizer, fake)    G learns what D now takes for real

Neither network is ever switched off. Whose weights move is said by whose gradients are taken and whose optimizer is
called: in the generator's step the gradient flows through the discriminator with param_grads=False.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from scratchnet.gan.losses import AdversarialLoss
from scratchnet.gan.tricks import Tricks
from scratchnet.optimizers import Optimizer

PLAIN = Tricks()  # D sees the pictures as they are


class Judgement(NamedTuple):
    """What D made of two batches: its loss, and its scores of the real and of the generated pictures."""

    loss: float
    real: np.ndarray
    fake: np.ndarray


def ends_in_sigmoid(discriminator: Any) -> bool:
    """Whether D has a sigmoid at its end; the losses take scores, and so leave it out.

    Raises:
        ValueError: D ends in another activation, or has a layer behind its sigmoid.
    """
    last = discriminator.last_activation
    if last not in (None, "sigmoid"):
        raise ValueError(
            f"{discriminator.full_name}: expected a discriminator that ends in scores or in a sigmoid, got one "
            "that ends in "
            f"{last}. Leave that out."
        )
    if last != discriminator.output_activation:
        raise ValueError(
            f"{discriminator.full_name}: expected a discriminator that ends in scores or in a sigmoid, got a "
            "sigmoid with "
            f"{discriminator.layers[-1].full_name} behind it, where it cannot be left out. Put it last, or take "
            "it away."
        )
    return last == "sigmoid"


def discriminator_step(
    discriminator: Any,
    loss: AdversarialLoss,
    optimizer: Optimizer,
    real: np.ndarray,
    fake: np.ndarray,
    tricks: Tricks = PLAIN,
) -> Judgement:
    """D learns from a batch of real and a batch of generated pictures. G is not touched: its pictures are just data.

    Two forwards, so that a BatchNormalization in D sees each kind by itself; the backward of each comes right after
    its forward, and their gradients add up. A loss that is not finite moves no weight.
    """
    logits = ends_in_sigmoid(discriminator)
    discriminator.zero_grads()
    z_real = discriminator.forward(tricks.forward(real), training=True, logits=logits)
    on_real, dz = loss.real(z_real)
    discriminator.backward(dz, input_grad=False, logits=logits)
    z_fake = discriminator.forward(tricks.forward(fake), training=True, logits=logits)
    on_fake, dz = loss.fake(z_fake)
    discriminator.backward(dz, input_grad=False, logits=logits)
    if math.isfinite(on_real + on_fake):
        optimizer.update(discriminator.params, discriminator.grads)
    return Judgement(on_real + on_fake, z_real, z_fake)


def generator_step(
    generator: Any,
    discriminator: Any,
    loss: AdversarialLoss,
    optimizer: Optimizer,
    fake: np.ndarray,
    tricks: Tricks = PLAIN,
) -> float:
    """G learns from what D says of its pictures; D's weights and gradients stay as they are. Returns G's loss.

    Args:
        fake: what the generator's last forward, with training=True, returned; its backward goes through that forward.

    A loss that is not finite moves no weight.
    """
    logits = ends_in_sigmoid(discriminator)
    z = discriminator.forward(tricks.forward(fake), training=True, logits=logits)
    value, dz = loss.generator(z)
    d_fake = tricks.backward(discriminator.backward(dz, param_grads=False, logits=logits))
    generator.zero_grads()
    generator.backward(d_fake, input_grad=False)
    if math.isfinite(value):
        optimizer.update(generator.params, generator.grads)
    return value
