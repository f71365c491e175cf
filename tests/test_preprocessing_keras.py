"""ImageDataGenerator and the rescaling layers beside Keras's. Skipped where Keras, SciPy or Pillow is not installed."""

import numpy as np
import pytest
from with_keras import keras, report  # noqa: F401 - report is a fixture

from scratchnet import layers
from scratchnet.preprocessing.image import ImageDataGenerator

X = np.random.default_rng(0).integers(0, 256, (12, 9, 9, 3)).astype(np.float32)


@pytest.fixture
def theirs():
    """Keras's class; its moves need SciPy, its brightness Pillow."""
    pytest.importorskip("scipy", reason="Keras's ImageDataGenerator needs SciPy: pip install scipy")
    pytest.importorskip("PIL", reason="Keras's ImageDataGenerator needs Pillow: pip install pillow")
    return pytest.importorskip("keras.src.legacy.preprocessing.image").ImageDataGenerator


@pytest.mark.parametrize("mode", ["nearest", "reflect"])  # the others differ, see scratchnet/preprocessing/image.py
@pytest.mark.parametrize(
    "parameters",
    [
        {"theta": 25.0},
        {"theta": -90.0},
        {"shear": 20.0},
        {"tx": 1.5, "ty": -2.25},
        {"zx": 0.7, "zy": 1.3},
        {"flip_horizontal": True, "flip_vertical": True},
        {"theta": 10.0, "tx": 1.0, "ty": 2.0, "shear": 5.0, "zx": 0.9, "zy": 1.2, "flip_horizontal": True},
        {"channel_shift_intensity": 30.0},
        {"theta": 10.0, "channel_shift_intensity": -30.0, "flip_vertical": True},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of SciPy, about a name that Keras uses
def test_moves(theirs, mode, parameters):
    swapped = dict(parameters)  # Keras applies its row values to columns and the other way round
    for one, other in (("tx", "ty"), ("zx", "zy")):
        if one in parameters:
            swapped[one], swapped[other] = parameters[other], parameters[one]
    ours, keras_s = ImageDataGenerator(fill_mode=mode), theirs(fill_mode=mode)
    for x in X[:3]:
        expected = keras_s.apply_transform(x.copy(), swapped)
        np.testing.assert_allclose(ours.apply_transform(x, parameters), expected, atol=2e-3)


def test_brightness_to_a_byte(theirs):
    expected = theirs().apply_transform(X[0].copy(), {"brightness": 0.63})
    assert np.abs(ImageDataGenerator().apply_transform(X[0], {"brightness": 0.63}) - expected).max() <= 1


SETTINGS = [
    {"rescale": 1 / 255},
    {"featurewise_center": True},
    {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 1 / 127.5},
    {"samplewise_center": True},
    {"samplewise_center": True, "samplewise_std_normalization": True},
    {"preprocessing_function": np.sqrt, "rescale": 2.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: " ".join(s))
def test_standardization(settings, theirs):
    ours, keras_s = ImageDataGenerator(**settings), theirs(**settings)
    ours.fit(X)
    keras_s.fit(X)
    for x in X:
        np.testing.assert_allclose(ours.standardize(x), keras_s.standardize(x.copy()), rtol=1e-4, atol=1e-4)


def test_whitening(theirs):
    x = np.random.default_rng(1).normal(size=(80, 3, 3, 1)).cumsum(axis=1).astype(np.float32)
    ours, keras_s = (kind(zca_whitening=True, featurewise_center=True) for kind in (ImageDataGenerator, theirs))
    ours.fit(x)
    keras_s.fit(x)
    np.testing.assert_allclose(ours.standardize(x[0]), keras_s.standardize(x[0].copy()), atol=1e-3)


def test_subsets(theirs):
    for subset in ("training", "validation"):
        flows = [
            kind(validation_split=0.3).flow(X, subset=subset, shuffle=False) for kind in (ImageDataGenerator, theirs)
        ]
        np.testing.assert_array_equal(flows[0][0], flows[1][0])


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("Rescaling", {"scale": 1 / 127.5, "offset": -1.0}),
        ("Rescaling", {"scale": [1.0, 2.0, 3.0], "offset": [0.5, 0.0, -1.0]}),
        ("Normalization", {"mean": [100.0, 120.0, 140.0], "variance": [25.0, 100.0, 64.0]}),
        ("Normalization", {"mean": 127.5, "variance": 127.5**2}),
        ("Normalization", None),
    ],
)
def test_rescaling_layers(kind, arguments):
    ours, keras_s = (getattr(m, kind)(**arguments or {}) for m in (layers, keras.layers))
    if arguments is None:
        ours.adapt(X)
        keras_s.adapt(X)
        for weights, own in zip(keras_s.get_weights(), ours.get_weights(), strict=True):
            np.testing.assert_allclose(own, weights, rtol=1e-5)
    np.testing.assert_allclose(ours.forward(X), np.asarray(keras_s(X)), rtol=1e-5, atol=1e-5)
