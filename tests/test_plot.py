"""Figures hold what they should: labels with units, one picture an axis, and errors for what cannot be drawn."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import plot

pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
import matplotlib

matplotlib.use("Agg")


def drawn(figure):
    figure.canvas.draw()  # what cannot be rendered fails here
    return figure.axes


def test_images_names_right_and_wrong():
    x = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3)).astype(np.uint8)
    axes = drawn(
        plot.images(
            x,
            labels=np.array([[0], [1], [0], [1], [0], [1], [0]]),
            predictions=[0] * 7,
            names=["cat", "dog"],
            columns=4,
        )
    )
    assert len(axes) == 8
    assert axes[0].get_title() == "cat"
    assert axes[0].title.get_color() == plot.RIGHT
    assert axes[1].get_title() == "cat\n(dog)"
    assert axes[1].title.get_color() == plot.WRONG


@pytest.mark.parametrize("shape", [(5, 6, 6), (5, 6, 6, 1), (5, 6, 6, 3)])
@pytest.mark.parametrize("low", [0.0, -1.0])
def test_images_take_every_layout_and_range(shape, low):
    x = np.linspace(low, 1, int(np.prod(shape))).reshape(shape)
    shown = drawn(plot.images(x))[-1].images[0].get_array()
    assert shown.min() >= 0
    assert shown.max() == pytest.approx(1)


def test_images_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="expected pictures"):
        plot.images(np.zeros((0, 8, 8)))
    with pytest.raises(ValueError, match="expected pictures"):
        plot.images(np.zeros(8))


def test_history_draws_each_curve_once():
    record = {"loss": [1.0, 0.5], "val_loss": [1.1, 0.7], "accuracy": [0.5, 0.8], "val_accuracy": [0.4, 0.7]}
    axes = drawn(plot.history(record))
    assert [ax.get_ylabel() for ax in axes] == ["loss (nats)", "accuracy"]
    assert all(ax.get_xlabel() == "epoch" for ax in axes)
    assert [list(line.get_ydata()) for line in axes[0].lines] == [[1.0, 0.5], [1.1, 0.7]]
    with pytest.raises(ValueError, match="empty"):
        plot.history({})


def test_confusion_matrix_shows_counts_and_shares():
    axes = drawn(plot.confusion_matrix(np.array([[3, 1], [0, 0]]), ["cat", "dog"]))
    assert [text.get_text() for text in axes[0].texts] == ["3", "1", "0", "0"]
    assert axes[0].images[0].get_array().tolist() == [[0.75, 0.25], [0.0, 0.0]]
    with pytest.raises(ValueError, match="square"):
        plot.confusion_matrix(np.zeros((2, 3)))


def test_filters_and_maps():
    sn.set_random_seed(0)
    model = sn.Sequential(
        [sn.Conv2D(5, 3, input_shape=(8, 8, 3)), sn.MaxPooling2D(), sn.Flatten(), sn.Dense(4, activation="softmax")]
    )
    assert len(drawn(plot.filters(model.layers[0].get_weights()[0]))) == 5
    axes = drawn(plot.through_network(model, np.random.default_rng(0).random((8, 8, 3)), maps=6))
    bars = axes[-1].patches
    assert len(bars) == 4
    assert sum(bar.get_height() for bar in bars) == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match="expected w"):
        plot.filters(np.zeros((3, 3, 2, 4)))


def test_most_different_passes_over_copies_and_constant_maps():
    a, b, c = np.random.default_rng(0).normal(size=(3, 6, 6))
    maps = np.stack([5 * a, 4 * a + 3, np.full_like(a, 9), 2 * b, 4 * a + 0.5 * c, 0.01 * c], axis=-1)
    assert plot.most_different(maps, 1).tolist() == [0]  # the strongest
    assert plot.most_different(maps, 2).tolist() == [0, 3]
    assert plot.most_different(maps, 3).tolist() == [0, 3, 4]
    assert plot.most_different(maps, 4).tolist() == [0, 1, 3, 4]  # a copy rather than one that hardly varies
    assert sorted(plot.most_different(maps, 9)) == list(range(6))  # each once, if more are asked than there are
    assert plot.most_different(np.zeros((2, 2, 3)), 2).tolist() == [0, 1]


def test_through_network_shows_different_maps():
    """Of nine filters, eight are one and the same: the ninth is shown, though it answers least."""
    layer = sn.Conv2D(9, 3, use_bias=False)
    model = sn.Sequential([layer, sn.Flatten(), sn.Dense(2, activation="softmax")])
    model.build((None, 8, 8, 1))
    w = np.zeros((3, 3, 1, 9), np.float32)
    w[1, 1, 0, :8] = np.arange(8, 0, -1)
    w[0, 0, 0, 8], w[2, 2, 0, 8] = 0.5, -0.5
    layer.set_weights([w])
    x = np.random.default_rng(1).random((8, 8, 1))
    axes = drawn(plot.through_network(model, x, maps=2))
    shown = [ax.images[0].get_array() for ax in axes if ax.images]
    ninth = layer.forward(x[None].astype(np.float32))[0, ..., 8]
    assert len(shown) == 3  # the input and two maps
    assert np.allclose(shown[2], ninth)
    with pytest.raises(ValueError, match="maps"):
        plot.through_network(model, x, maps=0)
