"""The board of chapter 1 and what it shows: drawings are recognized, and pictures are asked three questions."""

from pathlib import Path

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.datasets import fashion_mnist_small
from scratchnet.interact import drawing, garments
from scratchnet.recipes.garments import LATENT

STORED = Path(__file__).parent.parent / "notebooks" / "results" / "small_garments_0.safetensors"
NAMES = fashion_mnist_small.CLASS_NAMES


@pytest.fixture(scope="module")
def made():
    z = np.random.default_rng(0).normal(size=(100, LATENT)).astype(np.float32)
    return sn.load_model(STORED).predict(z)[..., 0]


def test_a_cell_is_two_by_two_pixels():
    cells = ["#" + "." * 13] + ["." * 14] * 13
    x = drawing.picture(cells)
    assert (x.shape, x.dtype) == ((28, 28), np.uint8)
    assert np.array_equal(np.argwhere(x), [[0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.mark.parametrize("cells", [["."] * 14, ["." * 14] * 13])
def test_other_drawings_are_refused(cells):
    with pytest.raises(ValueError, match="14 lines of 14 letters"):
        drawing.picture(cells)


@pytest.mark.parametrize(
    ("stencil", "name"), [("T-shirt", "T-shirt"), ("trousers", "trousers"), ("boot", "ankle boot")]
)
def test_drawings_are_recognized(stencil, name):
    p = drawing.probabilities(drawing.picture(drawing.STENCILS[stencil])[None])
    assert p.shape == (1, 10)
    assert NAMES[p[0].argmax()] == name


def test_bytes_and_floats_give_the_same_probabilities():
    _, (x, _) = fashion_mnist_small.load_data()
    floats = (x[:20] / 127.5 - 1).astype(np.float32)
    np.testing.assert_allclose(drawing.probabilities(x[:20]), drawing.probabilities(floats), atol=1e-4)


@pytest.mark.parametrize("stencil", drawing.STENCILS)
def test_each_drawing_is_shown_beside_generated_pictures(stencil, made):
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    assert len(drawing.draw(drawing.STENCILS[stencil], made).axes) == 2 + drawing.SHOWN


def test_clicking_a_cell_draws_anew_and_the_menu_begins_again(made):
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    board, seen = drawing.board(made), []
    board.draw_and_show = lambda **values: seen.append(values["cells"])
    grid = board.widget().children[0]
    grid.cells[0][0].value = True
    assert seen[0] == drawing.STENCILS["T-shirt"]
    assert seen[1] == ("#" + seen[0][0][1:], *seen[0][1:])
    grid.menu.value = "boot"
    assert seen[2:] == [drawing.STENCILS["boot"]]


def test_the_generator_has_learnt_ten_classes(made):
    classes = drawing.probabilities(made).argmax(axis=1)
    assert made.shape == (100, 28, 28)
    assert np.abs(made).max() <= 1
    assert len(np.unique(classes)) >= 9


def test_the_three_questions_tell_real_repeated_and_copied_pictures_apart():
    (x, _), (x_test, _) = fashion_mnist_small.load_data()
    sets = {"real": x_test[:300], "one": np.repeat(x_test[:1], 300, axis=0), "copies": x[:300]}
    answers = garments.ask(sets, x[:1000])
    assert answers["real"].distance < 1 < answers["one"].distance
    assert answers["one"].classes == pytest.approx(1)
    assert answers["real"].classes > 9
    assert answers["copies"].nearest == pytest.approx(0, abs=0.05)
    assert answers["real"].nearest > 5
