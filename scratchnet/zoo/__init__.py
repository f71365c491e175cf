"""Networks that are ready to train: those of the article, those of its references, and better ones."""

from scratchnet.zoo.alexnet import alexnet
from scratchnet.zoo.generation import article_discriminator, article_generator, dcgan
from scratchnet.zoo.recognition import article_cnn, small_cnn
from scratchnet.zoo.resnet import resnet_20, resnet_56

__all__ = [
    "alexnet",
    "article_cnn",
    "article_discriminator",
    "article_generator",
    "dcgan",
    "resnet_20",
    "resnet_56",
    "small_cnn",
]
