"""Pictures that are better, worse, blurred, copied: do the numbers say so? And the report, the callback, the checks."""

import json
import re

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.generation import pictures, train_classifier
from scratchnet.generation.features import network

N = 1000  # pictures in a set


@pytest.fixture(scope="module")
def fashion():
    """(pictures, labels): uint8, (6000, 28, 28), shuffled."""
    (x, y), _ = sn.datasets.fashion_mnist_small.load_data()
    order = np.random.default_rng(0).permutation(len(x))
    return x[order], y[order]


def blurred(x, radius):
    """Each pixel the mean of the (2 radius + 1)^2 round it."""
    wide = np.pad(x.astype(np.float64), ((0, 0), (radius, radius), (radius, radius)))
    places = range(2 * radius + 1)
    return np.mean([wide[:, i : i + 28, j : j + 28] for i in places for j in places], axis=0)


def noisy(x, strength):
    rng = np.random.default_rng(1)
    return (x + rng.normal(0, strength, x.shape)).clip(0, 255)


@pytest.fixture(scope="module")
def scores(fashion):
    """The scores of all sorts of pictures, each against the same 1,000 real ones."""
    x, y = fashion
    judge, real, other = sn.generation.classifier("fashion_mnist"), x[:N], x[N : 2 * N]
    other_y, rest, rest_y = y[N : 2 * N], x[N:], y[N:]
    sets = {
        "floor": other,
        "blurred": blurred(other, 1),
        "blurred more": blurred(other, 2),
        "noisy": noisy(other, 25),
        "noisier": noisy(other, 75),
        "eight classes": rest[rest_y < 8][:N],
        "five classes": rest[rest_y < 5][:N],
        "one class": np.resize(other[other_y == 3], other.shape),
        "noise": np.random.default_rng(2).uniform(0, 255, other.shape),
    }
    reference, found = judge.features(real), {}
    for name, some in sets.items():
        features = judge.features(some.astype(np.float32), value_range=(0, 255))
        found[name] = {
            "fcd": sn.generation.frechet_distance(reference, features),
            "kid": sn.generation.kernel_distance(reference, features, subsets=20),
            **sn.generation.precision_recall(reference, features)._asdict(),
            "entropy": sn.generation.entropy(sn.generation.class_histogram(judge.predict(features))),
        }
    return found


def falls(scores, metric, *names):
    values = [getattr(scores[name][metric], "mean", scores[name][metric]) for name in names]
    return values == sorted(values, reverse=True), dict(zip(names, values))


@pytest.mark.parametrize("metric", ["fcd", "kid"])
def test_the_worse_the_pictures_the_larger_the_distance(scores, metric):
    for names in (
        ("noise", "blurred more", "blurred", "floor"),
        ("noise", "noisier", "noisy", "floor"),
        ("noise", "one class", "five classes", "eight classes", "floor"),
    ):
        right, values = falls(scores, metric, *names)
        assert right, values


def test_real_is_far_below_generated_and_that_below_noise(scores):
    for worse in ("blurred", "noisy", "eight classes"):
        assert scores["floor"]["fcd"] < scores[worse]["fcd"] / 3, worse
        assert scores[worse]["fcd"] < scores["noise"]["fcd"] / 3, worse


def test_kernel_distance_of_real_against_real_is_0_within_its_spread(scores):
    mean, std = scores["floor"]["kid"]
    assert abs(mean) < 3 * std
    assert all(s["kid"].mean > 5 * std for name, s in scores.items() if name != "floor")


def test_precision_falls_with_quality(scores):
    for names in (("floor", "blurred", "blurred more", "noise"), ("floor", "noisy", "noisier", "noise")):
        right, values = falls(scores, "precision", *names)
        assert right, values
    assert scores["five classes"]["precision"] > 0.9 * scores["floor"]["precision"]
    assert scores["noise"]["precision"] < 0.05


def test_recall_and_entropy_fall_with_classes(scores):
    for metric in ("recall", "entropy"):
        right, values = falls(scores, metric, "floor", "eight classes", "five classes", "one class")
        assert right, values
    assert scores["floor"]["entropy"] == pytest.approx(np.log(10), abs=0.05)
    assert scores["one class"]["entropy"] < 0.7


# The classifiers.


@pytest.mark.parametrize(("name", "channels"), [("fashion_mnist", 1), ("cifar10", 3)])
def test_shipped_classifiers_load_once_and_without_drawing(name, channels):
    before = sn.random.get_state()
    judge = sn.generation.classifier(name)
    assert sn.random.get_state() == before
    assert sn.generation.classifier(name) is judge
    assert judge.model.optimizer is None
    assert re.fullmatch("[0-9a-f]{12}", judge.hash)
    assert (judge.dimension, judge.classes) == (64, 10)
    assert judge.picture_shape == (32, 32, channels)
    features = judge.features(np.zeros((3, 32, 32, channels), np.uint8))
    assert (features.shape, features.dtype) == ((3, 64), np.float32)
    assert judge.hash in repr(judge)


