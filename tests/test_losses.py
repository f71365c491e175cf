"""Losses: their values against the formulas, their gradients against differences, and labels that do not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import gradcheck, losses, reference
from scratchnet.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def numerical_gradient(loss, y_true, y_pred, h=1e-5):
    """Central differences, extrapolated once: the error falls with h^4."""

    def slope(i, step):
        up, down = y_pred.copy(), y_pred.copy()
        up.flat[i] += step
        down.flat[i] -= step
        return (loss(y_true, up) - loss(y_true, down)) / (2 * step)

    slopes = [(4 * slope(i, h / 2) - slope(i, h)) / 3 for i in range(y_pred.size)]
    return np.reshape(slopes, y_pred.shape)


def problems(n, k, seed):
    """(loss, labels, predictions) for every loss, from logits and from probabilities."""
    rng = np.random.default_rng(seed)
    z, numbers = rng.normal(size=(n, k)), rng.integers(0, k, n)  # no p so small that 1/p^5 spoils the differences
    shares = softmax(rng.normal(size=(n, k)))
    yes = rng.integers(0, 2, (n, k)).astype(float)
    return [
        (SparseCategoricalCrossentropy(from_logits=True), numbers, z),
        (SparseCategoricalCrossentropy(), numbers, softmax(z)),
        (CategoricalCrossentropy(from_logits=True), shares, z),
        (CategoricalCrossentropy(), shares, softmax(z)),
        (BinaryCrossentropy(from_logits=True), yes, z),
        (BinaryCrossentropy(), yes, 1 / (1 + np.exp(-z))),
        (MeanSquaredError(), shares, z),
    ]


@given(n=st.integers(1, 5), k=st.integers(2, 6), seed=st.integers(0, 2**16))
def test_gradients_are_the_slopes_of_the_values(n, k, seed):
    for loss, y_true, y_pred in problems(n, k, seed):
        value, dy = loss.value_and_gradient(y_true, y_pred)
        assert isinstance(value, float)
        assert dy.shape == y_pred.shape
        assert dy.dtype == np.float64
        expected = numerical_gradient(loss, y_true, y_pred)
        np.testing.assert_allclose(
            dy, expected, rtol=0, atol=1e-7 * max(np.abs(expected).max(), 1e-3), err_msg=type(loss).__name__
        )


@given(n=st.integers(1, 5), k=st.integers(2, 6), smoothing=st.sampled_from([0.0, 0.1]), seed=st.integers(0, 2**16))
def test_weights_and_smoothing(n, k, smoothing, seed):
    """An example of weight 2 counts twice, one of weight 0 not at all; a smoothed label is a share of every class."""
    weight = np.random.default_rng(seed).integers(0, 3, n).astype(float)
    for loss, y_true, y_pred in problems(n, k, seed):
        if hasattr(loss, "label_smoothing"):
            loss.label_smoothing = smoothing
        value, dy = loss.value_and_gradient(y_true, y_pred, weight)
        single = [loss.value_and_gradient(y_true[i : i + 1], y_pred[i : i + 1]) for i in range(n)]
        assert value == pytest.approx(sum(w * v for w, (v, _) in zip(weight, single)) / n, rel=1e-10, abs=1e-12)
        expected = np.concatenate([w * d for w, (_, d) in zip(weight, single)]) / n
        np.testing.assert_allclose(dy, expected, rtol=1e-9, atol=1e-12, err_msg=type(loss).__name__)


def test_smoothed_labels_are_shares():
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(4, 5)), np.array([0, 4, 2, 2])
    shares = np.eye(5)[labels] * 0.9 + 0.02
    for loss, y in (
        (SparseCategoricalCrossentropy(True, label_smoothing=0.1), labels),
        (CategoricalCrossentropy(True, 0.1), np.eye(5)[labels]),
    ):
        value, dy = loss.value_and_gradient(y, z)
        assert value == pytest.approx(-(shares * np.log(softmax(z))).sum() / 4)
        np.testing.assert_allclose(dy, (softmax(z) - shares) / 4)
        assert loss.fused().label_smoothing == 0.1
    value = BinaryCrossentropy(True, 0.2)(np.array([1.0]), np.array([0.5]))
    p = 1 / (1 + np.exp(-0.5))
    assert value == pytest.approx(-0.9 * np.log(p) - 0.1 * np.log(1 - p))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(3), r"sample_weight of shape \(2,\)"),
        (np.array([1.0, np.nan]), "finite weights"),
        (np.array([1.0, -1.0]), "finite weights of at least 0, got -1"),
    ],
)
def test_weights_that_are_none(weight, message):
    with pytest.raises(ValueError, match=message):
        MeanSquaredError()(np.ones((2, 1)), np.ones((2, 1)), weight)


def test_smoothing_outside_of_0_to_1():
    with pytest.raises(ValueError, match="label_smoothing from 0 to below 1, got 1"):
        CategoricalCrossentropy(label_smoothing=1)


@given(n=st.integers(1, 40), k=st.integers(1, 12), seed=st.integers(0, 2**16))
def test_fused_losses_agree_with_the_loops(n, k, seed):
    rng = np.random.default_rng(seed)
    z, labels = rng.normal(0, 3, (n, k)), rng.integers(0, k, n)
    onehot = np.eye(k)[labels]
    yes = rng.integers(0, 2, (n, k)).astype(float)
    pairs = [
        (SparseCategoricalCrossentropy(True), labels, reference.softmax_cross_entropy(z, labels)),
        (CategoricalCrossentropy(True), onehot, reference.softmax_cross_entropy_onehot(z, onehot)),
        (BinaryCrossentropy(True), yes, reference.sigmoid_binary_cross_entropy(z, yes)),
    ]
    for loss, y_true, (expected, expected_dz) in pairs:
        value, dz = loss.value_and_gradient(y_true, z)
        assert loss(y_true, z) == value
        assert value == pytest.approx(expected, rel=1e-10, abs=1e-12)
        np.testing.assert_allclose(dz, expected_dz, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_from_logits_and_from_probabilities_say_the_same(dtype):
    rng = np.random.default_rng(0)
    z = rng.normal(0, 2, (6, 4)).astype(dtype)
    labels = rng.integers(0, 4, 6)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    for loss, y in ((SparseCategoricalCrossentropy(), labels), (CategoricalCrossentropy(), np.eye(4)[labels])):
        p = softmax(z)
        value, dp = loss.value_and_gradient(y, p)
        fused, dz = loss.fused().value_and_gradient(y, z)
        assert loss.fused().from_logits
        assert dp.dtype == dz.dtype == dtype
        assert value == pytest.approx(fused, rel=tolerance)
        # The softmax's own backward carries one gradient to the other.
        np.testing.assert_allclose(p * (dp - (dp * p).sum(axis=1, keepdims=True)), dz, atol=tolerance)


def test_probabilities_count_as_shares_of_their_rows_sum():
    cases = [(SparseCategoricalCrossentropy(), [0, 2]), (CategoricalCrossentropy(), np.eye(3)[[0, 2]])]
    for loss, y_true in cases:
        assert loss(y_true, np.full((2, 3), 0.2)) == pytest.approx(np.log(3), rel=1e-12)  # not -log(0.2), as Keras
        p = np.random.default_rng(0).uniform(0.2, 2, (2, 3))  # sums far from 1
        value, dy = loss.value_and_gradient(y_true, p)
        assert value == pytest.approx(loss(y_true, p * 7), rel=1e-12)
        np.testing.assert_allclose((dy * p).sum(axis=1), 0, atol=1e-15)  # so there is no slope along p
        assert gradcheck(loss, p, y_true=y_true)
        with pytest.raises(ValueError, match=r"a row with the sum 0\. End the model in a softmax"):
            loss(y_true, np.array([[0.2, 0.3, 0.5], [0, 0, 0]]))
    shares = np.array([[0.2, 0.5, 0.9], [1.0, 0.0, 0.0]])  # neither have the labels to add up to 1
    assert gradcheck(CategoricalCrossentropy(), p, y_true=shares)


def test_an_untrained_network_of_ten_classes_has_a_loss_of_log_ten():
    value = SparseCategoricalCrossentropy(from_logits=True)(np.arange(10), np.zeros((10, 10)))
    assert value == pytest.approx(np.log(10), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scores_and_probabilities_stay_finite(dtype):
    z = np.array([[1000, -1000], [-1000, 1000]], dtype)
    for loss, y_true, expected in (
        (SparseCategoricalCrossentropy(True), [1, 1], 1000),  # 2000 for the first row, 0 for the second
        (CategoricalCrossentropy(True), [[0, 1], [0, 1]], 1000),
        (BinaryCrossentropy(True), [[0, 1], [0, 1]], 500),  # 1000, 1000, 0, 0
    ):
        value, dz = loss.value_and_gradient(y_true, z)
        assert value == pytest.approx(expected)
        assert np.isfinite(dz).all()
    sure = np.array([[1, 0], [0, 1]], dtype)
    for loss, y_true in (
        (SparseCategoricalCrossentropy(), [1, 1]),
        (CategoricalCrossentropy(), [[0, 1], [0, 1]]),
        (BinaryCrossentropy(), [[0, 1], [0, 1]]),
    ):
        value, dp = loss.value_and_gradient(y_true, sure)
        assert value == pytest.approx(-np.log(1e-7) / 2, rel=1e-2)
        assert np.isfinite(dp).all()


def test_nan_in_predictions_is_seen_in_the_loss():
    z = np.array([[np.nan, 0.0, 0.0]])
    for loss, y_true in (
        (SparseCategoricalCrossentropy(True), [0]),
        (CategoricalCrossentropy(True), [[1, 0, 0]]),
        (BinaryCrossentropy(True), [[1, 0, 0]]),
        (BinaryCrossentropy(), [[1, 0, 0]]),
        (MeanSquaredError(), [[1, 0, 0]]),
    ):
        assert np.isnan(loss(y_true, z)), loss


@pytest.mark.parametrize("from_logits", [False, True])
def test_labels_as_a_row_or_a_column_are_the_same(from_logits):
    rng = np.random.default_rng(0)
    p = softmax(rng.normal(size=(5, 3)))
    labels = np.array([0, 2, 1, 1, 0], np.uint8)
    yes = np.array([0, 1, 1, 0, 1])
    cases = [
        (SparseCategoricalCrossentropy(from_logits), labels, p),
        (SparseCategoricalCrossentropy(from_logits), labels.astype(np.float32), p),
        (BinaryCrossentropy(from_logits), yes, p[:, :1]),
        (BinaryCrossentropy(from_logits), yes, p[:, 0]),
        (MeanSquaredError(), yes, p[:, :1]),
    ]
    for loss, y, y_pred in cases:
        value, dy = loss.value_and_gradient(y, y_pred)
        column, dcolumn = loss.value_and_gradient(y[:, None], y_pred)
        assert value == column
        assert dy.shape == y_pred.shape
        np.testing.assert_array_equal(dy, dcolumn)


def test_inputs_are_left_alone_and_gradients_are_fresh():
    for loss, y_true, y_pred in problems(4, 3, 1):
        before, labels = y_pred.copy(), np.array(y_true)
        _, dy = loss.value_and_gradient(y_true, y_pred)
        dy[...] = 7
        np.testing.assert_array_equal(y_pred, before)
        np.testing.assert_array_equal(y_true, labels)


@pytest.mark.parametrize("loss", [SparseCategoricalCrossentropy(), SparseCategoricalCrossentropy(True)])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 3], r"from 0 to 2, got 3\."),
        ([0, -1], r"from 0 to 2, got -1\."),
        ([0, 1, 2], "as many labels as predictions"),
        ([0.5, 1.0], "whole numbers"),
        ([[1, 0, 0], [0, 1, 0]], "One-hot labels go with categorical_crossentropy"),
    ],
)
def test_class_numbers_that_do_not_fit(loss, labels, message):
    with pytest.raises(ValueError, match=message):
        loss(labels, np.full((2, 3), 1 / 3))


@pytest.mark.parametrize(
    ("loss", "labels", "message"),
    [
        (CategoricalCrossentropy(), [0, 1], "Class numbers go with sparse_categorical_crossentropy"),
        (CategoricalCrossentropy(), np.ones((2, 4)), r"shape \(2, 3\), got \(2, 4\)"),
        (BinaryCrossentropy(), np.full((2, 3), 2), "from 0 to 1, got 0|from 0 to 1, got 2"),
        (BinaryCrossentropy(), np.ones((2, 1)), r"shape \(2, 3\), got \(2, 1\)"),
        (MeanSquaredError(), np.ones(2), r"shape \(2, 3\), got \(2,\)"),
        (MeanSquaredError(), np.ones((3, 3)), "as many labels as predictions"),
    ],
)
def test_labels_of_other_shapes_are_never_broadcast(loss, labels, message):
    with pytest.raises(ValueError, match=message):
        loss(labels, np.full((2, 3), 0.5))


def test_empty_batches_and_wrong_ranks_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        SparseCategoricalCrossentropy()(np.zeros(0, int), np.zeros((0, 3)))
    with pytest.raises(ValueError, match=r"shape \(N, K\), got \(2, 3, 4\)"):
        SparseCategoricalCrossentropy()([0, 1], np.zeros((2, 3, 4)))


def test_names():
    for name, kind in (
        ("sparse_categorical_crossentropy", SparseCategoricalCrossentropy),
        ("categorical_crossentropy", CategoricalCrossentropy),
        ("binary_crossentropy", BinaryCrossentropy),
        ("mean_squared_error", MeanSquaredError),
        ("mse", MeanSquaredError),
    ):
        loss = losses.get(name)
        assert isinstance(loss, kind)
        assert not loss.from_logits
        assert losses.get(loss) is loss
    with pytest.raises(ValueError, match=r"unknown loss 'mean_square'\. Did you mean 'mean_squared_error'"):
        losses.get("mean_square")


def test_a_loss_of_ones_own():
    class Absolute(Loss):
        def compute(self, y_true, y_pred):
            return float(np.abs(y_pred - y_true).mean()), np.sign(y_pred - y_true) / y_pred.size

    value, dy = losses.get(Absolute()).value_and_gradient([1.0, 2.0], np.array([2.0, 0.0]))
    assert value == 1.5
    np.testing.assert_array_equal(dy, [0.5, -0.5])
