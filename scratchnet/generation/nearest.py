"""Is it a copy? The training pictures that are nearest to generated ones."""

from __future__ import annotations

import numpy as np

from scratchnet.annotations import checked
from scratchnet.generation.distances import nearest_points
from scratchnet.generation.features import FeatureClassifier, classifier
from scratchnet.generation.pictures import Range, check_pictures, scaled


@checked
def nearest_training_pictures(
    fake: np.ndarray,
    train: np.ndarray,
    space: str | FeatureClassifier = "pixels",
    value_range: Range | None = None,
    fake_range: Range | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(index, distance), both (N,): for each generated picture the nearest training picture, and how far it is.

    The Euclidean distance of the pixels, scaled to -1 to 1, or of a classifier's features. In pixels a copy has the
    distance 0, but a copy that is shifted by a pixel is not found; in features it is. To know which distances are
    usual, take real pictures that were not trained on in place of the generated ones.

    Args:
        fake: generated pictures, (N, H, W, C) or (N, H, W).
        train: the pictures that were trained on, (M, H, W, C) or (M, H, W).
        space: "pixels"; or whose features: "fashion_mnist", "cifar10", or a FeatureClassifier of your own.
        value_range: (black, white) of the training pictures, and of the generated ones where they have no range of
            their own; None for 0 to 255 in whole numbers and -1 to 1 in floats.
        fake_range: (black, white) of the generated ones, such as gan.picture_range; None for value_range.

    Raises:
        ValueError: pictures that cannot be measured (`check_pictures` says why); in pixels, of different shapes.
    """
    fake_range = value_range if fake_range is None else fake_range
    if space != "pixels":
        features = classifier(space).features
        return nearest_points(features(fake, fake_range, "fake"), features(train, value_range, "train"))
    fake, fake_range = check_pictures(fake, "fake", fake_range)
    train, train_range = check_pictures(train, "train", value_range)
    if fake.shape[1:] != train.shape[1:]:
        raise ValueError(
            f"nearest_training_pictures: expected pictures of one shape, got {fake.shape[1:]} and {train.shape[1:]}. "
            "Give both the same size, or compare in features."
        )
    return nearest_points(scaled(fake, fake_range), scaled(train, train_range))
