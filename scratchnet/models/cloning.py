"""A model made once more, with weights of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scratchnet.annotations import checked
from scratchnet.config import Configurable
from scratchnet.models.model import Model
from scratchnet.signatures import OnlyDefault


@checked
def clone_model(
    model: Model,
    input_tensors: OnlyDefault = None,
    clone_function: OnlyDefault = None,
    call_function: OnlyDefault = None,
    recursive: OnlyDefault = False,
) -> Any:
    """A model of new layers with the same arguments, their weights drawn anew. It is not compiled.

    `model.get_config()` holds the layers themselves, so that `from_config` makes a model that shares them; here each
    is made of its own config, those of models within the model, too. A layer at two places is one in the copy. For a
    copy with the same weights: `copy.set_weights(model.get_weights())`.

    Source: https://keras.io/api/models/model/#clone_model-function
    """
    copy = _made_again(model, {})
    if model.input_shape is not None and not copy.built:
        copy.build((None, *model.input_shape[1:]))
    return copy


def _made_again(value: Any, known: dict[int, Any]) -> Any:
    """The value with another object for each that has a config; `known` has those of layers, by the id of the first."""
    if isinstance(value, (list, tuple)):
        return type(value)(_made_again(part, known) for part in value)
    if isinstance(value, Mapping):
        return {name: _made_again(part, known) for name, part in value.items()}
    if not isinstance(value, Configurable):
        return value
    if id(value) not in known:
        made = type(value).from_config(_made_again(value.get_config(), known))
        if not value._described_once:
            return made
        known[id(value)] = made
    return known[id(value)]
