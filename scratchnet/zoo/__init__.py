"""Networks that are ready to train: those of the article, and better ones."""

from scratchnet.zoo.recognition import article_cnn, small_cnn

__all__ = ["article_cnn", "small_cnn"]
