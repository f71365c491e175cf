"""One step of training: forward, loss, backward, update; and the means of losses and metrics over many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import locks, random, replay
from scratchnet.annotations import checked
from scratchnet.arguments import is_number
from scratchnet.callbacks import Logs
from scratchnet.fields import anything, check_names, count, join, list_of, mapping, number, record, refuse
from scratchnet.layers import Layer
from scratchnet.layers.penalties import activity_penalties, penalized
from scratchnet.losses import Loss
from scratchnet.metrics import Metric
from scratchnet.optimizers import Optimizer
from scratchnet.training.freezing import as_compiled


def fused_with(model: Any, loss: Loss) -> bool:
    """Whether the model ends in the softmax or sigmoid that this loss can take in, which is stabler."""
    return (
        model.output_activation is not None
        and model.output_activation == loss.output_activation
        and not loss.from_logits
    )


def forward_loss(
    model: Any, loss: Loss, x: np.ndarray, y: np.ndarray, training: bool, weight: np.ndarray | None = None
) -> tuple[float, Any, np.ndarray]:
    """(loss, its gradient for `backward`, the model's scores or outputs) on one batch; the loss with all penalties."""
    fused = fused_with(model, loss)
    with activity_penalties() as penalties:
        z = model.forward(x, training=training, logits=fused)
    value, dz = (loss.fused() if fused else loss)(y, z, weight)
    return penalized(value, model, penalties), dz, z


@checked
def train_step(
    model: Layer, loss: Loss, optimizer: Optimizer, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """One step of training, all of it: forward, loss, backward, update. `weight` says how much each example counts.

    A loss that is NaN or infinite moves no weight. Other threads that predict wait until the step is whole.

    Returns:
        The batch's loss before the update, and the model's output (before its softmax or sigmoid, where the loss
        takes that in).
    """
    with locks.MODELS, as_compiled(model):
        value, dz, z = forward_loss(model, loss, x, y, True, weight)
        if not replay.finite(value):
            return value, z
        model.zero_grads()
        model.backward(dz, input_grad=False, logits=fused_with(model, loss))
        model.add_penalty_gradients()
        optimizer.update_model(model)
        return value, z


def batches(count: int, batch_size: int, shuffle: bool) -> Iterator[np.ndarray]:
    """Index arrays that together hold 0 ... count - 1 once; the last may be shorter."""
    order = random.generator().permutation(count) if shuffle else np.arange(count)
    for start in range(0, count, batch_size):
        yield order[start : start + batch_size]


MEANS = record(total=number(finite=False), count=count(), metrics=list_of(mapping(anything)))


def _kept(metric: Metric) -> dict[str, Any]:
    """What a metric keeps, but for the arguments that it was made with."""
    return {name: value for name, value in vars(metric).items() if not name.startswith("_")}


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
    """The means of loss and metrics over the examples seen so far."""

    def __init__(self, metrics: Sequence[Metric]):
        self.metrics = metrics
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.total, self.count = 0.0, 0
        for metric in self.metrics:
            metric.reset()

    def update(self, value: float, y: np.ndarray, y_pred: np.ndarray) -> None:
        """Take in a batch."""
        self.update_group([value], y, y_pred)

    def update_group(self, values: Sequence[float], y: np.ndarray, y_pred: np.ndarray) -> None:
        """Take in batches of one size at once: the loss of each, and the labels and outputs of all together."""
        for value in values:
            self.total += value * (len(y) // len(values))
        self.count += len(y)
        for metric in self.metrics:
            metric.update(y, y_pred)

    def get_state(self) -> dict[str, Any]:
        """The sums so far; of the metrics, all that they keep."""
        return {"total": self.total, "count": self.count, "metrics": [_kept(m) for m in self.metrics]}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the sums, so that the means are of the whole epoch."""
        self.total, self.count = state["total"], state["count"]
        for metric, values in zip(self.metrics, state["metrics"]):
            vars(metric).update(values)

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        MEANS(state, where)
        if len(state["metrics"]) != len(self.metrics):
            raise refuse(f"{where}.metrics", f"the sums of {len(self.metrics)} metrics", state["metrics"])
        for place, (metric, values) in enumerate(zip(self.metrics, state["metrics"])):
            _check_kept(metric, values, f"{where}.metrics[{place}]")

    def logs(self, prefix: str = "") -> Logs:
        """{"loss": ..., "accuracy": ...}."""
        return {prefix + "loss": self.total / self.count} | {prefix + m.name: m.result() for m in self.metrics}


def returned(logs: Logs, return_dict: bool) -> float | list[float] | Logs:
    """The values as Keras returns them: a dict, a list, or the loss if it is alone."""
    values = list(logs.values())
    return logs if return_dict else values if len(values) > 1 else values[0]
