"""What a GAN and its callbacks refuse, and how they say it: networks, options, data, callbacks."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.gan import FixedNoise, GANMonitor, losses, ring

X = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 2)).astype(np.uint8)


def make():
    gan = sn.GAN(*sn.zoo.dcgan(8, 2, 5, 6), 5)
    gan.compile()
    return gan


def sequential(*layers):
    return sn.Sequential(layers)


def test_networks_that_do_not_fit():
    g = sequential(sn.Dense(6, input_shape=(4,)))
    d = sequential(sn.Dense(1, input_shape=(6,)))
    for arguments, message in (
        ((g, d, 5), r"expected a generator for inputs of shape \(N, 5\).*latent_dim=5.*got one for \(N, 4\)"),
        ((g, sequential(sn.Dense(1, input_shape=(7,))), 4), r"makes \(N, 6\), and the discriminator takes \(N"),
        ((g, sequential(sn.Dense(2, input_shape=(6,))), 4), r"one score a picture, \(N, 1\), got \(N, 2\)"),
        ((g, sequential(sn.Dense(1, activation="tanh", input_shape=(6,))), 4), "ends in tanh"),
        ((g, g, 4), "the same model"),
        ((g, d, 0), "latent_dim"),
    ):
        with pytest.raises(ValueError, match=message):
            sn.GAN(*arguments)
    with pytest.raises(ValueError, match="momentum"):
        sn.GAN(g, d, 4, average=1.0)
    assert "4 numbers" in repr(sn.GAN(sequential(sn.Dense(6)), sequential(sn.Dense(1)), 4))  # built on the way


def test_options_that_are_refused():
    gan, adam = make(), sn.Adam()
    for options, message in (
        ({"generator_optimizer": adam, "discriminator_optimizer": adam}, "the same optimizer object"),
        ({"loss": "non_saturated"}, "non_saturating"),
        ({"loss": "hinge", "real_label": 0.9}, "no label to smooth"),
        ({"loss": losses.Minimax(), "real_label": 0.9}, r"Minimax\(real_label=0.9\)"),
        ({"real_label": 1.5}, "real_label"),
        ({"d_steps": 0}, "d_steps"),
        ({"instance_noise": -1}, "instance_noise"),
        ({"noise_steps": 0}, "noise_steps"),
        ({"translation": -1}, "translation"),
    ):
        with pytest.raises(ValueError, match=message):
            gan.compile(**options)
    plane = sn.GAN(sequential(sn.Dense(2)), sequential(sn.Dense(1)), 3)
    with pytest.raises(ValueError, match="translation is for pictures"):
        plane.compile(translation=1)
    with pytest.raises(RuntimeError, match="before compile"):
        plane.fit(np.zeros((4, 2)))


def test_pictures_that_are_refused():
    gan = make()
    for x, message in (
        (X[..., :1], r"expected real pictures of shape \(N, 8, 8, 2\), got \(40, 8, 8, 1\)"),
        (X.transpose(0, 3, 1, 2), "Channels come last"),
        (X.astype(np.float32), r"from 0 to 255, and the generator ends in tanh.*x / 127.5 - 1"),
        (np.full((4, 8, 8, 2), np.nan), r"NaN or infinity in x, first in x\[0\]"),
        (X[:0], "at least one example"),
    ):
        with pytest.raises(ValueError, match=message):
            gan.fit(x)
    with pytest.raises(ValueError, match="steps_per_epoch from 1 to 4"):
        gan.fit(X, 10, 1, steps_per_epoch=5)
    with pytest.warns(UserWarning, match=r"scale them: 2 \* x - 1"):
        gan.fit(X / 255.0, 20, 1, verbose=0)
    grey = sn.GAN(*sn.zoo.dcgan(8, 1, 3, 2), 3)
    grey.compile()
    with pytest.raises(ValueError, match=r"x\[..., None\]"):
        grey.fit(X[..., 0])


def test_networks_that_are_no_models():
    g, d = sequential(sn.Dense(6, input_shape=(4,))), sn.Dense(1)
    for arguments, message in (
        (("a", "b", 5), "GAN 'gan': expected a model as generator, got 'a' of type str"),
        ((g, d, 4), r"expected a model as discriminator, got .* of type Dense.*Sequential\(\[...\]\)"),
    ):
        with pytest.raises(TypeError, match=message):
            sn.GAN(*arguments)
    wide = sn.Sequential([sn.Dense(1, input_shape=(6,))], dtype="float64")
    with pytest.raises(ValueError, match="the generator computes in float32, the discriminator in float64"):
        sn.GAN(g, wide, 4)


def test_a_sigmoid_that_cannot_be_left_out():
    g = sequential(sn.Dense(6, input_shape=(4,)))
    for activation, message in (("sigmoid", "a sigmoid with Reshape 'last' behind it"), ("tanh", "ends in tanh")):
        d = sequential(sn.Dense(1, activation=activation, input_shape=(6,)), sn.Reshape((1, 1, 1), name="last"))
        with pytest.raises(ValueError, match=message):
            sn.GAN(g, d, 4)


@pytest.mark.parametrize(
    ("option", "wrong", "message"),
    [
        ("real_label", "0.9", "expected real_label to be a number or None, got '0.9'"),
        ("instance_noise", "a", "expected instance_noise to be a number, got 'a'"),
        ("instance_noise", None, "expected instance_noise to be a number, got None"),
        ("noise_steps", 2.5, "noise_steps to be a whole number, got 2.5"),
        ("translation", True, "translation to be a whole number, got True"),
        ("translation", "2", "translation to be a whole number, got '2'"),
        ("translation", 8, "GAN 'gan': expected a translation below the pictures' 8 x 8 pixels, got 8"),
        ("d_steps", True, "GAN 'gan': compile: expected d_steps to be a whole number, got True"),
    ],
)
def test_bad_options_are_named(option, wrong, message):
    gan = make()
    with pytest.raises(ValueError, match=message):
        gan.compile(**{option: wrong})
    assert gan.d_steps == 1
    gan.compile(translation=7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"batch_size": np.zeros(40)},
            r"expected batch_size to be a whole number, got an array of shape \(40,\) .* A GAN|a GAN learns",
        ),
        ({"epochs": "3"}, "expected epochs to be a whole number, got '3'"),
        ({"batch_size": 0}, "expected batch_size to be a whole number of at least 1, got 0"),
        ({"batch_size": True}, "expected batch_size to be a whole number, got True"),
        ({"steps_per_epoch": "all"}, "expected steps_per_epoch to be a whole number or None, got 'all'"),
        (
            {"steps_per_epoch": 3, "batch_size": 20},
            "expected steps_per_epoch from 1 to 2, the batches that 40 pictures give, got 3",
        ),
        ({"verbose": "loud"}, "expected verbose to be 0, 1, 2 or 'auto', got 'loud'"),
        ({"verbose": 3}, "expected verbose to be 0, 1, 2 or 'auto', got 3"),
        ({"initial_epoch": -1}, "expected initial_epoch to be a whole number of at least 0, got -1"),
        ({"initial_epoch": 0.5}, "expected initial_epoch to be a whole number, got 0.5"),
    ],
)
def test_bad_arguments_of_fit_are_named(arguments, message):
    gan = make()
    with pytest.raises(ValueError, match=f"GAN 'gan': fit: {message}"):
        gan.fit(X, **arguments)
    assert gan.steps == 0


def test_bad_momentum_is_named():
    with pytest.raises(ValueError, match=r"expected average to be a number or None, got 'a'. average: momentum"):
        sn.GAN(*sn.zoo.dcgan(8, 2, 5, 6), 5, average="a")


@pytest.mark.parametrize("callback", [FixedNoise, GANMonitor])
def test_callbacks_for_gans_alone(callback):
    model = sequential(sn.Dense(2, activation="softmax", input_shape=(3,)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(TypeError, match=f"{callback.__name__}: expected a GAN, got Sequential"):
        model.fit(np.zeros((4, 3)), np.zeros(4, int), callbacks=callback(), verbose=0)
    for name in ("every", "n"):
        for wrong in (0, "2", 1.5, True):
            with pytest.raises(ValueError, match=f"{callback.__name__}: expected {name} to be a whole number"):
                callback(**{name: wrong})


def test_bad_arguments_of_the_monitor():
    with pytest.raises(ValueError, match="GANMonitor: expected n to be a whole number of at least 2, got 1"):
        GANMonitor(n=1)  # the diversity of one picture is 0, which looks like a collapse
    with pytest.raises(TypeError, match=r"expected metric to be a function or None, got 'fcd'.*GenerationMetrics"):
        GANMonitor(metric="fcd")


def test_pictures_of_a_gan_that_makes_none():
    gan = ring.ring_gan(width=4)
    for show in (
        lambda: gan.fit(np.zeros((8, 2)), 4, 1, callbacks=FixedNoise(2), verbose=0),
        lambda: sn.gan.interpolation(gan),
    ):
        with pytest.raises(ValueError, match=r"expected a GAN whose generator makes pictures \(N, H, W, C\), got"):
            show()
    assert gan.steps == 0


def test_bad_numbers_of_pictures():
    gan, x = make(), np.zeros((3, 2, 2, 1))
    for call, message in (
        (lambda: sn.gan.interpolate(gan, steps=0), "interpolate: expected steps"),
        (lambda: sn.gan.interpolate(gan, rows="2"), "interpolate: expected rows"),
        (lambda: sn.gan.sheet(x, 0), "sheet: expected columns"),
        (lambda: sn.plot.images(x, columns=0), "plot.images: expected columns"),
        (lambda: sn.plot.images(x, columns=2.0), "images: expected columns"),
    ):
        with pytest.raises(ValueError, match=f"{message} to be a whole number"):
            call()


def test_what_is_no_history():
    gan = make()
    with pytest.raises(TypeError, match=r"expected a history, .* or a GAN after fit, got None"):
        sn.gan.diagnose(None)
    with pytest.raises(TypeError, match="got None"):
        sn.gan.diagnose(gan)  # not trained yet
    with pytest.raises(TypeError, match="got 3"):
        sn.gan.diagnose(3)
    gan.fit(X, 20, 2, verbose=0)
    assert sn.gan.diagnose(gan) == sn.gan.diagnose(gan.history, gan)
