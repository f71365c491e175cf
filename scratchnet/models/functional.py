"""Functional: the network that `Model(inputs, outputs)` makes of a graph of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_array, check_choice, check_input, shape_text, shortened
from scratchnet.devices import array_module, as_array, fresh
from scratchnet.layers.inference import keeps_nothing
from scratchnet.layers.steps import CallAmongOthers
from scratchnet.layers.symbolic import KerasTensor
from scratchnet.models import calls
from scratchnet.models.graph import Call, Graph, Logits
from scratchnet.models.model import Model
from scratchnet.shapes import FLOATS
from scratchnet.structures import Structure, flat, packed

_ARGUMENTS = ("dtype", "fuse", "inputs", "name", "outputs", "trainable")


class Functional(Model):
    """A graph of layers from inputs to outputs; `Model(inputs, outputs)` makes it. See `scratchnet.models.Model`."""

    def __init__(
        self,
        inputs: Structure,
        outputs: Structure,
        name: str | None = None,
        *,
        trainable: bool = True,
        dtype: str = "float32",
        fuse: bool = True,
        **unknown: Any,
    ):
        if unknown:
            name, value = next(iter(unknown.items()))
            raise TypeError(f"Model: unknown argument {name}={shortened(value)}. Known: {', '.join(_ARGUMENTS)}.")
        super().__init__((), name=name, trainable=trainable)
        self.compute_dtype = np.dtype(check_choice(dtype, ("float32", "float64"), "dtype"))
        for place, structure in (("inputs", inputs), ("outputs", outputs)):
            tensors = flat(structure)
            if not tensors or not all(isinstance(tensor, KerasTensor) for tensor in tensors):
                raise TypeError(
                    f"{self.full_name}: expected {place} as symbolic tensors: x = Input(shape), y = layer(x), "
                    f"Model(x, y). Got {shortened(structure)}."
                )
        self.given_structure, self.result_structure = inputs, outputs
        self.graph = Graph(flat(inputs), flat(outputs), self.full_name)
        self.layers = list(self.graph.layers)
        self.check_layers()
        self.input_shape = self._shapes(inputs)
        self.output_shape = self._shapes(outputs)
        self._planned_for: Any = None
        self._calls: Sequence[Call] = ()
        self._shapes_now: list[tuple[int, ...]] = []
        self.built = True
        if not fuse:
            self.fuse = False

    @staticmethod
    def _shapes(structure: Structure) -> Any:
        shapes = [tensor.shape for tensor in flat(structure)]
        return shapes[0] if isinstance(structure, KerasTensor) else shapes

    def get_config(self) -> dict[str, Any]:
        """The layers, and their calls by number: what `from_config` makes the graph of again."""
        held = {} if self.trainable else {"trainable": False}
        described = calls.described(self.graph, self.given_structure, self.result_structure)
        return {"name": self.name, "dtype": self.compute_dtype.name, "fuse": self.fuse, **held, **described}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The model with new layers, if the config came from a file, or with the same layers.

        Raises:
            ValueError: the calls do not fit the layers.
        """
        inputs, outputs = calls.made(config)
        return cls(inputs, outputs, **{k: v for k, v in config.items() if k not in calls.FIELDS})

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors that it begins with."""
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic tensors that it ends in."""
        return list(self.graph.outputs)

    @property
    def input(self) -> Structure:
        """The symbolic tensor that it begins with; several in the structure that Model was given."""
        return self.given_structure

    @property
    def output(self) -> Structure:
        """The symbolic tensor that it ends in; several in the structure that Model was given."""
        return self.result_structure

    @property
    def input_names(self) -> list[str]:
        """Of each input: the key of a dict of them, or its name."""
        return _names(self.given_structure, self.graph.inputs)

    @property
    def output_names(self) -> list[str]:
        """Of each output: the key of a dict of them, or the name of the layer that gives it."""
        return _names(self.result_structure, self.graph.outputs)

    # Being built, and being a layer.

    @checked
    def build(self, input_shape: Any = None) -> None:
        """It is built as soon as it is made; this checks that inputs of this shape fit.

        Raises:
            ValueError: they do not.
        """
        if input_shape is not None:
            self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = [input_shape] if _is_shape(input_shape) else self._in_order(input_shape, "input_shape")
        for shape, tensor in zip(shapes, self.graph.inputs):
            if tuple(shape[1:]) != tensor.shape[1:]:
                raise ValueError(
                    f"{self.full_name}: expected an input of shape {shape_text(tensor.shape)}, got {shape_text(shape)}."
                )
        return packed(self.result_structure, [tensor.shape for tensor in self.graph.outputs])

    def check(self, x: np.ndarray) -> None:
        """Raise a ValueError unless the model's one input can be x."""
        check_input(x, self.graph.inputs[0].shape, self.full_name)

    def _in_order(self, x: Any, name: str) -> list[Any]:
        """The parts of x, a list or a dict by the inputs' names, in the order of the inputs."""
        names = self.input_names
        if isinstance(x, Mapping):
            if sorted(x) != sorted(names):
                raise ValueError(f"{self.full_name}: expected {name} with the keys {names}, got {sorted(x)}.")
            return [x[key] for key in names]
        parts = list(x) if isinstance(x, (list, tuple)) else [x]
        if len(parts) != len(names):
            if len(names) == 1:  # a list of examples
                return [x]
            raise ValueError(
                f"{self.full_name}: expected {name} as a list of {len(names)} arrays, for {', '.join(names)}, got "
                f"{len(parts) if isinstance(x, (list, tuple)) else shortened(x)}."
            )
        return parts

    # Forward and backward.

    def taken(self, x: Any) -> Any:
        parts = self._in_order(x, "x")
        for part in parts:
            check_array(part, "x", self.full_name)
        return [self.brought(as_array(part)) for part in parts]

    def given(self, y: Any, x: Any) -> Any:
        values = flat(y)
        for value in values:
            self.unshare(value)
        for i, (value, tensor) in enumerate(zip(values, self.graph.outputs)):
            kept = self.graph.ends_in(tensor) > 0  # by the layer behind, as its x
            values[i] = value.copy() if kept else fresh(value, *x, *values[:i])
        return packed(y, values)

    def unshare(self, y: np.ndarray) -> None:
        super().unshare(y)
        for call in self._calls:
            if isinstance(call.step, CallAmongOthers):
                call.step.calls.unshare(y)

    def forget(self) -> None:
        super().forget()
        self._shapes_now = []
        for call in self._calls:
            if isinstance(call.step, CallAmongOthers):
                call.step.forget()

    def prepare(self, x: Any) -> Any:
        arrays = [as_array(part) for part in self._in_order(x, "x")]
        for array, tensor in zip(arrays, self.graph.inputs):
            check_input(array, tensor.shape, self.full_name)
            self.check_device(array)
        if len({len(array) for array in arrays}) > 1:
            raise ValueError(
                f"{self.full_name}: expected as many examples in each input, got {[len(array) for array in arrays]}."
            )
        wide = np.dtype(np.float64 if any(array.dtype == np.float64 for array in arrays) else np.float32)
        if wide != self.dtype:
            self.astype(wide)
        return [array if array.dtype in FLOATS and array.dtype == wide else array.astype(wide) for array in arrays]

    def plan(self, logits: Logits = False) -> Sequence[Call]:
        """What runs, step by step; it is made anew where a layer has changed. See `scratchnet.models.graph`."""
        wanted = [logits] * len(self.graph.outputs) if isinstance(logits, bool) else [bool(one) for one in logits]
        key = [self.fuse, wanted, *((layer.activation, layer.activity_regularizer) for layer in self.layers)]
        if key != self._planned_for:
            self._planned_for, self._calls = key, self.graph.plan(self.fuse, wanted)
        return self._calls

    def run_forward(self, x: Any, training: bool = False, logits: Logits = False) -> Any:
        values = self.graph.forward(self.plan(logits), self.prepare(x), training)
        self._shapes_now = [] if keeps_nothing() else [value.shape for value in values]
        return packed(self.result_structure, values)

    def run_backward(self, dy: Any, param_grads: bool = True, input_grad: bool = True, logits: Logits = False) -> Any:
        gradients = self._gradients(dy)
        back = self.graph.backward(self._calls, gradients, param_grads and self.trainable, input_grad)
        if not input_grad:
            return None
        some = next(gradient for gradient in gradients if gradient is not None)
        xp = array_module(some)
        shapes = [(len(some), *tensor.shape[1:]) for tensor in self.graph.inputs]
        full = [xp.zeros(shape, some.dtype) if dx is None else dx for shape, dx in zip(shapes, back)]
        return packed(self.given_structure, full)

    def _gradients(self, dy: Any) -> list[Any]:
        """The gradients of the outputs, in their order, checked."""
        if not self._shapes_now:
            raise RuntimeError(
                f"{self.full_name}: backward before forward. Call y = forward(x) first; "
                "predict and evaluate keep nothing for a backward."
            )
        parts = [dy] if isinstance(self.result_structure, KerasTensor) else flat(dy)
        if len(parts) != len(self._shapes_now):
            raise ValueError(f"{self.full_name}: expected {len(self._shapes_now)} gradients, got {len(parts)}.")
        if all(part is None for part in parts):
            raise ValueError(f"{self.full_name}: expected a gradient for one output at least, got None for all.")
        checked_parts: list[Any] = []
        for part, shape in zip(parts, self._shapes_now):
            array = None if part is None else as_array(part)
            if array is not None and array.shape != shape:
                raise ValueError(f"{self.full_name}: expected dy of the output's shape {shape}, got {array.shape}.")
            checked_parts.append(None if array is None else array.astype(self.dtype, copy=False))
        return checked_parts

    def backward(self, dy: Any, param_grads: bool = True, input_grad: bool = True, logits: Logits = False) -> Any:
        single = isinstance(self.result_structure, KerasTensor)
        parts = [None if part is None else self.brought(as_array(part)) for part in ([dy] if single else flat(dy))]
        with np.errstate(under="ignore"):
            back = self.run_backward(parts[0] if single else parts, param_grads, input_grad, logits)
        if back is None:
            return None
        given = [part for part in parts if part is not None]
        values = flat(back)
        return packed(back, [fresh(value, *given, *values[:i]) for i, value in enumerate(values)])

    @property
    def output_activation(self) -> Any:
        """The name of the activation that its output ends in, None for none; a list of them for several outputs."""
        found = [self._activation_of(tensor) for tensor in self.graph.outputs]
        return found[0] if isinstance(self.result_structure, KerasTensor) else found

    def _activation_of(self, tensor: KerasTensor) -> str | None:
        alone = self.graph.ends_in(tensor) == 0 and sum(tensor is output for output in self.graph.outputs) == 1
        single = tensor.node is not None and isinstance(tensor.node.result, KerasTensor)
        return tensor.node.layer.output_activation if alone and single and tensor.node is not None else None

    @property
    def last_activation(self) -> str | None:
        """The name of the activation behind which layers only move numbers; None where there is none, or a fork."""
        tensor = self.graph.outputs[0]
        while tensor.node is not None and tensor.node.layer.keeps_range and len(tensor.node.inputs) == 1:
            tensor = tensor.node.inputs[0]
        return None if tensor.node is None else tensor.node.layer.last_activation


Model.of_graph = Functional


def _is_shape(value: Any) -> bool:
    sizes = value if isinstance(value, (list, tuple)) else [value]
    return all(size is None or isinstance(size, (int, np.integer)) for size in sizes)


def _names(structure: Structure, tensors: Sequence[KerasTensor]) -> list[str]:
    if isinstance(structure, Mapping):
        return sorted(structure)
    return [tensor.name or ("" if tensor.node is None else tensor.node.layer.name) for tensor in tensors]
