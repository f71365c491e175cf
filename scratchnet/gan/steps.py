"""The two steps of adversarial training; `GAN.train_on_batch` does both.

    fake = generator.forward(noise, training=True)
    discriminator_step(discriminator, loss, its_optimizer, real, fake)     D learns to tell them apart
    generator_step(generator, discriminator, loss, its_optimizer, fake)    G learns what D now takes for real

No network is frozen by a flag such as Keras's `trainable`. Each step updates the network whose optimizer it calls; in
the generator's step the gradient flows through the discriminator with param_grads=False, which leaves the
discriminator's gradients as they are.

Penalties (`scratchnet.regularizers`) are part of the losses: in D's step those of D's weights and outputs; in G's those
of G's weights and outputs, and of D's outputs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from scratchnet import replay
from scratchnet.annotations import checked
from scratchnet.gan.losses import AdversarialLoss
from scratchnet.gan.tricks import Tricks
from scratchnet.layers import Layer
from scratchnet.layers.penalties import activity_penalties, penalized
from scratchnet.optimizers import Optimizer

PLAIN = Tricks()  # none: D sees the pictures as they are


class DiscriminatorScores(NamedTuple):
    """The result of D's step: its loss, and its scores (before any sigmoid) of the real and the generated pictures."""

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
            f"{discriminator.full_name}: expected a discriminator that ends in scores or in a sigmoid, got one that "
            f"ends in {last}. Leave that out."
        )
    if last != discriminator.output_activation:
        raise ValueError(
            f"{discriminator.full_name}: expected a discriminator that ends in scores or in a sigmoid, got a sigmoid "
            f"with {discriminator.layers[-1].full_name} behind it, where it cannot be left out. Put it last, or take "
            "it away."
        )
    return last == "sigmoid"


@checked
def discriminator_step(
    discriminator: Layer,
    loss: AdversarialLoss,
    optimizer: Optimizer,
    real: np.ndarray,
    fake: np.ndarray,
    tricks: Tricks = PLAIN,
) -> DiscriminatorScores:
    """D learns from a batch of real and a batch of generated pictures; G stays as it is.

    D runs forward and backward on the real pictures, then on the generated ones, and the gradients of both add up. Two
    batches and not one, so that BatchNormalization in D takes the statistics of each by itself. A loss that is not
    finite moves no weight.
    """
    logits = ends_in_sigmoid(discriminator)
    discriminator.zero_grads()
    with activity_penalties() as penalties:
        z_real = discriminator.forward(tricks.forward(real), training=True, logits=logits)
    with np.errstate(under="ignore"):
        on_real, dz = loss.real(z_real)
    discriminator.backward(dz, input_grad=False, logits=logits)
    with activity_penalties() as more:
        z_fake = discriminator.forward(tricks.forward(fake), training=True, logits=logits)
    with np.errstate(under="ignore"):
        on_fake, dz = loss.fake(z_fake)
    discriminator.backward(dz, input_grad=False, logits=logits)
    discriminator.add_penalty_gradients()
    value = penalized(on_real + on_fake, discriminator, penalties + more)
    if replay.finite(value):
        optimizer.update_model(discriminator)
    return DiscriminatorScores(value, z_real, z_fake)


@checked
def generator_step(
    generator: Layer,
    discriminator: Layer,
    loss: AdversarialLoss,
    optimizer: Optimizer,
    fake: np.ndarray,
    tricks: Tricks = PLAIN,
) -> float:
    """G learns from D's scores of its pictures; D's weights and gradients stay as they are.

    A loss that is not finite moves no weight.

    Args:
        fake: what the generator's last forward, with training=True, returned; its backward belongs to that forward.

    Returns:
        G's loss.
    """
    logits = ends_in_sigmoid(discriminator)
    with activity_penalties() as penalties:
        z = discriminator.forward(tricks.forward(fake), training=True, logits=logits)
    with np.errstate(under="ignore"):
        value, dz = loss.generator(z)
    d_fake = discriminator.backward(dz, param_grads=False, logits=logits)
    assert d_fake is not None  # input_grad is on
    d_fake = tricks.backward(d_fake)
    generator.zero_grads()
    generator.backward(d_fake, input_grad=False)
    generator.add_penalty_gradients()
    value = penalized(value, generator, penalties + generator.last_activity_penalties())
    if replay.finite(value):
        optimizer.update_model(generator)
    return value
