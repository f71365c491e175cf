"""The metrics while a GAN learns: after each epoch, in the logs, where history and checkpoints find them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scratchnet import random
from scratchnet.arguments import check_choice, check_count
from scratchnet.callbacks import Callback
from scratchnet.generation import features
from scratchnet.generation.features import FeatureClassifier
from scratchnet.generation.metrics import class_histogram, entropy, frechet_distance, kernel_distance, precision_recall
from scratchnet.generation.pictures import Range, check_pictures, check_real

NAMES = ("class_entropy", "fcd", "kid", "precision", "recall")


class GenerationMetrics(Callback):
    """After each epoch measures the pictures that the model generates, and puts the values into the logs.

    ModelCheckpoint("best.safetensors", monitor="fcd", save_best_only=True) then keeps the best generator. The pictures
    are model.generate(n, seed), of the same seed after each epoch, so that the values differ by what was learnt and by
    nothing else. The state of the package's random generator is left as it was: training gives the same bits with this
    callback and without.

    Args:
        real: pictures, (N, H, W, C) or (N, H, W); their features are computed once.
        classifier: whose features: "fashion_mnist", "cifar10", or a FeatureClassifier of your own.
        n: how many pictures are generated, and with how many real ones they are compared; more than the features.
        metrics: of "fcd", "kid", "precision", "recall", "class_entropy".
        value_range: (black, white) of the real ones; None for 0 to 255 in whole numbers and -1 to 1 in floats.
            That of the generated ones is model.picture_range, as sn.GAN has it, or else -1 to 1.
        seed: of the generated pictures and of the choice of real ones.

    Attributes:
        floor: the metrics of n other real pictures, the best that can be reached; None where there are fewer than 2 n.

    Raises:
        ValueError: too few real pictures or too small an n, or pictures that cannot be measured.
        TypeError: on training, a model that has no generate(n, seed).
    """

    runs_first = True  # the others find the values in the logs

    def __init__(
        self,
        real: np.ndarray,
        classifier: str | FeatureClassifier = "fashion_mnist",
        n: int = 2000,
        metrics: Sequence[str] = ("fcd",),
        value_range: Range | None = None,
        seed: int = 0,
    ):
        self.classifier = features.classifier(classifier)
        real, value_range = check_pictures(real, "real", value_range)
        check_real(real, value_range, "real")
        names = [metrics] if isinstance(metrics, str) else metrics
        self.metrics = [check_choice(name, NAMES, "metric of generated pictures") for name in names]
        self.n, self.seed = (
            check_count(n, "n", "GenerationMetrics"),
            check_count(seed, "seed", "GenerationMetrics", 0, None),
        )
        if not self.classifier.dimension < n <= len(real):
            raise ValueError(
                f"GenerationMetrics: expected n above {self.classifier.dimension}, the number of features, and at most "
                f"{len(real)}, the number of real pictures, got {n}."
            )
        order = np.random.default_rng([seed, len("GenerationMetrics")]).permutation(len(real))
        self.real = self.classifier.features(real[order[:n]], value_range, "real")
        self.floor: dict[str, float] | None = None
        if len(real) >= 2 * n:
            self.floor = self._measure(self.classifier.features(real[order[n : 2 * n]], value_range, "real"))

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Check that the model can generate."""
        if not callable(getattr(self.model, "generate", None)):
            raise TypeError(
                f"GenerationMetrics: {type(self.model).__name__} has no generate(n, seed), so that there is nothing to "
                "measure. This callback is for models that generate pictures, such as sn.GAN."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Generate, measure, and add the values to the logs."""
        values = self.measure()
        if logs is not None:
            logs.update(values)

    def measure(self) -> dict[str, float]:
        """The metrics of the model as it is now."""
        with random.untouched():
            pictures = self.model.generate(self.n, self.seed)
        value_range = getattr(self.model, "picture_range", None)
        return self._measure(self.classifier.features(pictures, value_range, "generated"))

    def _measure(self, fake: np.ndarray) -> dict[str, float]:
        values: dict[str, float] = {}
        if {"precision", "recall"} & set(self.metrics):
            values |= precision_recall(self.real, fake)._asdict()
        if "fcd" in self.metrics:
            values["fcd"] = frechet_distance(self.real, fake)
        if "kid" in self.metrics:
            values["kid"] = kernel_distance(self.real, fake, seed=self.seed).mean
        if "class_entropy" in self.metrics:
            values["class_entropy"] = entropy(class_histogram(self.classifier.predict(fake), self.classifier.classes))
        return {name: values[name] for name in self.metrics}
