"""The range of a generator's pictures: those who measure and show them go by it, also where it is not -1 to 1."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.gan import FixedNoise, diagnose, interpolate, interpolation
from scratchnet.gan.data import to_range
from scratchnet.gan.pictures import as_bytes

X = np.random.default_rng(0).integers(0, 256, (80, 8, 8, 1)).astype(np.uint8)
UNITS = {"tanh": (-1, 1), "sigmoid": (0, 1)}


def make(activation, *behind):
    sn.set_random_seed(0)
    generator = sn.Sequential([sn.Dense(64, input_shape=(5,)), *behind, sn.Reshape((8, 8, 1))])
    if activation:
        generator.layers.insert(1, sn.Activation(activation))
        generator.build((None, 5))
    gan = sn.GAN(generator, sn.Sequential([sn.Flatten(), sn.Dense(1)]), 5)
    gan.compile()
    return gan


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("behind", ["nothing", "shapes"])
def test_the_range_is_seen_behind_layers_that_move_numbers(activation, behind):
    layers = [] if behind == "nothing" else [sn.Reshape((4, 4, 4)), sn.Chain([sn.Flatten(), sn.Reshape((64,))])]
    gan = make(activation, *layers)
    assert gan.picture_range == UNITS[activation]
    low, high = UNITS[activation]
    np.testing.assert_allclose(to_range(X, gan), low + X / 255 * (high - low), atol=1e-6)
    wrong = {"tanh": X.astype(np.float32), "sigmoid": X / np.float32(127.5) - 1}[activation]
    with pytest.raises(ValueError, match=f"the generator ends in {activation}, which gives {low} to 1"):
        gan.fit(wrong, 20, 1)


def test_without_limits_there_is_no_range():
    assert make(None).picture_range is None
    assert make("tanh", sn.Dense(64)).picture_range is None


def test_enlarging_and_margins_keep_the_range():
    layers = [sn.Dense(16, activation="sigmoid", input_shape=(5,)), sn.Reshape((4, 4, 1))]
    generator = sn.Sequential([*layers, sn.UpSampling2D(2), sn.ZeroPadding2D(1)])
    assert sn.GAN(generator, sn.Sequential([sn.Flatten(), sn.Dense(1)]), 5).picture_range == (0, 1)


def test_as_bytes_of_any_range():
    np.testing.assert_array_equal(as_bytes(np.array([-0.5, 0, 0.2, 1, 2]), (0, 1)), [0, 0, 51, 255, 255])
    np.testing.assert_array_equal(as_bytes(X / np.float32(255), (0, 1)), X)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_pictures_use_the_whole_of_black_to_white(activation):
    pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
    gan, noise = make(activation), FixedNoise(16)
    gan.generator.layers[0].params["kernel"] *= 30  # all pixels are nearly black or nearly white
    gan.fit(X, 40, 1, callbacks=noise, verbose=0)
    for shown in (noise.frames[1], as_bytes(interpolate(gan), gan.picture_range)):
        assert (shown < 50).mean() > 0.3
        assert (shown > 205).mean() > 0.3
    figure = interpolation(gan, 1, 2)
    whole = np.concatenate([ax.images[0].get_array() for ax in figure.axes])
    assert whole.min() < 0.2 * whole.max()


def test_metrics_go_by_the_range():
    """A GAN whose pictures from 0 to 1 are the real ones: as near to them as they are to each other."""
    (x, _), _ = sn.datasets.fashion_mnist_small.load_data()

    class Copies:
        picture_range = (0.0, 1.0)

        def generate(self, n, seed):
            return x[1000 : 1000 + n, ..., None] / np.float32(255)

    watch = sn.generation.GenerationMetrics(x[:1000], n=300)
    watch.set_model(Copies())
    assert watch.measure()["fcd"] < 3 * watch.floor["fcd"]
    fake = Copies().generate(300, 0)
    right = sn.generation.report(x[:800], fake, fake_range=(0, 1))
    assert right.generated.fcd < 3 * right.floor.fcd
    assert right.generated.nearest == pytest.approx(right.floor.nearest, rel=0.2)
    assert sn.generation.report(x[:800] / 255, fake, value_range=(0, 1)).generated.fcd == pytest.approx(
        right.generated.fcd, rel=1e-3
    )
    for space in ("pixels", "fashion_mnist"):
        _, distance = sn.generation.nearest_training_pictures(fake[:5], x[1000:1010], space, fake_range=(0, 1))
        np.testing.assert_allclose(distance, 0, atol=1e-3)


def test_the_doctor_says_how_to_scale_to_a_sigmoid():
    gan = make("sigmoid")
    gan.fit(X, 40, 1, verbose=0)
    assert "the range of the real pictures is wrong" not in diagnose(gan).names
    gan.real_sample = gan.real_sample * 2 - 1
    finding = diagnose(gan)[0]
    assert "the generator's sigmoid from 0 to 1" in finding.fact
    assert finding.advice.endswith("x / 255.")
