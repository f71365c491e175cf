"""The figures of the ring, from the stored runs; and what notebook 3.2 says of them."""

import json
from pathlib import Path

import pytest

from scratchnet.interact import ring

FOLDER = Path(__file__).parent.parent / "notebooks" / "results"
RESULTS = [json.loads((FOLDER / f"ring_ablation_{seed}.json").read_text()) for seed in range(3)]


def modes(noise, beta_1, rates="good"):
    return [ring.find(result, noise, beta_1, rates)["averaged"]["modes"] for result in RESULTS]


def shares(noise, beta_1, rates="good"):
    return [ring.find(result, noise, beta_1, rates)["averaged"]["share"] for result in RESULTS]


def test_every_combination_is_stored_for_three_seeds():
    assert [result["seed"] for result in RESULTS] == [0, 1, 2]
    for result in RESULTS:
        assert result["steps"] == 2500
        assert len(result["runs"]) == 14
        for run in result["runs"]:
            assert len(run["nearest"]) == 100
            assert {sum(counts) for counts in run["nearest"]} == {200}
            assert [int(step) for step in run["points"]] == list(ring.STEPS)
            assert len(run["final"]) == 200


def test_good_settings_find_all_clouds_with_noise_and_without():
    for noise in (False, True):
        assert modes(noise, 0.5) == [8, 8, 8]
        assert min(shares(noise, 0.5)) >= 0.92


def test_a_large_beta_costs_clouds_and_noise_does_not_bring_them_back():
    assert modes(False, 0.9) == [6, 7, 7]
    assert modes(True, 0.9)[:2] == [3, 0]


def test_bad_rates_collapse():
    for noise in (False, True):
        assert modes(noise, 0.9, "bad") == [0, 0, 0]
    assert modes(True, 0.5, "bad") == [0, 0, 0]
    assert modes(False, 0.5, "bad")[:2] == [0, 8]


def test_what_is_not_stored_is_named():
    with pytest.raises(KeyError, match=r"ring_ablation"):
        ring.find(RESULTS[0], False, 0.33)


class TestFigures:
    @pytest.fixture(autouse=True)
    def matplotlib(self):
        pytest.importorskip("matplotlib", reason="figures need the notebooks extra")

    def test_eight_panels(self):
        axes = ring.ablation(RESULTS).axes
        assert len(axes) == 8
        assert axes[0].get_title().splitlines()[:2] == ["good rates, β₁ = 0.5", "clouds: 8, 8, 8"]
        assert axes[0].get_ylabel() == "without noise"
        assert axes[4].get_ylabel() == "with noise"

    def test_wandering(self):
        runs = {"one": ring.find(RESULTS[0], False, 0.9, "bad"), "two": ring.find(RESULTS[0], True, 0.5)}
        figure = ring.wandering(runs)
        assert [ax.get_title() for ax in figure.axes[:2]] == ["one", "two"]

    def test_points_far_outside_are_counted_not_drawn(self):
        axes = ring.beta(RESULTS, 0.0, 100).axes
        assert len(axes) == 3
        for ax in axes:
            x = ax.lines[0].get_xdata()
            told = any("outside" in text.get_text() for text in ax.texts)
            assert told == (len(x) < 100)

    def test_controls_fit(self):
        pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
        figure = ring.beta_on_the_ring(RESULTS)
        assert {name: control.value for name, control in figure.controls().items()} == figure.start
        assert len(figure.picture().axes) == 3
        for beta_1 in ring.BETAS:
            assert figure.draw(beta_1, 300, True).axes
