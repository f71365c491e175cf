"""The stored results that the notebooks show belong to the package as it is."""

import json
from pathlib import Path

import pytest

import scratchnet as sn

RESULTS = Path(__file__).parent.parent / "notebooks" / "results"


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*_dcgan_*.json")), ids=lambda path: path.stem)
def test_stored_results_are_those_of_the_shipped_classifiers(path):
    """With other weights in the classifiers all stored distances would have to be measured again."""
    run = json.loads(path.read_text())
    name = path.stem.split("_dcgan_")[0].replace("fashion", "fashion_mnist")
    for scores in (run[part] for part in ("last", "best") if part in run):
        assert (scores["classifier"], scores["hash"]) == (name, sn.generation.classifier(name).hash)


def test_there_are_stored_results():
    assert len(list(RESULTS.glob("*_dcgan_*.json"))) >= 8
