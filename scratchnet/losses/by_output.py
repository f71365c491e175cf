"""Losses made of others: a loss for each output of a model, which add up; and a loss that counts more or less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratchnet.arguments import check_number, shortened
from scratchnet.losses.base import Loss

Values = tuple[float, ...]  # the sum, then the loss of each output, if there are several


class LossByOutput(Loss):
    """L = sum over outputs i of w_i * L_i(y_true[i], y_pred[i]); the gradient for output i is w_i * dL_i/dy_pred[i].

    `compile` makes it of loss=[...] or loss={...}, with w from loss_weights.

    Args:
        losses: one for each output, None where an output is not trained on.
        weights: w, one for each output; None for 1 each.

    Raises:
        ValueError: no loss at all, not as many weights, or one that is no finite number.
    """

    def __init__(self, losses: Sequence[Any], weights: Sequence[float] | None = None) -> None:
        super().__init__("losses")
        self.losses = list(losses)
        self.weights = [1.0] * len(self.losses) if weights is None else list(weights)
        known = [loss for loss in self.losses if isinstance(loss, Loss)]
        if not known or len(known) + self.losses.count(None) < len(self.losses):
            raise ValueError(
                f"LossByOutput: expected losses as a list of Loss objects, at least one, None for the others, got "
                f"{shortened(losses)}."
            )
        if len(self.weights) != len(self.losses):
            raise ValueError(f"LossByOutput: expected {len(self.losses)} weights, got {shortened(self.weights)}.")
        for number, weight in enumerate(self.weights):
            check_number(weight, f"weights[{number}]", "LossByOutput")

    def __call__(  # type: ignore[override]
        self, y_true: Sequence[Any], y_pred: Sequence[Any], sample_weight: Sequence[Any] | None = None
    ) -> float:
        """The sum; arguments and errors are those of `value_and_gradient`."""
        return self.by_output(y_true, y_pred, sample_weight)[0][0]

    def value_and_gradient(  # type: ignore[override]
        self, y_true: Sequence[Any], y_pred: Sequence[Any], sample_weight: Sequence[Any] | None = None
    ) -> tuple[float, list[Any]]:
        """(the sum, the gradient for each output; None for one without a loss).

        Args:
            y_true, y_pred: one array for each output, as its loss wants it.
            sample_weight: None, or one (N,) for each output, None for those whose examples count alike.

        Raises:
            ValueError: as in the losses themselves.
        """
        values, gradients = self.by_output(y_true, y_pred, sample_weight)
        return values[0], gradients

    def by_output(
        self, y_true: Sequence[Any], y_pred: Sequence[Any], sample_weight: Sequence[Any] | None = None
    ) -> tuple[Values, list[Any]]:
        """((the sum, the loss of each output that has one), the gradient for each output); losses are without w.

        Where only one output has a loss, it is the sum, which then stands alone.
        """
        total: Any = 0.0
        values: list[float] = []
        gradients: list[Any] = []
        for i, (loss, w, y) in enumerate(zip(self.losses, self.weights, y_pred)):
            if loss is None:
                gradients.append(None)
                continue
            value, dy = loss.value_and_gradient(y_true[i], y, None if sample_weight is None else sample_weight[i])
            total = total + w * value
            values.append(value)
            gradients.append(dy if w == 1 else dy * dy.dtype.type(w))
        return (total, *values) if len(values) > 1 else (total,), gradients

    def fused(self, which: Sequence[bool] | None = None) -> LossByOutput:
        """The same with those losses from logits where `which` says so; None for all."""
        flags = [True] * len(self.losses) if which is None else which
        fused = [loss.fused() if flag and loss is not None else loss for loss, flag in zip(self.losses, flags)]
        return LossByOutput(fused, self.weights)


class ScaledLoss(Loss):
    """L = w * L_1; the gradient is w * dL_1/dy_pred. `compile` makes it of loss_weights where there is one output.

    Args:
        loss: L_1.
        weight: w.

    Raises:
        ValueError: a weight that is no finite number.
    """

    def __init__(self, loss: Loss, weight: float) -> None:
        super().__init__(loss.name)
        self.loss, self.weight = loss, check_number(weight, "weight", "ScaledLoss")
        self.from_logits, self.output_activation = loss.from_logits, loss.output_activation  # type: ignore[misc]

    def value_and_gradient(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[float, Any]:
        """As the loss itself, times the weight."""
        value, dy = self.loss.value_and_gradient(y_true, y_pred, sample_weight)
        return self.weight * value, dy * dy.dtype.type(self.weight)

    def fused(self) -> ScaledLoss:
        """The same from logits."""
        return ScaledLoss(self.loss.fused(), self.weight)
