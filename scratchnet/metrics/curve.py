"""The area under a curve of right and wrong answers, over all thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_choice, check_count
from scratchnet.devices import as_array
from scratchnet.losses.base import EPSILON
from scratchnet.metrics.counting import Counting, check_thresholds, share
from scratchnet.signatures import OnlyDefault


class AUC(Counting):
    """The area under the ROC curve, recall over the rate of false positives, or under precision over recall ("PR").

    For "ROC" it is the probability that a yes has a larger output than a no: 1 for outputs that part them, 0.5 for
    chance. The curve is known at the thresholds only, so that the area is that of a polygon.

    Args:
        num_thresholds: how many, evenly from 0 to 1; the two outermost lie 1e-7 beyond.
        curve: "ROC" or "PR".
        summation_method: "interpolation" for the trapezoids (for PR, see the source), "majoring" or "minoring" for
            rectangles of the larger or smaller height.
        name: of its values; None for "auc".
        thresholds: others between 0 and 1, in place of num_thresholds.
        from_logits: whether y_pred are scores before the sigmoid.

    Source of the interpolation of PR: Davis and Goadrich, The Relationship Between Precision-Recall and ROC Curves,
    ICML 2006.
    """

    direction = "up"
    default_name = "auc"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: OnlyDefault = None,
        thresholds: Sequence[float] | None = None,
        multi_label: OnlyDefault = False,
        num_labels: OnlyDefault = None,
        label_weights: OnlyDefault = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(None, name)
        last = check_count(num_thresholds, "num_thresholds", "AUC", 2) - 1
        inner = [i / last for i in range(1, last)] if thresholds is None else check_thresholds(thresholds, "AUC")
        self.thresholds = [-EPSILON, *sorted(inner), 1 + EPSILON]
        self.curve = check_choice(curve, ("pr", "roc"), "curve")
        self.summation_method = check_choice(
            summation_method, ("interpolation", "majoring", "minoring"), "summation_method"
        )
        self.from_logits = from_logits
        self.reset_state()

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Take in a batch, with weights (N,) of the examples or without."""
        y_pred = as_array(y_pred)
        super().update_state(y_true, kernels.of(y_pred).sigmoid(y_pred) if self.from_logits else y_pred, sample_weight)

    def result(self) -> float:
        """The area."""
        tp, fp, tn, fn = self.true_positives, self.false_positives, self.true_negatives, self.false_negatives
        recall = share(tp, tp + fn)
        if self.curve == "roc":
            x, y = share(fp, fp + tn), recall
        elif self.summation_method == "interpolation":
            return _interpolated(tp, tp + fp, (tp + fn)[0])
        else:
            x, y = recall, share(tp, tp + fp)
        left, right = y[:-1], y[1:]
        heights = {
            "interpolation": (left + right) / 2,
            "majoring": np.maximum(left, right),
            "minoring": np.minimum(left, right),
        }
        return float(((x[:-1] - x[1:]) * heights[self.summation_method]).sum())


def _interpolated(tp: np.ndarray, p: np.ndarray, yes: float) -> float:
    """The area under precision over recall, where between two thresholds tp is linear in p, the positives.

    With tp = slope * p + intercept, the integral of tp / p over tp is slope * (dtp + intercept * log(p / p')).
    """
    slope = share(tp[:-1] - tp[1:], p[:-1] - p[1:])
    intercept = tp[1:] - slope * p[1:]
    ratio = np.where((p[:-1] > 0) & (p[1:] > 0), share(p[:-1], p[1:]), 1)
    area = slope * (tp[:-1] - tp[1:] + intercept * np.log(ratio))
    return float(area.sum() / yes) if yes else 0.0
