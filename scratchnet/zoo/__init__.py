"""Networks that are ready to train: those of the article, those of its references, and better ones."""

from scratchnet.zoo.airbench import airbench, whitening_filters
from scratchnet.zoo.alexnet import alexnet
from scratchnet.zoo.densenet import densenet_40, densenet_121
from scratchnet.zoo.efficientnet import compound_scaling, efficientnet_b0, efficientnet_small
from scratchnet.zoo.generation import article_discriminator, article_generator, dcgan
from scratchnet.zoo.inception import inception_small, inception_v3
from scratchnet.zoo.recognition import article_cnn, small_cnn
from scratchnet.zoo.resnet import resnet_20, resnet_50, resnet_56
from scratchnet.zoo.se_resnet import se_resnet_20, se_resnet_50

__all__ = [
    "airbench",
    "alexnet",
    "article_cnn",
    "article_discriminator",
    "article_generator",
    "compound_scaling",
    "dcgan",
    "densenet_40",
    "densenet_121",
    "efficientnet_b0",
    "efficientnet_small",
    "inception_small",
    "inception_v3",
    "resnet_20",
    "resnet_50",
    "resnet_56",
    "se_resnet_20",
    "se_resnet_50",
    "small_cnn",
    "whitening_filters",
]
