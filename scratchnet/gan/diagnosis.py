"""What is wrong with this GAN? What its curves and pictures show, in words, and what usually helps.

    gan.fit(x, epochs=20, callbacks=sn.gan.GANMonitor())
    print(sn.gan.diagnose(gan.history, gan))

The losses of a GAN do not fall as those of a classifier do: each network's loss measures it against the other one.
What says more: D's probabilities, the length of the gradients, and how much the pictures differ from each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scratchnet.gan.data import scaling
from scratchnet.gan.measures import relative_diversity, separation
from scratchnet.gan.model import GAN

# The limits beyond which there is a finding, by its name.
D_CONFIDENCE = 0.9  # D has won: share of the way from probability 1/2 to the target of D's loss
COLLAPSED = 0.3  # G has collapsed: diversity of its pictures, in units of that of the real ones
SWING = 0.2  # they oscillate: mean change of D's probability from epoch to epoch
GAP = 0.05  # D learns nothing: difference of its probabilities for real and generated pictures
APART = 0.1  # ... while their separation is above this, so that there is something to learn
FADED = 0.01  # G gets no gradient: its length, in units of the longest of the run
NO_GRADIENT = 1e-3  # ... or its length itself; in runs that learn it is from 0.1 to over 100
RISE = 1.3  # the distance rises: in units of its smallest value
RISE_OF_FALL = 0.02  # ... and by this share of how far it had fallen: a kernel distance near 0 may double by chance
STEADY = 5  # epochs from which on a rising distance counts
LATEST = 0.34  # the share of the epochs, counted from the end, whose mean stands for the GAN as it is now


class Finding(NamedTuple):
    """One thing that `diagnose` found: its name, the numbers that show it, and what usually helps."""

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
    """What the curves of a run show, and, where the GAN is given, its pictures as they are now.

    Args:
        history: what `fit` returned, or a dict of lists: d_loss, g_loss, d_real, d_fake, and what GANMonitor and
            GenerationMetrics add. Or the GAN after `fit`: its own history is then taken.
        gan: the GAN after `fit`; with it the range of the pictures and their diversity are checked too.

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
    if missing:
        raise ValueError(f"diagnose: expected the history of a GAN, got one without {', '.join(sorted(missing))}.")
    if len(curves["d_loss"]) == 0:
        raise ValueError("diagnose: expected a history with at least one epoch, got an empty one. Fit the GAN first.")
    latest = max(1, round(LATEST * len(curves["d_loss"])))
    now = {name: float(values[-latest:].mean()) for name, values in curves.items()}
    if gan is not None and gan.real_sample is not None:
        now["diversity"], now["separation"] = relative_diversity(gan), separation(gan)
    loss = getattr(getattr(history, "model", None) if gan is None else gan, "loss", None)
    checks = (
        _not_finite(curves),
        _wrong_range(gan),
        _discriminator_won(now, (1.0, 0.0) if loss is None else loss.targets),
        _no_gradient(curves, now),
        _collapsed(now),
        _discriminator_learns_nothing(curves, now),
        _oscillates(curves),
        _distance_rises(curves, latest),
    )
    return Diagnosis(finding for finding in checks if finding is not None)


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
    # Right: at most a twentieth outside of what G can give, and reaching into its lowest and its highest third.
    third, slack = (most - least) / 3, (most - least) / 20
    if least - slack <= low <= least + third and most - third <= high <= most + slack:
        return None
    return Finding(
        "the range of the real pictures is wrong",
        f"they go from {low:.3g} to {high:.3g}, and the generator's {gan.generator.last_activation} from {least:g} to "
        f"{most:g}.",
        f"D tells them apart by that alone. Hand the pictures over as uint8, or as {scaling(limits)}.",
    )


def _discriminator_won(now: Mapping[str, float], targets: tuple[float, float]) -> Finding | None:
    real, fake = targets
    if not (now["d_real"] > 0.5 + D_CONFIDENCE * (real - 0.5) and now["d_fake"] < 0.5 + D_CONFIDENCE * (fake - 0.5)):
        return None
    return Finding(
        "D has won",
        f"its probabilities are {now['d_real']:.3f} for real pictures and {now['d_fake']:.3f} for generated ones, and "
        f"its loss is smallest at {real:.2f} and {fake:.2f}; g_loss is {now['g_loss']:.3g}.",
        "Its gradient tells G little. Non-saturating loss; a smaller learning rate for D; real_label=0.9; "
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
        "real_label=0.9 or instance_noise=0.1, so that its probabilities are less extreme; LeakyReLU in D, not ReLU.",
    )


def _collapsed(now: Mapping[str, float]) -> Finding | None:
    if not now.get("diversity", 1.0) < COLLAPSED:
        return None
    return Finding(
        "G has collapsed",
        f"its pictures differ from each other by {now['diversity']:.2f} of what real ones do.",
        "It makes few different pictures, those that D takes for real. BatchNormalization in G; "
        "SpectralNormalization in D with the hinge loss; a smaller learning rate for G or a faster D; beta_1=0.5; more "
        "latent_dim. Train anew: a GAN rarely recovers.",
    )


def _discriminator_learns_nothing(curves: Mapping[str, np.ndarray], now: Mapping[str, float]) -> Finding | None:
    gap = np.abs(curves["d_real"] - curves["d_fake"])
    # The gap is small where G is good, too. But then it was larger in an earlier epoch, or the separation is small.
    if len(gap) < 2 or not gap.max() < GAP or not now.get("separation", 1.0) > APART:
        return None
    return Finding(
        "D learns nothing",
        f"in no epoch did its probabilities for real and generated pictures differ by more than {gap.max():.3f}.",
        "G learns nothing from it. A larger learning rate for D; a wider D; less instance noise and translation; look "
        "whether its gradients are 0 (d_gradient of GANMonitor), and whether real pictures are what you think.",
    )


def _oscillates(curves: Mapping[str, np.ndarray]) -> Finding | None:
    d_fake = curves["d_fake"][-max(6, round(len(curves["d_fake"]) / 2)) :]
    moves = np.diff(d_fake)
    if len(moves) < 5 or not np.abs(moves).mean() > SWING:
        return None
    turns = int((moves[1:] * moves[:-1] < 0).sum())
    if turns < len(moves) / 3:
        return None
    return Finding(
        "they oscillate",
        f"D's probability for generated pictures moves by {np.abs(moves).mean():.2f} from epoch to epoch, and changed "
        f"direction {turns} times in {len(d_fake)} epochs.",
        "Each network undoes what the other has learnt. Smaller learning rates; beta_1=0.5 or 0; larger batches; "
        "average=0.999 in GAN(...), whose pictures are steadier.",
    )


def _distance_rises(curves: Mapping[str, np.ndarray], latest: int) -> Finding | None:
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
                "save_best_only=True). Smaller or falling learning rates; average=0.999 in GAN(...); translation or "
                "more pictures, where D has memorized them.",
            )
    return None
