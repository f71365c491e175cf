"""What `fit` needs for two networks: both optimizers as one, the means of an epoch, the guard against NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import fields
from scratchnet.attributes import Attributes
from scratchnet.callbacks import Logs
from scratchnet.devices import Device, like
from scratchnet.divergence import Guard, first_bad_place
from scratchnet.optimizers import Optimizer

NAMES = ("d_loss", "g_loss", "d_real", "d_fake")  # of the means


class OptimizerPair(Attributes):
    """The optimizers of G and D as callbacks see them.

    Attributes:
        learning_rate: G's. Setting it scales D's too, so that the ratio of the two stays what it was, even after a rate
            of 0.
        state, iterations: of both, by name.
    """

    def __init__(self, generator: Optimizer, discriminator: Optimizer):
        self.both = {"generator": generator, "discriminator": discriminator}
        self._ratio = 1.0  # D's rate divided by G's, as it was when G's was last above 0
        self._note_ratio()

    def _note_ratio(self) -> None:
        generator, discriminator = self.both.values()
        if generator.learning_rate:
            self._ratio = discriminator.learning_rate / generator.learning_rate

    @property
    def learning_rate(self) -> float:
        """G's rate of the next update."""
        return self.both["generator"].learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._note_ratio()
        generator, discriminator = self.both.values()
        generator.learning_rate = value
        discriminator.learning_rate = value * self._ratio

    @property
    def state(self) -> dict[str, Any]:
        """What both remember of each weight."""
        return {name: optimizer.state for name, optimizer in self.both.items()}

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        for name, optimizer in self.both.items():
            optimizer.state = value[name]

    @property
    def iterations(self) -> dict[str, int]:
        """Updates that each has made."""
        return {name: optimizer.iterations for name, optimizer in self.both.items()}

    @iterations.setter
    def iterations(self, value: Mapping[str, int]) -> None:
        for name, optimizer in self.both.items():
            optimizer.iterations = value[name]

    def bring(self, device: Device) -> None:
        """Have what both remember on a device."""
        for optimizer in self.both.values():
            optimizer.bring(device)

    def get_state(self, params: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Any]:
        """What `set_state` takes: the states of both, by name; `params` are the weights that each moves."""
        return {name: optimizer.get_state(params[name]) for name, optimizer in self.both.items()}

    def set_state(self, state: Mapping[str, Any], params: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Take over the states that `get_state` gave."""
        for name, optimizer in self.both.items():
            optimizer.set_state(state[name], params[name])

    def check_state(self, state: Mapping[str, Any], params: Mapping[str, Mapping[str, np.ndarray]], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        for name, optimizer in self.both.items():
            optimizer.check_state(state[name], params[name], f"{where}.{name}")


# What files hold of a GAN: how it was compiled, how far it is, and a run.
OPTIONS = ("d_steps", "instance_noise", "noise_steps", "translation")
BOTH = fields.record(generator=fields.anything, discriminator=fields.anything)
TRAINING = fields.record(
    optimizers=BOTH,
    loss=fields.anything,
    options=fields.record(**dict.fromkeys(OPTIONS, fields.anything)),
    progress=fields.anything,
)
PROGRESS = fields.record(optimizers=BOTH, tricks=fields.record(step=fields.count()), steps=fields.count())
RUN = fields.record(
    weights=fields.anything, counters=fields.anything, progress=fields.anything, stop_training=fields.truth
)
MEANS = fields.record(
    totals=fields.record(**dict.fromkeys(NAMES, fields.number(finite=False))),
    counts=fields.record(**dict.fromkeys(NAMES, fields.count())),
)


class AdversarialMeans:
    """The means over an epoch's steps of d_loss, g_loss, d_real and d_fake; g_loss over the steps in which G learnt."""

    names = NAMES

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start an epoch: all sums are 0."""
        self.totals = dict.fromkeys(self.names, 0.0)
        self.counts = dict.fromkeys(self.names, 0)

    def update(self, values: Logs) -> None:
        """Add the values of a step."""
        for name, value in values.items():
            self.totals[name] += value
            self.counts[name] += 1

    def logs(self) -> Logs:
        """The means; NaN for a g_loss where G has not learnt yet."""
        return {name: self.totals[name] / self.counts[name] if self.counts[name] else math.nan for name in self.names}

    def get_state(self) -> dict[str, Any]:
        """The sums so far in this epoch."""
        return {"totals": self.totals, "counts": self.counts}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        MEANS(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the sums that `get_state` gave."""
        self.totals, self.counts = state["totals"], state["counts"]


class PairGuard(Guard):
    """The guard of `scratchnet.divergence` for a GAN: it looks for the fault in both networks."""

    def find(self, x: np.ndarray) -> str:
        """In words, the first place that is not finite: D on the real pictures, then G on its inputs."""
        gan = self.model
        for role, network, inputs in (
            ("discriminator", gan.discriminator, x),
            ("generator", gan.generator, like(np.zeros((2, gan.latent_dim), gan.compute_dtype), x)),
        ):
            found = first_bad_place(network, inputs)
            if "are finite" not in found or "came out" in found:
                return f"In the {role}: {found}"
        return "All weights and outputs are finite: it is a loss that is not."

    def advice(self, x: np.ndarray) -> str:
        """What usually helps, as the error ends."""
        low, high = self.model.picture_range or (-1, 1)
        rates = " and ".join(f"{o.learning_rate:g}" for o in self.optimizer.both.values())
        return (
            f"smaller learning rates (generator and discriminator have {rates}); clipnorm=1 in the optimizers; "
            "SpectralNormalization round the discriminator's layers; real pictures from "
            f"{low:g} to {high:g} (here they go from {float(x.min()):g} to {float(x.max()):g})."
        )
