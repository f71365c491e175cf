"""What `compile` makes of losses and metrics: one for all outputs, a list with one for each, or a dict by name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from scratchnet import losses
from scratchnet.arguments import is_number, shortened
from scratchnet.losses import Loss, LossByOutput, ScaledLoss
from scratchnet.metrics import Metric
from scratchnet.metrics import get as get_metric


class OutputMetric(Metric):
    """A metric together with what it looks at: one of several outputs, and whether examples count by their weights.

    Args:
        metric: what is measured.
        name: in the logs, such as "left_accuracy".
        output: the number of the output; None where there is one.
        weighted: whether an example counts as much as its sample_weight says.
    """

    def __init__(self, metric: Any, name: str, output: int | None = None, weighted: bool = False) -> None:
        self.metric, self.output, self.weighted = metric, output, weighted
        super().__init__(name=name)

    @property
    def direction(self) -> str | None:  # type: ignore[override]
        """That of the metric."""
        return self.metric.direction

    def reset_state(self) -> None:
        """Forget what was seen."""
        self.metric.reset_state()

    def look(self, y_true: Any, y_pred: Any, weight: Any = None) -> None:
        """Take in a batch: of the labels, outputs and weights of all outputs, those of its own."""
        if self.output is not None:
            y_true, y_pred, weight = (None if all_ is None else all_[self.output] for all_ in (y_true, y_pred, weight))
        if self.weighted and weight is not None:
            self.metric.update_state(y_true, y_pred, weight)
        else:
            self.metric.update_state(y_true, y_pred)

    def result(self) -> Any:
        """That of the metric."""
        return self.metric.result()


def loss_of(loss: Any, weights: Any, names: Sequence[str], caller: str) -> Loss:
    """The loss of a model; of several outputs a LossByOutput.

    Args:
        loss: a name or an object, for all outputs; a list with one for each; or a dict by name. None in them for an
            output that is not trained on.
        weights: how much each output's loss counts: a list, or a dict by name; None for 1 each.
        names: of the outputs.
        caller: how errors begin.

    Raises:
        ValueError: not one for each output, an unknown name, or none at all.
    """
    _check_kinds(loss, "loss", Loss, caller)
    if not any(_listed(loss)):
        raise ValueError(f"{caller}: needs a loss, such as loss='sparse_categorical_crossentropy', got {loss!r}.")
    if isinstance(loss, LossByOutput):
        loss, weights = loss.losses, loss.weights
    several = loss if isinstance(loss, (list, tuple, Mapping)) else [loss] * len(names)
    made = [None if one is None else losses.get(one) for one in _each_output(several, names, "loss", caller)]
    for one in made:
        if one is not None and one.reduction == "none":
            raise ValueError(
                f"{caller}: expected a loss that is one number, got {type(one).__name__} with reduction='none', a "
                "number an example. That is for calls by hand; leave reduction out."
            )
    if isinstance(weights, (int, float)):
        weights = [weights]
    scale: list[Any] = [1.0] * len(names) if weights is None else _each_output(weights, names, "loss_weights", caller)
    for weight in scale:
        if not is_number(weight) or not math.isfinite(weight):
            raise ValueError(
                f"{caller}: expected loss_weights to be finite numbers, got {shortened(weight)}. Metrics come by name: "
                "metrics=['accuracy']."
            )
    if len(names) > 1 or made[0] is None:
        return LossByOutput(made, scale)
    return made[0] if scale[0] == 1 else ScaledLoss(made[0], scale[0])


def metrics_of(metrics: Any, weighted: Any, loss: Loss, names: Sequence[str], caller: str) -> list[Metric]:
    """The metrics of a model, under the names that they have in the logs.

    Args:
        metrics, weighted: as `compile` takes them: metrics that count all examples alike, and by their weights.
        loss: of `loss_of`: "accuracy" is binary or of classes, as the loss is.
        names: of the outputs.
        caller: how errors begin.

    Raises:
        ValueError: an unknown name, or, of several outputs, no entry for each.
    """
    made: dict[str, Metric] = {}
    of = loss.losses if isinstance(loss, LossByOutput) else [loss.loss if isinstance(loss, ScaledLoss) else loss]
    for argument, wanted in (("metrics", metrics), ("weighted_metrics", weighted)):
        by_weight = argument == "weighted_metrics"
        _check_kinds(wanted, argument, Metric, caller)
        if made_before := [m for m in _listed(wanted) if isinstance(m, OutputMetric)]:  # from a file
            made |= {metric.name: metric for metric in made_before}
            wanted = [m for m in _listed(wanted) if not isinstance(m, OutputMetric)]
        for output, entry in enumerate(_metrics_of_each(wanted, names, argument, caller)):
            for one in _listed(entry):
                metric = get_metric(one, loss=of[output])
                start = f"{names[output]}_" if len(names) > 1 else ""
                name = start + metric.name
                if by_weight and name in made:
                    name = f"{start}weighted_{metric.name}"
                name = _free(name, made)
                plain = len(names) == 1 and not by_weight
                made[name] = metric if plain else OutputMetric(metric, name, _place(output, names), by_weight)
                made[name].name = name
    return list(made.values()) if len(names) == 1 else [made[name] for name in sorted(made)]


def _check_kinds(value: Any, argument: str, kind: type, caller: str) -> None:
    """Raise a ValueError for what is no name, object or function, nor a list or dict of such."""
    inner = [one for part in _listed(value) for one in _listed(part)]
    for one in inner:
        hint = f" A class needs its brackets: {one.__name__}()." if isinstance(one, type) else ""
        if isinstance(one, type) or not (isinstance(one, (str, kind)) or callable(one)):
            raise ValueError(
                f"{caller}: expected {argument} to be a name, a {kind.__name__} or a function, or a list or dict of "
                f"them, got {shortened(value)}.{hint}"
            )


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, or, where it is taken, the first free one of name_1, name_2, ..., as in Keras."""
    others = (f"{name}_{number}" for number in itertools.count(1))
    return name if name not in taken else next(other for other in others if other not in taken)


