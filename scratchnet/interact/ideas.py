"""The ideas of the book, what each of them needs, and which of them the reader has tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from scratchnet.interact.interactive import Interactive
from scratchnet.plot import NEUTRAL, RIGHT, STYLE, TRAIN, WIDTH, pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Idea(NamedTuple):
    """An idea: the notebook that has it, its place on the map, and the ideas that it needs."""

    chapter: str
    column: int
    row: float
    needs: tuple[str, ...] = ()


IDEAS = {
    "pictures\nas arrays": Idea("00_start_here", 0, 4),
    "what is right": Idea("01_background", 0, 1.2, ("pictures\nas arrays",)),
    "neuron": Idea("02_core_concepts", 1, 4, ("pictures\nas arrays",)),
    "convolution": Idea("03_1a_convolution", 2, 4.8, ("neuron",)),
    "transposed\nconvolution": Idea("03_1a_convolution", 2, 6.3, ("convolution",)),
    "activation": Idea("03_1b_activation_pooling_dense", 2, 3.4, ("neuron",)),
    "softmax,\ncross-entropy": Idea("03_1c_backpropagation", 2, 1.8, ("what is right", "activation")),
    "pooling": Idea("03_1b_activation_pooling_dense", 3, 4.4, ("convolution",)),
    "normalization,\ndropout": Idea("03_1b_activation_pooling_dense", 3, 5.6, ("activation", "convolution")),
    "back-\npropagation": Idea("03_1c_backpropagation", 3, 2.8, ("activation", "softmax,\ncross-entropy")),
    "optimizers": Idea("03_1d_training", 4, 3.3, ("back-\npropagation",)),
    "overfitting": Idea("03_1d_training", 4, 1.2, ("what is right", "back-\npropagation")),
    "two networks\nas a game": Idea("03_2_adversarial_networks", 4, 4.8, ("optimizers",)),
    "a CNN that\nrecognizes": Idea("04_1_image_recognition", 5, 2.6, ("pooling", "optimizers", "overfitting")),
    "networks of\n56 layers": Idea("08_the_references", 5, 0.9, ("a CNN that\nrecognizes",)),
    "what fails\nin a GAN": Idea("03_2_adversarial_networks", 5, 5.2, ("two networks\nas a game",)),
    "threads that\nshare memory": Idea("A2_on_the_gpu", 3, 7.2, ("convolution",)),
    "a DCGAN\nthat draws": Idea(
        "04_2_image_generation",
        6,
        6.3,
        ("transposed\nconvolution", "normalization,\ndropout", "what fails\nin a GAN"),
    ),
    "how good are\nits pictures?": Idea(
        "A3_measuring_generation", 6, 4.4, ("a DCGAN\nthat draws", "a CNN that\nrecognizes")
    ),
    "more data,\nmore weights": Idea("05_trends_and_challenges", 6, 2.6, ("a CNN that\nrecognizes",)),
    "where it fails": Idea("05_trends_and_challenges", 6, 1, ("a CNN that\nrecognizes",)),
}
"""The map, from the first idea to the last."""

NAMES = {idea.replace("-\n", "-").replace("\n", " "): idea for idea in IDEAS}
"""The ideas as they are written in one line."""


def needed(idea: str) -> set[str]:
    """All ideas on the way to this one, itself included.

    Raises:
        KeyError: there is no such idea.
    """
    found = {idea}
    for other in IDEAS[idea].needs:
        found |= needed(other)
    return found


def share(idea: str, passed: Mapping[str, Sequence[str]], exercises: Mapping[str, Sequence[str]]) -> float | None:
    """Which part of the exercises of an idea's notebook was passed; None where it has none."""
    chapter = IDEAS[idea].chapter
    asked = exercises.get(chapter, ())
    return len(set(passed.get(chapter, ())) & set(asked)) / len(asked) if asked else None


