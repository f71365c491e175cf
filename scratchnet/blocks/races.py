"""Races: two threads touch a cell, one of them writes, and no barrier stands between.

Only the intervals between barriers count, not the order in which the threads happened to take their turns: a race is
found even where the result was right. Threads of two blocks never have a barrier between them.
"""

from __future__ import annotations

from collections.abc import Callable

from scratchnet.blocks.arrays import Access, Recorder, place
from scratchnet.blocks.faults import Race


def find_races(recorder: Recorder, shared: set[str], name_of: Callable[[int, int], str]) -> list[Race]:
    """One `Race` for each array and pair of lines, with the number of cells in which it happens.

    Args:
        recorder: of the launch.
        shared: the names of the arrays in shared memory, of which each block has its own.
        name_of: a thread in words, from the numbers of its block and its own.
    """
    written = {access.array for access in recorder.accesses if access.writes}
    touched: dict[tuple, dict[tuple, Access]] = {}  # cell -> (block, interval, thread, writes) -> the first such access
    for access in recorder.accesses:
        if access.array in written:
            home = (access.block, access.interval) if access.array in shared else ()
            who = (access.block, access.interval, access.thread, access.writes)
            touched.setdefault((access.array, access.cell, *home), {}).setdefault(who, access)
    found: dict[tuple, Race] = {}
    for seen in touched.values():
        pair = _pair(list(seen.values()))
        if pair is None:
            continue
        one, other = pair
        key = (one.array, one.line, other.line, one.writes, other.writes, one.block == other.block)
        if key in found:
            found[key].times += 1
            found[key].cells.append((one.block, one.array, one.cell))
            continue
        cell = place(one.array, one.cell, recorder.shapes[one.array])
        found[key] = Race(
            f"{cell}: {_deed(one, name_of, recorder)}; {_deed(other, name_of, recorder)}; "
            + ("no barrier between them" if one.block == other.block else "and blocks do not wait for each other"),
            (one.block, one.array, one.cell),
        )
    return list(found.values())


def _pair(accesses: list[Access]) -> tuple[Access, Access] | None:
    """Two of the accesses to one cell that make a race, a write first; None where there are none."""
    for one in (access for access in accesses if access.writes):
        for other in accesses:
            apart = one.block != other.block
            if apart or (one.interval == other.interval and one.thread != other.thread):
                return one, other
    return None


def _deed(access: Access, name_of: Callable[[int, int], str], recorder: Recorder) -> str:
    verb = "writes" if access.writes else "reads"
    return f"{name_of(access.block, access.thread)} {verb} it in {recorder.text_of(access.line)}"
