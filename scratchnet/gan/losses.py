"""Adversarial losses: what the discriminator D and the generator G each minimize, and its gradient dLoss/dscore.

    value, dz = loss.real(z)          D on real pictures, z = D(x)
    value, dz = loss.fake(z)          D on generated ones, z = D(G(noise))
    value, dz = loss.generator(z)     G, through the same scores

Scores are what D gives before any sigmoid, large for "real". Means are over all M scores of the batch. D's loss is the
sum of its two parts; they are separate because real and generated pictures go through D as two batches.

With real_label=0.9 (one-sided label smoothing; Salimans et al., arXiv 1606.03498) D's loss is smallest where its
probability for real pictures is 0.9, so that its scores stay finite. The label of generated pictures stays 0: with a
larger one D would reward G for pictures as they are, faults included.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_choice, is_number
from scratchnet.config import Configurable
from scratchnet.devices import array_module
from scratchnet.replay import number


class AdversarialLoss(Configurable):
    """What the losses share.

    Args:
        real_label: the label of real pictures, above 0 up to 1; 0.9 for one-sided label smoothing.

    Raises:
        ValueError: a real_label out of range.
    """

    smoothable: ClassVar[bool] = True

    def __init__(self, real_label: float = 1.0):
        caller = type(self).__name__
        if not is_number(real_label) or not 0 < real_label <= 1:
            raise ValueError(f"{caller}: expected a real_label above 0 up to 1, such as 0.9, got {real_label!r}.")
        if real_label != 1 and not self.smoothable:
            raise ValueError(f"{caller}: there is no label to smooth in this loss. Leave real_label out.")
        self.real_label = real_label

    def real(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of D's loss on the scores of real pictures."""
        raise NotImplementedError

    def fake(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of D's loss on the scores of generated pictures."""
        raise NotImplementedError

    def generator(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of G's loss on the scores of generated pictures."""
        raise NotImplementedError

    def discriminator(self, real: np.ndarray, fake: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """(value, gradient for the real scores, gradient for the generated ones): both parts of D's loss."""
        (on_real, d_real), (on_fake, d_fake) = self.real(real), self.fake(fake)
        return on_real + on_fake, d_real, d_fake

    @property
    def targets(self) -> tuple[float, float]:
        """The probabilities, for real and for generated pictures, at which D's loss is smallest."""
        return self.real_label, 0.0

    def probability(self, z: np.ndarray) -> np.ndarray:
        """D's probability, from 0 to 1, that pictures with these scores are real: sigmoid(z)."""
        return kernels.of(z).sigmoid(z)


class LabelLoss(AdversarialLoss):
    """A loss that compares scores with labels: D's are real_label and 0, and G's is 1.

    Those who inherit from it define `compare(z, label)`, which returns (value, gradient).
    """

    def compare(self, z: np.ndarray, label: float) -> tuple[float, np.ndarray]:
        """(value, gradient): how far the scores are from those of this label, as a mean over the batch."""
        raise NotImplementedError

    def real(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of D's loss on the scores of real pictures: compare(z, real_label)."""
        return self.compare(z, self.real_label)

    def fake(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of D's loss on the scores of generated pictures: compare(z, 0)."""
        return self.compare(z, 0)

    def generator(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of G's loss: compare(z, 1), for G's pictures are to be taken for real."""
        return self.compare(z, 1)


class Minimax(LabelLoss):
    """The game as first written: min over G, max over D of mean log p(x) + mean log(1 - p(G(noise))), p = sigmoid(z).

        L_D = mean softplus(-z_real) + mean softplus(z_fake)     dz = (p - 1) / M and p / M
        L_G = -mean softplus(z_fake) = mean log(1 - p)           dz = -p / M

    With a real label s the first part is s * softplus(-z) + (1 - s) * softplus(z), dz = (p - s) / M.

    It saturates: where D recognizes a generated picture, p is near 0, and so is the gradient that G learns from.

    Source: Goodfellow et al., arXiv 1406.2661, equation 1.
    """

    def compare(self, z: np.ndarray, label: float) -> tuple[float, np.ndarray]:
        """Binary cross-entropy of sigmoid(z): mean of label * softplus(-z) + (1 - label) * softplus(z)."""
        return kernels.of(z).sigmoid_binary_cross_entropy(z, array_module(z).full_like(z, label))

    def generator(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of G's loss: what D minimizes on generated pictures, with the opposite sign."""
        value, dz = self.fake(z)
        return -value, -dz


class NonSaturating(Minimax):
    """D's loss is Minimax's; G is to make log p large, rather than log(1 - p) small.

        L_G = mean softplus(-z_fake) = -mean log p     dz = (p - 1) / M

    Where D recognizes a generated picture, p is near 0 and G's gradient is largest: it does not saturate. The paper
    writes its algorithm with Minimax and advises this one; its code, and both codes of the DCGAN, train with it. The
    paper's code takes half of L_D; here, as in the DCGAN's first code, it is the whole sum.

    Source: Goodfellow et al., arXiv 1406.2661, section 3; https://github.com/goodfeli/adversarial.
    """

    def generator(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of G's loss: cross-entropy with the label of real pictures, 1."""
        return self.compare(z, 1)


class LeastSquares(LabelLoss):
    """Scores are to be the labels themselves: 1 (or real_label) for real, 0 for generated.

        L_D = mean (z_real - 1)^2 / 2 + mean z_fake^2 / 2     dz = (z - 1) / M and z / M
        L_G = mean (z_fake - 1)^2 / 2                         dz = (z - 1) / M

    Source: Mao et al., arXiv 1611.04076, equation 9.
    """

    def compare(self, z: np.ndarray, label: float) -> tuple[float, np.ndarray]:
        """Half the mean square: mean of (z - label)^2 / 2."""
        difference = z - z.dtype.type(label)
        value = number(array_module(z).square(difference, dtype=np.float64).mean() / 2)
        return value, difference / z.dtype.type(z.size)

    def probability(self, z: np.ndarray) -> np.ndarray:
        """The score itself, clipped to 0...1."""
        return z.clip(0, 1)


def _hinge(z: np.ndarray, sign: int) -> tuple[float, np.ndarray]:
    """(value, gradient) of the mean of max(0, 1 - sign * z); at the corner the gradient is 0."""
    xp, gap = array_module(z), 1 - sign * z  # what is missing to the margin
    return number(xp.maximum(gap, 0).mean(dtype=np.float64)), xp.where(gap > 0, -sign / z.size, 0).astype(z.dtype)


class Hinge(AdversarialLoss):
    """D learns only from scores below 1 (real) or above -1 (generated); usual with SpectralNormalization in D.

        L_D = mean max(0, 1 - z_real) + mean max(0, 1 + z_fake)     dz = -1 / M and 1 / M inside the margin, else 0
        L_G = -mean z_fake                                          dz = -1 / M

    Source: Lim and Ye, arXiv 1705.02894; Miyato et al., arXiv 1802.05957, equations 16 and 17.
    """

    smoothable = False

    @property
    def targets(self) -> tuple[float, float]:
        """The probabilities at the margin: sigmoid(1) and sigmoid(-1)."""
        return 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))

    def real(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of D's loss on the scores of real pictures: mean of max(0, 1 - z)."""
        return _hinge(z, 1)

    def fake(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of D's loss on the scores of generated pictures: mean of max(0, 1 + z)."""
        return _hinge(z, -1)

    def generator(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """(value, gradient) of G's loss: -mean z."""
        return -number(z.mean(dtype=np.float64)), array_module(z).full_like(z, -1 / z.size)


LOSSES: dict[str, type[AdversarialLoss]] = {
    "hinge": Hinge,
    "least_squares": LeastSquares,
    "minimax": Minimax,
    "non_saturating": NonSaturating,
}


def get(loss: str | AdversarialLoss, **options: Any) -> AdversarialLoss:
    """A loss from its name, made with the options, or the object itself.

    Raises:
        ValueError: no loss has that name (the nearest is named), or options for an object that is made already.
    """
    if not isinstance(loss, AdversarialLoss):
        return LOSSES[check_choice(loss, LOSSES, "loss")](**options)
    if options:
        raise ValueError(
            f"{type(loss).__name__}: {', '.join(options)} belongs into its brackets where it is an object: "
            f"{type(loss).__name__}({', '.join(f'{k}={v!r}' for k, v in options.items())})."
        )
    return loss
