"""Losses, metrics and optimizers on a stand-in device, to the bits of the CPU."""

import copy
import inspect

import numpy as np
import pytest
import stand_in
from on_both import LABELS, SCORES, WEIGHTS, assert_same, same, twice
from stand_in import put

import scratchnet as sn
from scratchnet import losses, metrics, optimizers

pytestmark = pytest.mark.usefixtures("stand_in_device")


SHARES = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
LOSSES = {
    "sparse": (sn.SparseCategoricalCrossentropy, LABELS, SHARES),
    "categorical": (sn.CategoricalCrossentropy, np.eye(3)[LABELS], SHARES),
    "binary": (sn.BinaryCrossentropy, (LABELS == 1).astype(float), SHARES[:, :1]),
    "binary focal": (losses.BinaryFocalCrossentropy, (LABELS == 1).astype(float), SHARES[:, :1]),
    "categorical focal": (losses.CategoricalFocalCrossentropy, np.eye(3)[LABELS], SHARES),
    "categorical hinge": (losses.CategoricalHinge, np.eye(3)[LABELS], SCORES),
    "cosine": (losses.CosineSimilarity, SCORES[::-1].copy(), SHARES),
    "hinge": (losses.Hinge, np.eye(3)[LABELS], SCORES),
    "huber": (losses.Huber, SCORES[::-1].copy(), SHARES),
    "kld": (losses.KLDivergence, SHARES[::-1].copy(), SHARES),
    "log cosh": (losses.LogCosh, SCORES[::-1].copy(), SHARES),
    "mae": (losses.MeanAbsoluteError, SCORES[::-1].copy(), SHARES),
    "mape": (losses.MeanAbsolutePercentageError, SHARES[::-1].copy(), SHARES),
    "mse": (sn.MeanSquaredError, SCORES[::-1].copy(), SHARES),
    "msle": (losses.MeanSquaredLogarithmicError, SHARES[::-1].copy(), SHARES),
    "poisson": (losses.Poisson, LABELS[:, None] * np.ones((1, 3)), SHARES),
    "squared hinge": (losses.SquaredHinge, np.eye(3)[LABELS], SCORES),
}
OPTIONS = [{}, {"from_logits": True}, {"label_smoothing": 0.1}, {"from_logits": True, "label_smoothing": 0.1}]


def test_every_loss_is_among_them():
    assert {loss for loss, _, _ in LOSSES.values()} == set(losses.LOSSES.values())


@pytest.mark.parametrize("weight", [None, WEIGHTS])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        (name, options)
        for name, (make, _, _) in LOSSES.items()
        for options in OPTIONS
        if options.keys() <= inspect.signature(make.__init__).parameters.keys()
    ],
)
def test_every_loss(name, options, weight):
    make, y, p = LOSSES[name]
    loss = make(**options)
    value, dy = loss.value_and_gradient(y, p, weight)
    on_it = None if weight is None else put(weight)
    for arguments in ((put(y), put(p), on_it), (y, put(p), weight), (y.tolist(), put(p), on_it)):
        ours, gradient = loss.value_and_gradient(*arguments)
        assert isinstance(ours, float)
        assert ours == value
        assert_same(gradient, dy)


def test_labels_on_the_device_follow_predictions_on_the_cpu():
    make, y, p = LOSSES["sparse"]
    value, dy = make().value_and_gradient(put(y), p)
    assert isinstance(dy, np.ndarray)
    assert value == make()(y, p)


@pytest.mark.parametrize(
    ("y", "p", "said"),
    [
        ([0, 3], SHARES[:2], "expected labels from 0 to 2, got 3"),
        ([0.5, 1], SHARES[:2], "whole numbers"),
        ([0], SHARES[:2], "as many labels"),
        ([0, 1], 0 * SHARES[:2], "a row with the sum 0"),
    ],
)
def test_a_loss_says_what_is_wrong_on_the_device(y, p, said):
    with pytest.raises(ValueError, match=said):
        sn.SparseCategoricalCrossentropy()(put(y), put(p))


