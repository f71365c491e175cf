"""Keras's place for what surrounds training: pictures from files and folders, one-hot labels, downloads, plot_model."""

from scratchnet.random import set_random_seed
from scratchnet.training.streams import PyDataset
from scratchnet.utils.drawing import plot_model
from scratchnet.utils.from_directory import image_dataset_from_directory
from scratchnet.utils.image_dataset import ImageDataset
from scratchnet.utils.labels import normalize, to_categorical
from scratchnet.utils.pictures import array_to_img, img_to_array, load_img, save_img
from scratchnet.utils.remote import get_file
from scratchnet.utils.splitting import split_dataset

Sequence = PyDataset  # its older name

__all__ = [
    "ImageDataset",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "get_file",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "plot_model",
    "save_img",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
]
