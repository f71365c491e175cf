"""Keras's place for what is done to pictures before training: `from scratchnet.preprocessing.image import ...`."""

from scratchnet.preprocessing import image
from scratchnet.utils import image_dataset_from_directory

__all__ = ["image", "image_dataset_from_directory"]
