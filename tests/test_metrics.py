"""Metrics, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet as sn
from scratchnet import losses, metrics
from scratchnet.metrics import Accuracy, BinaryAccuracy, TopKCategoricalAccuracy, confusion_matrix


def measured(metric, *batches):
    metric.reset_state()
    for y_true, y_pred in batches:
        metric.update_state(y_true, y_pred)
    return metric.result()


SCORES = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.4, 0.4, 0.2]])


@pytest.mark.parametrize("column", [False, True])
def test_accuracy_of_classes(column):
    labels = np.array([1, 0, 0, 1], np.uint8)  # right, right, wrong; the tie goes to the first: wrong
    assert measured(Accuracy(), (labels[:, None] if column else labels, SCORES)) == 0.5


def test_accuracy_of_one_hot_rows():
    assert measured(Accuracy(), (np.eye(3)[[1, 0, 0, 0]], SCORES)) == 0.75


def test_accuracy_is_a_mean_over_examples_not_over_batches():
    assert measured(Accuracy(), ([1, 0, 2], SCORES[:3]), ([2], SCORES[3:])) == 0.75


def test_reset_forgets():
    metric = Accuracy()
    metric.update_state([0], SCORES[:1])
    metric.reset_state()
    metric.update_state([1], SCORES[:1])
    assert metric.result() == 1.0


def test_nothing_seen_is_not_a_number():
    assert np.isnan(Accuracy().result())


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_binary_accuracy(shape):
    p = np.array([0.9, 0.4, 0.5, 0.6]).reshape(4, 1)
    labels = np.array([1, 0, 1, 0]).reshape(shape)
    assert measured(BinaryAccuracy(), (labels, p)) == 0.5
    assert measured(BinaryAccuracy(threshold=0.0), (labels, p - 0.5)) == 0.5


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_accuracy_of_a_single_output_is_binary(shape):
    p = np.array([0.9, 0.4, 0.5, 0.6])
    for y_pred in (p, p[:, None]):
        assert measured(Accuracy(), (np.reshape([1, 0, 1, 0], shape), y_pred)) == 0.5
        assert measured(Accuracy(), (np.reshape([1.0, 0.0, 0.0, 0.9], shape), y_pred)) == 0.75  # 0.9 is no class
    with pytest.raises(ValueError, match=r"one label an output, got shapes \(4, 2\) and \(4, 1\)"):
        Accuracy().update_state(np.zeros((4, 2)), p[:, None])


@given(n=st.integers(1, 20), classes=st.integers(2, 9), k=st.integers(1, 9), seed=st.integers(0, 2**16))
def test_top_k_against_sorting(n, classes, k, seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    among = [labels[i] in np.argsort(-scores[i])[:k] for i in range(n)]
    assert measured(TopKCategoricalAccuracy(k), (labels, scores)) == np.mean(among)
    assert measured(TopKCategoricalAccuracy(k), (labels[:, None], scores)) == np.mean(among)
    assert measured(TopKCategoricalAccuracy(k), (np.eye(classes)[labels], scores)) == np.mean(among)
    if k == 1:
        assert measured(Accuracy(), (labels, scores)) == np.mean(among)


def test_scores_that_are_not_numbers_are_not_right():
    assert measured(TopKCategoricalAccuracy(2), ([0], np.full((1, 3), np.nan))) == 0.0


@given(n=st.integers(0, 30), classes=st.integers(1, 6), seed=st.integers(0, 2**16))
def test_confusion_matrix_against_counting(n, classes, seed):
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, classes, n), rng.integers(0, classes, n)
    counts = np.zeros((classes, classes), int)
    for t, p in zip(true, predicted):
        counts[t, p] += 1
    np.testing.assert_array_equal(confusion_matrix(true, predicted, classes), counts)
    np.testing.assert_array_equal(confusion_matrix(true[:, None], predicted[:, None], classes), counts)


def test_confusion_matrix_takes_scores_and_finds_its_size():
    expected = [[1, 0, 1], [0, 1, 0], [1, 0, 0]]
    np.testing.assert_array_equal(confusion_matrix([1, 0, 0, 2], SCORES), expected)
    assert confusion_matrix([0, 3], [1, 1]).shape == (4, 4)


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [([0, 1], [0], "2 true classes and 1 predicted"), ([0, 5], [0, 1], "got 5"), ([0, 1], [0, -1], "got -1")],
)
def test_confusion_matrix_refuses(true, predicted, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(true, predicted, 3)


def test_names():
    assert type(metrics.get("accuracy")) is Accuracy
    assert type(metrics.get("accuracy", loss=losses.BinaryCrossentropy())) is Accuracy  # Keras asks the shapes
    assert metrics.get("accuracy", loss=losses.BinaryCrossentropy(from_logits=True)).threshold == 0.0
    assert type(metrics.get("accuracy", loss=losses.SparseCategoricalCrossentropy())) is Accuracy
    assert metrics.get("top_5_accuracy").k == 5
    assert metrics.get("top_3_accuracy").name == "top_3_accuracy"
    metric = TopKCategoricalAccuracy(2)
    assert metrics.get(metric) is metric
    with pytest.raises(ValueError, match=r"unknown metric 'acuracy'\. Did you mean 'accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match="k to be a whole number of at least 1, got 0"):
        TopKCategoricalAccuracy(0)


@pytest.mark.parametrize("name", [*sorted(metrics.METRICS), "top_3_accuracy", "Acc"])
def test_a_metric_keeps_the_name_it_was_asked_for_by(name):
    assert metrics.get(name).name == name
    assert metrics.get(name, loss=losses.BinaryCrossentropy()).name == name


def test_names_are_kerass_if_none_is_given():
    for kind, name in (
        (Accuracy, "accuracy"),
        (BinaryAccuracy, "binary_accuracy"),
        (TopKCategoricalAccuracy, "top_k_categorical_accuracy"),
        (metrics.SparseCategoricalAccuracy, "sparse_categorical_accuracy"),
    ):
        assert kind().name == name
        assert kind(name="mine").name == "mine"


def test_kerass_other_names_mean_the_same():
    labels = np.array([1, 0, 0, 1])
    for kind, like in (
        (metrics.CategoricalAccuracy, Accuracy()),
        (metrics.SparseCategoricalAccuracy, Accuracy()),
        (metrics.SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy()),
    ):
        for y_true in (labels, np.eye(3)[labels]):
            assert measured(kind(), (y_true, SCORES)) == measured(like, (y_true, SCORES))


def test_labels_out_of_range_are_refused():
    with pytest.raises(ValueError, match="from 0 to 2, got 3"):
        Accuracy().update_state([3], SCORES[:1])


class Largest(sn.Metric):
    """As Keras's guide writes a metric: four methods."""

    def __init__(self, name="largest"):
        super().__init__(name=name)
        self.largest = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest = max(self.largest, float(np.max(y_pred)))

    def result(self):
        return self.largest

    def reset_state(self):
        self.largest = 0.0


