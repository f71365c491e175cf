"""A number, or an array of them, that a metric adds up: what `add_variable` of a metric gives."""

from __future__ import annotations

from typing import Any

import numpy as np


class Variable(np.ndarray):
    """An array with Keras's methods: assign, assign_add, assign_sub, value, numpy; all else is NumPy's."""

    def assign(self, value: Any) -> Variable:
        """Take this value."""
        self[...] = value
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add this."""
        self[...] += value
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract this."""
        self[...] -= value
        return self

    @property
    def value(self) -> np.ndarray:
        """What it holds now, a copy."""
        return np.array(self)

    def numpy(self) -> np.ndarray:
        """What it holds now, a copy."""
        return np.array(self)