def test_the_fashion_classifier_knows_clothes():
    _, (x, y) = sn.datasets.fashion_mnist_small.load_data()
    judge = sn.generation.classifier("fashion_mnist")
    assert (judge.predict(judge.features(x)) == y).mean() > 0.88


def test_the_cifar_classifier_is_as_its_training_left_it():
    judge = sn.generation.classifier("cifar10")
    assert [w.shape for w in judge.model.get_weights()] == [w.shape for w in network("cifar10").get_weights()]
    assert all(np.isfinite(w).all() for w in judge.model.get_weights())


def test_scale_and_margin_make_no_difference(fashion):
    x, judge = fashion[0][:20], sn.generation.classifier("fashion_mnist")
    expected = judge.features(x)
    wide = np.pad(x, ((0, 0), (2, 2), (2, 2)))[..., None]
    np.testing.assert_array_equal(judge.features(wide), expected)
    for floats, value_range in ((x / 127.5 - 1, None), (x / 255, (0, 1)), (x.astype(np.float32), (0, 255))):
        np.testing.assert_allclose(judge.features(floats, value_range), expected, atol=1e-5)


def test_other_weights_have_another_hash():
    model = network("fashion_mnist")
    judge = sn.generation.FeatureClassifier(model)
    weights = model.get_weights()
    weights[0][0, 0, 0, 0] += 1
    model.set_weights(weights)
    assert sn.generation.FeatureClassifier(model).hash != judge.hash


def test_a_classifier_of_ones_own_and_those_that_are_none(fashion):
    own = sn.Sequential([sn.Flatten(input_shape=(28, 28, 1)), sn.Dense(5), sn.Dense(3)])
    judge = sn.generation.FeatureClassifier(own, "mine")
    assert sn.generation.classifier(judge) is judge
    x = fashion[0][:4]
    np.testing.assert_allclose(
        judge.features(x), own.layers[1].forward(own.layers[0].forward(pictures.scaled(x, (0, 255))[..., None]))
    )
    assert judge.predict(judge.features(x)).tolist() == own.predict(x[..., None] / 127.5 - 1).argmax(axis=1).tolist()
    with pytest.raises(ValueError, match="is not built"):
        sn.generation.FeatureClassifier(sn.Sequential([sn.Flatten(), sn.Dense(3)]))
    with pytest.raises(ValueError, match="ends in a Dense layer"):
        sn.generation.FeatureClassifier(sn.Sequential([sn.Flatten(input_shape=(28, 28, 1)), sn.ReLU()]))
    with pytest.raises(ValueError, match=r"expected a model for pictures \(N, H, W, C\), got one for \(None, 7\)"):
        sn.generation.FeatureClassifier(sn.Sequential([sn.Dense(4, input_shape=(7,)), sn.Dense(3)]))
    with pytest.raises(ValueError, match="Did you mean 'cifar10'"):
        sn.generation.classifier("cifar")


