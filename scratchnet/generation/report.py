"""All metrics of generated pictures in one table, beside those of real pictures and of noise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.generation import distances, features
from scratchnet.generation.features import FeatureClassifier
from scratchnet.generation.metrics import class_histogram, entropy, frechet_distance, kernel_distance, precision_recall
from scratchnet.generation.pictures import Range, check_pictures, check_real, padded, scaled


@dataclass(frozen=True)
class Scores:
    """How one set of pictures compares with the real ones.

    Attributes:
        fcd: Frechet distance in the classifier's features; smaller is better.
        kid, kid_std: kernel distance, and its standard deviation between subsets; smaller is better.
        precision: the share that looks real; larger is better.
        recall: the share of the real that could be generated; larger is better.
        class_entropy: of the predicted classes, in nats; ln 10 = 2.30 where ten are equally frequent.
        nearest: the median distance in pixels, from -1 to 1, to the nearest real one. A value far
            below the floor's means copies, or blurred pictures.
        class_counts: how many pictures are predicted to be of each class.
    """

    fcd: float
    kid: float
    kid_std: float
    precision: float
    recall: float
    class_entropy: float
    nearest: float
    class_counts: tuple[int, ...]


@dataclass(frozen=True)
class Report:
    """What `report` found; as text, a table.

    Attributes:
        generated: the scores of the generated pictures.
        floor: those of as many other real pictures, the best that can be reached.
        noise: those of as many pictures of uniform noise, about the worst.
        samples: pictures in each of the sets that were compared.
        real_count, fake_count: pictures that were given.
        classifier, hash: whose features they are, and the first digits of the SHA-256 of its weights.
        k: neighbours in precision and recall.
        seed: of the draws.
    """

    generated: Scores
    floor: Scores
    noise: Scores
    samples: int
    real_count: int
    fake_count: int
    classifier: str
    hash: str
    k: int
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """All attributes as dicts, numbers and text, as JSON can hold them."""
        return asdict(self)

    def __repr__(self) -> str:
        lines = [f"{'':24}{'FCD':>9}{'KID x 1000':>18}{'precision':>11}{'recall':>8}{'entropy':>9}{'nearest':>9}"]
        for name, s in (
            ("generated", self.generated),
            ("floor: real, others", self.floor),
            ("noise", self.noise),
        ):
            kid = f"{1000 * s.kid:.2f} +- {1000 * s.kid_std:.2f}"
            lines.append(
                f"{name:24}{s.fcd:9.3f}{kid:>18}{s.precision:11.3f}{s.recall:8.3f}{s.class_entropy:9.3f}{s.nearest:9.2f}"
            )
        counts = " ".join(str(count) for count in self.generated.class_counts)
        lines.append(f"classes seen in the generated ones: {counts}")
        lines.append(
            f"{self.samples} samples a set, of {self.real_count} real and {self.fake_count} generated; k = {self.k}; "
            f"features of the classifier {self.classifier}, hash {self.hash}"
        )
        return "\n".join(lines)


@checked
def report(
    real: np.ndarray,
    fake: np.ndarray,
    classifier: str | FeatureClassifier = "fashion_mnist",
    samples: int | None = None,
    value_range: Range | None = None,
    k: int = 3,
    seed: int = 0,
    fake_range: Range | None = None,
) -> Report:
    """Generated pictures, other real pictures and noise, each compared with the same real pictures.

    The real ones are shuffled and parted in two: the first half is what all others are compared with, the second gives
    the floor. All sets have the same number of samples, since the metrics depend on it.

    Args:
        real: pictures, (N, H, W, C) or (N, H, W).
        fake: generated pictures, of the same size.
        classifier: whose features: "fashion_mnist", "cifar10", or a FeatureClassifier of your own.
        samples: in each set; by default half of the real ones, or all of the generated where they are fewer.
        value_range: (black, white) of the real ones, and of the generated ones where they have no range of their own;
            None for 0 to 255 in whole numbers and -1 to 1 in floats.
        k: neighbours in precision and recall.
        seed: of the shuffling, of the noise and of KID's subsets.
        fake_range: (black, white) of the generated ones, such as gan.picture_range; None for value_range.

    Raises:
        ValueError: pictures that cannot be measured (`check_pictures` says why), of different sizes, or too few.

    Warns:
        UserWarning: no more samples than features.
    """
    judge = features.classifier(classifier)
    real, real_range = check_pictures(real, "real", value_range)
    fake, fake_range = check_pictures(fake, "fake", value_range if fake_range is None else fake_range)
    check_real(real, real_range, "real")
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            f"report: expected pictures of one size, got {real.shape[1:]} for real and {fake.shape[1:]} for generated "
            "ones. Cut or pad one of them."
        )
    m = min(len(real) // 2, len(fake)) if samples is None else check_count(samples, "samples", "report")
    if not max(4, k + 1) <= m <= min(len(real) // 2, len(fake)):
        raise ValueError(
            f"report: expected samples from {max(4, k + 1)} to {min(len(real) // 2, len(fake))} (half of {len(real)} "
            f"real pictures, all of {len(fake)} generated), got {m}."
        )
    rng = np.random.default_rng([seed, len("report")])
    order, chosen = rng.permutation(len(real))[: 2 * m], np.sort(rng.permutation(len(fake))[:m])
    size = judge.picture_shape[0]
    sets = {
        "reference": scaled(real[order[:m]], real_range),
        "floor": scaled(real[order[m:]], real_range),
        "generated": scaled(fake[chosen], fake_range),
    }
    sets["noise"] = rng.uniform(-1, 1, (m, *real.shape[1:])).astype(np.float32)
    found = {name: judge.features(x, name=name) for name, x in sets.items()}
    reference = padded(sets.pop("reference"), size)
    scores = {
        name: _scores(judge, found["reference"], found[name], reference, padded(x, size), k, seed)
        for name, x in sets.items()
    }
    return Report(**scores, samples=m, real_count=len(real), fake_count=len(fake), classifier=judge.name,
                  hash=judge.hash, k=k, seed=seed)  # fmt: skip


def _scores(
    judge: FeatureClassifier,
    real: np.ndarray,
    fake: np.ndarray,
    real_pictures: np.ndarray,
    fake_pictures: np.ndarray,
    k: int,
    seed: int,
) -> Scores:
    kid, pr = kernel_distance(real, fake, seed=seed), precision_recall(real, fake, k)
    counts = class_histogram(judge.predict(fake), judge.classes)
    _, nearest = distances.nearest_points(fake_pictures, real_pictures)
    return Scores(
        fcd=frechet_distance(real, fake),
        kid=kid.mean,
        kid_std=kid.std,
        precision=pr.precision,
        recall=pr.recall,
        class_entropy=entropy(counts),
        nearest=float(np.median(nearest)),
        class_counts=tuple(int(count) for count in counts),
    )
