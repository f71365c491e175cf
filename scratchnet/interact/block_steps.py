"""A block of threads in slow motion: which thread reads and writes which cell, and where the barriers stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scratchnet.annotations import checked
from scratchnet.blocks import Race, Run, Step, timeline
from scratchnet.interact.interactive import Interactive
from scratchnet.plot import NEUTRAL, RIGHT, STYLE, TEST, TRAIN, WIDTH, WRONG, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP = 1.1  # cells between two panels
_MARGIN = 0.6  # cells to the left and right of all
_WIDEST = 0.34  # inches of a cell at most
_STRIP, _BASE, _HEAD = 0.36, 1.25, 0.68  # inches: the strip of time, all below the arrays, all above them
_KINDS = {  # (in shared memory, writes) -> colour and words of a step in the strip of time
    (False, False): (TRAIN, "read global memory"),
    (True, True): ("#E69F00", "write shared memory"),
    (True, False): (RIGHT, "read shared memory"),
    (False, True): (TEST, "write global memory"),
}


def thread_colour(number: int, threads: int) -> tuple[float, ...]:
    """The colour of a thread: dark for the first of its block, light for the last."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.05 + 0.9 * number / max(threads - 1, 1))


def as_matrix(shape: Sequence[int]) -> tuple[int, int]:
    """(rows, columns) in which an array is drawn: axes of 1 are left out, the last axis runs to the right."""
    sizes = [n for n in shape if n > 1] or [1]
    return math.prod(sizes[:-1]), sizes[-1]


