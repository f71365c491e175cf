"""Generative adversarial networks: two networks that learn against each other.

`losses` say what each side wants, `steps` are its moves, `training` is the loop of moves, `model` the GAN itself, and
`tricks` are what D is shown in place of the pictures. `doctor` says what is wrong, `monitor` says it while the GAN
learns, `measures` are what they look at, and `pictures` shows what comes out.
"""

from scratchnet.gan import losses
from scratchnet.gan.doctor import Diagnosis, Finding, diagnose
from scratchnet.gan.losses import AdversarialLoss, Hinge, LeastSquares, Minimax, NonSaturating
from scratchnet.gan.measures import diversity, relative_diversity, separation
from scratchnet.gan.model import GAN
from scratchnet.gan.monitor import GANMonitor
from scratchnet.gan.pictures import FixedNoise, interpolate, interpolation, latent_walk, sheet, spherical
from scratchnet.gan.steps import discriminator_step, generator_step
from scratchnet.gan.tricks import InstanceNoise, Translation, Tricks

__all__ = [
    "GAN",
    "AdversarialLoss",
    "Diagnosis",
    "Finding",
    "FixedNoise",
    "GANMonitor",
    "Hinge",
    "InstanceNoise",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Translation",
    "Tricks",
    "diagnose",
    "discriminator_step",
    "diversity",
    "generator_step",
    "interpolate",
    "interpolation",
    "latent_walk",
    "losses",
    "relative_diversity",
    "separation",
    "sheet",
    "spherical",
]