def test_the_command_writes_the_same_weights_again(fashion, tmp_path, monkeypatch, capsys):
    x, y = fashion
    some = (x[:640, ..., None], y[:640]), (x[5000:5200, ..., None], y[5000:5200])
    monkeypatch.setattr(train_classifier, "load", lambda name, small: some)
    for name in ("one", "two"):
        train_classifier.main(["fashion_mnist", str(tmp_path / name), "--epochs", "1", "--seed", "3"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    model = sn.load_model(tmp_path / "one")
    assert model.optimizer is None
    said = capsys.readouterr().out
    assert sn.generation.FeatureClassifier(model).hash in said
    assert re.search(r"two: 70,746 numbers, \d{3},\d{3} bytes, hash \w{12}, test accuracy 0\.\d{4}$", said.strip())


def test_what_the_classifiers_are_trained_on():
    (x, y), (x_test, y_test) = train_classifier.load("fashion_mnist", small=True)
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((6000, 28, 28, 1), (6000,), (1000, 28, 28, 1), (1000,))
    with pytest.raises(ValueError, match="only Fashion-MNIST has a small part"):
        train_classifier.load("cifar10", small=True)


# The report.


@pytest.fixture(scope="module")
def report(fashion):
    x = fashion[0]
    fake = (blurred(x[4000:4300], 1) / 127.5 - 1).astype(np.float32)[..., None]
    return sn.generation.report(x[:800], fake)


def test_report_has_the_floor_the_noise_and_the_samples(report):
    assert (report.samples, report.real_count, report.fake_count) == (300, 800, 300)
    assert report.floor.fcd < report.generated.fcd < report.noise.fcd
    assert report.floor.precision > report.generated.precision > report.noise.precision
    assert abs(report.floor.kid) < 3 * report.floor.kid_std
    assert sum(report.generated.class_counts) == 300
    assert report.noise.nearest > report.floor.nearest > 0
    assert report.hash == sn.generation.classifier("fashion_mnist").hash


def test_report_as_text_and_as_dict(report):
    text = repr(report)
    for wanted in (report.hash, "300 samples", "800 real", "floor", "noise", f"{report.generated.fcd:.3f}", "FCD"):
        assert wanted in text
    assert "FID" not in text
    assert max(map(len, text.splitlines())) <= 120
    assert json.loads(json.dumps(report.as_dict()))["generated"]["fcd"] == report.generated.fcd


def test_report_is_the_same_again_and_copies_show(fashion):
    x = fashion[0]
    first = sn.generation.report(x[:400], x[:400], samples=100)
    assert first == sn.generation.report(x[:400], x[:400], samples=100)
    assert first != sn.generation.report(x[:400], x[:400], samples=100, seed=1)
    copies = sn.generation.report(x[:200], np.tile(x[:200], (2, 1, 1)), samples=100)
    assert copies.generated.nearest < copies.floor.nearest


def test_report_says_what_it_cannot_measure(fashion):
    x = fashion[0][:300]
    with pytest.raises(ValueError, match=r"expected samples from 4 to 150 .*got 200"):
        sn.generation.report(x, x, samples=200)
    with pytest.raises(ValueError, match=r"real: all values are at or above 0.*value_range=\(0, 1\)"):
        sn.generation.report(x / 255, x / 255)
    with pytest.raises(ValueError, match=r"fake: expected values from -1 to 1, got 0 to 255"):
        sn.generation.report(x, x.astype(np.float32))
    with pytest.raises(ValueError, match="takes pictures of up to 32 x 32 pixels with 3 channels"):
        sn.generation.report(x, x, classifier="cifar10")
    with pytest.raises(ValueError, match=r"report: expected pictures of one size, got \(28, 28, 1\) .* \(28, 27, 1\)"):
        sn.generation.report(x, x[:, :, 1:])
    for wrong in ("100", 100.0, True):
        with pytest.raises(ValueError, match="report: expected samples to be a whole number"):
            sn.generation.report(x, x, samples=wrong)
    with pytest.warns(UserWarning, match="20 samples of 64 features"):
        sn.generation.report(x, x, samples=20)


# Pictures.


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((4, 28)), r"expected pictures of shape \(N, H, W, C\)"),
        (np.zeros((0, 28, 28, 1)), "expected pictures of shape"),
        (np.full((2, 28, 28), np.nan), r"NaN or infinity in the pictures, first in mine\[0\]"),
        (np.zeros((2, 28, 28), bool), "expected pictures as numbers"),
        (np.full((2, 28, 28), 300), "expected values from 0 to 255, got 300 to 300"),
    ],
)
def test_bad_pictures_are_named(bad, message):
    with pytest.raises(ValueError, match=f"mine: {message}"):
        pictures.check_pictures(bad, "mine")
    with pytest.raises(ValueError, match="mine"):
        sn.generation.classifier("fashion_mnist").features(bad, name="mine")


def test_bad_value_range_is_named():
    with pytest.raises(ValueError, match=r"expected value_range as \(black, white\)"):
        pictures.check_pictures(np.zeros((2, 4, 4)), "mine", (1, 0))


@pytest.mark.parametrize("space", ["pixels", "fashion_mnist"])
def test_nearest_training_pictures(fashion, space):
    x = fashion[0]
    fake = x[[5, 40, 7]] / 127.5 - 1
    index, distance = sn.generation.nearest_training_pictures(fake, x[:100], space)
    assert index.tolist() == [5, 40, 7]
    np.testing.assert_allclose(distance, 0, atol=1e-4)
    _, others = sn.generation.nearest_training_pictures(x[100:110], x[:100], space)
    assert others.min() > 0.5
    with pytest.raises(ValueError, match="one shape" if space == "pixels" else "up to 32 x 32"):
        sn.generation.nearest_training_pictures(np.zeros((1, 40, 40)), x[:5], space)


def test_nearest_in_features_finds_what_moved_by_a_pixel(fashion):
    x = fashion[0][:300]
    moved = np.roll(x[:50], 1, axis=2)
    by_pixels, _ = sn.generation.nearest_training_pictures(moved, x)
    by_features, _ = sn.generation.nearest_training_pictures(moved, x, "fashion_mnist")
    right = [(found == np.arange(50)).mean() for found in (by_pixels, by_features)]
    assert right[1] > right[0]
