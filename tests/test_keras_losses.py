"""Losses: values, gradients, reductions and functions are Keras 3's. Optional: skipped where Keras is not installed."""

import numpy as np
import pytest
from with_keras import assert_close, keras, report, tf  # noqa: F401

import scratchnet as sn

RNG = np.random.default_rng(0)
N, K = 6, 4
Z = RNG.normal(0, 2, (N, K)).astype(np.float32)
P = (np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)).astype(np.float32)
EACH = (1 / (1 + np.exp(-Z))).astype(np.float32)
NUMBERS = RNG.integers(0, K, N)
ONEHOT = np.eye(K, dtype=np.float32)[NUMBERS]
YES = RNG.integers(0, 2, (N, K)).astype(np.float32)
NOISY = YES + RNG.uniform(-0.1, 0.1, YES.shape).astype(np.float32)  # labels beyond 0 ... 1
SURE = np.array([[0, 1, 1e-9, 1], [1, 0, 1, 0]] * 3, np.float32)  # probabilities that are clipped
WEIGHTS = RNG.uniform(0, 2, N).astype(np.float32)
SIZES = RNG.uniform(0.5, 3, (N, K)).astype(np.float32)

CASES = [
    ("BinaryCrossentropy", {}, YES, EACH),
    ("BinaryCrossentropy", {}, NOISY, EACH),
    ("BinaryCrossentropy", {}, YES, SURE),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, YES, EACH),
    ("BinaryCrossentropy", {"from_logits": True}, YES, Z),
    ("BinaryCrossentropy", {"from_logits": True}, NOISY, Z),
    ("BinaryFocalCrossentropy", {}, YES, EACH),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5}, YES, EACH),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, YES, Z),
    ("CategoricalCrossentropy", {}, ONEHOT, P),
    ("CategoricalCrossentropy", {}, ONEHOT, SIZES),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ONEHOT, P),
    ("CategoricalCrossentropy", {"from_logits": True}, ONEHOT, Z),
    ("CategoricalFocalCrossentropy", {}, ONEHOT, P),
    ("CategoricalFocalCrossentropy", {"alpha": 0.5, "gamma": 1.5, "label_smoothing": 0.1}, ONEHOT, P),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, ONEHOT, Z),
    ("CategoricalHinge", {}, ONEHOT, Z),
    ("CosineSimilarity", {}, SIZES, Z),
    ("Hinge", {}, YES, Z),
    ("Hinge", {}, 2 * YES - 1, Z),
    ("Huber", {}, SIZES, Z),
    ("Huber", {"delta": 0.5}, SIZES, Z),
    ("KLDivergence", {}, P[::-1].copy(), P),
    ("KLDivergence", {}, ONEHOT, SURE),
    ("LogCosh", {}, SIZES, Z),
    ("MeanAbsoluteError", {}, SIZES, Z),
    ("MeanAbsolutePercentageError", {}, SIZES, Z),
    ("MeanAbsolutePercentageError", {}, YES, Z),  # labels of 0 count as 1e-7
    ("MeanSquaredError", {}, SIZES, Z),
    ("MeanSquaredLogarithmicError", {}, SIZES, SIZES[::-1].copy()),
    ("MeanSquaredLogarithmicError", {}, SIZES, Z),  # negative ones count as 1e-7
    ("Poisson", {}, np.floor(SIZES), SIZES[::-1].copy()),
    ("SparseCategoricalCrossentropy", {}, NUMBERS, P),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, NUMBERS, Z),
    ("SquaredHinge", {}, YES, Z),
]
NAMES = [f"{kind} {options}" for kind, options, _, _ in CASES]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]


def test_every_loss_is_among_them():
    assert {kind for kind, *_ in CASES} == set(sn.losses.CLASSES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weight", [None, WEIGHTS])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("kind", "options", "y_true", "y_pred"), CASES, ids=NAMES)
def test_values_and_gradients(kind, options, y_true, y_pred, reduction, weight, dtype):
    x, tolerance = tf.Variable(y_pred.astype(dtype)), 2e-5 if dtype == "float32" else 1e-6  # 1e-7 is a float32 there
    theirs = getattr(keras.losses, kind)(**options, reduction=reduction, dtype=dtype)
    with tf.GradientTape() as tape:
        expected = theirs(y_true, x, sample_weight=weight)
    ours = getattr(sn.losses, kind)(**options, reduction=reduction)
    value, gradient = ours.value_and_gradient(y_true, y_pred.astype(dtype), weight)
    np.testing.assert_array_equal(ours(y_true, y_pred.astype(dtype), weight), value)
    assert_close(np.asarray(value, dtype), expected, tolerance, f"{kind}, {dtype}: value")
    assert_close(gradient, tape.gradient(expected, x).numpy(), 5 * tolerance, f"{kind}, {dtype}: gradient")


@pytest.mark.parametrize("function", sn.losses.OF_FUNCTION, ids=lambda f: f.__name__)
def test_functions(function):
    kind = sn.losses.OF_FUNCTION[function].__name__
    for name, options, y_true, y_pred in CASES:
        if name == kind:
            expected = getattr(keras.losses, function.__name__)(y_true, tf.constant(y_pred), **options)
            ours = function(y_true, y_pred, **options)
            assert ours.shape == (N,)
            assert_close(ours, expected, 2e-5, function.__name__)


def test_one_row_alone():
    """Vectors without an axis of examples: the functions' mean is over all of it, as in Keras."""
    t, y = np.array([1.0, 2.0, 4.0], np.float32), np.array([2.0, 2.0, 1.0], np.float32)
    for name in ("mean_squared_error", "mean_absolute_error", "cosine_similarity", "huber"):
        expected = getattr(keras.losses, name)(t, tf.constant(y))
        assert float(getattr(sn.losses, name)(t, y)) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("name", sorted(sn.losses.LOSSES))
def test_names(name):
    try:
        theirs = keras.losses.get(name)
    except ValueError:
        assert name in ("logcosh", "kullback_leibler_divergence")  # of Keras 2
        return
    assert sn.losses.get(name).name.removesuffix("_loss") == theirs.__name__
