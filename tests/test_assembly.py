"""The innermost loops as machine code, for processors that need not be here: NEON, AVX2 and AVX-512.

A product is as fast as the loop of its micro-kernel. So that loop holds as many fused multiply-adds as the tile has
vectors, what they need is loaded once, and nothing else takes a vector unit's time: no spills, no copies, no calls.
"""

import json
import re
from pathlib import Path

import pytest
from processes import python

SCRIPT = Path(__file__).with_name("machine_code.py")
ARM, X86 = "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"
PROCESSORS = {  # with the bytes of a vector; Darwin's assembly would be written otherwise, and be the same
    "apple-m1": (ARM, 16),
    "neoverse-n1": (ARM, 16),
    "haswell": (X86, 32),
    "skylake-avx512": (X86, 64),
    "znver4": (X86, 64),
}

# What an instruction of a loop is, by its text; the first that fits. Those that are none of these are no vectors'.
PARTS = {
    ARM: {
        "multiply-add": r"fmla\tv\d+\.(4s|2d), v\d+\.(4s|2d), v\d+\.[sd]\[\d\]",  # by one lane
        "stack": r".*\[sp",
        "call": r"blr?\t",
        "two vectors": r"ldp\tq",
        "vector": r"ldu?r\tq",
        "number": r"ldr\t[sd]\d",
        "other": r".*\b[vqds]\d+\b",
    },
    X86: {
        "multiply-add": r"vfmadd\d+p[sd]\t(%[yz]mm\d+(, )?){3}$",
        "stack": r".*\(%rsp",
        "call": r"call",
        "multiply-add of a vector in memory": r"vfmadd\d+p[sd]\t[^%{]*\(.*\), (%[yz]mm\d+(, )?){2}$",
        "vector": r"vmovup[sd]\t[^%]*\(.*\), %[yz]mm\d+$",
        "number": r"vbroadcasts[sd]\t[^%]*\(",
        "other": r".*%[xyz]mm",
    },
}
PREFETCH = {ARM: r"\s+prfu?m\tpst", X86: r"\s+prefetch"}
SPILL = {ARM: r"(ld|st)[rp]\tq.*\[sp", X86: r".*(%rsp.*%[xyz]mm|%[xyz]mm.*%rsp)"}


def assembly(cpu, group):
    """The machine code of a group of kernels, by name."""
    code = json.loads(python(SCRIPT, PROCESSORS[cpu][0], cpu, group))
    if code == "no target":
        pytest.skip(f"this llvmlite does not compile for {PROCESSORS[cpu][0]}")
    return code


