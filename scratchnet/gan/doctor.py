"""What is wrong with this GAN? The signs that its curves and pictures give, in words, and what usually helps.

    gan.fit(x, 20, callbacks=sn.gan.GANMonitor())
    print(sn.gan.diagnose(gan.history, gan))

The losses of a GAN do not fall as those of a classifier do: each side's loss measures it against the other one. What
can be read are D's probabilities, whether gradients arrive, and how much the pictures differ from each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.callbacks import Callback, Logs
from scratchnet.gan.data import output_range

SURE = 0.95  # a mean probability from which D makes no more mistakes
COLLAPSED = 0.3  # of the real pictures' diversity
SWING = 0.2  # of D's probability from epoch to epoch
GAP = 0.05  # between D's probabilities for real and generated pictures: below, it knows nothing
APART = 0.1  # separation from which anyone can tell generated from real
FIRST = 3  # epochs before GANMonitor speaks: at the start any generator is bad
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


def diversity(x: np.ndarray) -> float:
    """The mean distance between two examples of a batch, the root of the sum of squares; 0 for a single one."""
    flat = np.asarray(x, np.float64).reshape(len(x), -1)
    squares = np.square(flat).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * flat @ flat.T, 0))
    pairs = len(flat) * (len(flat) - 1)
    return float(distances[~np.eye(len(flat), dtype=bool)].sum() / pairs) if pairs else 0.0


def relative_diversity(gan: Any, n: int = 64, seed: int = 0) -> float:
    """The diversity of n generated pictures in units of that of the real ones that `fit` was given.

    Raises:
        RuntimeError: the GAN was not trained, so that it knows no real pictures.
    """
    if gan.real_sample is None:
        raise RuntimeError(f"{gan.who}: diversity before fit. It is measured against real pictures.")
    return diversity(gan.decode(gan.latents(n, seed))) / max(diversity(gan.real_sample), 1e-12)


def separation(gan: Any, n: int = 64, seed: int = 0) -> float:
    """How far n generated pictures are from real ones: the energy distance, in units of the real ones' diversity.

        (2 E|x - y| - E|x - x'| - E|y - y'|) / E|x - x'|,  x real, y generated, x' and y' others of their kind

    About 0 where both come from one source, above 0 where not. Source: Szekely and Rizzo, 2013.

    Raises:
        RuntimeError: the GAN was not trained, so that it knows no real pictures.
    """
    if gan.real_sample is None:
        raise RuntimeError(f"{gan.who}: separation before fit. It is measured against real pictures.")
    real, fake = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (gan.real_sample, gan.generate(n, seed)))
    between = np.mean([np.linalg.norm(real - one, axis=1).mean() for one in fake])
    return float((2 * between - diversity(real) - diversity(fake)) / max(diversity(real), 1e-12))


def gradient_norm(network: Any) -> float:
    """The length of all gradients of the last step taken as one vector."""
    return math.sqrt(sum(kernels.of(g).square_sum(g) for g in network.grads.values()))


class GANMonitor(Callback):
    """After each epoch puts into the logs what the doctor looks at, and says it when something is wrong.

    It adds d_gradient and g_gradient (gradient_norm, the mean over the epoch's steps), diversity (relative_diversity),
    separation, and, where a metric is given, its value under its name. Give it before callbacks that watch these
    names, such as ModelCheckpoint("best.safetensors", "fcd", save_best_only=True).

    Args:
        metric: a function of the GAN that returns a number, or a dict of numbers by name.
        name: of the metric's value, where that is one number.
        every: epochs from one measurement of the metric to the next; in between its last value stands.
        n: pictures for the diversity.
        verbose: 0 for silence, 1 to print each finding once, when it is first seen.
    """

    def __init__(
        self,
        metric: Callable[[Any], float | Mapping[str, float]] | None = None,
        name: str = "metric",
        every: int = 1,
        n: int = 64,
        verbose: int = 1,
    ):
        if every < 1:
            raise ValueError(f"GANMonitor: expected every to be at least 1 epoch, got {every!r}.")
        self.metric, self.name, self.every, self.n, self.verbose = metric, name, every, n, verbose
        self._begin()

    def _begin(self) -> None:
        self.said: list[str] = []
        self.measured: dict[str, float] = {}
        self.curves: dict[str, list[float]] = {}
        self.norms = {"d_gradient": 0.0, "g_gradient": 0.0}  # summed over this epoch's steps
        self.steps = {"d_gradient": 0, "g_gradient": 0}

    def get_state(self) -> dict[str, Any]:
        """The curves so far, the last value of the metric, what was said, and this epoch's sums."""
        return {name: getattr(self, name) for name in ("said", "measured", "curves", "norms", "steps")}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name, value in state.items():
            setattr(self, name, value)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last run."""
        self._begin()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Take in this step's gradients."""
        gan = self.model
        for name, network, every in (("d_gradient", gan.discriminator, 1), ("g_gradient", gan.generator, gan.d_steps)):
            if gan.steps % every == 0:  # else G's are those of an earlier step
                self.norms[name] += gradient_norm(network)
                self.steps[name] += 1

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Measure, and look."""
        gan, logs = self.model, {} if logs is None else logs
        logs |= {name: total / max(1, self.steps[name]) for name, total in self.norms.items()}
        self.norms, self.steps = dict.fromkeys(self.norms, 0.0), dict.fromkeys(self.steps, 0)
        logs["diversity"], logs["separation"] = relative_diversity(gan, self.n), separation(gan, self.n)
        if self.metric is not None:
            if epoch % self.every == 0 or not self.measured:
                value = self.metric(gan)
                values = value if isinstance(value, Mapping) else {self.name: value}
                self.measured = {name: float(one) for name, one in values.items()}
            logs |= self.measured
        for name, value in logs.items():
            self.curves.setdefault(name, []).append(value)
        if self.verbose and len(self.curves["d_loss"]) >= FIRST:
            for finding in diagnose(self.curves, gan):
                if finding.name not in self.said:
                    self.said.append(finding.name)
                    print(f"Epoch {epoch + 1}: {finding.name}: {finding.fact}\n    {finding.advice}")


def diagnose(history: Any, gan: Any = None) -> Diagnosis:
    """What the curves of a run, and the GAN as it is now, show.

    Args:
        history: what `fit` returned, or a dict of lists: d_loss, g_loss, d_real, d_fake, and what GANMonitor adds.
        gan: the GAN after `fit`; with it the range of the pictures and their diversity are looked at too.

    Returns:
        The findings, as a list that prints as text. Their names: "the losses are not finite", "the range of the real
        pictures is wrong", "D has won", "G has collapsed", "D learns nothing", "they oscillate".

    Raises:
        ValueError: the history has no epoch, or is not that of a GAN.
    """
    curves = {name: np.asarray(values, np.float64) for name, values in getattr(history, "history", history).items()}
    missing = {"d_loss", "g_loss", "d_real", "d_fake"} - curves.keys()
    if missing or len(curves["d_loss"]) == 0:
        raise ValueError(f"diagnose: expected the history of a GAN with at least one epoch, {missing or 'it'} is not.")
    latest = max(1, round(LATEST * len(curves["d_loss"])))
    now = {name: float(values[-latest:].mean()) for name, values in curves.items()}
    if gan is not None and gan.real_sample is not None:
        now["diversity"], now["separation"] = relative_diversity(gan), separation(gan)
    looks = (_not_finite(curves), _wrong_range(gan), _won(now), _collapsed(now), _blind(curves, now), _swings(curves))
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
    if gan is None or gan.real_sample is None or (limits := output_range(gan)) is None:
        return None
    low, high = float(gan.real_sample.min()), float(gan.real_sample.max())
    least, most = limits
    # A twentieth outside cannot be reached; a third of the range that is never used gives G away.
    third, slack = (most - least) / 3, (most - least) / 20
    if least - slack <= low <= least + third and most - third <= high <= most + slack:
        return None
    return Finding(
        "the range of the real pictures is wrong",
        f"they go from {low:.3g} to {high:.3g}, and the generator's {gan.generator.head} from {least:g} to {most:g}.",
        "D tells them apart by that alone. Hand the pictures over as uint8, or as x / 127.5 - 1.",
    )


def _won(now: Mapping[str, float]) -> Finding | None:
    if not (now["d_real"] > SURE and now["d_fake"] < 1 - SURE):
        return None
    return Finding(
        "D has won",
        f"it is sure of nearly every picture: {now['d_real']:.3f} for real ones, {now['d_fake']:.3f} for generated "
        f"ones; g_loss is {now['g_loss']:.3g}.",
        "What G gets from it says little. Non-saturating loss; a smaller learning rate for D; real_label=0.9; "
        "instance_noise=0.1; translation; SpectralNormalization in D; a wider G.",
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
