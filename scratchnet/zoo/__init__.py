"""Networks that are ready to train: those of the article, those of its references, and better ones."""

from scratchnet.zoo.densenet import densenet_40, densenet_121
from scratchnet.zoo.generation import article_discriminator, article_generator, dcgan
from scratchnet.zoo.recognition import article_cnn, small_cnn
from scratchnet.zoo.resnet import resnet_20, resnet_50, resnet_56
from scratchnet.zoo.se_resnet import se_resnet_20, se_resnet_50

__all__ = [
    "article_cnn",
    "article_discriminator",
    "article_generator",
    "dcgan",
    "densenet_40",
    "densenet_121",
    "resnet_20",
    "resnet_50",
    "resnet_56",
    "se_resnet_20",
    "se_resnet_50",
    "small_cnn",
]
