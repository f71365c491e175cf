"""The picture of a model: each layer once, arrows where something flows, and nothing on top of anything else."""

import itertools

import pytest

import scratchnet as sn
from scratchnet import plot
from scratchnet.models.graph import Graph
from scratchnet.plot.layout import HALF, layout
from scratchnet.utils import drawing

pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
import matplotlib.pyplot

matplotlib.use("Agg")
from matplotlib.patches import FancyArrowPatch


def chain():
    return sn.Sequential([sn.Input((8, 8, 1)), sn.Conv2D(2, 3, activation="relu"), sn.Flatten(), sn.Dense(3)])


def residual():
    """Two blocks, the second with a convolution on its short cut."""
    x = start = sn.Input((8, 8, 1))
    for filters, strides in ((1, 1), (4, 2)):
        y = sn.Conv2D(filters, 3, strides=strides, padding="same")(x)
        y = sn.BatchNormalization()(sn.ReLU()(sn.BatchNormalization()(y)))
        x = x if strides == 1 else sn.Conv2D(filters, 1, strides=strides)(x)
        x = sn.Add()([x, y])
    return sn.Model(start, x)


def u_net():
    x = start = sn.Input((16, 16, 1))
    kept = []
    for filters in (2, 3, 4):
        x = sn.Conv2D(filters, 3, padding="same")(x)
        kept.append(x)
        x = sn.MaxPooling2D()(x)
    for before in reversed(kept):
        x = sn.Concatenate()([sn.UpSampling2D()(x), before])
    return sn.Model(start, x)


def twins():
    """One tower for two inputs, a third input that comes late, two outputs."""
    left, right, more = sn.Input((6, 6, 1), name="left"), sn.Input((6, 6, 1), name="right"), sn.Input((3,), name="more")
    tower = sn.Sequential([sn.Flatten(), sn.Dense(4)], name="tower")
    x = sn.Dense(5)(sn.Concatenate()([tower(left), tower(right)]))
    x = sn.Concatenate()([x, more])
    return sn.Model([left, right, more], [sn.Dense(1, name="same")(x), sn.Dense(10, name="digit")(x)])


def again():
    """A layer that is called on what it gave."""
    start, layer = sn.Input((4,)), sn.Dense(4, name="again")
    return sn.Model(start, layer(layer(start)))


def dense_blocks():
    x = start = sn.Input((6,))
    for _ in range(4):
        x = sn.Concatenate()([x, sn.Dense(2)(sn.ReLU()(x)), start])
    return sn.Model(start, x)


MODELS = [chain, residual, u_net, twins, again, dense_blocks]


def graph_of(model):
    return Graph(model.inputs, model.outputs, "test")


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("make", MODELS)
def test_no_two_boxes_overlap_and_all_stand_below_what_they_take(make):
    nodes = graph_of(make()).nodes
    places, lanes = layout(nodes)
    assert set(places) == {node.layer for node in nodes}
    for (a, row), (b, other) in itertools.combinations(places.values(), 2):
        assert row != other or abs(a - b) > 1 - 1e-9
    for source, target in lanes:
        assert places[source][1] < places[target][1] or make is again


@pytest.mark.parametrize("make", MODELS)
def test_lanes_run_through_no_box_and_not_into_each_other(make):
    places, lanes = layout(graph_of(make()).nodes)
    spans = [(lane, places[a][1], places[b][1], b) for (a, b), lane in lanes.items() if lane is not None]
    for lane, top, bottom, _ in spans:
        assert all(abs(lane - column) >= HALF for column, row in places.values() if top < row < bottom)
    for (lane, top, bottom, _), (other, first, last, _) in itertools.combinations(spans, 2):
        assert lane != other or bottom <= first or last <= top


@pytest.mark.parametrize("make", MODELS)
def test_an_arrow_for_each_pair_of_layers_of_which_one_takes_what_the_other_gives(make):
    model = make()
    nodes = graph_of(model).nodes
    figure = plot.model(model)
    figure.canvas.draw()
    pairs = {(tensor.node.layer, node.layer) for node in nodes for tensor in node.inputs}
    arrows = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == len(pairs)


def test_layers_and_shapes_stand_in_it_once():
    shown = texts(plot.model(twins()))
    for text in ("left", "right", "more", "tower", "Sequential", "same", "digit"):
        assert shown.count(text) == 1
    assert {"6 x 6 x 1", "3", "4", "8"} <= set(shown)
    assert "6 x 6 x 1" not in texts(plot.model(twins(), show_shapes=False))
    assert "tower" not in texts(plot.model(twins(), show_names=False))


def test_a_short_cut_goes_round_the_layers_between_and_a_chain_is_straight():
    lanes = layout(graph_of(residual()).nodes).lanes
    assert len([lane for lane in lanes.values() if lane is not None]) == 2
    assert {column for column, _ in layout(graph_of(chain()).nodes).places.values()} == {0.0}


def test_what_is_held_fixed_is_said_and_framed_in_orange():
    model = chain()
    model.layers[0].trainable = False
    figure = plot.model(model, show_activations=True, show_trainable=True, title="a chain")
    assert {"Conv2D, relu", "held fixed", "trained"} <= set(texts(figure))
    frames = [matplotlib.colors.to_hex(patch.get_edgecolor()).upper() for patch in figure.axes[0].patches]
    assert frames.count(plot.TEST) == 1
    assert figure.texts[0].get_text() == "a chain"


def test_a_model_of_the_middle_of_another_is_drawn_from_there():
    whole = chain()
    part = sn.Model(whole.layers[0].output, whole.output)
    assert "input_layer" not in " ".join(texts(plot.model(part)))


def test_errors_say_what_to_do():
    with pytest.raises(RuntimeError, match="not built"):
        plot.model(sn.Sequential([sn.Dense(3)]))
    with pytest.raises(TypeError, match="model"):
        plot.model("model.png")
    with pytest.raises(ValueError, match="dpi"):
        sn.utils.plot_model(chain(), None, dpi=0)
    with pytest.raises((TypeError, ValueError), match="rankdir"):
        sn.utils.plot_model(chain(), None, rankdir="LR")


@pytest.mark.parametrize("name", ["model.png", "model.svg"])
def test_plot_model_writes_the_file_that_keras_would(tmp_path, name):
    figure = sn.utils.plot_model(residual(), to_file=tmp_path / name, show_shapes=True, show_layer_names=True, dpi=60)
    assert (tmp_path / name).stat().st_size > 1000
    assert "8 x 8 x 1" in texts(figure)
    assert "8 x 8 x 1" not in texts(sn.utils.plot_model(residual(), None))


def test_a_picture_that_would_be_too_high_gets_fewer_pixels_per_inch(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "MOST", 300)
    sn.utils.plot_model(chain(), to_file=tmp_path / "high.png", dpi=20_000)
    assert 290 < len(matplotlib.pyplot.imread(tmp_path / "high.png")) <= 300