def draw_map(
    passed: Mapping[str, Sequence[str]], exercises: Mapping[str, Sequence[str]], towards: str | None = None
) -> Figure:
    """The ideas of the book as boxes, an arrow from each to those that need it.

    A box is filled as far as the exercises of its notebook were passed. With `towards`, the way to that idea is drawn
    in colour, and the rest is faint.

    Args:
        passed: the names of the exercises that were passed, by notebook, as `sn.check.passed()` gives them.
        exercises: the names of all exercises, by notebook: `sn.check.CHAPTERS`.
        towards: a name in `NAMES`, or None.

    Raises:
        ValueError: there is no such idea.
    """
    if towards is not None and towards not in NAMES:
        raise ValueError(f"towards: expected an idea of the map, got {towards!r}. There are: {', '.join(NAMES)}.")
    way = set(IDEAS) if towards is None else needed(NAMES[towards])
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 5.7))
        for name, idea in IDEAS.items():
            for other in idea.needs:
                _arrow(ax, IDEAS[other], idea, TRAIN if towards and name in way else NEUTRAL, name in way)
        for name, idea in IDEAS.items():
            _box(ax, name, idea, share(name, passed, exercises), name in way)
        ax.set(xlim=(-0.5, 6.5), ylim=(0.4, 7.75))
        ax.set_axis_off()
        ax.set_title(
            "The ideas of the book, filled with green as their exercises are passed"
            if towards is None
            else f"What it takes: {towards}"
        )
        plt.close(figure)
    return figure


def map_of_ideas(passed: Mapping[str, Sequence[str]], exercises: Mapping[str, Sequence[str]]) -> Interactive:
    """The map, with a list of its ideas: choose one, and see the way to it.

    Args:
        passed: as in `draw_map`.
        exercises: as in `draw_map`.
    """

    def controls() -> dict[str, Any]:
        import ipywidgets

        options = [("the whole map", None), *((name, name) for name in NAMES)]
        return {"towards": ipywidgets.Dropdown(options=options, value=None, description="the way to")}

    done = sum(len(set(names) & set(passed.get(chapter, ()))) for chapter, names in exercises.items())
    alt = (
        f"A map of {len(IDEAS)} ideas from left to right, from pictures as arrays to a DCGAN and to its measures, "
        f"with arrows to what needs them; {done} of {sum(map(len, exercises.values()))} exercises are passed."
    )
    return Interactive(lambda towards: draw_map(passed, exercises, towards), {"towards": None}, controls, alt)


_HALF = 0.44, 0.42  # half the width and height of a box


def _arrow(ax: Any, start: Idea, end: Idea, colour: str, strong: bool) -> None:
    points: tuple[tuple[float, float], tuple[float, float]]
    if start.column == end.column:
        up = 1 if end.row > start.row else -1
        points = (start.column, start.row + up * _HALF[1]), (end.column, end.row - up * _HALF[1])
    else:
        points = (start.column + _HALF[0], start.row), (end.column - _HALF[0], end.row)
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.4 if strong else 0.8, "alpha": 1 if strong else 0.2}
    ax.annotate("", points[1], points[0], arrowprops={**style, "shrinkA": 0, "shrinkB": 0}, zorder=1)


def _box(ax: Any, name: str, idea: Idea, part: float | None, strong: bool) -> None:
    from matplotlib.patches import Rectangle

    corner = idea.column - _HALF[0], idea.row - _HALF[1]
    wide, high = 2 * _HALF[0], 2 * _HALF[1]
    alpha = 1 if strong else 0.25
    ax.add_patch(Rectangle(corner, wide, high, facecolor="white", edgecolor="none", zorder=2))
    ax.add_patch(Rectangle(corner, wide * (part or 0), high, color=RIGHT, alpha=0.55 * alpha, lw=0, zorder=3))
    dashes = (0, (3, 2)) if part is None else "solid"
    edge = Rectangle(corner, wide, high, fill=False, edgecolor=NEUTRAL, linestyle=dashes, alpha=alpha, zorder=4)
    ax.add_patch(edge)
    ax.text(idea.column, idea.row, name, ha="center", va="center", fontsize=8.2, alpha=alpha, zorder=5)
