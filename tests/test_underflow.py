"""np.seterr(all="raise"), by which people look for NaN: a number too small for float32 is no error in our own code."""

import numpy as np
import pytest

import scratchnet as sn

RNG = np.random.default_rng(0)
X = RNG.random((32, 8, 8, 3)).astype(np.float32)
Y = np.arange(32) % 4
ONEHOT = np.eye(4)[Y]


@pytest.fixture(autouse=True)
def raising():
    with np.errstate(all="raise"):
        yield


@pytest.mark.parametrize("weights", [None, np.full(2, 1e-38)])
@pytest.mark.parametrize("loss", ["binary_crossentropy", "mean_squared_error", "categorical_crossentropy"])
def test_losses(loss, weights):
    t, z = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1000.0, -1000.0], [-1000.0, 1000.0]], np.float32)
    from_probabilities = sn.losses.get(loss)
    p = np.array([[1.0, 1e-30], [1e-38, 1.0]], np.float32)
    value, gradient = from_probabilities.value_and_gradient(t, p, weights)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    if "crossentropy" in loss:
        value, gradient = type(from_probabilities)(from_logits=True).value_and_gradient(t, z, weights)
        assert value == 0
        assert not gradient.any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: sn.Adam(),
        lambda: sn.AdamW(clipvalue=0.1),
        lambda: sn.SGD(sn.CosineDecay(0.1, 3), momentum=0.9, weight_decay=1e-36, clipnorm=1e-3),
        lambda: sn.RMSprop(centered=True, global_clipnorm=1.0),
    ],
)
def test_a_run(make):
    sn.set_random_seed(0)
    model = sn.Sequential(
        [
            sn.Rescaling(1e-36, input_shape=(8, 8, 3)),
            sn.Conv2D(4, 3, padding="same", use_bias=False),
            sn.BatchNormalization(),
            sn.ReLU(),
            sn.MaxPooling2D(),
            sn.SpectralNormalization(sn.Conv2D(4, 3, activation="silu")),
            sn.Dropout(0.3),
            sn.GlobalAveragePooling2D(),
            sn.Dense(4, activation="softmax"),
        ]
    )
    model.compile(make(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, 8, 2, verbose=0, validation_split=0.25, sample_weight=np.full(32, 1e-3)).history
    assert np.isfinite(history["loss"]).all()
    model.evaluate(X, Y, verbose=0)
    model.predict(X)


@pytest.mark.parametrize("loss", ["hinge", "least_squares", "minimax", "non_saturating"])
def test_a_gan(loss):
    g = sn.Sequential([sn.Dense(192, "tanh", input_shape=(4,)), sn.Reshape((8, 8, 3))])
    d = sn.Sequential([sn.Flatten(input_shape=(8, 8, 3)), sn.Dense(1)])
    gan = sn.GAN(g, d, 4, average=0.9)
    gan.compile(loss=loss)
    gan.fit(2 * X - 1, epochs=2, batch_size=8, verbose=0)
    assert np.isfinite(gan.generate(4)).all()


def test_what_is_wrong_still_raises():
    with pytest.raises(FloatingPointError):
        np.float32(1e30) * np.float32(1e30)
    with pytest.raises(FloatingPointError):  # our code hides an underflow, and nothing else
        sn.MeanSquaredError()(np.zeros((1, 1)), np.full((1, 1), 1e200))
