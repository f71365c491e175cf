"""The figure of the way from a dense layer to a convolution."""

import json
from pathlib import Path

import numpy as np
import pytest

from scratchnet.interact import sharing
from scratchnet.recipes.sharing import PICTURES, STOPS, together

RESULTS = Path(__file__).parent.parent / "notebooks" / "results"


@pytest.fixture(scope="module")
def stored():
    return together(json.loads((RESULTS / f"layer_sharing_{seed}.json").read_text()) for seed in range(3))


@pytest.mark.parametrize(
    ("place", "connections", "different"), [(0, 576, 576), (2, 144, 144), (3, 144, 36), (4, 144, 9)]
)
def test_the_table_shows_which_weights_are_equal(place, connections, different):
    table = sharing.weight_table(STOPS[place])
    there = table[np.isfinite(table)]
    assert (len(there), len(np.unique(there))) == (connections, different)


def test_every_picture_is_drawn(stored):
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    assert len(sharing.tables().axes) == 3
    for which in PICTURES:
        for stop in STOPS:
            assert len(sharing.draw(stored, which, stop.name).axes) == 3


def test_the_slider_has_all_stops(stored):
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    which, stop, _ = sharing.slider(stored).widget().children
    assert (which.value, stop.value) == ("few shapes", "shared")
    assert list(stop.options) == [s.name for s in STOPS]