class Found(sn.Metric):
    """With variables, as Keras's guide has it: how many labels 1 were found."""

    def __init__(self, name="found", **kwargs):
        super().__init__(name=name, **kwargs)
        self.found = self.add_variable(shape=(), initializer="zeros", name="found")
        self.by_label = self.add_weight(name="by_label", shape=(2,), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        said = (y_pred[:, 0] > 0.5) & (y_true == 1)
        self.found.assign_add(said.sum())
        self.by_label.assign_add([len(said) - said.sum(), said.sum()])

    def result(self):
        assert self.by_label[1] == self.found
        return self.found.value


def distance(y_true, y_pred):
    """A metric of one's own as a function: a number an example."""
    return np.abs(y_true - y_pred).mean(axis=-1)


def largest(y_true, y_pred):
    """One number for the batch."""
    return y_pred.max()


def yes_or_no(metric):
    sn.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.float32)
    model = sn.Sequential([sn.Dense(1, "sigmoid", input_shape=(3,))])
    model.compile(sn.Adam(0.05), "binary_crossentropy", metrics=metric)
    return model, x, y


@pytest.mark.parametrize(
    ("metric", "key"),
    [(Largest(), "largest"), (distance, "distance"), ([largest], "largest"), (sn.losses.mae, "mean_absolute_error")],
)
def test_metrics_of_ones_own(metric, key):
    model, x, y = yes_or_no(metric)
    history = model.fit(x, y, epochs=3, verbose=0, validation_split=0.25).history
    assert history.keys() == {"loss", key, "val_loss", f"val_{key}"}
    p = model.predict(x)
    expected = p.max() if key == "largest" else np.abs(p[:, 0] - y).mean()
    found = model.evaluate(x, y, batch_size=64, verbose=0, return_dict=True)[key]
    assert found == pytest.approx(float(expected), rel=1e-6)


