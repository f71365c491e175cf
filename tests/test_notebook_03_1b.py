"""What notebook 3.1b says about learning, read from its stored outputs: each claim over its seeds."""

import json
import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "03_1b_activation_pooling_dense.ipynb"


def printed(start):
    """The lines that the code cell whose source begins so has printed."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    (cell,) = [c for c in cells if c["cell_type"] == "code" and "".join(c["source"]).startswith(start)]
    return "".join(text for output in cell["outputs"] for text in output.get("text", [])).splitlines()


def numbers(line):
    return [float(text) for text in re.findall(r"\d+\.?\d*", line)]


def test_more_relus_than_needed_close_the_circle_in_every_training():
    accuracy = {n: (low, high) for n, low, high in map(numbers, printed('print("ReLUs   accuracy')[1:])}
    assert accuracy[2][1] < 0.8  # two folds leave it open
    assert accuracy[3][1] > 0.9  # three can close it
    assert min(accuracy[3][0], accuracy[4][0]) < 0.8  # and need not
    assert accuracy[16][0] > 0.95


def test_units_die_in_ten_steps_and_fewer_with_a_smaller_rate():
    rows = [numbers(line) for line in printed("def dead_units")[1:]]
    fast, slow = ([row[2:] for row in rows if row[0] == rate] for rate in (0.001, 0.0001))
    assert len(fast) == len(slow) == 3
    assert all(start < 10 and 20 <= ten <= 50 for start, ten, _ in fast)
    assert all(a[1] > b[1] and a[2] > b[2] for a, b in zip(fast, slow))


def test_moving_averages_that_have_not_arrived_cost_accuracy():
    differ, quick, late = map(numbers, printed("weights_differ"))
    assert differ == [0.0]
    assert quick[2] > late[3]  # the worst of the one beats the best of the other


def test_company_changes_the_answer_in_training_only():
    rows = [numbers(line)[-2:] for line in printed("shirt = 159")[2:]]
    assert len(rows) == 5
    assert len({in_use for _, in_use in rows}) == 1
    assert max(t for t, _ in rows) - min(t for t, _ in rows) > 0.3


def test_the_mean_changes_less_than_the_maximum_when_a_picture_moves():
    change = [numbers(line)[0] for line in printed("def change_of")]
    assert change == sorted(change, reverse=True)
    assert change[-2] > 0.5 * change[1]  # the maximum does not stay


def test_ties_are_common():
    both, zeros, others = (numbers(line)[0] for line in printed("maps = article_net"))
    assert both == pytest.approx(zeros + others, abs=0.011)
    assert both > 0.2
