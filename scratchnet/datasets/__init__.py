"""Pictures to learn from. Each module has `load_data()`: (x_train, y_train), (x_test, y_test), all uint8.

`image_folder` reads pictures of your own.
"""

from scratchnet.datasets import cifar10, cifar100, fashion_mnist, fashion_mnist_small, mnist, shapes10
from scratchnet.datasets.folders import image_folder
from scratchnet.datasets.ring import ring_of_gaussians

__all__ = [
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "fashion_mnist_small",
    "image_folder",
    "mnist",
    "ring_of_gaussians",
    "shapes10",
]
