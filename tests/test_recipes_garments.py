"""The recipe of chapter 1's small generator: what it writes, and that it goes on where it was broken off."""

import json

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.recipes import __main__ as command
from scratchnet.recipes import garments


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A hundred of the pictures."""
    (x, y), test = sn.datasets.fashion_mnist_small.load_data()
    monkeypatch.setattr(garments.fashion_mnist_small, "load_data", lambda: ((x[:96], y[:96]), test))


def test_what_is_written_down(tmp_path):
    command.main(["small_garments", "--seeds", "3", "--epochs", "2", "--folder", str(tmp_path)])
    result = json.loads((tmp_path / "small_garments_3.json").read_text())
    assert (result["recipe"], result["seed"]) == ("small_garments", 3)
    assert {"date", "machine"} <= result.keys()
    assert [len(values) for values in (result["seconds"], result["history"]["d_loss"])] == [2, 2]
    made = sn.load_model(tmp_path / "small_garments_3.safetensors").predict(np.zeros((2, garments.LATENT)))
    assert made.shape == (2, 28, 28, 1)


def test_a_run_that_was_broken_off_goes_on_to_the_same_bits(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder, epochs in ((whole, (2,)), (parts, (1, 2))):
        folder.mkdir()
        for count in epochs:
            garments.train("small_garments", 0, folder, count)
    a, b = (sn.load_model(folder / "small_garments_0.safetensors").get_weights() for folder in (whole, parts))
    for one, other in zip(a, b):
        np.testing.assert_array_equal(one, other)
