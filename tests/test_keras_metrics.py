"""Metrics: values over batches, functions, keys of the history are Keras 3's. Optional: skipped where there is none."""

import numpy as np
import pytest
from with_keras import assert_close, keras, report, tf  # noqa: F401

import scratchnet as sn

RNG = np.random.default_rng(0)
N, K = 40, 3
Z = RNG.normal(0, 1, (N, K)).astype(np.float32)
P = (np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)).astype(np.float32)
NUMBERS = RNG.integers(0, K, N)
ONEHOT = np.eye(K, dtype=np.float32)[NUMBERS]
YES = RNG.integers(0, 2, (N, 1)).astype(np.float32)
ONE = np.clip(RNG.normal(0.4 + 0.2 * YES, 0.3), 0, 1).astype(np.float32)  # 0 and 1 among them
WEIGHTS = RNG.uniform(0, 2, N).astype(np.float32)
SIZES = RNG.uniform(0.5, 3, (N, K)).astype(np.float32)

CASES = [
    *((kind, {}, SIZES, Z) for kind in ("CosineSimilarity", "LogCoshError", "MeanAbsoluteError", "MeanSquaredError")),
    *((kind, {}, SIZES, Z) for kind in ("MeanAbsolutePercentageError", "RootMeanSquaredError")),
    ("MeanSquaredLogarithmicError", {}, SIZES, SIZES[::-1].copy()),
    ("BinaryAccuracy", {}, YES, ONE),
    ("BinaryAccuracy", {"threshold": 0.3}, ONEHOT, P),
    ("BinaryCrossentropy", {}, YES, ONE),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONEHOT, Z),
    ("CategoricalAccuracy", {}, ONEHOT, P),
    ("CategoricalCrossentropy", {}, ONEHOT, P),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONEHOT, Z),
    ("CategoricalHinge", {}, ONEHOT, Z),
    ("SparseCategoricalAccuracy", {}, NUMBERS, P),
    ("SparseCategoricalCrossentropy", {}, NUMBERS, P),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, NUMBERS, Z),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, NUMBERS, P),
    ("TopKCategoricalAccuracy", {"k": 2}, ONEHOT, P),
    ("Hinge", {}, ONEHOT, Z),
    ("SquaredHinge", {}, ONEHOT, Z),
    ("KLDivergence", {}, P[::-1].copy(), P),
    ("Poisson", {}, np.floor(SIZES), SIZES[::-1].copy()),
    *((kind, {}, YES, ONE) for kind in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")),
    ("TruePositives", {"thresholds": [0.1, 0.7, 0.4]}, YES, ONE),
    ("FalseNegatives", {"thresholds": [0.1, 0.7, 0.4]}, ONEHOT, P),
    *((kind, {}, YES, ONE) for kind in ("Precision", "Recall", "AUC")),
    *((kind, {}, YES[:, 0], ONE) for kind in ("Precision", "AUC")),
    *((kind, {}, ONEHOT, P) for kind in ("Precision", "Recall", "AUC")),
    *((kind, {"thresholds": 0.3}, YES, ONE) for kind in ("Precision", "Recall")),
    *((kind, {"thresholds": [0.2, 0.6]}, YES, ONE) for kind in ("Precision", "Recall", "AUC")),
    *((kind, {"class_id": 1}, ONEHOT, P) for kind in ("Precision", "Recall")),
    *((kind, {"top_k": 2}, ONEHOT, P) for kind in ("Precision", "Recall")),
    *((kind, {"top_k": 2, "class_id": 0}, ONEHOT, P) for kind in ("Precision", "Recall")),
    ("AUC", {"num_thresholds": 20, "from_logits": True}, ONEHOT, Z),
    *(
        ("AUC", {"curve": curve, "summation_method": method}, YES, ONE)
        for curve in ("ROC", "PR")
        for method in ("interpolation", "majoring", "minoring")
    ),
    *((kind, {}, ONEHOT, P) for kind in ("F1Score", "FBetaScore")),
    *(("F1Score", {"average": average}, ONEHOT, P) for average in ("macro", "micro", "weighted")),
    *(("FBetaScore", {"beta": 2.0, "average": average, "threshold": 0.4}, ONEHOT, P) for average in (None, "micro")),
]
NAMES = [f"{kind} {options}" for kind, options, _, _ in CASES]


def test_every_metric_is_among_them():
    assert {kind for kind, *_ in CASES} == set(sn.metrics.CLASSES) - {"Accuracy"}


