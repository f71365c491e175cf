"""Losses: their values against the formulas, their gradients against differences, and labels that do not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet as sn
from scratchnet import gradcheck, losses, reference
from scratchnet.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    Loss,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
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
        (BinaryFocalCrossentropy(), yes, 1 / (1 + np.exp(-z))),
        (BinaryFocalCrossentropy(True, 0.3, 1.5, from_logits=True), yes, z),
        (BinaryFocalCrossentropy(gamma=0), yes, 1 / (1 + np.exp(-z))),
        (CategoricalFocalCrossentropy(), shares, softmax(z)),
        (CategoricalFocalCrossentropy(0.4, 1.5, from_logits=True), np.eye(k)[numbers], z),
        (CategoricalFocalCrossentropy(gamma=0), shares, softmax(z)),
        (CategoricalHinge(), np.eye(k)[numbers], z),
        (CosineSimilarity(), shares, z),
        (Hinge(), 2 * yes - 1, z),
        (Huber(0.5), shares, z),
        (KLDivergence(), shares, softmax(z)),
        (LogCosh(), shares, z),
        (MeanAbsoluteError(), shares, z),
        (MeanAbsolutePercentageError(), shares + 1, z),
        (MeanSquaredError(), shares, z),
        (MeanSquaredLogarithmicError(), shares, softmax(z)),
        (Poisson(), numbers[:, None] * yes, softmax(z) + 0.1),
        (SquaredHinge(), 2 * yes - 1, z),
    ]


def test_every_loss_has_a_problem():
    assert {type(loss) for loss, _, _ in problems(2, 3, 0)} == set(losses.LOSSES.values())


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
    assert losses.get(losses.mean_squared_error).name == "mean_squared_error"
    for name, kind in (
        ("MeanSquaredError", MeanSquaredError),
        ("KLDivergence", KLDivergence),
        ("kld", KLDivergence),
        ("MAE", MeanAbsoluteError),
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
    with pytest.raises(ValueError, match=r"got the class MeanSquaredError: write MeanSquaredError\(\)"):
        losses.get(MeanSquaredError)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None])
def test_reductions(reduction):
    weight = np.array([0.0, 1.0, 2.5])
    divisor = {"sum": 1, "none": 1, None: 1, "mean_with_sample_weight": 3.5}.get(reduction, 3)
    for loss, y_true, y_pred in problems(3, 4, 0):
        each = type(loss)(**{**loss.get_config(), "reduction": "none"})(y_true, y_pred)
        assert each.shape == (3,)
        _, slopes = loss.value_and_gradient(y_true, y_pred)  # divided by 3
        loss = type(loss)(**{**loss.get_config(), "reduction": reduction})
        value, dy = loss.value_and_gradient(y_true, y_pred, weight)
        expected = each * weight if reduction in ("none", None) else (each * weight).sum() / divisor
        np.testing.assert_allclose(value, expected, rtol=1e-9, err_msg=type(loss).__name__)
        np.testing.assert_allclose(dy, slopes * weight[:, None] * 3 / divisor, rtol=1e-9, atol=1e-14)
        np.testing.assert_array_equal(loss(y_true, y_pred, weight), value)


def test_reductions_that_there_are_not():
    with pytest.raises(ValueError, match=r"unknown reduction 'men'\. Did you mean 'mean'"):
        MeanSquaredError(reduction="men")
    with pytest.raises(
        ValueError, match="expected a loss that is one number, got MeanSquaredError with reduction='none'"
    ):
        sn.Sequential([sn.Dense(1)]).compile("sgd", MeanSquaredError(reduction="none"))


def test_functions_give_a_number_an_example():
    for loss, y_true, y_pred in problems(5, 3, 0):
        options = {k: v for k, v in loss.get_config().items() if k not in ("reduction", "name")}
        if type(loss) is SparseCategoricalCrossentropy:
            options.pop("label_smoothing")  # Keras's function has none
        function = next(f for f, cls in losses.OF_FUNCTION.items() if cls is type(loss))
        each = function(y_true, y_pred, **options)
        assert each.shape == (5,)
        assert each.mean() == pytest.approx(loss(y_true, y_pred), rel=1e-10)
    np.testing.assert_array_equal(losses.mae([[1, 2], [3, 4]], [[1, 2], [1, 4.5]]), np.float32([0, 1.25]))
    pictures = losses.mse(np.zeros((2, 5, 4, 3)), np.ones((2, 5, 4, 3), np.float32))
    assert pictures.shape == (2, 5, 4)
    assert pictures.dtype == np.float32


def test_labels_of_a_gan_with_noise_on_them():
    t, z = np.array([[1.05], [-0.02]]), np.array([[2.0], [-1.0]])
    p = 1 / (1 + np.exp(-z))
    expected = float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean())
    assert BinaryCrossentropy()(t, p) == pytest.approx(expected, rel=1e-12)
    assert BinaryCrossentropy(True)(t, z) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match=r"from 0 to 1, got -1 to 1\..*-1 and 1 with hinge"):
        BinaryCrossentropy()([[-1], [1]], p)


def test_hinge_takes_0_and_1_for_minus_1_and_1():
    z = np.array([[0.5], [-0.3], [2.0]])
    assert Hinge()([0, 1, 1], z) == Hinge()([-1, 1, 1], z) == pytest.approx((1.5 + 1.3 + 0) / 3)


def test_huber_becomes_absolute_at_delta():
    assert Huber(2.0)([[0.0, 0.0]], [[1.0, 5.0]]) == pytest.approx((0.5 + (2 * 5 - 2)) / 2)


class Absolute(Loss):
    """In one pass."""

    def compute(self, y_true, y_pred):
        return float(np.abs(y_pred - y_true).mean()), np.sign(y_pred - y_true) / y_pred.size


class Shrinking(Loss):
    """As Keras's guide writes a loss: call, and an argument of its own; here with the gradient beside it."""

    def __init__(self, factor=0.1, name="shrinking"):
        super().__init__(name=name)
        self.factor = factor

    def call(self, y_true, y_pred):
        return ((y_true - y_pred) ** 2 + self.factor * (0.5 - y_pred) ** 2).mean(axis=-1)

    def gradient(self, y_true, y_pred):
        return 2 * (y_pred - y_true + self.factor * (y_pred - 0.5)) / y_pred.shape[-1]


