"""How good are generated pictures? Distances to real ones, each with the floor that real against real gives.

    sn.generation.report(real, fake, classifier="fashion_mnist")        all of it, as a table
    sn.generation.GenerationMetrics(real, "fashion_mnist")              a callback: the FCD after each epoch

Pictures are (N, H, W, C); floats from -1 to 1, as a generator makes them, or whole numbers from 0 to 255. For other
ranges say value_range=(black, white).
"""

from scratchnet.generation.callback import GenerationMetrics
from scratchnet.generation.features import FeatureClassifier, classifier
from scratchnet.generation.metrics import (
    KernelDistance,
    PrecisionRecall,
    class_histogram,
    entropy,
    frechet_distance,
    kernel_distance,
    precision_recall,
)
from scratchnet.generation.nearest import nearest_training_pictures
from scratchnet.generation.report import Report, Scores, report

__all__ = [
    "FeatureClassifier",
    "GenerationMetrics",
    "KernelDistance",
    "PrecisionRecall",
    "Report",
    "Scores",
    "class_histogram",
    "classifier",
    "entropy",
    "frechet_distance",
    "kernel_distance",
    "nearest_training_pictures",
    "precision_recall",
    "report",
]