@pytest.mark.parametrize("weight", [None, WEIGHTS])
@pytest.mark.parametrize(("kind", "options", "y_true", "y_pred"), CASES, ids=NAMES)
def test_values(kind, options, y_true, y_pred, weight):
    theirs, ours = (getattr(module.metrics, kind)(**options) for module in (keras, sn))
    for _ in range(2):  # anew after a reset
        for metric in (theirs, ours):
            metric.reset_state()
            for part in (slice(0, 30), slice(30, N)):
                metric.update_state(y_true[part], y_pred[part], None if weight is None else weight[part])
    assert_close(np.asarray(ours.result(), np.float32), theirs.result(), 2e-5, kind)
    assert ours.name == theirs.name.rstrip("_0123456789")  # there a second one in the process is auc_1
    assert ours.direction == getattr(theirs, "_direction", None)


def test_means():
    for values, weight in (
        ([1.0, 3, 5, 7], None),
        ([1.0, 3, 5, 7], [1, 1, 0, 0.5]),
        (SIZES, None),
        (SIZES, WEIGHTS),
        (2.5, None),
    ):
        theirs, ours = keras.metrics.Mean(), sn.metrics.Mean()
        for metric in (theirs, ours):
            metric.update_state(values, sample_weight=weight)
        assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-6)
        assert ours(4.0) == pytest.approx(float(theirs(4.0)), rel=1e-6)


FUNCTIONS = {
    "binary_accuracy": (YES, ONE),
    "categorical_accuracy": (ONEHOT, P),
    "sparse_categorical_accuracy": (NUMBERS, P),
    "top_k_categorical_accuracy": (ONEHOT, P),
    "sparse_top_k_categorical_accuracy": (NUMBERS, P),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    y_true, y_pred = FUNCTIONS[name]
    expected = getattr(keras.metrics, name)(y_true, y_pred)
    assert_close(getattr(sn.metrics, name)(y_true, y_pred), expected, 0, name)


def own(y_true, y_pred):
    """A metric of one's own, with the arithmetic that both have."""
    return abs(y_true - y_pred)[:, 0]


KEYS = [
    *("accuracy", "acc", "Accuracy", "precision", "Precision", "recall", "auc", "AUC", "mse", "MSE", "mae", "mape"),
    *("msle", "cosine_similarity", "RootMeanSquaredError", "root_mean_squared_error", "binary_crossentropy", "bce"),
    *("BinaryCrossentropy", "f1_score", "TruePositives", "true_positives", "hinge", "binary_accuracy"),
]


@pytest.fixture(autouse=True)
def eagerly():
    """Tracing takes longer than these few steps."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def both(metrics, loss="binary_crossentropy", units=1, y=YES, last="sigmoid", rate=0.1):
    """The histories of Keras's model and ours with the same weights, trained by the same steps."""
    found = []
    for module in (keras, sn):
        model = module.Sequential([module.layers.Dense(units, activation=last)])
        model.build((None, K))
        model.set_weights(
            [np.linspace(-1, 1, K * units).reshape(K, units).astype(np.float32), np.zeros(units, np.float32)]
        )
        model.compile(
            module.optimizers.SGD(rate),
            loss(module) if callable(loss) else loss,
            metrics=metrics(module) if callable(metrics) else metrics,
        )
        history = model.fit(Z, y, batch_size=10, epochs=2, shuffle=False, verbose=0, validation_data=(SIZES, y))
        found.append(history.history)
    return found


def test_keys_and_values_of_the_history():
    assert_same(*both(KEYS))


def assert_same(theirs, ours):
    assert set(ours) == set(theirs)
    for key, values in theirs.items():
        np.testing.assert_allclose(ours[key], np.asarray(values, np.float64), rtol=1e-4, atol=1e-5, err_msg=key)


def test_functions_and_objects_in_compile():
    assert_same(
        *both(
            lambda m: [own, m.metrics.mean_squared_error, m.metrics.MeanSquaredError(), m.metrics.Precision(name="p")]
        )
    )
    assert_same(*both(lambda m: [m.metrics.binary_accuracy, m.losses.mean_absolute_error, m.losses.Huber()]))


@pytest.mark.parametrize("loss", ["binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
def test_accuracy_asks_the_shapes(loss, last):
    """Nothing is learnt: on TensorFlow, Keras takes the scores out of a softmax for binary cross-entropy's sigmoid."""
    theirs, ours = (history["val_accuracy"] for history in both(["accuracy"], loss, K, ONEHOT, last, rate=0.0))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(
    "loss", ["mse", "mae", "huber", "hinge", "poisson", "kld", "log_cosh", "cosine_similarity", "msle"]
)
def test_losses_train_alike(loss):
    assert_same(*both(["mae"], loss))
    assert_same(*both(["mae"], loss, y=YES[:, 0]))


@pytest.mark.parametrize("name", ["mean_squared_error", "categorical_crossentropy"])
def test_functions_train_alike(name):
    assert_same(*both([], lambda module: getattr(module.losses, name), K, ONEHOT, "softmax"))
