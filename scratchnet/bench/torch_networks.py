"""The networks of the article's references in PyTorch, layer by layer as in `scratchnet.zoo`. Needs PyTorch alone.

Each gives scores; the softmax at its end is in the loss, or nobody asks for it. What PyTorch offers to save memory
where nothing is trained is used: ReLU writes over its input.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class Merged(nn.Module):
    """Several modules on the same input, and their outputs merged by a function."""

    def __init__(self, merge: Callable[[list[torch.Tensor]], torch.Tensor], *modules: nn.Module):
        super().__init__()
        self.merge, self.branches = merge, nn.ModuleList(modules)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """All branches, merged."""
        return self.merge([branch(x) for branch in self.branches])


def added(parts: list[torch.Tensor]) -> torch.Tensor:
    """The sum of two."""
    return parts[0] + parts[1]


def multiplied(parts: list[torch.Tensor]) -> torch.Tensor:
    """The product of two."""
    return parts[0] * parts[1]


def joined(parts: list[torch.Tensor]) -> torch.Tensor:
    """Channels behind channels."""
    return torch.cat(parts, 1)


def conv(c: int, f: int, k: Any, stride: int = 1, padding: Any = None, bias: bool = False, **more: Any) -> nn.Conv2d:
    """A convolution, padded as "same" at odd kernels where nothing else is said."""
    around = tuple(n // 2 for n in (k if isinstance(k, tuple) else (k, k))) if padding is None else padding
    return nn.Conv2d(c, f, k, stride, around, bias=bias, **more)


def normalized(c: int, f: int, k: Any, *arguments: Any, end: Any = nn.ReLU, **options: Any) -> list[nn.Module]:
    """Convolution, normalization, activation."""
    return [conv(c, f, k, *arguments, **options), nn.BatchNorm2d(f), *([end(inplace=True)] if end else [])]


def excitation(c: int, squeezed: int, end: Any = nn.ReLU) -> nn.Module:
    """x times what two dense layers make of its channels' means."""
    inner = conv(c, squeezed, 1, bias=True), end(), conv(squeezed, c, 1, bias=True), nn.Sigmoid()
    return Merged(multiplied, nn.Identity(), nn.Sequential(nn.AdaptiveAvgPool2d(1), *inner))


def top(c: int, classes: int) -> list[nn.Module]:
    """Mean over the places, dense layer."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes)]


def resnet_20() -> nn.Module:
    """That of `zoo.resnet_20()`."""
    layers, c = normalized(3, 16, 3), 16
    for stage, f in enumerate((16, 32, 64)):
        for number in range(3):
            stride = 2 if stage and not number else 1
            branch = *normalized(c, f, 3, stride), *normalized(f, f, 3, end=None)
            shortcut = nn.Identity() if c == f else nn.Sequential(*normalized(c, f, 1, stride, end=None))
            layers += [Merged(added, shortcut, nn.Sequential(*branch)), nn.ReLU(inplace=True)]
            c = f
    return nn.Sequential(*layers, *top(64, 10))


def resnet_50(excited: bool = False) -> nn.Module:
    """That of `zoo.resnet_50()`, or of `zoo.se_resnet_50()`."""
    layers, c = [*normalized(3, 64, 7, 2, bias=True), nn.MaxPool2d(3, 2, 1)], 64
    for stage, (f, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for number in range(blocks):
            stride = 2 if stage and not number else 1
            branch = [*normalized(c, f, 1, stride, bias=True), *normalized(f, f, 3, bias=True)]
            branch += normalized(f, 4 * f, 1, bias=True, end=None) + ([excitation(4 * f, f // 4)] if excited else [])
            wider = nn.Sequential(*normalized(c, 4 * f, 1, stride, bias=True, end=None))
            shortcut = nn.Identity() if c == 4 * f else wider
            layers += [Merged(added, shortcut, nn.Sequential(*branch)), nn.ReLU(inplace=True)]
            c = 4 * f
    return nn.Sequential(*layers, *top(2048, 1000))


def se_resnet_50() -> nn.Module:
    """That of `zoo.se_resnet_50()`."""
    return resnet_50(excited=True)


def _before(c: int, f: int, k: int) -> list[nn.Module]:
    """Normalization, ReLU, convolution."""
    return [nn.BatchNorm2d(c), nn.ReLU(inplace=True), conv(c, f, k)]


def _dense_blocks(layers: list[nn.Module], c: int, blocks: Any, growth: int, halved: bool, classes: int) -> nn.Module:
    for number, count in enumerate(blocks):
        if number:
            f = c // 2 if halved else c
            layers += [*_before(c, f, 1), nn.AvgPool2d(2)]
            c = f
        for _ in range(count):
            branch = [*_before(c, 128, 1), *_before(128, growth, 3)] if halved else _before(c, growth, 3)
            layers.append(Merged(joined, nn.Identity(), nn.Sequential(*branch)))
            c += growth
    return nn.Sequential(*layers, nn.BatchNorm2d(c), nn.ReLU(inplace=True), *top(c, classes))


def densenet_40() -> nn.Module:
    """That of `zoo.densenet_40()`."""
    return _dense_blocks([conv(3, 16, 3)], 16, (12, 12, 12), 12, False, 10)


def densenet_121() -> nn.Module:
    """That of `zoo.densenet_121()`."""
    return _dense_blocks([*normalized(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64, (6, 12, 24, 16), 32, True, 1000)


def alexnet() -> nn.Module:
    """That of `zoo.alexnet()`."""

    def relu(module: nn.Module) -> list[nn.Module]:
        return [module, nn.ReLU(inplace=True)]

    return nn.Sequential(
        *relu(nn.Conv2d(3, 96, 11, 4)), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2),
        *relu(nn.Conv2d(96, 256, 5, padding=2, groups=2)), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2),
        *relu(conv(256, 384, 3, bias=True)), *relu(conv(384, 384, 3, bias=True, groups=2)),
        *relu(conv(384, 256, 3, bias=True, groups=2)), nn.MaxPool2d(3, 2), nn.Flatten(),
        *relu(nn.Linear(9216, 4096)), nn.Dropout(), *relu(nn.Linear(4096, 4096)), nn.Dropout(), nn.Linear(4096, 1000),
    )  # fmt: skip


def efficientnet_b0() -> nn.Module:
    """That of `zoo.efficientnet_b0()`, without stochastic depth, which inference does not have."""
    layers, c = [nn.ZeroPad2d((0, 1, 0, 1)), *normalized(3, 32, 3, 2, 0, end=nn.SiLU)], 32
    stages = (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3)
    for expansion, f, repeats, strides, k in (*stages, (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)):
        for number in range(repeats):
            stride, inner = 1 if number else strides, c * expansion
            branch = normalized(c, inner, 1, end=nn.SiLU) if expansion > 1 else []
            if stride == 2:
                branch.append(nn.ZeroPad2d((k // 2 - 1, k // 2, k // 2 - 1, k // 2)))
            around = 0 if stride == 2 else k // 2
            branch += normalized(inner, inner, k, stride, around, end=nn.SiLU, groups=inner)
            branch += [excitation(inner, max(1, c // 4), nn.SiLU), *normalized(inner, f, 1, end=None)]
            body = nn.Sequential(*branch)
            layers.append(Merged(added, body, nn.Identity()) if stride == 1 and c == f else body)
            c = f
    return nn.Sequential(*layers, *normalized(c, 1280, 1, end=nn.SiLU), *top(1280, 1000))


def _inception(c: int, branches: list[Any]) -> tuple[nn.Module, int]:
    """The module, and its channels, of `zoo/inception.py`'s lists of branches; "mean" and "max" are poolings."""
    modules, total = list[nn.Module](), 0
    for steps in branches:
        layers, here = list[nn.Module](), c
        for step in steps:
            if isinstance(step, list):
                block, here = _inception(here, step)
                layers.append(block)
            elif isinstance(step, str):
                mean = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
                layers.append(mean if step == "mean" else nn.MaxPool2d(3, 2))
            else:
                f, rows, columns, *stride = step
                layers += normalized(here, f, (rows, columns), *stride, *([0] if stride else []))
                here = f
        modules.append(nn.Sequential(*layers))
        total += here
    return Merged(joined, *modules), total


