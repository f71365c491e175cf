"""A graph of layers: forward in the order of the calls, backward in the reverse, with the gradients of forks added up.

    forward    each call gets the values of its inputs; a value that is used twice is kept once
    backward   each call gets the gradients of its outputs; where a value went to several calls, what comes back from
               them is added up: y = f(x), z = g(x) gives dx = dx_f + dx_g

This is no autograd: what is remembered is which layer was called on what, not which operations were done; each layer
has its backward by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.layers import fusion
from scratchnet.layers.base import Layer
from scratchnet.layers.inference import keeps_nothing
from scratchnet.layers.input import InputLayer
from scratchnet.layers.steps import Step, with_memories
from scratchnet.layers.symbolic import KerasTensor, Node
from scratchnet.structures import Structure, flat, packed

Logits = bool | Sequence[bool]


class Call(NamedTuple):
    """Some calls of the graph that run as one step: most are one layer's, others a path of neighbours.

    Attributes:
        step: what runs.
        given: the symbolic tensor, or a list or dict of them, that goes in.
        result: the one, or those, that come out.
        training: what the call says, or None for what the model's run says.
        logits: whether the last layer's activation is left out.
        last_used: the numbers of the tensors that no later call needs.
    """

    step: Step
    given: Structure
    result: Structure
    training: bool | None
    logits: bool
    last_used: tuple[int, ...] = ()


class Graph:
    """The calls that lead from some symbolic tensors to others.

    Args:
        inputs, outputs: as `flat` gives them.
        caller: how errors begin.

    Attributes:
        nodes: the calls, each behind those that it needs; those of InputLayers are among them.
        layers: each once, as Keras orders them: the farther from the outputs the earlier, and then as they are met on
            the way back from the outputs.

    Raises:
        TypeError: something among them is no symbolic tensor.
        ValueError: an output depends on an input that is not among the inputs, or on none.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor], caller: str):
        self.inputs, self.outputs, self.caller = list(inputs), list(outputs), caller
        met, order = self._follow()
        self.nodes, self.layers = _by_depth(met, order)
        self._uses = _counted(tensor for node in self.nodes for tensor in node.inputs if not self._is_source(node))

    def _is_source(self, node: Node) -> bool:
        """Whether the node gives inputs of the graph, and what is before it does not belong to it."""
        return any(tensor.node is node for tensor in self.inputs)

    def _follow(self) -> tuple[dict[Layer, int], list[Node]]:
        """(layers with their numbers, nodes behind those that they need), met on the way back from the outputs."""
        met: dict[Layer, int] = {}
        order: list[Node] = []
        done: set[int] = set()
        for output in self.outputs:
            stack: list[tuple[Node, bool]] = [(self._source(output, output), False)]
            while stack:
                node, ready = stack.pop()
                if ready:
                    order.append(node)
                    continue
                if id(node) in done:
                    continue
                done.add(id(node))
                met.setdefault(node.layer, len(met))
                stack.append((node, True))
                if not self._is_source(node):
                    stack += [(self._source(tensor, output), False) for tensor in reversed(node.inputs)]
        for tensor in self.inputs:  # those on which no output depends
            node = self._source(tensor, tensor)
            if id(node) not in done:
                done.add(id(node))
                met.setdefault(node.layer, -1)
                order.insert(0, node)
        return met, order

    def _source(self, tensor: KerasTensor, output: KerasTensor) -> Node:
        node = tensor.node
        if node is None or (isinstance(node.layer, InputLayer) and not self._is_source(node)):
            name = tensor.name if node is None else node.layer.name
            raise ValueError(
                f"{self.caller}: {output!r} depends on the input {name!r}, which is not among the model's inputs. "
                "Model(inputs, outputs) takes all inputs that its outputs need, and tensors of no other graph."
            )
        return node

    # What runs.

    def plan(self, fuse: bool, logits: Sequence[bool]) -> list[Call]:
        """The calls in their order, neighbours on a path without forks as `layers/fusion.py` has them run.

        Args:
            fuse: whether neighbours may run as one.
            logits: of each output, whether its layer's activation is left out.
        """
        bare = {id(tensor): wanted for tensor, wanted in zip(self.outputs, logits)}
        calls: list[Call] = []
        for path in self._paths():
            last = path[-1]
            left_out = any(bare.get(id(tensor), False) for tensor in last.outputs)
            start = 0
            for step in fusion.plan([node.layer for node in path], fuse, left_out):
                end = start + len(step.layers)
                given, result = path[start].given, path[end - 1].result
                calls.append(Call(step, given, result, path[start].training, left_out and end == len(path)))
                start = end
        steps = with_memories([call.step for call in calls])
        return [
            call._replace(step=step, last_used=last_used)
            for call, step, last_used in zip(calls, steps, self._last_used(calls))
        ]

    def _last_used(self, calls: Sequence[Call]) -> list[tuple[int, ...]]:
        """For each call the tensors that are needed by it and by none behind it, nor given to the caller."""
        needed = {id(tensor) for tensor in self.outputs}
        found: list[tuple[int, ...]] = []
        for call in reversed(calls):
            here = {id(tensor) for tensor in [*flat(call.given), *flat(call.result)]} - needed
            needed |= here
            found.append(tuple(here))
        return found[::-1]

    def _paths(self) -> list[list[Node]]:
        """The nodes, but for the inputs', in lists of those that run one after the other, without anything between."""
        paths: list[list[Node]] = []
        ends: dict[int, list[Node]] = {}  # by the tensor that a path ends in, if it may go on
        for node in self.nodes:
            if self._is_source(node):
                continue
            before = ends.pop(id(node.given), None) if isinstance(node.given, KerasTensor) else None
            if before is not None and before[-1].training is node.training:
                before.append(node)
                path = before
            else:
                path = [node]
                paths.append(path)
            result = node.result
            if isinstance(result, KerasTensor) and self.ends_in(result) == 1 and not self.is_output(result):
                ends[id(result)] = path
        return _sorted_by_last(paths, self.nodes)

    def ends_in(self, tensor: KerasTensor) -> int:
        """To how many calls a tensor goes."""
        return self._uses.get(id(tensor), 0)

    def is_output(self, tensor: KerasTensor) -> bool:
        """Whether the graph gives it."""
        return any(tensor is output for output in self.outputs)

    def forward(self, calls: Sequence[Call], x: Sequence[np.ndarray], training: bool) -> list[np.ndarray]:
        """The outputs' values for these of the inputs.

        A value goes when its last call has run; but most are the input of a layer, which keeps it for backward. Where
        no backward follows, see `layers/inference.py`, layers keep nothing.
        """
        alone = keeps_nothing()
        values: dict[int, np.ndarray] = {id(tensor): value for tensor, value in zip(self.inputs, x)}
        for call in calls:
            given = packed(call.given, [values[id(tensor)] for tensor in flat(call.given)])
            y = call.step.forward(given, training if call.training is None else call.training, call.logits)
            values.update({id(tensor): value for tensor, value in zip(flat(call.result), flat(y))})
            for number in call.last_used:
                values.pop(number, None)
            if alone:
                call.step.forget()
        return [values[id(tensor)] for tensor in self.outputs]

    def backward(
        self, calls: Sequence[Call], dy: Sequence[np.ndarray | None], param_grads: bool, input_grad: bool
    ) -> list[np.ndarray | None]:
        """The gradients for the inputs, None for those that no output depends on; adds to the layers' grads.

        Args:
            calls: those of the last forward.
            dy: the gradient for each output, None where the loss does not depend on it.
            param_grads, input_grad: as in `Layer.backward`.
        """
        needed = self._needed(calls, param_grads, input_grad)
        gradients: dict[int, Any] = {}

        def add(tensor: KerasTensor, gradient: np.ndarray | None) -> None:
            if gradient is not None and id(tensor) in needed:
                before = gradients.get(id(tensor))
                gradients[id(tensor)] = gradient if before is None else kernels.of(before).add(before, gradient)

        for tensor, gradient in zip(self.outputs, dy):
            add(tensor, gradient)
        for call in reversed(calls):
            coming = [gradients.pop(id(tensor), None) for tensor in flat(call.result)]
            if all(gradient is None for gradient in coming):
                continue
            sources = flat(call.given)
            wanted = any(id(tensor) in needed for tensor in sources)
            back = call.step.backward(packed(call.result, coming), param_grads, wanted, call.logits)
            if wanted:
                for tensor, gradient in zip(sources, flat(back)):
                    add(tensor, gradient)
        return [gradients.get(id(tensor)) for tensor in self.inputs]

    def _needed(self, calls: Sequence[Call], param_grads: bool, input_grad: bool) -> set[int]:
        """The tensors whose gradients are asked for: behind weights that are trained, or behind the inputs."""
        needed = {id(tensor) for tensor in self.inputs} if input_grad else set()
        for call in calls:
            if (param_grads and call.step.learns) or any(id(tensor) in needed for tensor in flat(call.given)):
                needed.update(id(tensor) for tensor in flat(call.result))
        return needed


