"""A penalty on what passes by, as a layer."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import check_number
from scratchnet.layers.base import Layer
from scratchnet.regularizers import L1L2


class ActivityRegularization(Layer):
    """y = x, and the loss gets l1 * sum |y| + l2 * sum y^2, divided by the number of examples N.

        dx = dy + (l1 * sign(y) + 2 * l2 * y) / N

    Shapes: any, unchanged.

    Args:
        l1, l2: how much each counts, at least 0.

    Source: https://keras.io/api/layers/regularization_layers/activity_regularization/
    """

    keeps_range = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Any):
        for name, value in (("l1", l1), ("l2", l2)):
            check_number(value, name, type(self).__name__, 0)
        super().__init__(activity_regularizer=L1L2(l1, l2), **options)
        self.l1, self.l2 = l1, l2
