"""The exercises of A2: right kernels pass, whatever their tiles; the planted race and other faults are named."""

from pathlib import Path

import numpy as np
import pytest
from notebook_rules import code_cells, printed

from scratchnet import blocks, check

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "A2_on_the_gpu.ipynb"


def stubs():
    """The functions in the cells that the reader completes."""
    names = {"np": np, "blocks": blocks}
    for cell in code_cells(NOTEBOOK):
        if "\nsn.check." in cell["source"]:
            exec(cell["source"].split("sn.check.")[0], names)
    return names


def test_the_planted_race_is_named():
    answer = repr(check.block_sums(stubs()["block_sums"]))
    assert "got      Race: part[1]: thread 1 writes it in line" in answer
    assert answer.endswith("the loop needs a barrier.")


def test_stubs_are_not_yet_right():
    found = stubs()
    for name in ("reads_per_output", "transposed", "conv1d_in_two_stages"):
        assert not getattr(check, name)(found[name])


@pytest.mark.parametrize("name", ["reads_per_output", "block_sums", "transposed", "conv1d_in_two_stages"])
def test_solutions_pass(name):
    verdict = getattr(check, name)(printed(NOTEBOOK)[name])
    assert verdict, verdict


def test_a_transpose_with_other_tiles_passes():
    def transposed(x):
        H, W = x.shape
        y = np.zeros((W, H), x.dtype)

        def kernel(t, x, y):
            tile = t.shared("tile", (8, 9))
            for row in range(t.y, 8, 2):
                if t.block.y * 8 + row < H and t.block.x * 8 + t.x < W:
                    tile[row, t.x] = x[t.block.y * 8 + row, t.block.x * 8 + t.x]
            yield
            for row in range(t.y, 8, 2):
                if t.block.x * 8 + row < W and t.block.y * 8 + t.x < H:
                    y[t.block.x * 8 + row, t.block.y * 8 + t.x] = tile[t.x, row]

        blocks.launch(kernel, (-(-W // 8), -(-H // 8)), (8, 2), x, y)
        return y

    assert check.transposed(transposed)


def test_sums_in_another_right_way_pass():
    def block_sums(x, threads):
        def kernel(t, x, y):
            part = t.shared("part", threads)
            part[t.x] = x[t.element] if t.element < len(x) else 0
            step = 1
            while step < threads:
                yield
                if t.x % (2 * step) == 0:
                    part[t.x] += part[t.x + step]
                step *= 2
            if t.x == 0:
                y[t.block.x] = part[0]

        y = np.zeros(-(-len(x) // threads), x.dtype)
        blocks.launch(kernel, len(y), threads, x, y)
        return y

    assert check.block_sums(block_sums)


def test_numbers_without_a_kernel_do_not_pass():
    for name, function in {
        "transposed": lambda x: x.T.copy(),
        "block_sums": lambda x, threads: np.add.reduceat(x, range(0, len(x), threads)),
        "conv1d_in_two_stages": lambda x, w, dy: (np.correlate(x, w, "valid"), np.correlate(x, dy, "valid")),
    }.items():
        verdict = getattr(check, name)(function)
        assert not verdict
        assert "no kernel was launched" in repr(verdict)
    assert "expected a function" in repr(check.transposed(3))


def test_one_stage_races():
    hint, mistake = next(iter(check.conv1d_in_two_stages.all_mistakes()))
    answer = repr(check.conv1d_in_two_stages(mistake))
    assert "Race: dw[0]" in answer
    assert hint in answer


def test_two_mistakes_are_both_named():
    def both(x, w, dy):
        return np.convolve(x, w, "valid"), np.correlate(x, dy, "valid")[::-1]

    answer = repr(check.conv1d_in_two_stages(both))
    assert "y: the weights are not turned round" in answer
    assert "dw: its cells are in the opposite order" in answer
