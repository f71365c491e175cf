"""Keras's place for what is done to pictures before training: `from scratchnet.preprocessing.image import ...`."""

from scratchnet.preprocessing import image

__all__ = ["image"]