def innermost(lines):
    """The instructions of each loop that holds no other."""
    places = {line.split(":")[0]: n for n, line in enumerate(lines) if re.match(r"\.L\w+:", line)}
    loops = []
    for n, line in enumerate(lines):
        target = re.match(r"\s+(?:j\w+|b\S*|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,)\s+(\.L\w+)$", line)
        if target and places[target[1]] <= n:
            loops.append((places[target[1]], n))
    inner = [a for a in loops if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    return [[line.strip() for line in lines[start : end + 1] if line.startswith("\t")] for start, end in inner]


def count(loop, triple):
    """How many instructions of each kind, where one may do what others do in two."""
    found = dict.fromkeys(PARTS[triple], 0)
    for line in loop:
        kind = next((kind for kind, pattern in PARTS[triple].items() if re.match(pattern, line)), None)
        if kind is not None:
            found[kind] += 1
    both = found.pop("multiply-add of a vector in memory", 0)
    found["vector"] += 2 * found.pop("two vectors", 0) + both
    found["multiply-add"] += both
    return found


def spills(loop, triple):
    return [line for line in loop if re.match(SPILL[triple], line)]


@pytest.mark.parametrize("cpu", PROCESSORS)
def test_micro_kernel(cpu):
    triple, vector_bytes = PROCESSORS[cpu]
    for name, lines in assembly(cpu, "micro_kernels").items():
        P, Q = map(int, name.split()[1:])
        (loop,) = innermost(lines)
        wanted = {"multiply-add": P * Q, "stack": 0, "call": 0, "vector": Q, "number": P, "other": 0}
        assert count(loop, triple) == wanted, (name, loop)
        if triple == X86:
            assert vector_bytes == 64 or "%zmm" not in "".join(loop)
            assert vector_bytes == 32 or "%ymm" not in "".join(loop)
        # Before the products, each cache line that the tile will be stored to is asked for.
        asked = [n for n, line in enumerate(lines) if re.match(PREFETCH[triple], line)]
        products = [n for n, line in enumerate(lines) if re.match(r"\s+(fmla|vfmadd)", line)]
        assert len(asked) == P * Q * vector_bytes // 64, (name, asked)
        assert max(asked) < min(products), name


# Where there are 16 registers, the tile of 8 outputs of groups moves its sums through the stack from one row of taps to
# the next: it is not among these.
@pytest.mark.parametrize(
    ("cpu", "parts"), [("apple-m1", ["input", "output", "groups"]), ("haswell", ["input", "output"])]
)
def test_transforms_spill_no_vectors(cpu, parts):
    triple, found = PROCESSORS[cpu][0], assembly(cpu, "transforms")
    for name in parts:
        loops = innermost(found[name])
        assert loops
        assert [spills(loop, triple) for loop in loops] == [[]] * len(loops), name


# The 25 weights of 5x5 taps and the sums of five outputs are more than registers; with 16 of them, so are 15 weights.
# Sums of 15 taps are taken together only where there are 32.
@pytest.mark.parametrize(
    ("cpu", "left_out"),
    [("apple-m1", ["y, 5x5"]), ("haswell", ["y, 5x5", "dx, 3x5", "dw, 3x5"]), ("znver4", ["y, 5x5"])],
)
def test_sliding_windows_spill_no_vectors(cpu, left_out):
    """Over the columns of a row, each pixel is loaded once, and sums, weights and slopes stay where they are."""
    triple, found = PROCESSORS[cpu][0], assembly(cpu, "transforms")
    seen = 0
    for name, lines in found.items():
        if size := re.match(r"(?:y|dx|dw), (\d)x(\d)", name):
            loops = [loop for loop in innermost(lines) if any(re.match(r"fmla|vfmadd", line) for line in loop)]
            columns = min(loops, key=len)
            products = [line for line in columns if re.match(r"fmla|fmul|vfmadd|vmulp", line)]
            assert len(products) == int(size[1]) * int(size[2]), (name, columns)
            if not name.startswith(tuple(left_out)):
                assert spills(columns, triple) == [], name
                seen += 1
    assert seen >= 11


# The checks themselves must be able to fail.

LOOP = """
.L1:
.L2:
	ldp	q8, q9, [x19]
	ldr	s12, [x20]
	//APP
	//NO_APP
	fmla	v0.4s, v8.4s, v12.s[0]
	fmla	v1.4s, v9.4s, v12.s[0]
	add	x20, x20, x17
	subs	x21, x21, #1
	b.ne	.L2
	b.ne	.L1
""".strip().splitlines()
RIGHT = {"multiply-add": 2, "stack": 0, "call": 0, "vector": 2, "number": 1, "other": 0}


def test_right_loop():
    (loop,) = innermost(LOOP)
    assert count(loop, ARM) == RIGHT
    assert len(loop) == 9
    assert not spills(loop, ARM)


@pytest.mark.parametrize(
    ("was", "becomes", "found"),
    [
        ("ldr	s12, [x20]", "ld1r	{ v12.4s }, [x20]", {"number": 0, "other": 1}),
        ("v9.4s, v12.s[0]", "v9.4s, v12.4s", {"multiply-add": 1, "other": 1}),
        ("ldp	q8, q9, [x19]", "ldp	q8, q9, [sp, #16]", {"vector": 0, "stack": 1}),
        ("add	x20, x20, x17", "bl	fmaf", {"call": 1}),
        ("add	x20, x20, x17", "mov	v3.16b, v4.16b", {"other": 1}),
    ],
)
def test_wrong_loop(was, becomes, found):
    (loop,) = innermost([line.replace(was, becomes) for line in LOOP])
    assert count(loop, ARM) == {**RIGHT, **found}
    assert bool(spills(loop, ARM)) == ("stack" in found)
