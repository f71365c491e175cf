"""The recipe of scaling: what it writes, that it goes on where it was cut off, and what is stored of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from scratchnet.recipes import __main__ as command
from scratchnet.recipes import scaling

RESULTS = Path(__file__).parent.parent / "notebooks" / "results"
SMALL = (scaling.Run(1, 40, 3), scaling.Run(2, 40, 3))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setitem(scaling.RECIPES, "garments_scaling", scaling.Recipe("small", SMALL))


def results(path):
    return json.loads(path.read_text())["results"]


def test_what_is_written_down(small, tmp_path):
    command.main(["garments_scaling", "--seeds", "1", "--folder", str(tmp_path)])
    found = results(tmp_path / "garments_scaling_1.json")
    assert [tuple(result[field] for field in scaling.Run._fields) for result in found] == list(SMALL)
    network = scaling.network(2)
    network.build((None, 28, 28, 1))
    assert found[1]["parameters"] == network.count_params()
    assert found[1]["multiply_adds"] == network.multiply_adds()
    assert found == [scaling.one(run, 1) for run in SMALL]


def test_a_run_that_was_cut_off_goes_on(small, tmp_path, monkeypatch):
    scaling.train("garments_scaling", 0, tmp_path, None)
    path = tmp_path / "garments_scaling_0.json"
    whole = results(path)
    path.write_text(json.dumps({"results": whole[:1]}))
    ran = []
    monkeypatch.setattr(scaling, "one", lambda run, seed: ran.append(run) or whole[SMALL.index(run)])
    scaling.train("garments_scaling", 0, tmp_path, None)
    assert ran == [SMALL[1]]
    assert results(path) == whole


def test_epochs_are_refused(tmp_path):
    with pytest.raises(ValueError, match="steps"):
        scaling.train("garments_scaling", 0, tmp_path, 3)


def test_smaller_sets_are_parts_of_larger_and_steps_are_met(monkeypatch):
    seen = []

    class Model:
        def compile(self, *args, **options):
            pass

        def train_on_batch(self, x, y):
            seen.append(x)

        def evaluate(self, *args, **options):
            return {"loss": 0.0, "accuracy": 0.5}

        def count_params(self):
            return 1

        def multiply_adds(self):
            return 1

    monkeypatch.setattr(scaling, "network", lambda width: Model())

    def pictures(run):
        seen.clear()
        scaling.one(run, seed=5)
        return {picture.tobytes() for picture in np.concatenate(seen)}, len(seen)

    few, many = pictures(scaling.Run(1, 40, 5)), pictures(scaling.Run(1, 100, 7))
    assert (few[1], many[1]) == (5, 7)
    assert len(few[0]) == 40
    assert few[0] <= many[0]


def test_cost_is_that_of_the_network():
    for width in (1, 3, 8):
        network = scaling.network(width)
        network.build((None, 28, 28, 1))
        assert scaling.cost(width) == network.multiply_adds()


def test_equal_work_is_equal():
    runs = scaling.RECIPES["garments_equal_work"].runs
    work = [scaling.cost(run.width) * run.steps for run in runs]
    assert max(work) < 1.001 * min(work)


@pytest.mark.parametrize("name", scaling.RECIPES)
def test_all_that_notebooks_5_and_6_draw_is_stored(name):
    runs = [json.loads((RESULTS / f"{name}_{seed}.json").read_text()) for seed in range(3)]
    for seed, run in enumerate(runs):
        found = [tuple(result[field] for field in scaling.Run._fields) for result in run["results"]]
        assert run["seed"] == seed
        assert sorted(found) == sorted(scaling.RECIPES[name].runs)


def errors(name, width, pictures, steps):
    """The three seeds' test errors, as stored."""
    runs = [result for seed in range(3) for result in results(RESULTS / f"{name}_{seed}.json")]
    wanted = (width, pictures, steps)
    return [run["test_error"] for run in runs if tuple(run[field] for field in scaling.Run._fields) == wanted]


def test_what_notebook_5_says_of_the_stored_results():
    """A law at first; too hopeful two doublings on, and more so with less work; more filters are better."""
    sizes, missed = np.array(scaling.PICTURES), {}
    for steps in (scaling.SHORT, scaling.LONG):
        found = np.array([errors("garments_scaling", 8, n, steps) for n in sizes]).mean(axis=1)
        law = np.polyfit(np.log(sizes[:4]), np.log(found[:4]), 1)
        missed[steps] = found[-1] / np.exp(np.polyval(law, np.log(sizes[-1])))
        assert np.abs(np.exp(np.polyval(law, np.log(sizes[:4]))) - found[:4]).max() < 0.015
    assert missed[scaling.SHORT] > 1.4 > missed[scaling.LONG] > 1.15
    wide = [np.mean(errors("garments_scaling", w, 6000, scaling.SHORT)) for w in scaling.WIDTHS]
    assert wide == sorted(wide, reverse=True)


def test_what_notebook_6_says_of_the_stored_results():
    """At equal work the small networks are better, in every seed."""
    runs = scaling.RECIPES["garments_equal_work"].runs
    found = np.array([errors("garments_equal_work", *run) for run in runs])
    assert (found[0] < found[2] - 0.01).all()
    assert (found[2] < found[3] - 0.01).all()
