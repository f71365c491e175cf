"""The paths of a gradient add up to the gradient, and what is drawn are these paths."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.interact import SmallNetwork, draw_gradient_paths, gradient_paths, pixel_grid

NAMES = ["one", "two", "three"]


def network(filters=2, size=8, kernel=3, pool=2, **options):
    sn.set_random_seed(0)
    conv = sn.Conv2D(
        filters, kernel, bias_initializer=sn.RandomNormal(stddev=0.5), input_shape=(size, size, 1), **options
    )
    layers = [conv, sn.ReLU(), sn.MaxPooling2D(pool), sn.Flatten(), sn.Dense(3)]
    model = sn.Sequential(layers)
    model.forward(np.zeros((1, size, size, 1)))  # float64, as the paths are
    return model


def picture(size=8):
    return np.random.default_rng(1).normal(size=(size, size))


def gradient_of(model, x, start):
    model.forward(x[None, ..., None])
    return model.backward(start[None].copy())[0, ..., 0]


@pytest.mark.parametrize("settings", [{}, {"filters": 3, "size": 7, "kernel": 2}, {"filters": 1, "pool": 3}])
@pytest.mark.parametrize("output", [0, 2, None])
def test_the_paths_add_up_to_the_gradient_of_backward(settings, output):
    model, x = network(**settings), picture(settings.get("size", 8))
    net = SmallNetwork(model, x)
    start = net.start(output, label=1)
    expected = gradient_of(model, x, start)
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(net.gradient(start), expected, atol=1e-12)


def test_the_loss_starts_with_p_minus_onehot():
    model, x = network(), picture()
    net = SmallNetwork(model, x)
    scores = model.forward(x[None, ..., None])
    _, expected = sn.SparseCategoricalCrossentropy(from_logits=True).value_and_gradient(np.array([1]), scores)
    np.testing.assert_allclose(net.start(None, label=1), expected[0], atol=1e-12)
    with pytest.raises(ValueError, match="label"):
        net.start(None)


def test_number_of_paths():
    net = SmallNetwork(network(), picture())
    assert len(net.paths((4, 4), net.start(0))) == 9 * 2  # windows over the pixel, filters
    assert len(net.paths((0, 0), net.start(0))) == 1 * 2
    assert len(net.paths((4, 4), net.start(None, 0))) == 9 * 2 * 3
    stops = {path.stop for pixel in np.ndindex(8, 8) for path in net.paths(pixel, net.start(0))}
    assert stops == {"", "relu", "pool"}


def test_a_stopped_path_brings_nothing_and_says_where():
    net = SmallNetwork(network(), picture())
    for pixel in np.ndindex(8, 8):
        for path in net.paths(pixel, net.start(0)):
            i, j, f = path.cell
            assert (path.flow == 0) == bool(path.stop)
            if path.stop == "relu":
                assert net.z[i, j, f] <= 0
            if path.stop == "pool":
                p, q, _ = path.pooled
                assert (net.a[i, j, f] < net.pooled[p, q, f]) or net.pooled[p, q, f] == 0


@pytest.mark.parametrize(
    ("layers", "match"),
    [
        ([sn.Conv2D(2, 3, activation="relu"), sn.MaxPooling2D(), sn.Flatten(), sn.Dense(3)], "a layer of its own"),
        ([sn.Conv2D(2, 3, padding="same"), sn.ReLU(), sn.MaxPooling2D(), sn.Flatten(), sn.Dense(3)], "padding"),
        ([sn.Conv2D(2, 4), sn.ReLU(), sn.MaxPooling2D(), sn.Flatten(), sn.Dense(3)], "fill"),
    ],
)
def test_other_networks_are_refused(layers, match):
    model = sn.Sequential(layers)
    model.forward(np.zeros((1, 8, 8, 1)))
    with pytest.raises(ValueError, match=match):
        SmallNetwork(model, picture())


class TestFigure:
    @pytest.fixture(autouse=True)
    def _needs(self):
        pytest.importorskip("matplotlib", reason="figures need the notebooks extra")

    def lines(self, figure):
        from matplotlib.collections import LineCollection

        return [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]

    def test_there_is_a_line_for_each_cell_that_is_reached_and_its_sum_is_written(self):
        model, x = network(), picture()
        net = SmallNetwork(model, x)
        start = net.start(0)
        cells = {path.cell for path in net.paths((4, 4), start) if not path.stop}
        figure = draw_gradient_paths(model, x, 4, 4, output=0, names=NAMES)
        to_pixel = self.lines(figure)[0]
        assert len(to_pixel.get_segments()) == len(cells)
        value = f"{gradient_of(model, x, start)[4, 4]:+.3f}".replace("-", "−")[:5]
        written = "\n".join(text.get_text() for text in figure.axes[0].texts)
        assert f"= {value}" in written
        assert "18 paths" in written

    def test_all_pixels_at_once_and_a_pixel_that_is_not_there(self):
        model, x = network(), picture()
        figure = draw_gradient_paths(model, x, None, None, output=1)
        assert any(f"{36 * 9 * 2} paths" in text.get_text() for text in figure.axes[0].texts)
        with pytest.raises(ValueError, match="8 x 8"):
            draw_gradient_paths(model, x, 8, 0, output=1)

    def test_widths_grow_with_what_flows_and_colours_are_its_sign(self):
        from matplotlib.colors import to_rgb

        from scratchnet.interact.gradient_paths import MINUS, PLUS

        model, x = network(), picture()
        dense = self.lines(draw_gradient_paths(model, x, None, None, output=0))[2]
        net = SmallNetwork(model, x)
        open_ = {
            path.pooled: path.derivatives[1]
            for p in np.ndindex(8, 8)
            for path in net.paths(p, net.start(0))
            if not path.stop
        }
        flows = np.array(list(open_.values()))
        widths = np.array(dense.get_linewidths())
        assert np.array_equal(np.argsort(widths), np.argsort(np.abs(flows)))
        for colour, flow in zip(dense.get_colors(), flows):
            assert tuple(colour[:3]) == pytest.approx(to_rgb(PLUS if flow > 0 else MINUS))

    def test_controls_and_stored_picture(self):
        pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
        shown = gradient_paths(network(), picture(), 1, NAMES)
        data, metadata = shown._repr_mimebundle_()
        assert data["image/png"].startswith(b"\x89PNG")
        assert "54 paths" in metadata["image/png"]["alt"]
        seen = []
        shown.draw_and_show = lambda **values: seen.append((values, shown.draw(**values)))
        grid, source, every, _ = shown.widget().children
        grid.children[2 * 8 + 5].click()
        source.value = 1  # the score of the second class
        every.value = True
        assert [values for values, _ in seen] == [
            {"pixel": 36, "source": -1, "every": False},  # row 4, column 4: the middle
            {"pixel": 21, "source": -1, "every": False},
            {"pixel": 21, "source": 1, "every": False},
            {"pixel": 21, "source": 1, "every": True},
        ]
        written = [text.get_text() for text in seen[-1][1].axes[0].texts]
        assert any("648 paths" in text for text in written)


def test_a_grid_of_pixels_has_one_dot_and_the_greys_of_the_picture():
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    x = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.0]])
    grid = pixel_grid(x, 1, 2)
    assert grid.value == 5
    assert [b.description for b in grid.children] == [" ", " ", " ", " ", " ", "●"]
    grid.children[0].click()
    assert grid.value == 0
    assert [b.description for b in grid.children] == [
        "●",
        " ",
        " ",
        " ",
        " ",
        " ",
    ]  # no empty text: it would not be drawn
    assert grid.children[0].style.button_color == "#f2f2f2"
    assert grid.children[1].style.button_color < grid.children[2].style.button_color < "#f2f2f2"
    assert grid.children[2].tooltip == "row 0, column 2"
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        pixel_grid(x, 2, 0)