def test_a_loss_says_which_weights_are_wrong_on_the_device():
    with pytest.raises(ValueError, match="got -1 to 1"):
        sn.MeanSquaredError()(put([[1.0], [2.0]]), put([[1.0], [2.0]]), put([-1.0, 1.0]))
    with pytest.raises(ValueError, match="from 0 to 1, got -3 to 2"):
        sn.BinaryCrossentropy()(put([[-3.0], [2.0]]), put([[0.5], [0.5]]))


METRICS = {
    **dict.fromkeys(
        ("Accuracy", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy"),
        (LABELS, SHARES),
    ),
    **dict.fromkeys(("BinaryAccuracy", "AUC", "Precision", "Recall"), ((LABELS == 1)[:, None], SHARES[:, :1])),
    **dict.fromkeys(
        ("FalseNegatives", "FalsePositives", "TrueNegatives", "TruePositives"), (np.eye(3)[LABELS], SHARES)
    ),
}


@pytest.mark.parametrize("kind", sorted(metrics.CLASSES))
def test_every_metric(kind):
    y, p = METRICS.get(kind, (np.eye(3)[LABELS], SHARES))
    options = {"k": 2} if "TopK" in kind else {"average": "macro"} if kind in ("F1Score", "FBetaScore") else {}
    cpus = metrics.CLASSES[kind](**options)
    cpus.update_state(y, p, WEIGHTS)
    for labels, weight in ((y, WEIGHTS), (put(y), put(WEIGHTS))):
        ours = metrics.CLASSES[kind](**options)
        ours.update_state(labels, put(p), weight)
        assert isinstance(ours.result(), float)
        assert ours.result() == cpus.result()
    assert cpus.result() > 0


def test_confusion_matrix_is_a_table_for_people():
    table = sn.metrics.confusion_matrix(put(LABELS), put(SHARES))
    assert isinstance(table, np.ndarray)
    np.testing.assert_array_equal(table, sn.metrics.confusion_matrix(LABELS, SHARES))


OPTIMIZERS = {
    "adadelta": lambda: sn.Adadelta(0.5, clipvalue=0.5),
    "adagrad": lambda: sn.Adagrad(0.1, weight_decay=0.01),
    "adamax": lambda: sn.Adamax(0.1),
    "lion": lambda: sn.Lion(0.1),
    "nadam": lambda: sn.Nadam(0.1),
    "sgd": lambda: sn.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda: sn.RMSprop(0.1, momentum=0.5, centered=True, clipvalue=0.5),
    "adam": lambda: sn.Adam(0.1, clipnorm=0.5),
    "adamw": lambda: sn.AdamW(0.1, amsgrad=True, global_clipnorm=0.5),
}


def some_weights(on=same):
    rng = np.random.default_rng(5)
    draw = lambda dtype: {"a": on(rng.normal(size=(3, 4)).astype(dtype)), "b": on(rng.normal(size=4))}  # noqa: E731
    return draw(np.float32), [draw(np.float32) for _ in range(3)]


def test_every_optimizer_is_among_them():
    assert set(OPTIMIZERS) == set(optimizers.OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name):
    ours, cpus = twice(OPTIMIZERS[name])
    (p, gradients), (q, cpus_gradients) = some_weights(put), some_weights()
    before = copy.copy(p)
    for g, h in zip(gradients, cpus_gradients):
        ours.update(p, g)
        cpus.update(q, h)
    for weight in p:
        assert p[weight] is before[weight]  # moved in place
        assert_same(p[weight], q[weight])
        for slot in cpus.memory:
            assert_same(ours.state[weight][slot], cpus.state[weight][slot])
    assert stand_in.reached["adam" if name == "adamw" else name] == 2 * 3  # for float32 and float64, three times


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_on_from_memory_out_of_a_file(name):
    ours, cpus = twice(OPTIMIZERS[name])
    (p, gradients), (q, cpus_gradients) = some_weights(put), some_weights()
    cpus.update(q, cpus_gradients[0])
    ours.set_state(cpus.get_state())
    for weight in p:
        p[weight][...] = put(q[weight])
    ours.update(p, gradients[1])
    cpus.update(q, cpus_gradients[1])
    for weight in p:
        assert_same(p[weight], q[weight])
        for slot in cpus.memory:
            assert_same(ours.state[weight][slot], cpus.state[weight][slot])
