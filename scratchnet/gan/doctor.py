"""What is wrong with this GAN? The signs that its curves and pictures give, in words, and what usually helps.

    gan.fit(x, epochs=20, callbacks=sn.gan.GANMonitor())
    print(sn.gan.diagnose(gan.history, gan))

The losses of a GAN do not fall as those of a classifier do: each side's loss measures it against the other one. What
can be read are D's probabilities, whether gradients arrive, and how much the pictures differ from each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scratchnet.gan.data import scaling
from scratchnet.gan.measures import relative_diversity, separation
from scratchnet.gan.model import GAN

SURE = 0.9  # of the way from 1/2 to the probability that D's loss asks for: from there D makes no more mistakes
COLLAPSED = 0.3  # of the real pictures' diversity
SWING = 0.2  # of D's probability from epoch to epoch
GAP = 0.05  # between D's probabilities for real and generated pictures: below, it knows nothing
APART = 0.1  # separation from which anyone can tell generated from real
FADED = 0.01  # of G's longest gradient
NO_GRADIENT = 1e-3  # the length that is none at all; in runs that learn it is from 0.1 to over 100
RISE = 1.3  # of the smallest distance to real pictures
RISE_OF_FALL = 0.02  # of how far it had fallen: a kernel distance near 0 may double by chance
STEADY = 5  # epochs before a rising distance means something
LATEST = 0.34  # the share of the epochs, the last ones, that says how things are


class Finding(NamedTuple):
    """One thing that the doctor sees: its name, the numbers that show it, and what usually helps."""

    name: str
    fact: str
    advice: str


class Diagnosis(list[Finding]):
    """All findings; as text, one paragraph each."""

    def __repr__(self) -> str:
        if not self:
            return "Nothing unusual. Whether the pictures are good is for your eyes and for a metric to say."
        return "\n".join(f"{finding.name}: {finding.fact}\n    {finding.advice}" for finding in self)

    @property
    def names(self) -> list[str]:
        """What was found, by name."""
        return [finding.name for finding in self]


def diagnose(history: Any, gan: Any = None) -> Diagnosis:
    """What the curves of a run, and the GAN as it is now, show.

    Args:
        history: what `fit` returned, or a dict of lists: d_loss, g_loss, d_real, d_fake, and what GANMonitor and
            GenerationMetrics add. Or the GAN after `fit`, whose history is then taken.
        gan: the GAN after `fit`; with it the range of the pictures and their diversity are looked at too.

    Returns:
        The findings, as a list that prints as text. Their names: "the losses are not finite", "the range of the real
        pictures is wrong", "D has won", "G gets no gradient", "G has collapsed", "D learns nothing", "they oscillate",
        "the distance to real pictures rises".

    Raises:
        ValueError: the history has no epoch, or is not that of a GAN.
        TypeError: something that is no history.
    """
    if isinstance(history, GAN):
        history, gan = history.history, history
    if not isinstance(getattr(history, "history", history), Mapping):
        raise TypeError(
            f"diagnose: expected a history, a dict of its lists, or a GAN after fit, got {history!r}. gan.fit(...) "
            "returns the history, and gan.history keeps it."
        )
    curves = {name: np.asarray(values, np.float64) for name, values in getattr(history, "history", history).items()}
    missing = {"d_loss", "g_loss", "d_real", "d_fake"} - curves.keys()
    if missing or len(curves["d_loss"]) == 0:
        raise ValueError(f"diagnose: expected the history of a GAN with at least one epoch, {missing or 'it'} is not.")
    latest = max(1, round(LATEST * len(curves["d_loss"])))
    now = {name: float(values[-latest:].mean()) for name, values in curves.items()}
    if gan is not None and gan.real_sample is not None:
        now["diversity"], now["separation"] = relative_diversity(gan), separation(gan)
    loss = getattr(getattr(history, "model", None) if gan is None else gan, "loss", None)
    looks = (
        _not_finite(curves),
        _wrong_range(gan),
        _won(now, (1.0, 0.0) if loss is None else loss.targets),
        _no_gradient(curves, now),
        _collapsed(now),
        _blind(curves, now),
        _swings(curves),
        _rises(curves, latest),
    )
    return Diagnosis(finding for finding in looks if finding is not None)


def _not_finite(curves: Mapping[str, np.ndarray]) -> Finding | None:
    bad = [name for name in ("d_loss", "g_loss") if not np.isfinite(curves[name][-1])]
    if not bad:
        return None
    return Finding(
        "the losses are not finite",
        f"{' and '.join(bad)} of the last epoch.",
        "G has not learnt where only g_loss is: more batches an epoch than d_steps. Else smaller learning rates.",
    )


def _wrong_range(gan: Any) -> Finding | None:
    if gan is None or gan.real_sample is None or (limits := gan.picture_range) is None:
        return None
    low, high = float(gan.real_sample.min()), float(gan.real_sample.max())
    least, most = limits
    # A twentieth outside cannot be reached; a third of the range that is never used gives G away.
    third, slack = (most - least) / 3, (most - least) / 20
    if least - slack <= low <= least + third and most - third <= high <= most + slack:
        return None
    return Finding(
        "the range of the real pictures is wrong",
        f"they go from {low:.3g} to {high:.3g}, and the generator's {gan.generator.last_activation} from {least:g} to "
        f"{most:g}.",
        f"D tells them apart by that alone. Hand the pictures over as uint8, or as {scaling(limits)}.",
    )


def _won(now: Mapping[str, float], targets: tuple[float, float]) -> Finding | None:
    real, fake = targets
    if not (now["d_real"] > 0.5 + SURE * (real - 0.5) and now["d_fake"] < 0.5 + SURE * (fake - 0.5)):
        return None
    return Finding(
        "D has won",
        f"it is sure of nearly every picture: {now['d_real']:.3f} for real ones and {now['d_fake']:.3f} for "
        f"generated ones, where its loss asks for {real:.2f} and {fake:.2f}; g_loss is {now['g_loss']:.3g}.",
        "What G gets from it says little. Non-saturating loss; a smaller learning rate for D; real_label=0.9; "
        "instance_noise=0.1; translation; SpectralNormalization in D; a wider G.",
    )


def _no_gradient(curves: Mapping[str, np.ndarray], now: Mapping[str, float]) -> Finding | None:
    if "g_gradient" not in curves:
        return None
    longest = float(curves["g_gradient"].max())
    if not now["g_gradient"] < max(NO_GRADIENT, FADED * longest):
        return None
    return Finding(
        "G gets no gradient",
        f"its length is {now['g_gradient']:.2g}, in the epoch of the longest it was {longest:.2g}.",
        "Nothing tells G what to change. Non-saturating loss in place of minimax; a smaller learning rate for D, "
        "real_label=0.9 or instance_noise=0.1, so that D is less sure; LeakyReLU in D in place of ReLU.",
    )


def _collapsed(now: Mapping[str, float]) -> Finding | None:
    if not now.get("diversity", 1.0) < COLLAPSED:
        return None
    return Finding(
        "G has collapsed",
        f"its pictures differ from each other by {now['diversity']:.2f} of what real ones do.",
        "It makes a few pictures that please D. BatchNormalization in G; SpectralNormalization in D with the hinge "
        "loss; a smaller learning rate for G or a faster D; beta_1=0.5; more latent_dim. Start anew: it rarely comes "
        "back.",
    )


def _blind(curves: Mapping[str, np.ndarray], now: Mapping[str, float]) -> Finding | None:
    gap = np.abs(curves["d_real"] - curves["d_fake"])
    # Where G is good the gap is small as well: but then there is nothing to see, or there was something before.
    if len(gap) < 2 or not gap.max() < GAP or not now.get("separation", 1.0) > APART:
        return None
    return Finding(
        "D learns nothing",
        f"in no epoch did its probabilities for real and generated pictures differ by more than {gap.max():.3f}.",
        "G learns nothing from it. A larger learning rate for D; a wider D; less instance noise and translation; look "
        "whether its gradients are 0 (d_gradient of GANMonitor), and whether real pictures are what you think.",
    )


def _swings(curves: Mapping[str, np.ndarray]) -> Finding | None:
    d_fake = curves["d_fake"][-max(6, round(len(curves["d_fake"]) / 2)) :]
    moves = np.diff(d_fake)
    if len(moves) < 5 or not np.abs(moves).mean() > SWING:
        return None
    turns = int((moves[1:] * moves[:-1] < 0).sum())
    if turns < len(moves) / 3:
        return None
    return Finding(
        "they oscillate",
        f"D's probability for generated pictures moves by {np.abs(moves).mean():.2f} from epoch to epoch, and turned "
        f"{turns} times in {len(d_fake)} epochs.",
        "Each undoes what the other has learnt. Smaller learning rates; beta_1=0.5 or 0; larger batches; average=0.999 "
        "in GAN(...), whose pictures are steadier.",
    )


def _rises(curves: Mapping[str, np.ndarray], latest: int) -> Finding | None:
    for name in ("fcd", "kid"):
        values = curves.get(name, np.zeros(0))
        if len(values) < STEADY:
            continue
        best, now = float(values[:-latest].min()), float(values[-latest:].mean())
        if now > RISE * best and now - best > RISE_OF_FALL * (values[0] - best):
            return Finding(
                "the distance to real pictures rises",
                f"{name} was {best:.3g} after {int(values[:-latest].argmin()) + 1} epochs of this run, and in the last "
                f"{latest} it is {now:.3g}.",
                f'G was better before: keep that one, by ModelCheckpoint("best.safetensors", "{name}", '
                "save_best_only=True). Smaller learning rates, or such as fall; average=0.999 in GAN(...); translation "
                "or more pictures, where D knows them by heart.",
            )
    return None