def halves(y_true, y_pred):
    """A loss of one's own as a function: a number an example."""
    error = y_pred - y_true
    return (error**2).mean(axis=-1) / 2, error / error.shape[-1]


def half(y_true, y_pred):
    """The same as one number."""
    values, slopes = halves(y_true, y_pred)
    return values.mean(), slopes / len(values)


def test_a_loss_of_ones_own():
    value, dy = losses.get(Absolute()).value_and_gradient([1.0, 2.0], np.array([2.0, 0.0]))
    assert value == 1.5
    np.testing.assert_array_equal(dy, [0.5, -0.5])


def test_a_loss_of_ones_own_with_call_and_gradient():
    rng = np.random.default_rng(0)
    t, y = rng.normal(size=(2, 5, 3))
    assert gradcheck(Shrinking(), y, y_true=t)
    assert Shrinking(0.0)(t, y) == pytest.approx(MeanSquaredError()(t, y))
    weight = np.arange(5.0)
    assert Shrinking(0.0)(t, y, weight) == pytest.approx(MeanSquaredError()(t, y, weight))


@pytest.mark.parametrize("function", [halves, half])
def test_a_loss_of_ones_own_as_a_function(function):
    rng = np.random.default_rng(0)
    t, y = rng.normal(size=(2, 5, 3)).astype(np.float32)
    loss = losses.get(function)
    value, dy = loss.value_and_gradient(t, y)
    expected, slopes = MeanSquaredError().value_and_gradient(t, y)
    assert value == pytest.approx(expected / 2, rel=1e-6)
    np.testing.assert_allclose(dy, slopes / 2, rtol=1e-5)
    assert dy.dtype == np.float32
    assert loss.name == function.__name__
    assert gradcheck(loss, y, y_true=t)


def test_labels_of_one_axis_are_a_column_for_a_function():
    assert losses.get(halves)([1.0, 2.0], [[1.0], [4.0]]) == 1.0  # not (N, N) of (N,) and (N, 1)


def test_weights_need_a_number_an_example():
    t, y, weight = np.zeros((3, 1)), np.ones((3, 1)), np.array([0, 1, 5.0])
    assert losses.get(halves)(t, y, weight) == 1.0
    with pytest.raises(ValueError, match="half: returns one number for all examples, so that their weights"):
        losses.get(half)(t, y, weight)


def test_a_loss_without_a_gradient_is_told_both_ways():
    def only_value(y_true, y_pred):
        return ((y_pred - y_true) ** 2).mean(axis=-1)

    class OnlyCall(Loss):
        def call(self, y_true, y_pred):
            return only_value(y_true, y_pred)

    t, y = np.zeros((3, 1)), np.ones((3, 1))
    with pytest.raises(TypeError, match=r"(?s)only_value: expected.*no autograd.*def only_value.*class MyLoss"):
        losses.get(only_value)(t, y)
    with pytest.raises(NotImplementedError, match="OnlyCall: there is no autograd, so call needs its gradient"):
        OnlyCall()(t, y)
    with pytest.raises(NotImplementedError, match=r"Loss: what is the loss\?"):
        Loss()(t, y)
    np.testing.assert_array_equal(OnlyCall(reduction="none")(t, y), [1, 1, 1])  # by hand, none is needed
    with pytest.raises(ValueError, match=r"expected a gradient of y_pred's shape \(3, 1\), got \(3,\)"):
        losses.get(lambda y_true, y_pred: (0.0, np.zeros(3)))(t, y)


def test_a_model_learns_by_a_function_and_comes_back_from_its_file(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 3)).astype(np.float32), rng.normal(size=32).astype(np.float32)
    found = []
    for loss in (halves, half, Shrinking(0.0)):
        sn.set_random_seed(0)
        model = sn.Sequential([sn.Dense(1, input_shape=(3,))])
        model.compile(sn.SGD(0.1 if isinstance(loss, Loss) else 0.2), loss)
        model.fit(x, y, epochs=2, verbose=0)
        found.append(model.get_weights()[0])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-5)
    model.compile("sgd", halves)
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"needs a function 'halves' of yours.*custom_objects=\{'halves': halves\}"):
        sn.load_model(tmp_path / "model.safetensors")
    again = sn.load_model(tmp_path / "model.safetensors", custom_objects={"halves": halves})
    assert again.loss.function is halves
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
