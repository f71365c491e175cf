"""One step of training: forward, loss, backward, update; and the means of losses and metrics over many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import locks, replay
from scratchnet.annotations import checked
from scratchnet.arguments import is_number
from scratchnet.callbacks import Logs
from scratchnet.devices import to_numpy
from scratchnet.fields import anything, check_names, count, join, list_of, mapping, number, record, refuse
from scratchnet.layers import Layer
from scratchnet.layers.penalties import activity_penalties, penalized
from scratchnet.losses import Loss, LossByOutput
from scratchnet.losses.by_output import Values
from scratchnet.metrics import Metric
from scratchnet.metrics.variable import Variable
from scratchnet.optimizers import Optimizer
from scratchnet.structures import length, parts
from scratchnet.training.freezing import as_compiled
from scratchnet.training.outputs import OutputMetric


def _takes_in(loss: Loss | None, activation: str | None) -> bool:
    return loss is not None and activation is not None and activation == loss.output_activation and not loss.from_logits


def fused_with(model: Any, loss: Loss) -> bool | list[bool]:
    """Whether the model ends in the softmax or sigmoid that this loss can take in, which is stabler; by output."""
    ends = parts(model.output_activation)
    if isinstance(loss, LossByOutput):
        return [_takes_in(one, activation) for one, activation in zip(loss.losses, ends)]
    return _takes_in(loss, ends)


def forward_loss(
    model: Any, loss: Loss, x: Any, y: Any, training: bool, weight: Any = None
) -> tuple[float | Values, Any, Any]:
    """(loss, its gradient for `backward`, the model's scores or outputs) on one batch; the loss with all penalties."""
    fused = fused_with(model, loss)
    with activity_penalties() as penalties:
        z = parts(model.forward(x, training=training, logits=fused))
    value: Any
    dz: Any
    if isinstance(loss, LossByOutput) and isinstance(fused, list):
        value, dz = loss.fused(fused).by_output(y, z, weight)
    else:
        value, dz = (loss.fused() if fused else loss).value_and_gradient(y, z, weight)
    return penalized(value, model, penalties), dz, z


def total(value: float | Values) -> float:
    """The number that is made smaller: of several outputs, the sum."""
    return value[0] if isinstance(value, tuple) else value


@checked
def train_step(
    model: Layer, loss: Loss, optimizer: Optimizer, x: Any, y: Any, weight: Any = None
) -> tuple[float | Values, Any]:
    """One step of training, all of it: forward, loss, backward, update. `weight` says how much each example counts.

    A loss that is NaN or infinite moves no weight. Other threads that predict wait until the step is whole. x, y and
    weight are arrays; lists of them where the model has several inputs or outputs.

    Returns:
        The batch's loss before the update, and the model's output (before its softmax or sigmoid, where the loss
        takes that in). Of several outputs: (the sum of the losses, the loss of each), and the list of outputs.
    """
    with locks.MODELS, as_compiled(model):
        value, dz, z = forward_loss(model, loss, x, y, True, weight)
        if not replay.finite(total(value)):
            return value, z
        model.zero_grads()
        model.backward(dz, input_grad=False, logits=fused_with(model, loss))  # type: ignore[arg-type]  # by output
        model.add_penalty_gradients()
        optimizer.update_model(model)
        return value, z


MEANS = record(totals=list_of(number(finite=False)), count=count(), metrics=list_of(mapping(anything)))


def _inner(metric: Metric) -> Metric:
    return metric.metric if isinstance(metric, OutputMetric) else metric


def _kept(metric: Metric) -> dict[str, Any]:
    """What a metric keeps, but for the arguments that it was made with."""
    kept = {name: value for name, value in vars(_inner(metric)).items() if not name.startswith("_")}
    return {name: value.value if isinstance(value, Variable) else value for name, value in kept.items()}


def _check_kept(metric: Metric, values: Mapping[str, Any], where: str) -> None:
    """Raise a ValueError unless the values are of the kinds that the metric has now."""
    own = _kept(metric)
    check_names(values, own, where)
    for name, value in own.items():
        if is_number(value):
            number(finite=False)(values[name], join(where, name))
        elif type(values[name]) is not type(value):
            raise refuse(join(where, name), type(value).__name__, values[name])


class RunningMeans:
    """The means of loss and metrics over the examples seen so far.

    Args:
        metrics: as `compile` made them.
        outputs: the names of the outputs that have a loss of their own, where there are several.
    """

    def __init__(self, metrics: Sequence[Metric], outputs: Sequence[str] = ()):
        self.metrics, self.names = metrics, ["loss", *(f"{name}_loss" for name in outputs)]
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.totals, self.count = [0.0] * len(self.names), 0
        for metric in self.metrics:
            metric.reset_state()

    def update(self, value: float | Values, y: Any, y_pred: Any, weight: Any = None) -> None:
        """Take in a batch."""
        self.update_group([value], y, y_pred, weight)

    def update_group(self, values: Sequence[float | Values], y: Any, y_pred: Any, weight: Any = None) -> None:
        """Take in batches of one size at once: the loss of each, and the labels and outputs of all together."""
        count = length(y_pred)
        for value in values:
            for place, loss in enumerate(value if isinstance(value, tuple) else (value,)):
                self.totals[place] += loss * (count // len(values))
        self.count += count
        for metric in self.metrics:
            if isinstance(metric, OutputMetric):
                metric.look(y, y_pred, weight)
            else:
                metric.update_state(y, y_pred)

    def get_state(self) -> dict[str, Any]:
        """The sums so far; of the metrics, all that they keep."""
        return {"totals": self.totals, "count": self.count, "metrics": [_kept(m) for m in self.metrics]}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the sums, so that the means are of the whole epoch."""
        self.totals, self.count = list(state["totals"]), state["count"]
        for metric, values in zip(self.metrics, state["metrics"]):
            kept = vars(_inner(metric))
            for name, value in values.items():
                own = kept[name]
                kept[name] = own.assign(value) if isinstance(own, Variable) else value

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        MEANS(state, where)
        for name, own in (("totals", self.names), ("metrics", self.metrics)):
            if len(state[name]) != len(own):
                raise refuse(f"{where}.{name}", f"the sums of {len(own)} {name}", state[name])
        for place, (metric, values) in enumerate(zip(self.metrics, state["metrics"])):
            _check_kept(metric, values, f"{where}.metrics[{place}]")

    def logs(self, prefix: str = "") -> Logs:
        """{"loss": ..., "accuracy": ...}; of several outputs also {"left_loss": ..., "left_accuracy": ...}."""
        losses = {prefix + name: total / self.count for name, total in zip(self.names, self.totals)}
        return losses | {prefix + metric.name: _number_or_array(metric.result()) for metric in self.metrics}


def _number_or_array(value: Any) -> Any:
    """A metric's result as a Python float, or, a number a class, as an array of float64 in the CPU's memory."""
    return to_numpy(value).astype(np.float64) if getattr(value, "ndim", 0) else float(value)


def returned(logs: Logs, return_dict: bool) -> float | list[float] | Logs:
    """The values as Keras returns them: a dict, a list, or the loss if it is alone."""
    values = list(logs.values())
    return logs if return_dict else values if len(values) > 1 else values[0]
