"""Tensors without numbers: what a layer is called on to make a graph, and the nodes that remember the calls.

    x = Input((28, 28, 1))           a KerasTensor: a shape, and where it comes from
    y = Conv2D(8, 3)(x)              a Node: this layer, called on x, gives y

No numbers flow here, and nothing but calls of layers is remembered: `models/graph.py` runs them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from scratchnet.annotations import checked
from scratchnet.arguments import shape_text, shortened
from scratchnet.attributes import Attributes
from scratchnet.layers.naming import Named
from scratchnet.signatures import OnlyDefault
from scratchnet.structures import Structure, flat, packed


class KerasTensor(Attributes):
    """An array that is not there yet: `Input` makes one, and so does each call of a layer on one.

    Args:
        shape: with None for the batch.
        dtype: of the numbers that will be there.
        name: of an input.

    Attributes:
        node: the call that gives it; None for what no layer gives.
        index: its number among the outputs of that call.
    """

    @checked
    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: str = "float32",
        sparse: OnlyDefault = False,
        ragged: OnlyDefault = False,
        record_history: OnlyDefault = True,
        name: str | None = None,
    ):
        self.shape, self.dtype, self.name = tuple(shape), dtype, name
        self.node: Node | None = None
        self.index = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy is an output of the copied node."""
        vars(self).update(state)
        if self.node is not None:
            self.node.give(self.index, self)

    def __repr__(self) -> str:
        source = "" if self.node is None else f" of {self.node.layer.full_name}"
        return f"<KerasTensor{source}, {shape_text(self.shape)}>"

    @property
    def ndim(self) -> int:
        """How many axes it has, the batch's included."""
        return len(self.shape)

    def __bool__(self) -> bool:
        raise TypeError(self._no("a truth"))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(self._no("numbers for NumPy"))

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(self._no("parts"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(self._no(f"a {name!r}"))

    def _no(self, what: str) -> str:
        return (
            f"{self!r} has not {what}: it stands for an array that comes when the model runs. Only layers can be "
            "called on it, such as Add, Multiply, Concatenate, Rescaling or Reshape from scratchnet.layers."
        )


class Node:
    """One call of a layer on symbolic tensors.

    Attributes:
        layer: the one that was called.
        given: what it was called on, one tensor or a list or dict of them; `inputs` has them as `flat` gives them.
        training: what the call said, True or False, and None where the model's own is meant.

    A tensor holds the node that gives it, that its layer and its inputs, and so on to the model's inputs. Nothing holds
    the other way, so that a network that nobody holds is gone at once, and its memory with it.
    """

    def __init__(self, layer: Any, given: Structure, result: Structure, training: bool | None = None):
        self.layer, self.given, self.training = layer, given, training
        self.inputs: list[KerasTensor] = flat(given)
        tensors = flat(result)
        self._structure = packed(result, range(len(tensors)))
        self._outputs: list[weakref.ref[KerasTensor] | None] = [None] * len(tensors)
        for index, tensor in enumerate(tensors):
            tensor.node, tensor.index = self, index
            self.give(index, tensor)
        layer.note_call(self)

    def give(self, index: int, tensor: KerasTensor) -> None:
        """Have this tensor as an output."""
        self._outputs[index] = weakref.ref(tensor)

    @property
    def outputs(self) -> list[KerasTensor | None]:
        """The tensors that the call gives, as `flat` has them; None for those that nobody holds any more."""
        return [None if one is None else one() for one in self._outputs]

    @property
    def result(self) -> Structure:
        """What the call gives: one tensor, or a list or dict of them."""
        outputs = self.outputs
        return packed(self._structure, outputs)

    def __getstate__(self) -> dict[str, Any]:
        """For copies, whose outputs are copies."""
        return {**vars(self), "_outputs": [None] * len(self._outputs)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The copied layer learns of its copied call."""
        vars(self).update(state)
        self.layer.note_call(self)


class Called(Named):
    """What can be called on arrays and on symbolic tensors: part of every layer."""

    forward: Callable[..., Any]
    changes_alone: bool = False  # what training is where a call on an array does not say it
    _noted_calls: Sequence[weakref.ref[Node]] = ()

    @property
    def nodes(self) -> list[Node]:
        """Its calls on symbolic tensors that somebody still holds, in their order."""
        found = [call() for call in self._noted_calls]
        return [node for node in found if node is not None]

    def note_call(self, node: Node) -> None:
        """Remember a call, as long as somebody holds what it gives."""
        vars(self)["_noted_calls"] = [*(call for call in self._noted_calls if call() is not None), weakref.ref(node)]

    def __getstate__(self) -> dict[str, Any]:
        """For copies: they learn of the calls that are copied with them."""
        return {name: value for name, value in vars(self).items() if name != "_noted_calls"}

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """On a symbolic tensor, as `Input` makes one: add this layer to the graph. On an array: `forward`.

        Args:
            inputs: a KerasTensor, or an array; a list or dict of them for layers that take several.
            training: as in `forward`; None for False, but True for layers that change pictures at random, and for
                models of nothing else. In a graph True or False is kept for this call, whatever the model does.

        Returns:
            A KerasTensor for the output, or the output.

        Source: Keras, https://keras.io/guides/functional_api/
        """
        if is_symbolic(inputs):
            return _call(self, inputs, training)
        return self.forward(inputs, training=self.changes_alone if training is None else bool(training))

    @property
    def input(self) -> Any:
        """The symbolic tensor, or tensors, of its first call in a model."""
        return self._first_call().given

    @property
    def output(self) -> Any:
        """What its first call in a model gives, for another model: `Model(model.input, layer.output)`."""
        return self._first_call().result

    def _first_call(self) -> Node:
        if not self.nodes:
            raise RuntimeError(
                f"{self.full_name} has no input and output yet: it is in no model that knows its input's shape. Give "
                "the first layer input_shape, or call model.build."
            )
        return self.nodes[0]


def is_symbolic(structure: Structure) -> bool:
    """Whether there is a KerasTensor in it."""
    parts = structure.values() if isinstance(structure, Mapping) else structure
    several = isinstance(structure, (list, tuple, Mapping))
    return isinstance(structure, KerasTensor) or (several and any(isinstance(part, KerasTensor) for part in parts))


def _call(layer: Any, inputs: Structure, training: bool | None) -> Structure:
    """Call a layer on symbolic tensors: it is built for their shapes, and the call is remembered.

    Raises:
        TypeError: something among the inputs is no symbolic tensor.
        ValueError: the layer cannot take their shapes.
    """
    tensors = flat(inputs)
    for tensor in tensors:
        if not isinstance(tensor, KerasTensor):
            raise TypeError(
                f"{layer.full_name}: called on symbolic tensors and on {shortened(tensor)} at once. Numbers that are "
                "the same for all examples are a layer's weights; others are inputs of the model: Input(shape)."
            )
    shapes = packed(inputs, [tensor.shape for tensor in tensors])
    layer.build(shapes)
    result = _tensors(layer.compute_output_shape(shapes), layer.output_dtype)
    Node(layer, inputs, result, training)
    return result


def _tensors(shapes: Any, dtype: str) -> Structure:
    """A symbolic tensor for each shape in a structure of them; a shape is a tuple."""
    if isinstance(shapes, Mapping):
        return {key: _tensors(shape, dtype) for key, shape in shapes.items()}
    if isinstance(shapes, list):
        return [_tensors(shape, dtype) for shape in shapes]
    return KerasTensor(shapes, dtype)
