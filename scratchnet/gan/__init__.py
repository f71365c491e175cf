"""Generative adversarial networks: two networks that learn against each other.

`losses` say what each side wants, `steps` are its moves, `training` is the loop of moves, `model` the GAN itself, and
`tricks` are what D is shown in place of the pictures.
"""

from scratchnet.gan import losses
from scratchnet.gan.losses import AdversarialLoss, Hinge, LeastSquares, Minimax, NonSaturating
from scratchnet.gan.model import GAN
from scratchnet.gan.steps import discriminator_step, generator_step
from scratchnet.gan.tricks import InstanceNoise, Translation, Tricks

__all__ = [
    "GAN",
    "AdversarialLoss",
    "Hinge",
    "InstanceNoise",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Translation",
    "Tricks",
    "discriminator_step",
    "generator_step",
    "losses",
]
