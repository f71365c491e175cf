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


def test_the_garments_beside_pytorch_have_six_seeds_each():
    """As many samples each, or their distances could not be compared."""
    for stem in ("fashion_dcgan", "fashion_dcgan_torch"):
        runs = [json.loads((RESULTS / f"{stem}_{seed}.json").read_text()) for seed in range(6)]
        assert [run["seed"] for run in runs] == list(range(6))
        assert {run["last"]["samples"] for run in runs} == {3000}
    assert len(list(RESULTS.glob("fashion_dcgan*.json"))) == 12


def test_the_photographs_are_stored_for_both():
    assert (RESULTS / "cifar10_dcgan_0.json").is_file()
    assert (RESULTS / "cifar10_dcgan_torch_0.json").is_file()