@checked
def draw_step(run: Run, step: int = 0, block: int = 0) -> Figure:
    """One step of a block: its threads, all arrays with the cells that are touched, and the strip of time below.

    A touched cell has the colours of the threads that touch it, and a frame: blue where it is read, orange where it is
    written. Cells at which threads race have a red cross.

    Args:
        run: of a launch, of a few dozen threads.
        step: number of the step, from 0; see `blocks.timeline`.
        block: number of the block.

    Raises:
        ValueError: there is no such step or block.
    """
    steps = timeline(run, block)
    if not 0 <= step < len(steps):
        raise ValueError(f"draw_step: expected a step from 0 to {len(steps) - 1}, got {step}.")
    now, threads = steps[step], run.block.x * run.block.y
    wide = run.block.x if run.block.y > 1 else min(run.block.x, 8)
    panels = {"threads": (-(-threads // wide), wide)} | {name: as_matrix(run.shapes[name]) for name in _in_order(run)}
    columns = sum(max(shape[1], 2.2) + _GAP for shape in panels.values()) - _GAP + 2 * _MARGIN
    side = min(WIDTH / columns, _WIDEST)
    most = max(rows for rows, _ in panels.values())
    height = _BASE + most * side + _HEAD
    figure = pyplot().figure(figsize=(WIDTH, height), dpi=STYLE["figure.dpi"], layout="none")
    pyplot().close(figure)
    left = (WIDTH - columns * side) / 2 + _MARGIN * side
    for name, (rows, columns_of) in panels.items():
        bottom = _BASE + (most - rows) * side / 2
        ax = figure.add_axes((left / WIDTH, bottom / height, columns_of * side / WIDTH, rows * side / height))
        _panel(ax, name, (rows, columns_of), name in run.shared)
        if name == "threads":
            _threads(ax, now, wide, threads, side)
        else:
            _cells(ax, now, name, columns_of, threads)
            _races(ax, run, block, name, columns_of, side)
        left += (max(columns_of, 2.2) + _GAP) * side
    _strip(figure.add_axes((0.06, 0.62 / height, 0.9, _STRIP / height)), run, steps, step)
    figure.text(0.5, 1 - 0.16 / height, _words(run, steps, step), ha="center", va="center", fontsize=9.5)
    return figure


def _in_order(run: Run) -> list[str]:
    """The arrays as numbers travel: those that are only read, shared ones, those that are written."""
    written = {access.array for access in run.accesses if access.writes}
    return sorted(run.shapes, key=lambda name: 1 if name in run.shared else 2 if name in written else 0)


def _panel(ax: Axes, name: str, shape: tuple[int, int], shared: bool) -> None:
    """An empty grid of cells, row 0 above, with a title; shared memory is shaded."""
    rows, columns = shape
    ax.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
    ax.set_facecolor("#f3ead7" if shared else "#f4f4f4")
    for spine in ax.spines.values():
        spine.set(visible=True, color="#999999", linewidth=0.8)
    for r in range(1, rows):
        ax.axhline(r, color="#bbbbbb", lw=0.5)
    for c in range(1, columns):
        ax.axvline(c, color="#bbbbbb", lw=0.5)
    ax.set_title(name + ("\n(shared)" if shared else ""), fontsize=9, pad=3)


def _threads(ax: Axes, now: Step, wide: int, threads: int, side: float) -> None:
    """The threads with their numbers; those that rest in this step are pale."""
    active = {access.thread for access in now.accesses}
    for number in range(threads):
        row, column = divmod(number, wide)
        alpha = 1 if number in active or now.is_barrier else 0.2
        ax.add_patch(_box(column, row, 1, 1, thread_colour(number, threads), alpha=alpha))
        colour = "white" if number < 0.6 * threads else "black"
        ax.text(column + 0.5, row + 0.5, str(number), ha="center", va="center", fontsize=22 * side, color=colour)


def _cells(ax: Axes, now: Step, name: str, wide: int, threads: int) -> None:
    """The cells of an array that are touched, striped in the colours of the threads that touch them."""
    touched: dict[int, list[int]] = {}
    writes = False
    for access in now.accesses:
        if access.array == name:
            touched.setdefault(access.cell, []).append(access.thread)
            writes |= access.writes
    for cell, numbers in touched.items():
        row, column = divmod(cell, wide)
        for place, number in enumerate(numbers):
            width = 1 / len(numbers)
            ax.add_patch(_box(column + place * width, row, width, 1, thread_colour(number, threads)))
        frame = {"fill": False, "ec": TEST if writes else TRAIN, "lw": 2.2, "clip_on": False, "zorder": 4}
        ax.add_patch(pyplot().Rectangle((column, row), 1, 1, **frame))


def _races(ax: Axes, run: Run, block: int, name: str, wide: int, side: float) -> None:
    """A red cross on each cell at which the threads race, in this step or another."""
    for fault in run.faults:
        for where, array, cell in fault.cells if isinstance(fault, Race) else ():
            if array == name and (where == block or name not in run.shared):
                row, column = divmod(cell, wide)
                ax.plot(column + 0.5, row + 0.5, "x", color=WRONG, ms=24 * side, mew=2.2, zorder=6)


def _box(x: float, y: float, width: float, height: float, colour: Any, alpha: float = 1) -> Any:
    return pyplot().Rectangle((x, y), width, height, color=colour, lw=0, alpha=alpha)


def _strip(ax: Axes, run: Run, steps: list[Step], step: int) -> None:
    """All steps as a strip, coloured by what is done; barriers are black lines, the present step has a frame."""
    seen = set()
    for number, one in enumerate(steps):
        if one.is_barrier:
            ax.add_patch(_box(number, -0.25, 1, 1.5, "black"))
            continue
        kind = one.accesses[0].array in run.shared, one.accesses[0].writes
        seen.add(kind)
        ax.add_patch(_box(number, 0, 1, 1, _KINDS[kind][0], alpha=0.85))
    ax.add_patch(pyplot().Rectangle((step, -0.35), 1, 1.7, fill=False, ec="black", lw=2, clip_on=False, zorder=5))
    ax.set(xlim=(0, len(steps)), ylim=(1.4, -0.4), yticks=[])
    ax.spines[:].set_visible(False)
    ax.tick_params(labelsize=8)
    ax.set_xticks(range(0, len(steps), 1 if len(steps) < 12 else 5))
    boxes = [(_box(0, 0, 1, 1, colour, 0.85), words) for kind, (colour, words) in _KINDS.items() if kind in seen]
    if any(one.is_barrier for one in steps):
        boxes.append((_box(0, 0, 1, 1, "black"), "barrier"))
    ax.legend(*zip(*boxes), loc="upper center", bbox_to_anchor=(0.5, -0.75), ncols=5, fontsize=8, handlelength=1)
    ax.set_ylabel("step", rotation=0, fontsize=8, labelpad=14, va="center", color=NEUTRAL)


def _words(run: Run, steps: list[Step], step: int) -> str:
    """What the step is: its number, what is done, the line of the kernel."""
    now, start = steps[step], f"step {step} of {len(steps) - 1}: "
    if now.is_barrier:
        return start + "the barrier. Nobody goes on before all threads are here"
    first = now.accesses[0]
    count, cells = len(now.accesses), len({access.cell for access in now.accesses})
    verb = ("writes" if count == 1 else "write") if first.writes else "reads" if count == 1 else "read"
    alike = {(access.array, access.line, access.writes) for access in now.accesses}
    if len(alike) > 1:
        return start + f"{count} threads, at {len(alike)} places of the kernel"
    which = f"{cells} cell{'s' * (cells != 1)} of {first.array}"
    return start + f"{count} thread{'s' * (count != 1)} {verb} {which}; {run.text_of(first.line)}".replace("`", "")


def block_steps(run: Run, step: int = 0, block: int = 0) -> Interactive:
    """A block with a slider over its steps.

    Args:
        run: of a launch, of a few dozen threads.
        step: the one that is shown at first, and in the stored picture.
        block: number of the block.
    """
    steps = timeline(run, block)

    def controls() -> dict[str, Any]:
        import ipywidgets

        layout = ipywidgets.Layout(width="95%")
        return {"step": ipywidgets.IntSlider(step, 0, len(steps) - 1, description="step", layout=layout)}

    alt = (
        f"Block {block} of the kernel {run.kernel}: its threads in a grid, each with a colour; beside them the arrays "
        f"{', '.join(run.shapes)}, whose touched cells have the colours of their threads; below, the strip of "
        f"{len(steps)} steps with its barriers. {_words(run, steps, step)}."
    )
    return Interactive(lambda step: draw_step(run, step, block), {"step": step}, controls, alt)
