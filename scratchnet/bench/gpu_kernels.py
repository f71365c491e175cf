"""The kernels that are measured on the GPU: every convolution and dense product of both models, at the steps' batches.

Each is described without arrays, with its work and the bytes that it must move, so that the main process, which only
prints and draws, needs no GPU memory; `recorded` makes the arrays and a function of it.

Kernels run for some microseconds, less than Python takes to ask for one. So some are recorded, as `fit` records its
steps, and a call replays them. They read the same arrays again and again, which the GPU's cache may then hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scratchnet.bench.shapes import CONVS, COPY, DENSES, GPU, PRODUCT, Sizes
from scratchnet.devices import Device
from scratchnet.shapes import output_hw, pads_2d

Shape = tuple[int, ...]


class Kernel(NamedTuple):
    """A kernel with its arguments.

    Attributes:
        name: for readers.
        function: of `kernels/interface`.
        work: multiplications and additions.
        shapes: of the arrays, which come first among its arguments.
        settings: the arguments that follow.
        y: the shape of its result.
    """

    name: str
    function: str
    work: float
    shapes: tuple[Shape, ...]
    settings: tuple[Any, ...]
    y: Shape

    @property
    def traffic(self) -> int:
        """Bytes of all arrays in float32, each once: the least that must move between memory and processor."""
        return 4 * sum(math.prod(shape) for shape in (*self.shapes, self.y))

    def calls(self, sizes: Sizes = GPU) -> int:
        """How often a call of `recorded` runs it."""
        return sizes.calls(self.work)


def kernels(model: str, sizes: Sizes = GPU) -> dict[str, Kernel]:
    """By task, "cnn: NAME", y, dx and dw of each convolution and dense layer of a model."""
    N, found = sizes.batch(model), list[Kernel]()
    for layer in CONVS[model]:
        H, C, F, K = layer.H, layer.C, layer.F, layer.K
        hw, window, strides = (H, H), (K, K), (layer.stride, layer.stride)
        pads = pads_2d(hw, window, strides, layer.padding)
        x, w, y = (N, H, H, C), (K, K, C, F), (N, *output_hw(hw, window, strides, pads), F)
        work = 2.0 * math.prod(y) * K * K * C
        found += [
            Kernel(f"{layer.name}: y", "conv2d", work, (x, w, (F,)), (strides, pads), y),
            Kernel(f"{layer.name}: dx", "conv2d_input_grad", work, (y, w), (hw, strides, pads), x),
            Kernel(f"{layer.name}: dw", "conv2d_weight_grad", work, (x, y), (window, strides, pads), w),
        ]
    for _, D, U in DENSES[model]:
        work, name = 2.0 * N * D * U, f"dense {D} to {U}"
        found += [
            Kernel(f"{name}: y", "dense", work, ((N, D), (D, U), (U,)), (), (N, U)),
            Kernel(f"{name}: dx", "dense_input_grad", work, ((N, U), (D, U)), (), (N, D)),
            Kernel(f"{name}: dw", "dense_weight_grad", work, ((N, D), (N, U)), (), (D, U)),
        ]
    return {f"{model}: {kernel.name}": kernel for kernel in found}


def roofs(sizes: Sizes = GPU) -> dict[str, Kernel]:
    """By task what the processor and the memory can do at most: a large product, and relu of a large array."""
    square, line = (sizes.side, sizes.side), (sizes.copied,)
    return {
        PRODUCT: Kernel(PRODUCT, "dense", 2.0 * sizes.side**3, (square, square), (None,), square),
        COPY: Kernel(COPY, "relu", float(sizes.copied), (line,), (), line),
    }


def recorded(kernel: Kernel, device: Device, sizes: Sizes = GPU) -> Callable[[], object]:
    """A function that runs the kernel `kernel.calls(sizes)` times by one launch, and waits for them."""
    rng = np.random.default_rng(0)
    arrays = [device.module.asarray(rng.random(shape, dtype=np.float32)) for shape in kernel.shapes]
    function = getattr(device.kernels(), kernel.function)
    assert device.graph is not None  # the GPU has one

    def several() -> None:
        for _ in range(kernel.calls(sizes)):
            function(*arrays, *kernel.settings)

    function(*arrays, *kernel.settings)  # compiles: that cannot be recorded
    graph = device.graph()
    graph.record(several)

    def replay() -> object:
        graph.replay()
        return arrays  # which the recording reads: they must stay

    return replay
