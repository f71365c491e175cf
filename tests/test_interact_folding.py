"""The folded plane: its pieces are counted rightly, and its figures show what they say."""

import itertools

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="figures need the notebooks extra")

import scratchnet as sn
from scratchnet.interact import folded_plane, folding


@pytest.mark.parametrize("units", [1, 2, 3, 4, 8, 16, 32])
def test_lines_in_general_position_make_the_most_pieces(units):
    w, b = folding.folds(units)[0]
    assert folding.count_regions(w, b) == folding.most_regions(units)


def test_count_of_lines_through_one_point_is_below_the_most():
    angle = np.array([0.1, 1.0, 2.0])
    w = np.stack([np.cos(angle), np.sin(angle)])
    assert folding.most_regions(3) == 7
    assert folding.seen_regions([(w, np.zeros(3))]) == 6


def test_pieces_seen_on_the_grid_are_those_counted():
    for units in (1, 2, 4):
        weights = folding.folds(units)
        assert (
            folding.seen_regions(weights) == folding.count_regions(*weights[0]) == 1 + units + units * (units - 1) / 2
        )


def test_values_are_those_of_dense_layers():
    weights, x = folding.folds(6, 3, seed=1), np.random.default_rng(0).normal(size=(20, 2))
    model = sn.Sequential([sn.Dense(6, activation="relu") for _ in weights], dtype="float64")
    model.build((None, 2))
    model.set_weights(list(itertools.chain(*weights)))
    assert np.allclose(model.forward(x), folding.values(weights, x)[-1])


def test_within_a_piece_the_network_is_flat():
    weights, x = folding.folds(8, 2), np.random.default_rng(0).normal(size=(300, 2))
    step = np.random.default_rng(1).normal(size=x.shape) * 1e-3
    left, middle, right = (folding.values(weights, x + k * step)[-1] for k in (-1, 0, 1))
    same = (folding.patterns(weights, x - step) == folding.patterns(weights, x + step)).all(axis=1)
    assert 0.9 < same.mean() < 1
    assert np.allclose((left + right - 2 * middle)[same], 0, atol=1e-12)
    assert np.abs((left + right - 2 * middle)[~same]).max() > 1e-6


def test_one_more_unit_keeps_the_folds_before():
    few, many = folding.folds(3)[0], folding.folds(4)[0]
    assert np.array_equal(few[0], many[0][:, :3])
    assert np.array_equal(few[1], many[1][:3])


def test_growing_says_how_many_pieces():
    figure = folding.growing((1, 3))
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["1 unit: 2 pieces", "3 units: 7 pieces"]
    assert len(figure.axes) == 4


def test_folded_draws_for_the_controls():
    figure = folding.folded(3, 1)
    figure.canvas.draw()
    assert figure.axes[0].get_title() == "1 layer of 3: 7 pieces in the square"
    with pytest.raises(ValueError, match="units"):
        folding.folded(0)


def test_the_interactive_figure_has_a_control_for_each_value():
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    figure = folded_plane()
    assert set(figure.controls()) == set(figure.start)
    data, metadata = figure._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "sheet" in metadata["image/png"]["alt"]
