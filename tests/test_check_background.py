"""The exercises of chapter 1: what the printed solutions are said to find is what they find."""

from pathlib import Path

import numpy as np
import pytest
from notebook_rules import printed

from scratchnet.datasets import fashion_mnist_small

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "01_background.ipynb"


def test_the_numbers_beside_the_solutions():
    solutions = printed(NOTEBOOK)
    (x, y), (x_test, y_test) = fashion_mnist_small.load_data()
    a, b = (pictures.reshape(len(pictures), -1) / 255 for pictures in (x, x_test))
    assert np.mean(solutions["nearest_mean"](a, y, b) == y_test) == pytest.approx(0.65, abs=0.005)
    assert solutions["by_luck"](7, 10, 0.1) == pytest.approx(1e-5, rel=0.1)
    assert solutions["by_luck"](8, 12, 0.5) == pytest.approx(0.19, abs=0.005)
    assert solutions["balanced_accuracy"](np.repeat([1, 3], [95, 5]), np.repeat(1, 100)) == 0.5
    made, train = x[:20] / 127.5 - 1.0, x[:200] / 127.5 - 1.0
    assert solutions["share_of_copies"](made, train, 0.1) == 1
    assert solutions["share_of_copies"](np.roll(made, 1, axis=2), train, 0.1) == 0
