"""The map of ideas: all notebooks are on it, the way to an idea is whole, boxes are filled as exercises are passed."""

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="figures need the notebooks extra")

import scratchnet as sn
from scratchnet import plot
from scratchnet.book.chapters import APPENDICES, CHAPTERS
from scratchnet.interact import ideas, map_of_ideas

EXERCISES = sn.check.CHAPTERS
NONE = {chapter: [] for chapter in EXERCISES}
ALL = {chapter: list(names) for chapter, names in EXERCISES.items()}


def test_every_chapter_that_teaches_something_new_is_on_the_map():
    there = {idea.chapter for idea in ideas.IDEAS.values()}
    assert there <= {*CHAPTERS, *APPENDICES}
    assert {*CHAPTERS} - there == {"06_questions_and_answers", "07_conclusion_and_errata"}


def test_ideas_need_only_what_comes_before_them_in_the_book():
    order = [*CHAPTERS, *APPENDICES]
    for idea in ideas.IDEAS.values():
        for other in idea.needs:
            assert order.index(ideas.IDEAS[other].chapter) <= order.index(idea.chapter)


def test_the_way_to_an_idea_is_whole():
    assert ideas.needed("neuron") == {"neuron", "pictures\nas arrays"}
    way = ideas.needed("a DCGAN\nthat draws")
    assert {"transposed\nconvolution", "back-\npropagation", "what is right"} <= way
    assert "overfitting" not in way
    assert all(set(ideas.IDEAS[name].needs) <= way for name in way)


def test_share_of_exercises_that_were_passed():
    some = {**NONE, "03_1d_training": ["adam_step"]}
    assert ideas.share("optimizers", some, {"03_1d_training": ("adam_step", "momentum_step")}) == 0.5
    assert ideas.share("optimizers", NONE, EXERCISES) == 0
    assert ideas.share("optimizers", ALL, EXERCISES) == 1
    assert ideas.share("optimizers", {}, {}) is None


def green(figure):
    """The width of all that is filled."""
    from matplotlib.colors import to_rgb

    patches = figure.axes[0].patches
    return sum(p.get_width() for p in patches if p.get_fill() and p.get_facecolor()[:3] == to_rgb(plot.RIGHT))


def test_boxes_are_filled_as_exercises_are_passed():
    assert green(ideas.draw_map(NONE, EXERCISES)) == 0
    some = {**NONE, "00_start_here": list(EXERCISES["00_start_here"])}
    filled = sum(name.chapter == "00_start_here" for name in ideas.IDEAS.values())
    assert np.isclose(green(ideas.draw_map(some, EXERCISES)), filled * 2 * ideas._HALF[0])


def test_boxes_do_not_overlap_and_texts_fit():
    figure = ideas.draw_map(ALL, EXERCISES)
    figure.canvas.draw()
    ax = figure.axes[0]
    places = [(idea.column, idea.row) for idea in ideas.IDEAS.values()]
    for number, (column, row) in enumerate(places):
        assert not any(c == column and abs(r - row) < 2 * ideas._HALF[1] for c, r in places[:number])
    for text in ax.texts:
        if text.get_text():
            box = text.get_window_extent().transformed(ax.transData.inverted())
            assert box.width < 2 * ideas._HALF[0], text.get_text()


def test_the_way_is_in_colour_and_the_rest_faint():
    figure = ideas.draw_map(NONE, EXERCISES, "neuron")
    assert figure.axes[0].get_title() == "What it takes: neuron"
    strong = {text.get_text() for text in figure.axes[0].texts if text.get_text() and text.get_alpha() == 1}
    assert strong == {"neuron", "pictures\nas arrays"}
    with pytest.raises(ValueError, match="expected an idea of the map, got 'magic'"):
        ideas.draw_map(NONE, EXERCISES, "magic")


def test_map_shows_itself_with_and_without_controls():
    shown = map_of_ideas(ALL, EXERCISES)
    total = sum(map(len, EXERCISES.values()))
    assert f"{total} of {total} exercises are passed" in shown.alt
    data, metadata = shown._repr_mimebundle_()
    assert "image/png" in data
    assert metadata["image/png"]["alt"] == shown.alt
    pytest.importorskip("ipywidgets")
    assert shown.controls()["towards"].options[0] == ("the whole map", None)
