"""The walk through the noise: where it leads, what is drawn, and its two controls."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.gan import ring
from scratchnet.interact import draw_latent_walk, latent_at, latent_walk

STOPS = np.array([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])


@pytest.fixture(scope="module")
def gan():
    sn.set_random_seed(0)
    return sn.GAN(*sn.zoo.dcgan(8, 1, 6, 4), 6)


@pytest.fixture
def matplotlib():
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")


@pytest.mark.parametrize("straight", [False, True])
def test_the_walk_passes_every_stop_and_comes_back(straight):
    way = [latent_at(STOPS, position, straight) for position in range(4)]
    np.testing.assert_allclose(way, [*STOPS, STOPS[0]], atol=1e-12)


def test_the_sphere_keeps_the_length_and_the_straight_line_does_not():
    lengths = {straight: [np.linalg.norm(latent_at(STOPS, p, straight)) for p in (0.5, 1.25)] for straight in (0, 1)}
    np.testing.assert_allclose(lengths[0], 3)
    np.testing.assert_allclose(lengths[1], [3 / 2**0.5, 3 * (0.75**2 + 0.25**2) ** 0.5])


def test_latents_keep_their_type():
    for straight in (False, True):
        assert latent_at(STOPS.astype(np.float32), 0.3, straight).dtype == np.float32


@pytest.mark.usefixtures("matplotlib")
class TestFigure:
    def test_the_frame_is_around_the_picture_beside(self, gan):
        figure = draw_latent_walk(gan, gan.latents(3, 1), 1.3)
        near, strip = figure.axes
        (frame,) = strip.patches
        left, top = (round(corner + 0.5) for corner in frame.get_xy())
        assert (left, top) == (3 * 8, 8)
        framed = strip.images[0].get_array()[top : top + 8, left : left + 8]
        np.testing.assert_allclose(framed, near.images[0].get_array(), atol=1 / 255)

    @pytest.mark.parametrize("position", [0, 2.99, 3])
    def test_every_place_of_the_slider_is_drawn(self, gan, position):
        stops = gan.latents(3, 1)
        figure = draw_latent_walk(gan, stops, position)
        figure.canvas.draw()
        assert f"{position:.2f}" in figure.axes[0].get_title()
        if position == 3:
            again = draw_latent_walk(gan, stops, 0).axes[0].images[0].get_array()
            np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), again)

    def test_colours(self):
        sn.set_random_seed(0)
        gan = sn.GAN(*sn.zoo.dcgan(8, 3, 6, 4), 6)
        assert draw_latent_walk(gan, gan.latents(2, 0)).axes[0].images[0].get_array().shape == (8, 8, 3)

    def test_the_title_says_which_way(self, gan):
        for straight, words in ((False, "sphere"), (True, "straight")):
            assert words in draw_latent_walk(gan, gan.latents(2, 0), 0.5, straight).axes[1].get_title()


@pytest.mark.usefixtures("matplotlib")
def test_the_stored_picture_and_the_controls(gan):
    walk = latent_walk(gan, stops=3, start=0.5)
    assert "0.50" in walk.picture().axes[0].get_title()
    assert "3 rows" in walk.alt
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    controls = walk.controls()
    assert {name: control.value for name, control in controls.items()} == walk.start
    assert controls["position"].max == 3
    seen = []
    walk.draw_and_show = lambda **values: seen.append(values)
    position, way, _ = walk.widget().children
    position.value, way.value = 2.0, True
    assert seen[-1] == {"position": 2.0, "straight": True}


def test_what_cannot_be_walked_is_refused(gan):
    with pytest.raises(ValueError, match="latent_walk: expected stops to be a whole number of at least 2, got 1"):
        latent_walk(gan, stops=1)
    with pytest.raises(ValueError, match="expected start from 0 to 4, the number of stops, got 5"):
        latent_walk(gan, start=5)
    with pytest.raises(ValueError, match=r"expected a GAN whose generator makes pictures \(N, H, W, C\), got"):
        latent_walk(ring.ring_gan(width=4))
