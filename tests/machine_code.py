"""The machine code of kernels for another processor: python machine_code.py TRIPLE CPU prints it as JSON, by name.

What is looked at is what runs there. Numba's own compiler does all of its work, from the types to LLVM's passes, for a
processor that is not this one; scratchnet chooses vectors and tiles by asking LLVM about that processor, as always. All
that is left out is to load the code into this process and to keep it on disk.
"""

import json
import os
import sys

import llvmlite.binding as llvm

NO_TARGET = "no target"  # the only line where this llvmlite does not compile for that processor


def _compile_for(triple, cpu):
    """Make Numba compile for that processor; before scratchnet is imported."""
    os.environ.update(NUMBA_CPU_NAME=cpu, NUMBA_CPU_FEATURES="")  # the processor's own features
    llvm.get_process_triple = llvm.get_default_triple = lambda: triple

    import numba.core.codegen
    import numba.core.cpu

    from scratchnet.kernels.cpu.compiling import cache

    numba.core.codegen.JITCodeLibrary._finalize_specific = lambda library: None
    numba.core.codegen.JITCodeLibrary.get_pointer_to_function = lambda library, name: 0
    # Numba asks for a built-in function that calls the kernel. No two kernels may have the same.
    numba.core.cpu.CPUContext.get_executable = lambda *arguments: [].append
    cache._Cache.load_overload = cache._Cache.save_overload = lambda *arguments: None


def _assembly(kernel, *types):
    """The kernel's own function, as lines: without those that Python would call."""
    kernel.compile(types)
    lines = kernel.inspect_asm(types).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("_ZN10scratchnet"))
    end = next(n for n, line in enumerate(lines) if n > start and ".cfi_endproc" in line)
    return lines[start:end]


def micro_kernels():
    """The tile of each height in float32, the tallest in float64, too."""
    from numba import types

    from scratchnet.kernels.cpu.gemm import micro_kernel
    from scratchnet.kernels.cpu.gemm.operands import Depth, Left, Right, Rows

    def tuple_of(kind):
        return types.NamedUniTuple(types.intp, len(kind._fields), kind)

    left, right, depth, rows = map(tuple_of, (Left, Right, Depth, Rows))
    for scalar, heights in ((types.float32, micro_kernel.HEIGHTS), (types.float64, micro_kernel.HEIGHTS[:1])):
        a = types.Array(scalar, 1, "C")
        for P, kernel in zip(heights, micro_kernel._kernels):
            yield f"{scalar} {P} {micro_kernel.Q}", kernel, (a, left, a, right, depth, a, rows, a, rows, types.boolean)


def transforms():
    """Winograd's transforms of F(2, 3), tall tiles of groups, rows of depthwise convolutions; in float32."""
    from numba import types

    from scratchnet.kernels.cpu.conv import depthwise_input_grad, depthwise_sliding, depthwise_weight_grad, narrow
    from scratchnet.kernels.cpu.winograd import conv2d
    from scratchnet.kernels.cpu.winograd.transforms import INPUT, Algorithm

    a, chunks, i, yes = types.Array(types.float32, 1, "C"), types.Array(types.int64, 2, "C"), types.intp, types.boolean
    algorithm = Algorithm(2, 3)
    shape, two = (types.UniTuple(i, n) for n in (4, 2))
    transform = conv2d.make_input_transform(algorithm.n, algorithm.n, INPUT[algorithm])
    yield "input", transform, (a, shape, *[i] * 5, a, a, i, i)
    yield "output", conv2d._make_output_transform(algorithm), (a, i, i, a, i, yes, i, a, *[i] * 5)
    for K, S in ((3, 1), (3, 2), (5, 1), (5, 2)):
        outputs = (a, *[i] * 7, a, i, a, two, a, yes, yes, a, *[i] * 4)
        yield f"y, {K}x{K}, stride {S}", depthwise_sliding._make_rows(K, S), outputs
    for M, K in ((1, 3), (2, 3), (2, 5), (3, 5)):
        pixels = (a, *[i] * 5, a, i, two, a, yes, a, *[i] * 3)
        yield f"dx, {M}x{K}, stride 2", depthwise_input_grad._make_row(M, K), pixels
    for K, L, S in ((3, 3, 1), (3, 3, 2), (3, 5, 1), (3, 5, 2), (2, 5, 1), (2, 5, 2), (1, 5, 1), (1, 5, 2)):
        sums = (a, i, a, *[i] * 7, two if K == 3 else types.none, a, a, *[i] * 4)
        yield f"dw, {K}x{L}, stride {S}", depthwise_weight_grad._make_rows(K, L, S), sums
    yield "groups", narrow._t0, (a, *[i] * 11, chunks, i, i, a, i, yes, yes, a, *[i] * 3)


def main(triple, cpu, *groups):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        llvm.Target.from_triple(triple)
    except RuntimeError:
        print(json.dumps(NO_TARGET))
        return
    _compile_for(triple, cpu)
    print(
        json.dumps({name: _assembly(kernel, *types) for group in groups for name, kernel, types in globals()[group]()})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