def test_a_metric_with_variables(tmp_path):
    histories = []
    for epochs in (3, 1, 3):
        model, x, y = yes_or_no([Found()])
        backup = [] if not histories else [sn.BackupAndRestore(tmp_path, save_freq=3, delete_checkpoint=False)]
        histories.append(model.fit(x, y, 16, epochs, verbose=0, shuffle=False, callbacks=backup).history)
    assert histories[0]["found"] == histories[2]["found"]
    assert histories[0]["found"][-1] == int(histories[0]["found"][-1]) > 0
    metric = Found()
    assert metric(np.ones(3), np.ones((3, 1))) == 3
    metric.found.assign_sub(1)
    assert metric.found.numpy() == 2
    metric.reset_state()
    assert metric.found.value == 0 == metric.by_label.sum()


def test_a_metric_by_hand():
    metric = metrics.MeanSquaredError()
    metric.update_state([[0.0], [2.0]], [[1.0], [2.0]])
    metric.update_state([[0.0]], [[2.0]], sample_weight=[2])
    assert metric.result() == pytest.approx((1 + 0 + 2 * 4) / 4)
    metric.reset_state()
    assert metric([[0.0]], [[3.0]]) == 9.0


def test_what_a_metric_of_ones_own_needs():
    class Empty(sn.Metric):
        pass

    for call, message in (
        (lambda: Empty().update_state([0], [1]), "Empty: define update_state"),
        (lambda: Empty().result(), "Empty: define result"),
        (lambda: Empty().reset_state(), "Empty: define reset_state"),
    ):
        with pytest.raises(NotImplementedError, match=message):
            call()


def test_a_model_with_metrics_of_every_kind_comes_back_from_its_file(tmp_path):
    wanted = ["mse", "AUC", metrics.Precision([0.2, 0.6]), distance, losses.huber, losses.Huber(0.5), metrics.AUC()]
    model, x, y = yes_or_no(wanted)
    model.fit(x, y, epochs=1, verbose=2)
    model.save(tmp_path / "model.safetensors")
    again = sn.load_model(tmp_path / "model.safetensors", custom_objects={"distance": distance})
    one, another = (m.evaluate(x, y, verbose=0, return_dict=True) for m in (model, again))
    assert list(one) == ["loss", "mse", "AUC", "precision", "distance", "huber", "huber_loss", "auc"]
    assert one.keys() == another.keys()
    for key, value in one.items():
        np.testing.assert_array_equal(value, another[key])


@given(n=st.integers(1, 40), seed=st.integers(0, 2**16))
def test_counts_against_counting(n, seed):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, 2, n), rng.integers(0, 5, n) / 4  # on the thresholds, too
    for threshold in (0.0, 0.25, 0.6, 1.0):
        said = [value > threshold for value in p]
        counts = {
            metrics.TruePositives: sum(a and b for a, b in zip(said, y)),
            metrics.FalsePositives: sum(a and not b for a, b in zip(said, y)),
            metrics.TrueNegatives: sum(not a and not b for a, b in zip(said, y)),
            metrics.FalseNegatives: sum(not a and b for a, b in zip(said, y)),
        }
        for kind, count in counts.items():
            assert kind(threshold)(y, p) == count
    several = metrics.TruePositives([0.6, 0.0])(y, p)
    np.testing.assert_array_equal(several, [metrics.TruePositives(0.6)(y, p), metrics.TruePositives(0.0)(y, p)])


@given(n=st.integers(2, 30), seed=st.integers(0, 2**16))
def test_auc_is_how_often_a_yes_is_above_a_no(n, seed):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    p = rng.permutation(np.arange(n) * 3 + 1) / 199 + 1 / 400  # one between two thresholds
    pairs = [p[i] > p[j] for i in range(n) for j in range(n) if y[i] and not y[j]]
    assert metrics.AUC()(y, p) == pytest.approx(np.mean(pairs))


def test_what_metrics_refuse():
    for call, message in (
        (lambda: metrics.Precision(1.5), "thresholds from 0 to 1, got 1.5"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds to be a whole number of at least 2, got 1"),
        (lambda: metrics.AUC(curve="RC"), "unknown curve 'RC'. Did you mean 'roc'"),
        (lambda: metrics.F1Score("mean"), "unknown average 'mean'"),
        (lambda: metrics.Recall()(np.zeros(3), SCORES[:3]), "y_pred's shape"),
        (lambda: metrics.F1Score()([0, 1, 2], SCORES[:3]), "Labels are one-hot"),
        (lambda: metrics.Mean()([1, 2], [1, -1]), "finite weights"),
        (lambda: metrics.get(Accuracy), r"got the class Accuracy: write Accuracy\(\)"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
