"""What `torch.nn` is to the networks of bench/with_torch.py and recipes/torch_dcgan.py: layers that know their sizes.

With it their lists of layers are read where PyTorch is missing. Shapes are PyTorch's, without the batch: (C, H, W).
"""

import sys
from contextlib import nullcontext
from types import ModuleType


class Module:
    """A layer without weights, whose output has the shape of its input."""

    parameters, weight, bias = 0, None, None

    def __init__(self, *arguments, **options):
        self.arguments = arguments

    def output_shape(self, shape):
        return shape


class Linear(Module):
    def __init__(self, inputs, outputs, bias=True):
        self.inputs, self.outputs, self.bias = inputs, outputs, bias or None
        self.parameters = inputs * outputs + outputs * bias

    def output_shape(self, shape):
        assert shape == (self.inputs,)
        return (self.outputs,)


class Conv2d(Module):
    def __init__(self, inputs, outputs, kernel_size, stride=1, padding=0, bias=True):
        self.inputs, self.outputs, self.bias = inputs, outputs, bias or None
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.parameters = inputs * outputs * kernel_size**2 + outputs * bias

    def length(self, n):
        return (n + 2 * self.padding - self.kernel_size) // self.stride + 1

    def output_shape(self, shape):
        channels, *size = shape
        assert channels == self.inputs
        return (self.outputs, *map(self.length, size))


class ConvTranspose2d(Conv2d):
    def length(self, n):
        return (n - 1) * self.stride - 2 * self.padding + self.kernel_size


class BatchNorm2d(Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        self.channels, self.parameters = channels, 2 * channels

    def output_shape(self, shape):
        assert shape[0] == self.channels
        return shape


class MaxPool2d(Module):
    def output_shape(self, shape):
        return (shape[0], *(n // self.arguments[0] for n in shape[1:]))


class ZeroPad2d(Module):
    def output_shape(self, shape):
        left, right, top, bottom = self.arguments[0]
        return (shape[0], shape[1] + top + bottom, shape[2] + left + right)


class Flatten(Module):
    def output_shape(self, shape):
        C, H, W = shape
        return (C * H * W,)


class Unflatten(Module):
    def output_shape(self, shape):
        C, H, W = self.arguments[1]
        assert shape == (C * H * W,)
        return (C, H, W)


class Sequential(list):
    def __init__(self, *layers):
        super().__init__(layers)

    def sizes(self, shape):
        """[(output shape as ours, parameters)] of all layers that have parameters, for an input of this shape."""
        found = []
        for layer in self:
            shape = layer.output_shape(shape)
            if layer.parameters:
                found.append((shape if len(shape) == 1 else (*shape[1:], shape[0]), layer.parameters))
        return found


def install(monkeypatch):
    """Put the stand-in in PyTorch's place, so that `import torch` finds it."""
    torch, nn, functional = ModuleType("torch"), ModuleType("torch.nn"), ModuleType("torch.nn.functional")
    for layer in (Module, Linear, Conv2d, ConvTranspose2d, BatchNorm2d, MaxPool2d, ZeroPad2d, Flatten, Unflatten):
        setattr(nn, layer.__name__, layer)
    for name in ("ReLU", "LeakyReLU", "Tanh"):
        setattr(nn, name, type(name, (Module,), {}))
    nn.Sequential, nn.functional = Sequential, functional
    nn.init = ModuleType("torch.nn.init")
    nn.init.normal_ = nn.init.zeros_ = lambda *arguments: None
    functional.binary_cross_entropy_with_logits = None
    torch.nn, torch.memory_format, torch.no_grad = nn, object, nullcontext
    torch.get_num_threads, torch.set_num_threads = lambda: 1, lambda count: None
    for module in (torch, nn, nn.functional, nn.init):
        monkeypatch.setitem(sys.modules, module.__name__, module)
