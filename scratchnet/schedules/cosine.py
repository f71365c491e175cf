"""Rates that fall along half a cosine."""

from __future__ import annotations

import math

from scratchnet.arguments import check_number
from scratchnet.config import plain
from scratchnet.schedules.base import Schedule


class CosineDecay(Schedule):
    """From a rate r to alpha * r along half a cosine, then constant; before it, if wanted, up to r in a straight line.

        without warmup_target   r = initial_learning_rate
        with it                 r = warmup_target; for the first warmup_steps steps
                                rate = initial + (r - initial) * step / warmup_steps
        then                    rate = r * ((1 - alpha) * (1 + cos(pi * s / decay_steps)) / 2 + alpha)

    with s = min(step - warmup_steps, decay_steps), and warmup_steps = 0 without warmup_target.

    Args:
        initial_learning_rate: the first step's.
        decay_steps: how long the cosine takes.
        alpha: what is left at its end, a share of r.
        name: how it is called; nothing depends on it.
        warmup_target: the rate to which the warm-up goes.
        warmup_steps: how long that takes; only with warmup_target.

    Raises:
        ValueError: a rate, alpha or warmup_steps below 0, decay_steps below 1, or warmup_steps without warmup_target.

    Source: Loshchilov and Hutter, arXiv 1608.03983; https://keras.io/api/optimizers/learning_rate_schedules/
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ):
        for name, value, least in (("initial_learning_rate", initial_learning_rate, 0), ("decay_steps", decay_steps, 1),
                                   ("alpha", alpha, 0), ("warmup_steps", warmup_steps, 0)):  # fmt: skip
            check_number(value, name, "CosineDecay", least)
        if warmup_target is not None:
            check_number(warmup_target, "warmup_target", "CosineDecay", 0)
        if warmup_steps and warmup_target is None:
            raise ValueError(
                f"CosineDecay: expected warmup_target, the rate to which it rises, beside warmup_steps={warmup_steps}: "
                "CosineDecay(0.0, 900, warmup_target=0.1, warmup_steps=100)."
            )
        self.initial_learning_rate, self.decay_steps = plain(initial_learning_rate), plain(decay_steps)
        self.alpha, self.name = plain(alpha), name
        self.warmup_target, self.warmup_steps = plain(warmup_target), plain(warmup_steps)

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        first, top = self.initial_learning_rate, self.warmup_target
        if top is None:
            top = first
        if step < self.warmup_steps:
            return first + (top - first) * step / self.warmup_steps
        done = min(step - self.warmup_steps, self.decay_steps) / self.decay_steps
        share = (1 - self.alpha) * (1 + math.cos(math.pi * done)) / 2 + self.alpha
        return top * share


class CosineDecayRestarts(Schedule):
    """Half a cosine from a rate r to alpha * r, over and over; each lasts t_mul times as long as the one before.

        rate = initial_learning_rate * ((1 - alpha) * m_mul^i * (1 + cos(pi * s)) / 2 + alpha)

    i counts the restarts so far, and s is how much of this cosine is done, a share.

    Args:
        initial_learning_rate: the first step's.
        first_decay_steps: how long the first cosine takes.
        t_mul: how much longer each is than the one before.
        m_mul: what is left of the rate with each restart.
        alpha: what is left at the end of each cosine, a share of initial_learning_rate.
        name: how it is called; nothing depends on it.

    Raises:
        ValueError: a rate, m_mul or alpha below 0, first_decay_steps not above 0, t_mul below 1.

    Source: Loshchilov and Hutter, arXiv 1608.03983;
    https://keras.io/api/optimizers/learning_rate_schedules/cosine_decay_restarts/
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        caller = type(self).__name__
        check_number(first_decay_steps, "first_decay_steps", caller, 0, above=True)
        for argument, value, least in (("initial_learning_rate", initial_learning_rate, 0), ("t_mul", t_mul, 1),
                                       ("m_mul", m_mul, 0), ("alpha", alpha, 0)):  # fmt: skip
            check_number(value, argument, caller, least)
        self.initial_learning_rate, self.first_decay_steps = plain(initial_learning_rate), plain(first_decay_steps)
        self.t_mul, self.m_mul, self.alpha, self.name = plain(t_mul), plain(m_mul), plain(alpha), name

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        length: float = self.first_decay_steps
        restarts, done = divmod(step, length) if self.t_mul == 1 else (0, step)
        while done >= length:
            restarts, done, length = restarts + 1, done - length, length * self.t_mul
        share = self.m_mul**restarts * (1 + math.cos(math.pi * done / length)) / 2
        return self.initial_learning_rate * ((1 - self.alpha) * share + self.alpha)
