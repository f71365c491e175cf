"""What a warp's accesses look like in memory: sectors of global memory, banks of shared memory, registers of lanes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from scratchnet.annotations import checked
from scratchnet.blocks import Run, fragment_a, fragment_b, fragment_c
from scratchnet.blocks.counting import BANK_BYTES, BANKS, SECTOR, warp_accesses
from scratchnet.interact.block_steps import thread_colour
from scratchnet.plot import STYLE, TEST, TRAIN, WIDTH, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 64  # numbers in a row of the picture


@checked
def draw_sectors(runs: Mapping[str, Run], array: str, access: int = 0) -> Figure:
    """One access of the first warp, in memory: what it asks for in blue, what comes along for nothing in orange.

    Args:
        runs: title -> launch, drawn one below the other.
        array: the name of an array in global memory, of numbers of 4 bytes.
        access: the first warp's so-many-th to this array.
    """
    plt = pyplot()
    from matplotlib.colors import ListedColormap  # here: matplotlib is needed only where a figure is drawn

    pictures = {}
    for title, run in runs.items():
        size = int(np.prod(run.shapes[array]))
        picture = np.zeros((-(-size // _ROW), _ROW))
        group = warp_accesses([a for a in run.accesses if a.array == array and a.block == 0 and a.thread < 32])[access]
        numbers = SECTOR // run.itemsize[array]
        cells = {a.cell for a in group}
        moved = {cell // numbers for cell in cells}
        for sector in moved:
            picture.flat[sector * numbers : (sector + 1) * numbers] = 1
        picture.flat[list(cells)] = 2
        words = f"{_count(len(cells), 'different number')}, {_count(len(moved), 'sector')}"
        pictures[f"{title}: {words}"] = picture
    rows = sum(len(picture) + 3 for picture in pictures.values())
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(pictures), 1, figsize=(WIDTH, 0.5 + 0.13 * rows), squeeze=False,
            height_ratios=[len(picture) for picture in pictures.values()],
        )  # fmt: skip
        plt.close(figure)
        for ax, (title, picture) in zip(axes[:, 0], pictures.items()):
            colours = ListedColormap(["#f0f0f0", "#f3b98d", TRAIN])
            ax.imshow(picture, cmap=colours, vmin=0, vmax=2, aspect="auto")
            for c in range(0, _ROW + 1, SECTOR // 4):
                ax.axvline(c - 0.5, color="white", lw=1.5)
            for r in range(1, len(picture)):
                ax.axhline(r - 0.5, color="white", lw=0.8)
            ax.set_title(title, loc="left", fontsize=10)
            ax.set(yticks=[], xticks=range(0, _ROW + 1, 8))
        axes[-1, 0].set_xlabel(f"numbers of {array} as they lie in memory, {_ROW} to a row; a sector is 8 of them")
    return figure


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


@checked
def draw_banks(runs: Mapping[str, Run], array: str, access: int = 0) -> Figure:
    """One access of the first warp to shared memory: how many different words it wants of each bank.

    Args:
        runs: title -> launch, drawn side by side.
        array: the name of an array in shared memory.
        access: the first warp's so-many-th to this array.
    """
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(runs), figsize=(WIDTH, 2.3), squeeze=False, sharey=True)
        plt.close(figure)
        for ax, (title, run) in zip(axes[0], runs.items()):
            of_warp = [a for a in run.accesses if a.array == array and a.block == 0 and a.thread < 32]
            group = warp_accesses(of_warp)[access]
            words = {a.cell * run.itemsize[array] // BANK_BYTES for a in group}
            wanted = np.bincount([word % BANKS for word in words], minlength=BANKS)
            ax.bar(range(BANKS), wanted, color=TEST if wanted.max() > 1 else TRAIN)
            ax.set_title(f"{title}: {_count(int(wanted.max()), 'turn')}", fontsize=10)
            ax.set(xlabel="bank", xlim=(-1, BANKS))
        axes[0, 0].set_ylabel("words that are wanted")
    return figure


def draw_fragments(lane: int = 5) -> Figure:
    """Which lane of a warp holds which number of a (16, 8), b (8, 8) and c (16, 8) of mma.m16n8k8; one lane is framed.

    In each cell stand the lane and the number of its register.
    """
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 5.6), subplot_kw={"anchor": "N"})
        plt.close(figure)
        for ax, name, (rows, columns) in zip(axes, "abc", (fragment_a(), fragment_b(), fragment_c())):
            _fragment(ax, name, rows, columns, lane)
    return figure


def _fragment(ax: Axes, name: str, rows: np.ndarray, columns: np.ndarray, marked: int) -> None:
    plt = pyplot()
    for lane, register in np.ndindex(rows.shape):
        row, column, mine = int(rows[lane, register]), int(columns[lane, register]), lane == marked
        ax.add_patch(plt.Rectangle((column, row), 1, 1, color=thread_colour(lane, 32), lw=0))
        colour = "white" if lane < 20 else "black"
        text = f"{lane}:{register}"
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7.5, color=colour,
                fontweight="bold" if mine else "normal")  # fmt: skip
        if mine:
            ax.add_patch(plt.Rectangle((column, row), 1, 1, fill=False, ec=TEST, lw=3, zorder=4, clip_on=False))
    high = int(rows.max()) + 1
    ax.set(xlim=(0, 8), ylim=(high, 0), xticks=[0, 4, 8], yticks=range(0, high + 1, 8), aspect="equal")
    ax.set_title(f"{name}, {high} x 8: {rows.shape[1]} of each lane", fontsize=10)
    ax.set_xlabel({"a": "k", "b": "n", "c": "n"}[name])
    ax.set_ylabel({"a": "m", "b": "k", "c": "m"}[name], rotation=0)
    ax.spines[:].set_visible(False)