def _by_depth(met: Mapping[Layer, int], order: Sequence[Node]) -> tuple[list[Node], list[Layer]]:
    """Nodes and layers as Keras sorts them: by the longest way to an output, and then as they were met."""
    depths: dict[int, int] = {}
    of_layer: dict[Layer, int] = {}
    for node in reversed(order):
        depth = max(depths.get(id(node), 0), of_layer.get(node.layer, 0))
        depths[id(node)] = of_layer[node.layer] = depth
        for tensor in node.inputs:
            if tensor.node is not None:
                depths[id(tensor.node)] = max(depth + 1, depths.get(id(tensor.node), 0))
    nodes = sorted(order, key=lambda node: -depths[id(node)])
    return nodes, sorted(met, key=lambda layer: (-of_layer[layer], met[layer]))


def _counted(tensors: Iterable[KerasTensor]) -> dict[int, int]:
    count: dict[int, int] = {}
    for tensor in tensors:
        count[id(tensor)] = count.get(id(tensor), 0) + 1
    return count


def _sorted_by_last(paths: list[list[Node]], nodes: Sequence[Node]) -> list[list[Node]]:
    """Paths so that each comes behind those that give its input.

    A path needs nothing but its first node's inputs, and nobody needs anything of it but what its last node gives.
    """
    place = {id(node): number for number, node in enumerate(nodes)}
    return sorted(paths, key=lambda path: place[id(path[-1])])