def inception_v3() -> nn.Module:
    """That of `zoo.inception_v3()`. Its normalizations have factors here, which PyTorch's always do."""
    layers = [*normalized(3, 32, 3, 2, 0), *normalized(32, 32, 3, 1, 0), *normalized(32, 64, 3), nn.MaxPool2d(3, 2)]
    layers += [*normalized(64, 80, 1), *normalized(80, 192, 3, 1, 0), nn.MaxPool2d(3, 2)]
    c, apart = 192, [[(384, 1, 3)], [(384, 3, 1)]]
    blocks: list[Any] = [
        [[(64, 1, 1)], [(48, 1, 1), (64, 5, 5)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)], ["mean", (pooled, 1, 1)]]
        for pooled in (32, 64, 64)
    ]
    blocks.append([[(384, 3, 3, 2)], [(64, 1, 1), (96, 3, 3), (96, 3, 3, 2)], ["max"]])
    for f in (128, 160, 160, 192):
        row, column = (f, 1, 7), (f, 7, 1)
        long: list[Any] = [(f, 1, 1), column, row, column, (192, 1, 7)]
        blocks.append([[(192, 1, 1)], [(f, 1, 1), row, (192, 7, 1)], long, ["mean", (192, 1, 1)]])
    long = [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2)]
    blocks.append([[(192, 1, 1), (320, 3, 3, 2)], long, ["max"]])
    wide = [[(320, 1, 1)], [(384, 1, 1), apart], [(448, 1, 1), (384, 3, 3), apart], ["mean", (192, 1, 1)]]
    for block in (*blocks, wide, wide):
        module, c = _inception(c, block)
        layers.append(module)
    return nn.Sequential(*layers, *top(2048, 1000))


def prepare(name: str, step: bool, batch: int, size: int, layout: torch.memory_format) -> Callable[[], object]:
    """A training step of a network, or its inference, on `batch` pictures of `size` x `size`."""
    model: nn.Module = globals()[name]().to(memory_format=layout)
    x, y = torch.rand(batch, 3, size, size).to(memory_format=layout), torch.randint(0, 10, (batch,))
    if step:
        sgd, loss = torch.optim.SGD(model.parameters(), 0.1, 0.9, nesterov=True), nn.CrossEntropyLoss()

        def train() -> None:
            sgd.zero_grad()
            loss(model(x), y).backward()
            sgd.step()

        return train
    model.eval()

    def predict() -> None:
        with torch.inference_mode():
            model(x)

    return predict
