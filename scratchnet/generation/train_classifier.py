"""How the package's feature classifiers were made: `python -m scratchnet.generation.train_classifier fashion_mnist`.

Trains on the whole data set, measures on its test set, and writes the model into NAME.safetensors in the current
folder, or into a file given by name. The files that the metrics read are in scratchnet/generation/weights/; another
one is used with `FeatureClassifier(sn.load_model(path))`. The same seed gives the same file on the same machine. The
data are found, or downloaded, by `scratchnet.datasets`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from scratchnet import datasets, random
from scratchnet.generation.features import NAMES, SIZE, hash_of, network
from scratchnet.generation.pictures import check_pictures, padded, scaled
from scratchnet.losses import SparseCategoricalCrossentropy
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.schedules import CosineDecay

EPOCHS = {"cifar10": 8, "fashion_mnist": 5}
BATCH = 128


def load(name: str, small: bool = False) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """(x_train, y_train), (x_test, y_test): pictures as uint8 (N, H, W, C), and class numbers (N,)."""
    if small and name != "fashion_mnist":
        raise ValueError(f"{name}: only Fashion-MNIST has a small part that comes with the package.")
    source = datasets.fashion_mnist_small if small else getattr(datasets, name)
    (x, y), (x_test, y_test) = source.load_data()
    return (check_pictures(x, name)[0], y.reshape(-1)), (check_pictures(x_test, name)[0], y_test.reshape(-1))


def as_input(x: np.ndarray) -> np.ndarray:
    """uint8 pictures as the classifier takes them: float32 from -1 to 1, with a black margin to 32 x 32."""
    return padded(scaled(x, (0, 255)), SIZE)


def train(name: str, epochs: int, seed: int = 0, small: bool = False, verbose: int = 2) -> tuple[Sequential, float]:
    """A trained classifier, without its optimizer, and its accuracy on the test set.

    Adam at 3e-3, falling to 0 along half a cosine; label smoothing 0.1; in each epoch every picture is mirrored left to
    right with probability 1/2.
    """
    (x, y), (x_test, y_test) = load(name, small)
    random.set_random_seed(seed)
    model, x = network(name), as_input(x)
    steps = epochs * -(-len(x) // BATCH)
    loss = SparseCategoricalCrossentropy(label_smoothing=0.1)
    model.compile(
        Adam(CosineDecay(0.0, steps, warmup_target=3e-3, warmup_steps=steps // 10)), loss, metrics=["accuracy"]
    )
    for epoch in range(epochs):
        mirrored = random.generator().random(len(x)) < 0.5
        x[mirrored] = x[mirrored, :, ::-1]
        model.fit(x, y, epochs=epoch + 1, initial_epoch=epoch, batch_size=BATCH, verbose=verbose)
    bare = network(name)
    bare.set_weights(model.get_weights())
    accuracy = (bare.predict(as_input(x_test)).argmax(axis=1) == y_test).mean()
    return bare, float(accuracy)


def main(arguments: list[str] | None = None) -> None:
    """Train, write the file, print the accuracy."""
    parser = argparse.ArgumentParser(
        prog="python -m scratchnet.generation.train_classifier", description=__doc__.splitlines()[0]
    )
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("output", nargs="?", type=Path, help="the file (NAME.safetensors in the current folder)")
    parser.add_argument("--epochs", type=int, help=f"passes over the data ({EPOCHS})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="on the part of Fashion-MNIST that needs no download")
    options = parser.parse_args(arguments)
    output = options.output or Path(f"{options.name}.safetensors")
    model, accuracy = train(options.name, options.epochs or EPOCHS[options.name], options.seed, options.small)
    model.save(output)
    print(
        f"{output}: {model.count_params():,} numbers, {output.stat().st_size:,} bytes, hash {hash_of(model)}, "
        f"test accuracy {accuracy:.4f}"
    )


if __name__ == "__main__":
    main()
