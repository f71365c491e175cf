"""Signs between symbolic tensors: x + y is Add()([x, y]), x * 0.5 is Rescaling(0.5)(x)."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import is_number, shortened
from scratchnet.layers.merging import Add, Multiply, Subtract
from scratchnet.layers.rescale import Rescaling
from scratchnet.layers.symbolic import KerasTensor


def _add(x: KerasTensor, y: Any) -> Any:
    return Rescaling(1.0, offset=y)(x) if is_number(y) else Add()([x, _tensor(x, y, "+")])


def _subtract(x: KerasTensor, y: Any) -> Any:
    return Rescaling(1.0, offset=-y)(x) if is_number(y) else Subtract()([x, _tensor(x, y, "-")])


def _subtract_from(x: KerasTensor, y: Any) -> Any:
    return Rescaling(-1.0, offset=y)(x) if is_number(y) else Subtract()([_tensor(x, y, "-"), x])


def _multiply(x: KerasTensor, y: Any) -> Any:
    return Rescaling(y)(x) if is_number(y) else Multiply()([x, _tensor(x, y, "*")])


def _divide(x: KerasTensor, y: Any) -> Any:
    if not is_number(y) or y == 0:
        raise TypeError(f"{x!r} / {shortened(y)}: a symbolic tensor is divided by a number other than 0 only.")
    return Rescaling(1 / y)(x)


def _negate(x: KerasTensor) -> Any:
    return Rescaling(-1.0)(x)


def _tensor(x: KerasTensor, y: Any, sign: str) -> KerasTensor:
    if not isinstance(y, KerasTensor):
        raise TypeError(
            f"{x!r} {sign} {shortened(y)}: expected another symbolic tensor or a number. Other operations are layers: "
            "see scratchnet.layers, or write one with call and call_backward."
        )
    return y


for _name, _function in (
    ("__add__", _add),
    ("__radd__", _add),
    ("__sub__", _subtract),
    ("__rsub__", _subtract_from),
    ("__mul__", _multiply),
    ("__rmul__", _multiply),
    ("__truediv__", _divide),
    ("__neg__", _negate),
):
    setattr(KerasTensor, _name, _function)
