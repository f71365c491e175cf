"""The figures of notebook 3.1a: the numbers they show are the convolution's, and their controls answer."""

import io
import sys

import numpy as np
import pytest

from scratchnet import interact, reference

pytest.importorskip("matplotlib", reason="figures need the notebooks extra")

X = np.array([[1, 1, 8, 9], [0, 2, 9, 9], [1, 0, 8, 7], [2, 1, 9, 8]])
W = np.array([[-1, 0, 1]] * 3)


def texts(ax):
    return [text.get_text().replace("−", "-") for text in ax.texts]


@pytest.mark.parametrize(("strides", "padding"), [(1, 0), (2, 0), ((2, 1), 1), (3, 2)])
def test_correlate_is_the_reference(strides, padding):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(7, 6)), rng.normal(size=(3, 2))
    pair = strides if isinstance(strides, tuple) else (strides, strides)
    pads = ((padding, padding), (padding, padding))
    expected = reference.conv2d(x[None, ..., None], w[..., None, None], None, pair, pads)[0, ..., 0]
    assert np.allclose(interact.correlate(x, w, strides, padding), expected)


@pytest.mark.parametrize(
    ("x", "w", "strides", "padding", "text"),
    [
        (np.ones((4, 4, 3)), W, 1, 0, r"take one channel, x\[..., 0\]"),
        (X, np.ones(3), 1, 0, "expected w of two axes"),
        (X, np.ones((5, 3)), 1, 0, "does not fit"),
        (X, W, 0, 0, "strides"),
        (X, W, 1, -1, "padding"),
    ],
    ids=["colours", "a row", "too large", "no stride", "negative padding"],
)
def test_what_cannot_be_shown_is_told(x, w, strides, padding, text):
    with pytest.raises(ValueError, match=text):
        interact.convolution(x, w, strides, padding)


def test_the_five_pictures_show_the_numbers_of_one_cell():
    figure = interact.draw_convolution(X, W, padding=1, i=1, j=3)
    picture, patch, kernel, products, output = figure.axes
    padded, y = np.pad(X, 1), interact.correlate(X, W, padding=1)
    assert texts(picture) == [str(v) for v in padded.ravel()]
    assert texts(patch) == [str(v) for v in padded[1:4, 3:6].ravel()]
    assert texts(kernel) == [str(v) for v in W.ravel()]
    assert texts(products) == [str(v) for v in (padded[1:4, 3:6] * W).ravel()]
    assert texts(output) == [f"{v:g}" for v in y.ravel()]
    assert figure.texts[-1].get_text().endswith("= −25")
    assert y[1, 3] == -25


def test_so_far_leaves_the_rest_empty():
    output = interact.draw_convolution(X, W, i=0, j=1, so_far=True).axes[-1]
    assert texts(output) == ["23", "22"]


def test_large_pictures_have_no_numbers_but_the_patch_has():
    figure = interact.draw_convolution(np.ones((28, 28)), np.ones((5, 5)) / 25, i=4, j=5)
    assert [len(ax.texts) for ax in figure.axes] == [0, 25, 25, 25, 0]
    assert "sum of 25 products = 1" in figure.texts[-1].get_text()


def test_there_is_no_such_cell():
    with pytest.raises(ValueError, match=r"2 x 2 cells, none is \[2, 0\]"):
        interact.draw_convolution(X, W, i=2)


def test_a_picture_of_zeros_is_drawn():
    figure = interact.draw_convolution(np.zeros((3, 3)), np.zeros((3, 3)))
    assert "= 0" in figure.texts[-1].get_text()


def test_sliders_reach_every_cell_and_no_other():
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    shown = interact.convolution(X, W, strides=(1, 2), padding=1)
    controls = shown.controls()
    assert [(c.min, c.max, c.value) for c in controls.values()] == [(0, 3, 2), (0, 1, 1)]
    for i, j in np.ndindex(4, 2):
        shown.draw(i, j)


def test_the_film_has_a_picture_for_each_cell():
    image = pytest.importorskip("PIL.Image", reason="films need Pillow, which matplotlib brings")
    film = interact.convolution_film(X, W, seconds=0.5)
    with image.open(io.BytesIO(film.png())) as moving:
        assert (moving.format, moving.n_frames, moving.info["duration"]) == ("PNG", 4, 500)
    data, metadata = film._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "film" in metadata["image/png"]["alt"]


@pytest.mark.parametrize("name", interact.KERNELS)
def test_the_editor_s_response(name):
    x, w = interact.scene(24).mean(axis=-1), interact.KERNELS[name]
    picture, kernel, response = interact.draw_kernel(x, w, name).axes
    assert np.array_equal(picture.images[0].get_array(), x)
    assert np.allclose(response.images[0].get_array(), interact.correlate(x, w))
    assert len(kernel.texts) == 9
    low, high = response.images[0].get_clim()
    assert (-low == high) if abs(w.sum()) < 1e-6 else (low, high) == pytest.approx((0, 1))


def test_choosing_a_kernel_writes_nine_fields_and_draws_once():
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    editor, drawn = interact.kernel_editor(interact.scene(12)[..., 0]), []
    editor.draw_and_show = lambda **values: drawn.append(values)
    famous, fields, _ = editor.widget().children
    famous.value = "blur"
    assert [field.value for field in fields.children] == [0.1111] * 9
    fields.children[4].value = 2.0
    assert famous.value == "your own"
    assert [values["famous"] for values in drawn] == ["Sobel, vertical edges", "blur", "your own"]
    assert drawn[-1]["w11"] == 2.0
    famous.value = "identity"
    assert [field.value for field in fields.children] == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    for values in drawn:
        editor.draw(**values)


def test_the_editor_without_ipywidgets_is_a_picture(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    editor = interact.kernel_editor(np.eye(5))
    data, _ = editor._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png"}
    with pytest.raises(ImportError, match="notebooks"):
        editor.widget()


def test_the_editor_s_errors():
    with pytest.raises(ValueError, match=r"x\.mean\(axis=-1\)"):
        interact.kernel_editor(np.ones((8, 8, 3)))
    with pytest.raises(ValueError, match="Laplacian"):
        interact.kernel_editor(np.ones((8, 8)), start="edges")


def test_the_scene_is_a_picture_and_always_the_same():
    x = interact.scene(32)
    assert (x.shape, x.dtype) == ((32, 32, 3), np.float32)
    assert 0 <= x.min() < 0.1 < 0.9 < x.max() <= 1
    assert np.array_equal(x, interact.scene(32))
    with pytest.raises(ValueError, match="size"):
        interact.scene(0)
