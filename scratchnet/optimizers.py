"""Optimizers: how weights move against their gradients. Formulas and defaults are Keras 3's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_choice
from scratchnet.config import Configurable
from scratchnet.device import array_module, as_array, check_same_device, like
from scratchnet.fields import array, check_names, count, like_arrays, mapping, number, optional, record
from scratchnet.schedules import ConstantRate, Schedule

STATE = record(iterations=count(), learning_rate=optional(number(0)), memory=mapping(mapping(array)))


class Optimizer(Configurable):
    """Moves weights in place: `update(params, grads)`, two dicts of arrays with the same names.

    Every optimizer takes these, by name:
        weight_decay: w; before each update p -= rate * w * p (Loshchilov and Hutter, arXiv 1711.05101).
        clipnorm: c; each gradient g longer than c is shortened to it: g * c / |g|, |g| the root of the sum of squares.
        global_clipnorm: the same for all gradients taken together as one (Pascanu et al., arXiv 1211.5063).
        clipvalue: c; each element of a gradient is brought between -c and c. One of the three at most.

    Attributes:
        iterations: updates made so far.
        state: what is remembered of each weight array, by its name and the memory's name.
        learning_rate: the rate of the next update; a number can be set.
    """

    memory: tuple[str, ...] = ()  # arrays of each weight's shape, zero at the start
    decays_itself = False  # whether `move` takes care of weight_decay

    def __init__(
        self,
        learning_rate: float | Schedule,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ):
        clipping = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        wanted = {name: value for name, value in clipping.items() if value is not None}
        if len(wanted) > 1:
            raise ValueError(f"{type(self).__name__}: expected one way to clip at most, got {', '.join(wanted)}.")
        for name, value in wanted.items():
            if not isinstance(value, (int, float, np.number)) or not 0 < value < np.inf:
                raise ValueError(f"{type(self).__name__}: expected a {name} above 0, got {value!r}.")
        self.weight_decay = 0.0 if weight_decay is None else weight_decay
        if not isinstance(self.weight_decay, (int, float, np.number)) or not 0 <= self.weight_decay < np.inf:
            raise ValueError(f"{type(self).__name__}: expected a weight_decay of at least 0, got {weight_decay!r}.")
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.schedule = (
            learning_rate if isinstance(learning_rate, Schedule) else ConstantRate(self._checked(learning_rate))
        )
        self._made_rate = self.schedule
        self.iterations = 0
        self.state: dict[str, dict[str, np.ndarray]] = {}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this optimizer again, with the rate or schedule it has now."""
        rate = self.schedule.learning_rate if isinstance(self.schedule, ConstantRate) else self.schedule
        return {**super().get_config(), "learning_rate": rate}

    def get_state(self, params: Mapping[str, np.ndarray] | None = None) -> dict[str, Any]:
        """What the updates so far have left: their number, the memory of each weight, and a rate that was set.

        A rate that was not set since the optimizer was made is left out: a run may go on with another one. So is, where
        `params` are given, what is remembered of weights that are not among them, such as a layer's that was taken out.
        """
        rate = self.schedule.learning_rate if self.schedule is not self._made_rate else None
        memory = {
            name: known
            for name, known in self.state.items()
            if params is None or (name in params and all(part.shape == params[name].shape for part in known.values()))
        }
        return {"iterations": self.iterations, "learning_rate": rate, "memory": memory}

    def set_state(
        self, state: Mapping[str, Any], params: Mapping[str, np.ndarray] | None = None, where: str = "optimizer"
    ) -> None:
        """Go on from what `get_state` gave; the arrays are copied.

        Args:
            state: what it gave.
            params: the weights that the optimizer is to move; what is remembered must fit them.
            where: the place of `state` in its file, for errors.

        Raises:
            ValueError: a field that is missing or not as it should be; then nothing is changed.
        """
        self.check_state(state, params, where)
        self.iterations = state["iterations"]
        if state["learning_rate"] is not None:
            self.learning_rate = state["learning_rate"]
        self.state = {
            name: {slot: as_array(part).copy() for slot, part in memory.items()}
            for name, memory in state["memory"].items()
        }

    def check_state(
        self, state: Mapping[str, Any], params: Mapping[str, np.ndarray] | None = None, where: str = "optimizer"
    ) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        STATE(state, where)
        for name, memory in state["memory"].items():
            place = f"{where}.memory.{name}"
            if params is not None and name not in params:
                raise ValueError(f"{place}: the model has no weight of that name.")
            check_names(memory, self.memory, place)
            if params is not None:
                like_arrays(memory, dict.fromkeys(self.memory, params[name]), place)

    def _checked(self, learning_rate: float) -> float:
        if not isinstance(learning_rate, (int, float, np.number)) or not 0 <= learning_rate < np.inf:
            raise ValueError(
                f"{type(self).__name__}: expected a learning rate of at least 0 or a schedule, got {learning_rate!r}."
            )
        return float(learning_rate)

    @property
    def learning_rate(self) -> float:
        """The rate of the next update."""
        return self.schedule(self.iterations)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.schedule = ConstantRate(self._checked(value))

    def update(self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> None:
        """Move every array of params, in place, by its gradient of the same name.

        Raises:
            ValueError: names or shapes differ, or an array of params is not contiguous.
            TypeError: weights and gradients are on different devices.
        """
        if params.keys() != grads.keys():
            raise ValueError(
                f"{type(self).__name__}: params and grads have different names: {sorted(params.keys() ^ grads.keys())}."
            )
        for name, p in params.items():
            if grads[name].shape != p.shape or not p.flags.c_contiguous:
                raise ValueError(
                    f"{type(self).__name__}: expected contiguous weights and a gradient of their shape for {name!r}, "
                    f"got shapes {p.shape} and {grads[name].shape}, contiguous: {p.flags.c_contiguous}."
                )
            check_same_device(grads[name], p, f"{type(self).__name__}: the gradient of {name!r}", "the weights")
        rate, clipped = self.learning_rate, self._clipped(grads)
        self.iterations += 1
        rows: dict[np.dtype, list[tuple[np.ndarray, ...]]] = {}
        for name, p in params.items():
            known = self.state.setdefault(name, {})
            for slot in self.memory:
                if slot not in known:
                    known[slot] = array_module(p).zeros_like(p)
                elif known[slot].dtype != p.dtype or type(known[slot]) is not type(p):  # such as from a file
                    known[slot] = like(known[slot], p).astype(p.dtype, copy=False)
            gradient = array_module(p).ascontiguousarray(clipped[name], p.dtype)
            if self.weight_decay and not self.decays_itself:
                p -= p.dtype.type(rate * self.weight_decay) * p
            rows.setdefault(p.dtype, []).append((p, gradient, *(known[slot] for slot in self.memory)))
        for weights in rows.values():
            self.move(weights, rate)

    def _clipped(self, grads: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """The gradients as the update uses them; those that came are not changed."""
        if self.clipvalue is not None:
            return {name: g.clip(-self.clipvalue, self.clipvalue) for name, g in grads.items()}
        limit = self.clipnorm if self.global_clipnorm is None else self.global_clipnorm
        if limit is None:
            return grads
        squares = {name: kernels.of(g).square_sum(g) for name, g in grads.items()}
        if self.global_clipnorm is not None:
            squares = dict.fromkeys(squares, sum(squares.values()))
        norms = {name: math.sqrt(square) for name, square in squares.items()}
        return {name: g if norms[name] <= limit else g * g.dtype.type(limit / norms[name]) for name, g in grads.items()}

    def move(self, weights: list[tuple[np.ndarray, ...]], rate: float) -> None:
        """Move all (weights, gradient, *memory) of one dtype in place; what each optimizer defines."""
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent: v = momentum * v - rate * g, p += v; with Nesterov p += momentum * v - rate * g.

    Source: https://keras.io/api/optimizers/sgd/; Sutskever et al., ICML 2013.
    """

    memory = ("velocity",)

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        **options: float | None,
    ):
        super().__init__(learning_rate, weight_decay, **options)
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: expected a momentum from 0 to 1, got {momentum!r}.")
        self.momentum, self.nesterov = momentum, nesterov

    def move(self, weights, rate):
        """See the class."""
        kernels.of(weights[0][0]).sgd(weights, rate, self.momentum, self.nesterov)


class RMSprop(Optimizer):
    """v = rho * v + (1 - rho) * g^2; m = momentum * m + rate * g / sqrt(v + epsilon); p -= m.

    With centered=True the square of the running mean of g is taken off v: the variance, not the mean square.
    Source: Hinton's lecture 6e; https://keras.io/api/optimizers/rmsprop/
    """

    memory = ("velocity", "average_gradient", "momentum")

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        **options: float | None,
    ):
        super().__init__(learning_rate, weight_decay, **options)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def move(self, weights, rate):
        """See the class."""
        kernels.of(weights[0][0]).rmsprop(weights, rate, self.rho, self.momentum, self.epsilon, self.centered)


class Adam(Optimizer):
    """m += (1 - beta_1) * (g - m); v += (1 - beta_2) * (g^2 - v); p -= rate * c_t * m / (sqrt(v) + epsilon).

    c_t = sqrt(1 - beta_2^t) / (1 - beta_1^t) at update t, from 1. Source: Kingma and Ba, arXiv 1412.6980;
    https://keras.io/api/optimizers/adam/
    """

    memory = ("momentum", "velocity")
    decays_itself = True

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        **options: float | None,
    ):
        super().__init__(learning_rate, weight_decay, **options)
        for name, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= beta < 1:
                raise ValueError(f"{type(self).__name__}: expected {name} from 0 to below 1, got {beta!r}.")
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def move(self, weights, rate):
        """See the class."""
        settings = (rate, self.beta_1, self.beta_2, self.epsilon, self.iterations, self.weight_decay)
        kernels.of(weights[0][0]).adam(weights, *settings)


class AdamW(Adam):
    """Adam, and before each update p -= rate * weight_decay * p. Source: Loshchilov and Hutter, arXiv 1711.05101."""

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: float | None,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay, **options)


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "adamw": AdamW, "rmsprop": RMSprop, "sgd": SGD}


def get(optimizer: str | Optimizer) -> Optimizer:
    """An optimizer with its default arguments from its name, or the object itself.

    Raises:
        ValueError: no optimizer has that name; the nearest is named.
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    return OPTIMIZERS[check_choice(optimizer, OPTIMIZERS, "optimizer")]()
