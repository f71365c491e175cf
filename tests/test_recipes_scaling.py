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


def test_all_that_notebook_5_draws_is_stored():
    runs = [json.loads((RESULTS / f"garments_scaling_{seed}.json").read_text()) for seed in range(3)]
    for seed, run in enumerate(runs):
        found = [tuple(result[field] for field in scaling.Run._fields) for result in run["results"]]
        assert run["seed"] == seed
        assert sorted(found) == sorted(scaling.RECIPES["garments_scaling"].runs)


def test_what_notebook_5_says_of_the_stored_results():
    """The law of the first five sizes tells the next two; with little work it fails; more filters are better."""
    runs = [result for seed in range(3) for result in results(RESULTS / f"garments_scaling_{seed}.json")]

    def errors(width, pictures, steps):
        wanted = (width, pictures, steps)
        return [r["test_error"] for r in runs if (r["width"], r["pictures"], r["steps"]) == wanted]

    sizes = np.array(scaling.PICTURES)
    long = np.array([np.mean(errors(8, n, scaling.LONG)) for n in sizes])
    law = np.polyfit(np.log(sizes[:5]), np.log(long[:5]), 1)
    assert np.abs(np.exp(np.polyval(law, np.log(sizes[5:]))) - long[5:]).max() < 0.03
    short = np.array([np.mean(errors(8, n, scaling.SHORT)) for n in sizes])
    early = np.exp(np.polyval(np.polyfit(np.log(sizes[:4]), np.log(short[:4]), 1), np.log(6000)))
    assert early < min(errors(8, 6000, scaling.SHORT)) - 0.02
    wide = [np.mean(errors(w, 6000, scaling.SHORT)) for w in scaling.WIDTHS]
    assert wide == sorted(wide, reverse=True)
