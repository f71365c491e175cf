"""What fit, evaluate and predict take as data: checked, and as a source of batches, a `Feed` or a `Stream`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scratchnet.augment import Augmentation
from scratchnet.losses import Loss, LossByOutput, SparseCategoricalCrossentropy, check_labels
from scratchnet.structures import in_order, is_one_array, named, parts
from scratchnet.training.checks import as_numbers, check_finite, check_shape, example_weights, fitted, say_integers
from scratchnet.training.data import Feed, Flow
from scratchnet.training.streams import Stream, is_stream


def make_source(
    model: Any,
    method: str,
    loss: Loss | None,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
    augment: Augmentation | None = None,
) -> Feed | Stream:
    """A source of batches that can be trained on or measured; without a loss, labels are of no interest.

    Those of a stream are weighed by class_weight as they come; a Feed is weighed by `Feed.weigh`, once it is split.

    Raises:
        ValueError: something is wrong with the data, or y or weights come beside batches that have their own.
        TypeError: augment is no Augmentation; x is nothing that examples can be had from.
    """
    caller = f"{model.full_name}: {method}"
    if augment is not None and not isinstance(augment, Augmentation):
        raise TypeError(f"{caller}: expected augment as an object such as sn.Augment(), got {augment!r}.")
    stream = is_stream(x)
    if stream or isinstance(x, Flow):
        for name, value in (("y", y), ("sample_weight", sample_weight), ("augment", augment)):
            if value is not None:
                raise ValueError(f"{caller}: got {name} beside the batches of a generator, which have their own.")
    if not stream:
        return make_feed(model, caller, loss, x, y, sample_weight, augment)

    def read(x: Any, y: Any, weight: Any, where: str) -> Feed:
        feed = make_feed(model, where, loss, x, y, weight)
        feed.weigh(class_weight, where)
        return feed

    return Stream(x, read, caller)


def make_feed(
    model: Any,
    caller: str,
    loss: Loss | None,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    augment: Augmentation | None = None,
) -> Feed:
    """A Feed of arrays, or of a Flow; arguments and errors are those of `make_source`."""
    seed = None
    integers_told = isinstance(x, Flow)  # those of a generator are its own affair
    if isinstance(x, Flow):
        x, y, sample_weight, augment, seed = x.x, x.y, x.sample_weight, x.augment, x.key
        if y is None and loss is not None:
            raise ValueError(f"{caller}: the generator's batches have no labels. Give them to it: datagen.flow(x, y).")
    x, inputs = _inputs(model, x, caller), named(model.input_names, "x")
    if loss is None:
        y = sample_weight = None
    else:
        y, outputs = _labels(model, loss, y, caller), model.output_names
        _check_lengths(x, y, caller)
        sample_weight = _weights(sample_weight, y, outputs, caller)
        for array, name in zip((*_list(x), *_list(y)), (*inputs, *named(outputs, "y"))):
            if array is not None:
                check_finite(array, name, caller, model.compute_dtype)
        _check_classes_there_are(model, loss, y, caller)
    for array, shape, name in zip(_list(x), _shapes(model.input_shape, x), inputs):
        check_shape(array, shape, model, name, caller)
    if not integers_told and not isinstance(x, list):
        say_integers(model, x)
    return Feed(x, y, sample_weight, model.compute_dtype, augment, seed)


def classes_of(model: Any) -> int | None:
    """How many outputs a model with one output array has; None as long as it is not built."""
    return None if model.output_shape is None else _shapes(model.output_shape, None)[0][-1]


def input_shape_of(feed: Feed) -> Any:
    """The shape that a model is built for, to take these examples; a list of several."""
    shapes = [(None, *array.shape[1:]) for array in _list(feed.x)]
    return shapes if isinstance(feed.x, list) else shapes[0]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _shapes(shape: Any, x: Any) -> list[Any]:
    """The shapes of all inputs or outputs; of a model that is not built, None for each."""
    if shape is None:
        return [None] * len(_list(x))
    return shape if isinstance(shape, list) else list(shape.values()) if isinstance(shape, dict) else [shape]


def _inputs(model: Any, x: Any, caller: str) -> Any:
    """x as an array, or a list of them, with the rank that the model takes."""
    names = model.input_names
    shape = parts(model.input_shape)
    one_example = len(names) == 1 and shape is not None and is_one_array(x) and tuple(x[0].shape) == tuple(shape[1:])
    x = x if one_example else in_order(x, names, "x", caller)
    if len(names) == 1:
        return fitted(as_numbers(x, "x", caller), shape)
    arrays = [as_numbers(array, name, caller) for array, name in zip(x, named(names, "x"))]
    return [fitted(array, one) for array, one in zip(arrays, _shapes(shape, arrays))]


def _labels(model: Any, loss: Loss, y: Any, caller: str) -> Any:
    """y as an array, or a list of them; None where an output has no loss."""
    names = model.output_names
    if y is None:
        raise ValueError(f"{caller}: labels y are missing: expected an array, got None.")
    losses = loss.losses if isinstance(loss, LossByOutput) else [loss]
    if isinstance(y, Mapping):
        y = {**{name: None for name, one in zip(names, losses) if one is None}, **y}
    y = in_order(y, names, "y", caller)
    if len(names) == 1:
        return as_numbers(y, "y", caller)
    return [
        None if one is None and array is None else as_numbers(array, name, caller)
        for array, one, name in zip(y, losses, named(names, "y"))
    ]


def _weights(sample_weight: Any, y: Any, names: Sequence[str], caller: str) -> Any:
    """How much each example counts: an array, or a list of them; one array for several outputs goes for all."""
    if sample_weight is None or not isinstance(y, list):
        if isinstance(sample_weight, Mapping) or is_one_array(sample_weight):
            sample_weight = in_order(sample_weight, names, "sample_weight", caller)
        return example_weights(sample_weight, None, y, caller)
    if isinstance(sample_weight, Mapping):
        sample_weight = [sample_weight.get(name) for name in names]
    listed = isinstance(sample_weight, (list, tuple))
    one_each = listed and any(one is None or hasattr(one, "__len__") for one in sample_weight)
    each = in_order(sample_weight, names, "sample_weight", caller) if one_each else [sample_weight] * len(names)
    return [None if of is None else example_weights(one, None, of, caller) for one, of in zip(each, y)]


def _check_lengths(x: Any, y: Any, caller: str) -> None:
    shapes = [array.shape for array in (*_list(x), *_list(y)) if array is not None]
    if len({shape[0] for shape in shapes}) > 1:
        if not isinstance(x, list) and not isinstance(y, list):
            raise ValueError(
                f"{caller} expected one label an example, got x of shape {x.shape} and y of shape {y.shape}."
            )
        raise ValueError(
            f"{caller} expected equally many examples in all of x and y, got {', '.join(map(str, shapes))}."
        )


def _check_classes_there_are(model: Any, loss: Loss, y: Any, caller: str) -> None:
    """Raise a ValueError for a label that is no class, before anything is trained on."""
    losses = loss.losses if isinstance(loss, LossByOutput) else [loss]
    for array, one, shape in zip(_list(y), losses, _shapes(model.output_shape, y)):
        if isinstance(one, SparseCategoricalCrossentropy) and shape is not None:
            check_labels(array, shape[-1], caller)
