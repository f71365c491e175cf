"""What all optimizers share: one update of all weights, weight decay, clipping, and what a file keeps of them."""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import kernels, old_names, replay
from scratchnet.annotations import checked
from scratchnet.arguments import check_number, check_unmasked, is_number, shortened
from scratchnet.config import Configurable
from scratchnet.devices import Device, array_module, check_same_device, like, to_device
from scratchnet.fields import array, check_names, count, like_arrays, mapping, number, optional, record
from scratchnet.schedules import ConstantRate, Schedule
from scratchnet.shapes import FLOATS
from scratchnet.signatures import OnlyDefault

Rows = list[tuple[np.ndarray, ...]]  # (weights, gradient, *memory) of each weight array

STATE = record(iterations=count(), learning_rate=optional(number(0)), memory=mapping(mapping(array)))


class Optimizer(Configurable, old_names.Rate):
    """Moves weights in place: `update(params, grads)`, two dicts of arrays with the same names.

    Every optimizer takes these, beside its own:
        weight_decay: w; before each update p -= rate * w * p (Loshchilov and Hutter, arXiv 1711.05101).
        clipnorm: c; each gradient g longer than c is shortened to it: g * c / |g|, |g| the root of the sum of squares.
        global_clipnorm: the same for all gradients taken together as one (Pascanu et al., arXiv 1211.5063).
        clipvalue: c; each element of a gradient is brought between -c and c. One of the three at most.
        name: how it is called; nothing depends on it.

    Attributes:
        iterations: updates made so far.
        state: what is remembered of each weight array, by its name and the memory's name.
        learning_rate: the rate of the next update; a number can be set.

    An optimizer belongs to the model that it has first updated, since what it remembers is about that model's weights.
    """

    memory: tuple[str, ...] = ()  # arrays of each weight's shape
    first_value = 0.0  # of all numbers in them
    decays_itself = False  # whether `move` takes care of weight_decay
    _model: weakref.ref[Any] | None = None  # whose weights it updates
    _number: int = 0  # of the update that is being made, counted from 1

    def __init__(
        self,
        learning_rate: float | Schedule,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: OnlyDefault = False,
        ema_momentum: OnlyDefault = 0.99,
        ema_overwrite_frequency: OnlyDefault = None,
        loss_scale_factor: OnlyDefault = None,
        gradient_accumulation_steps: OnlyDefault = None,
        name: str | None = None,
    ):
        self.name = type(self).__name__.lower() if name is None else name
        clipping = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        wanted = {name: value for name, value in clipping.items() if value is not None}
        if len(wanted) > 1:
            raise ValueError(f"{type(self).__name__}: expected one way to clip at most, got {', '.join(wanted)}.")
        for name, value in wanted.items():
            check_number(value, name, type(self).__name__, 0, above=True)
        weight_decay = 0.0 if weight_decay is None else weight_decay
        self.weight_decay = check_number(weight_decay, "weight_decay", type(self).__name__, 0)
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.schedule = learning_rate if isinstance(learning_rate, Schedule) else self._constant(learning_rate)
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
        rate = self.learning_rate if self.schedule is not self._made_rate else None
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
        there = {} if params is None else params  # each memory goes to where its weights are
        self.state = {
            name: {slot: like(part, there.get(name, part)).copy() for slot, part in memory.items()}
            for name, memory in state["memory"].items()
        }

    def bring(self, device: Device) -> None:
        """Have what is remembered on a device; see `Layer.to`, which calls this."""
        self.state = {
            name: {slot: to_device(part, device) for slot, part in memory.items()}
            for name, memory in self.state.items()
        }

    def check_model(self, model: Any) -> None:
        """Raise a ValueError if the updates so far were those of another model, be it still there or not."""
        if self._model is None or not self.iterations or self._model() is model:
            return
        other = self._model()
        raise ValueError(
            f"{model.full_name}: this {type(self).__name__} optimizer has made {self.iterations} updates of "
            f"{'another model' if other is None else other.full_name}, and what it remembers is about the weights "
            f"there. Make a new one for each model: {type(self).__name__}(...), or compile by name."
        )

    def update_model(self, model: Any) -> None:
        """`update` of a model's params that are trained by their grads, for this model alone; then its constraints.

        Raises:
            ValueError: the updates before were those of another model; or as `update`.
        """
        self.check_model(model)
        if self._model is None or self._model() is not model:
            self._model = weakref.ref(model)
        self.update(*model.trained())
        model.constrain()

    def __getstate__(self) -> dict[str, Any]:
        """For copies, which belong to no model yet: that of a copied model is the copy's."""
        return {name: value for name, value in vars(self).items() if name not in ("_model", "_number")}

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

    def _constant(self, learning_rate: float) -> ConstantRate:
        if not is_number(learning_rate) or not 0 <= learning_rate < np.inf:
            raise ValueError(
                f"{type(self).__name__}: expected learning_rate to be a finite number of at least 0, or a schedule, "
                f"got {shortened(learning_rate)}."
            )
        return ConstantRate(float(learning_rate))

    @property
    def learning_rate(self) -> float:
        """The rate of the next update; a ValueError where the schedule gives none."""
        rate: Any = self.schedule(self.iterations)
        if isinstance(rate, np.ndarray) and rate.ndim == 0:  # as np.where gives it
            rate = rate.item()
        if not is_number(rate) or not 0 <= rate < np.inf:
            raise ValueError(
                f"{type(self).__name__}: expected {type(self.schedule).__name__} to give a learning rate of at least "
                f"0, a finite number, got {shortened(rate)} for step {self.iterations}."
            )
        return rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.schedule = self._constant(value)

    @checked
    def update(self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> None:
        """Move every array of params, in place, by its gradient of the same name.

        Raises:
            ValueError: names or shapes differ, an array of params is not of floats or not contiguous, or what is
                remembered of it is of another shape.
            TypeError: weights and gradients are on different devices.
        """
        if params.keys() != grads.keys():
            raise ValueError(
                f"{type(self).__name__}: expected params and grads of the same names, got different ones: "
                f"{sorted(params.keys() ^ grads.keys())}."
            )
        for name, p in params.items():
            if p.dtype not in FLOATS:
                raise ValueError(
                    f"{type(self).__name__}: expected weights of float32 or float64, got {name!r} of {p.dtype}. An "
                    f"update cannot move whole numbers by a fraction: {name}.astype(np.float32)."
                )
            gradient, shape = grads[name], p.shape
            if not type(p) is type(gradient) is np.ndarray:  # most are: their names need not be put into words
                check_unmasked(p, name, type(self).__name__)
                check_same_device(gradient, p, f"{type(self).__name__}: the gradient of {name!r}", "the weights")
            if gradient.shape != shape or not p.flags.c_contiguous:
                raise ValueError(
                    f"{type(self).__name__}: expected contiguous weights and a gradient of their shape for {name!r}, "
                    f"got shapes {shape} and {gradient.shape}, contiguous: {p.flags.c_contiguous}."
                )
            for slot, kept in self.state.get(name, {}).items():
                if kept.shape != shape:
                    raise ValueError(
                        f"{type(self).__name__}: expected {name!r} of shape {kept.shape}, as its {slot} "
                        f"has been so far, got {shape}. Other weights need a new optimizer: compile anew."
                    )
        with np.errstate(under="ignore"):  # what is too small for float32 is 0
            self._update(params, grads)

    def rates(self, learning_rate: float, t: int) -> float | tuple[float, ...]:
        """What `move` gets as the rate of update t, from 1: numbers that are worked out once for all weights."""
        return learning_rate

    def factor(self, name: str) -> float:
        """By what the rate of the weights of this name is multiplied; 0 leaves them as they are."""
        return 1.0

    def _next_update(self) -> tuple[float, int, float | tuple[float, ...]]:
        """The rate of the next update, its number, counted from 1, and what `move` gets."""
        rate = self.learning_rate
        self.iterations += 1
        return rate, self.iterations, self.rates(rate, self.iterations)

    def _update(self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> None:
        clipped = self._clipped(grads)
        rate, self._number, rates = replay.fresh(self._next_update)
        rows: dict[tuple[np.dtype, float], list[tuple[np.ndarray, ...]]] = {}
        for name, p in params.items():
            factor = self.factor(name)
            if not factor:
                continue
            known = self.state.setdefault(name, {})
            for slot in self.memory:
                if slot not in known:
                    known[slot] = array_module(p).full_like(p, self.first_value)
                elif known[slot].dtype != p.dtype or type(known[slot]) is not type(p):  # such as from a file
                    known[slot] = like(known[slot], p).astype(p.dtype, copy=False)
            gradient = clipped[name]
            if gradient.dtype != p.dtype or not gradient.flags.c_contiguous:
                gradient = array_module(p).ascontiguousarray(gradient, p.dtype)
            if self.weight_decay and not self.decays_itself:
                share = rate * self.weight_decay  # in a recording it is on the device
                p -= (share.astype(p.dtype) if replay.unchecked() else p.dtype.type(share)) * p
            rows.setdefault((p.dtype, factor), []).append((p, gradient, *(known[slot] for slot in self.memory)))
        for (_, factor), weights in rows.items():
            self.move(weights, rates if factor == 1 else factor * rates)

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
        if replay.unchecked():  # the norms are on the device
            xp = array_module(next(iter(grads.values())))
            factors = {name: xp.minimum(limit / xp.sqrt(square), 1.0) for name, square in squares.items()}
            return {name: g * factors[name].astype(g.dtype) for name, g in grads.items()}
        norms = {name: math.sqrt(square) for name, square in squares.items()}
        return {name: g if norms[name] <= limit else g * g.dtype.type(limit / norms[name]) for name, g in grads.items()}

    def move(self, weights: Rows, rate: Any) -> None:
        """Move all (weights, gradient, *memory) of one dtype in place; what each optimizer defines.

        Args:
            weights: as in the kernels.
            rate: what `rates` gave.
        """
        raise NotImplementedError
