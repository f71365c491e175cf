"""Interactive figures: a picture in every notebook, controls where ipywidgets is there."""

import sys

import pytest

from scratchnet import interact, plot


def bars(height):
    figure, axes = plot.pyplot().subplots()
    axes.bar([0], [height])
    plot.pyplot().close(figure)
    return figure


def slider():
    import ipywidgets

    return {"height": ipywidgets.FloatSlider(2.0, min=0.0, max=4.0)}


@pytest.fixture
def figure():
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    return interact.Interactive(bars, {"height": 2.0}, slider, "one bar of height 2")


def test_the_picture_is_stored_beside_the_controls(figure):
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    data, metadata = figure._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert metadata["image/png"]["alt"] == "one bar of height 2"


def test_moving_a_control_draws_anew(figure):
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    seen = []
    figure.draw_and_show = lambda **values: seen.append(values)
    control = figure.widget().children[0]
    control.value = 3.0
    assert seen == [{"height": 2.0}, {"height": 3.0}]


def test_without_ipywidgets_the_picture_is_there(figure, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    data, _ = figure._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png"}
    with pytest.raises(ImportError, match="notebooks"):
        figure.widget()
