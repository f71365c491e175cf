"""Pictures to learn from. Each module has `load_data()`: (x_train, y_train), (x_test, y_test), all uint8."""

from scratchnet.datasets import fashion_mnist_small, shapes10

__all__ = ["fashion_mnist_small", "shapes10"]
