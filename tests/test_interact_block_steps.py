"""The figures of blocks of threads: they draw what happened, and say it in words."""

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="figures need the notebooks extra")

from scratchnet import blocks
from scratchnet.interact import block_steps, draw_banks, draw_fragments, draw_sectors, draw_step
from scratchnet.interact.block_steps import as_matrix


def turn(t, x, y, barrier=True):
    part = t.shared("part", (2, 2))
    part[t.y, t.x] = x[t.y, t.x]
    if barrier:
        yield
    y[t.y, t.x] = part[t.x, t.y]


def launched(**options):
    barrier = options.pop("barrier", True)
    x, y = np.arange(4.0).reshape(2, 2), np.zeros((2, 2))
    return blocks.launch(turn, 1, (2, 2), x, y, barrier, **options)


def words(figure):
    return figure.texts[0].get_text()


def test_each_step_is_drawn_and_said():
    run = launched()
    assert [words(draw_step(run, step)) for step in range(5)] == [
        "step 0 of 4: 4 threads read 4 cells of x; line 3, part[t.y, t.x] = x[t.y, t.x]",
        "step 1 of 4: 4 threads write 4 cells of part; line 3, part[t.y, t.x] = x[t.y, t.x]",
        "step 2 of 4: the barrier. Nobody goes on before all threads are here",
        "step 3 of 4: 4 threads read 4 cells of part; line 6, y[t.y, t.x] = part[t.x, t.y]",
        "step 4 of 4: 4 threads write 4 cells of y; line 6, y[t.y, t.x] = part[t.x, t.y]",
    ]
    with pytest.raises(ValueError, match="a step from 0 to 4"):
        draw_step(run, 5)


def test_panels_stand_in_the_order_in_which_numbers_travel():
    figure = draw_step(launched(), 0)
    assert [ax.get_title() for ax in figure.axes[:4]] == ["threads", "x", "part\n(shared)", "y"]
    figure.canvas.draw()


def test_races_are_crossed():
    clean, racing = launched(), launched(barrier=False, strict=False)
    assert [len(draw_step(run, 0).axes[2].lines) - 2 for run in (clean, racing)] == [0, 2]  # two lines of the grid


def test_threads_at_several_places_are_said():
    def kernel(t, x, y):
        if t.x:
            y[t.x] = 1
        else:
            x[0]

    run = blocks.launch(kernel, 1, 3, np.zeros(3), np.zeros(3))
    assert words(draw_step(run)) == "step 0 of 0: 3 threads, at 2 places of the kernel"


def test_one_thread_alone_is_said():
    run = blocks.launch(lambda t, y: y.__setitem__(t.x, 1), 1, 1, np.zeros(1))
    assert "1 thread writes 1 cell of y" in words(draw_step(run))


@pytest.mark.parametrize(
    ("shape", "matrix"), [((5,), (1, 5)), ((1, 4, 6, 1), (4, 6)), ((3, 3, 1, 4), (9, 4)), ((1, 1), (1, 1))]
)
def test_arrays_are_drawn_as_matrices(shape, matrix):
    assert as_matrix(shape) == matrix


def test_the_slider_covers_all_steps():
    pytest.importorskip("ipywidgets", reason="controls need the notebooks extra")
    figure = block_steps(launched(), step=2)
    slider = figure.controls()["step"]
    assert (slider.min, slider.max, slider.value) == (0, 4, 2)
    data, metadata = figure._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "the barrier" in metadata["image/png"]["alt"]
    assert words(figure.draw(step=3)).startswith("step 3")


def test_sectors_are_counted_in_the_titles():
    def kernel(t, x, y, stride):
        y[t.x] = x[stride * t.x]

    x, y = np.zeros(300, np.float32), np.zeros(32, np.float32)
    runs = {f"stride {stride}": blocks.launch(kernel, 1, 32, x, y, stride) for stride in (0, 1, 9)}
    figure = draw_sectors(runs, "x")
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "stride 0: 1 different number, 1 sector",
        "stride 1: 32 different numbers, 4 sectors",
        "stride 9: 32 different numbers, 32 sectors",
    ]
    shown = figure.axes[2].images[0].get_array()
    assert shown.shape == (5, 64)
    assert (shown == 2).sum() == 32
    assert (shown > 0).sum() == 32 * 8
    figure.canvas.draw()


def test_banks_are_counted_in_the_titles():
    def kernel(t, length):
        t.shared("tile", 32 * length)[length * t.x] = 0

    runs = {f"rows of {length}": blocks.launch(kernel, 1, 32, length) for length in (32, 33)}
    figure = draw_banks(runs, "tile")
    assert [ax.get_title() for ax in figure.axes] == ["rows of 32: 32 turns", "rows of 33: 1 turn"]


def test_fragments_show_every_register():
    figure = draw_fragments(lane=3)
    texts = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert [len(set(found)) for found in texts] == [128, 64, 128]
    assert "31:3" in texts[0]
    figure.canvas.draw()