def _place(output: int, names: Sequence[str]) -> int | None:
    return output if len(names) > 1 else None


def _listed(value: Any) -> list[Any]:
    """What stands by itself as a list of one, a dict as its values."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _metrics_of_each(wanted: Any, names: Sequence[str], argument: str, caller: str) -> list[Any]:
    """For each output what is measured of it."""
    if not _listed(wanted):
        return [None] * len(names)
    if isinstance(wanted, Mapping):
        return [wanted.get(name) for name in _known(wanted, names, argument, caller)]
    if len(names) == 1:  # ["accuracy"], or [["accuracy"]] as for several outputs
        return [[inner for one in _listed(wanted) for inner in _listed(one)]]
    return _each_output(wanted, names, argument, caller)


def _each_output(value: Any, names: Sequence[str], argument: str, caller: str) -> list[Any]:
    """The entry for each output."""
    if isinstance(value, Mapping):
        _known(value, names, argument, caller)
        if missing := [name for name in names if name not in value]:
            raise ValueError(f"{caller}: {argument} has no entry for the output {missing[0]!r}. None leaves it out.")
        return [value[name] for name in names]
    if not isinstance(value, (list, tuple)) or len(value) != len(names):
        count = f"a {type(value).__name__} of {len(value)}" if isinstance(value, (list, tuple)) else repr(value)
        raise ValueError(
            f"{caller}: expected {argument} as a list with one entry for each of the outputs {', '.join(names)}, or as "
            f"a dict with their names, got {count}."
        )
    return list(value)


def _known(value: Mapping[str, Any], names: Sequence[str], argument: str, caller: str) -> Sequence[str]:
    """The names, where the dict has no other."""
    if unknown := [name for name in value if name not in names]:
        raise ValueError(
            f"{caller}: expected {argument} by the names of the outputs, {', '.join(map(repr, names))}, got "
            f"{unknown[0]!r}, which is none of them."
        )
    return names
