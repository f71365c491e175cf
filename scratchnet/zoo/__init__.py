"""Networks that are ready to train: those of the article, and better ones."""

from scratchnet.zoo.generation import article_discriminator, article_generator, dcgan
from scratchnet.zoo.recognition import article_cnn, small_cnn

__all__ = ["article_cnn", "article_discriminator", "article_generator", "dcgan", "small_cnn"]
