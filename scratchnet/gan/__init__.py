"""Generative adversarial networks: two networks that learn against each other.

From the outside in:

    model       GAN: generator and discriminator as one model; save, load, generate
    compiled    compile: how both are to learn
    training    fit: the loop of steps
    pair        what that loop needs for two networks: both optimizers, means of the epoch, the guard against NaN
    steps       one step of the discriminator, one step of the generator
    losses      what each of the two is to make small, and its gradient
    tricks      what the discriminator is shown in place of the pictures: noise, translation
    data        real pictures, checked and brought to the generator's range

    monitor     GANMonitor: after each epoch measures, and prints what is wrong
    diagnosis   diagnose: what the curves say, and what usually helps
    measures    the numbers behind it: diversity, separation, length of the gradients

    fixed_noise FixedNoise: pictures of the same noise after each epoch, as figure and animation
    latent      pictures between two latents: spherical interpolation, rows of pictures
    pictures    pictures as bytes, and many on one sheet

    ring        a GAN in the plane that learns in seconds: python -m scratchnet.gan.ring
"""

from scratchnet.gan import losses
from scratchnet.gan.diagnosis import Diagnosis, Finding, diagnose
from scratchnet.gan.fixed_noise import FixedNoise
from scratchnet.gan.latent import interpolate, interpolation, spherical
from scratchnet.gan.losses import AdversarialLoss, Hinge, LeastSquares, Minimax, NonSaturating
from scratchnet.gan.measures import diversity, relative_diversity, separation
from scratchnet.gan.model import GAN
from scratchnet.gan.monitor import GANMonitor
from scratchnet.gan.pictures import sheet
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
    "losses",
    "relative_diversity",
    "separation",
    "sheet",
    "spherical",
]
