"""Examples and classes that count more or less: the same numbers as repeating and leaving out."""

import numpy as np
import pytest

import scratchnet as sn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 5))
Y = np.arange(12) % 3


def model(seed=1):
    sn.set_random_seed(seed)
    m = sn.Sequential([sn.Dense(4, activation="relu", input_shape=(5,)), sn.Dense(3, activation="softmax")])
    m.astype(np.float64)
    m.compile(sn.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return m


def weights_after(**options):
    m = model()
    m.fit(X, Y, epochs=2, batch_size=12, shuffle=False, verbose=0, **options)
    return m.get_weights()


def assert_same(one, two):
    for a, b in zip(one, two):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_class_weights_are_sample_weights_by_class():
    each = np.array([1.0, 0.0, 2.5])[Y]
    assert_same(weights_after(class_weight={1: 0.0, 2: 2.5}), weights_after(sample_weight=each))
    assert_same(weights_after(class_weight={2: 2.5}, sample_weight=(Y != 1)), weights_after(sample_weight=each))
    with pytest.raises(AssertionError):
        assert_same(weights_after(), weights_after(sample_weight=each))


def test_weights_follow_their_examples_through_shuffling_and_split():
    """Half of the examples have wrong labels and no weight: they leave no trace."""
    wrong = RNG.permutation(np.arange(12) < 6)
    results = []
    for labels in (Y, np.where(wrong, 0, Y)):
        m = model()
        m.fit(X, labels, epochs=3, batch_size=5, sample_weight=~wrong, validation_split=0.25, verbose=0)
        results.append((m.get_weights(), m.history.history["val_loss"]))
    assert_same(results[0][0], results[1][0])
    np.testing.assert_allclose(results[0][1], results[1][1])


def test_the_weights_of_the_validation_split_count():
    each = RNG.uniform(0, 2, 12)
    m = model()
    m.fit(X, Y, validation_split=0.25, sample_weight=each, verbose=0)
    expected, plain = (m.evaluate(X[9:], Y[9:], verbose=0, sample_weight=w)[0] for w in (each[9:], None))
    assert m.history.history["val_loss"] == pytest.approx([expected])
    assert abs(expected - plain) > 1e-3


def test_evaluate_and_train_on_batch_take_weights():
    each = RNG.uniform(0, 2, 12)
    m = model()
    single = np.array([m.evaluate(X[i : i + 1], Y[i : i + 1], verbose=0)[0] for i in range(12)])
    assert m.evaluate(X, Y, batch_size=5, sample_weight=each, verbose=0)[0] == pytest.approx((each * single).mean())
    assert m.train_on_batch(X, Y, sample_weight=each)[0] == pytest.approx((each * single).mean())
    m.fit(X, Y, epochs=1, validation_data=(X, Y, each), verbose=0)
    assert m.history.history["val_loss"] == pytest.approx(
        [m.evaluate(X, Y, batch_size=256, sample_weight=each, verbose=0)[0]]
    )


def test_one_hot_labels_have_classes_too():
    m, n = model(), model()
    n.compile(sn.SGD(0.1), "categorical_crossentropy")
    m.fit(X, Y, shuffle=False, class_weight={0: 3.0}, verbose=0)
    n.fit(X, np.eye(3)[Y], shuffle=False, class_weight={0: 3.0}, verbose=0)
    assert_same(m.get_weights(), n.get_weights())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_weight": np.ones(11)}, r"expected sample_weight of shape \(12,\), one an example, got \(11,\)"),
        ({"sample_weight": -np.ones(12)}, "finite weights of at least 0"),
        ({"class_weight": [1, 2, 3]}, "expected class_weight to be a dict or None"),
        ({"class_weight": {"1": 2.0}}, "the numbers of classes as the keys of class_weight, got '1' of type str"),
        ({"class_weight": {1.0: 2.0}}, "keys of class_weight, got 1.0 of type float"),
        ({"class_weight": {True: 2.0}}, "keys of class_weight, got True of type bool"),
        ({"class_weight": {3: 2.0}}, "fit: class_weight has a weight for class 3, and .* the classes go from 0 to 2"),
        ({"class_weight": {-1: 2.0}}, "a weight for class -1"),
        ({"class_weight": {0: np.inf}}, "class_weight: expected finite weights"),
        ({"validation_data": (X, Y, np.ones(3))}, "fit's validation_data: expected sample_weight"),
    ],
)
def test_weights_that_do_not_fit(options, message):
    m = model()
    before = m.get_weights()
    with pytest.raises(ValueError, match=message):
        m.fit(X, Y, verbose=0, **options)
    assert_same(before, m.get_weights())


def test_classes_of_one_output_and_of_numbers_that_are_measured():
    m = sn.Sequential([sn.Dense(1, activation="sigmoid")])
    m.compile("sgd", "binary_crossentropy")
    m.fit(X, Y % 2, class_weight={np.int64(0): 1.0, 1: 2.0}, verbose=0)
    for method in (m.fit, m.train_on_batch):
        with pytest.raises(ValueError, match="class 2, and there is none: the classes go from 0 to 1"):
            method(X, Y % 2, class_weight={2: 1.0})
    m.compile("sgd", "mse")
    m.fit(X, Y + 5, class_weight={6: 2.0}, verbose=0)


def test_initial_epoch_counts_on():
    m = model()
    m.fit(X, Y, epochs=5, initial_epoch=3, verbose=0)
    assert m.history.epoch == [3, 4]


def test_a_callback_may_end_training():
    class Enough(sn.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    m = model()
    assert m.fit(X, Y, epochs=9, callbacks=Enough(), verbose=0).epoch == [0, 1]
    assert m.fit(X, Y, epochs=1, verbose=0).epoch == [0]  # and it may begin again
