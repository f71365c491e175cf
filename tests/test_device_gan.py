"""Adversarial training on a stand-in device, to the bits of the CPU."""

import numpy as np
import pytest
from on_both import PICTURES, RNG, SEED, assert_same, assert_same_weights, same
from stand_in import put

import scratchnet as sn
from scratchnet import gan
from scratchnet.gan.pictures import as_bytes, sheet

pytestmark = pytest.mark.usefixtures("stand_in_device")


def networks():
    generator = sn.Sequential(
        [
            sn.Dense(32, name="g1", use_bias=False),
            sn.BatchNormalization(name="g2"),
            sn.ReLU(name="g3"),
            sn.Reshape((4, 4, 2), name="g4"),
            sn.Conv2DTranspose(2, 4, strides=2, padding="same", activation="tanh", name="g5"),
        ],
        name="g",
    )
    discriminator = sn.Sequential(
        [
            sn.SpectralNormalization(sn.Conv2D(4, 3, strides=2, activation="leaky_relu", name="d0"), name="d1"),
            sn.Flatten(name="d2"),
            sn.Dense(1, name="d3"),
        ],
        name="d",
    )
    return generator, discriminator


def make_gan(on, **options):
    sn.set_random_seed(SEED)
    generator, discriminator = networks()
    generator.forward(on(np.zeros((2, 5), np.float32)))
    discriminator.forward(on(np.zeros((2, 8, 8, 2), np.float32)))
    both = sn.GAN(generator, discriminator, latent_dim=5, average=0.9)
    both.compile(instance_noise=0.1, translation=1, **options)
    return both


REAL = np.clip(PICTURES, -1, 1)


@pytest.mark.parametrize("loss", gan.losses.LOSSES)
def test_gan_losses(loss):
    loss = gan.losses.get(loss)
    z = RNG.normal(size=(6, 1)).astype(np.float32)
    for part in (loss.real, loss.fake, loss.generator):
        value, dz = part(z)
        own, gradient = part(put(z))
        assert isinstance(own, float)
        assert own == value
        assert_same(gradient, dz)
    assert_same(loss.probability(put(z)), loss.probability(z))


@pytest.mark.parametrize("loss", gan.losses.LOSSES)
def test_gan_steps(loss):
    ours, cpus = make_gan(put, loss=loss), make_gan(same, loss=loss)
    found = []
    for both, on in ((ours, put), (cpus, same)):
        sn.set_random_seed(SEED)
        fake = both.generator.forward(on(both.latents(24)), training=True)
        optimizers = both.optimizer.both
        step = gan.discriminator_step
        judged = step(both.discriminator, both.loss, optimizers["discriminator"], on(REAL), fake, both.tricks)
        g_loss = gan.generator_step(
            both.generator, both.discriminator, both.loss, optimizers["generator"], fake, both.tricks
        )
        found.append((judged.loss, g_loss))
    assert found[0] == found[1]
    assert_same_weights(ours.generator, cpus.generator)
    assert_same_weights(ours.discriminator, cpus.discriminator)


@pytest.mark.parametrize("real", [REAL, (REAL * 127 + 127).astype(np.uint8)])
def test_gan_training(real, tmp_path):
    ours, cpus = make_gan(put), make_gan(same)
    for batch in (real, put(real)):
        sn.set_random_seed(SEED)
        logs = ours.train_on_batch(batch)
        sn.set_random_seed(SEED)
        assert logs == cpus.train_on_batch(real)
    histories = []
    for both in (ours, cpus):
        sn.set_random_seed(SEED)
        monitor = gan.GANMonitor(n=8, verbose=0)
        histories.append(both.fit(real, epochs=2, batch_size=8, callbacks=[monitor], verbose=0).history)
    assert histories[0] == histories[1]
    for role in ("generator", "discriminator"):
        assert_same_weights(getattr(ours, role), getattr(cpus, role))
    for name, array in cpus.state.items():
        assert_same(ours.state[name], array)  # the average of G among them
    pictures = ours.generate(7, seed=1)
    assert isinstance(pictures, np.ndarray)
    np.testing.assert_array_equal(pictures, cpus.generate(7, seed=1))
    np.testing.assert_array_equal(ours.decode(put(ours.latents(7, seed=1))), pictures)
    ours.save(tmp_path / "gan")
    np.testing.assert_array_equal(sn.load_model(tmp_path / "gan").generate(7, seed=1), pictures)


def test_what_the_doctor_measures_of_pictures_on_the_device():
    ours, cpus = make_gan(put), make_gan(same)
    for both, on in ((ours, put), (cpus, same)):
        sn.set_random_seed(SEED)
        both.fit(on(REAL), epochs=1, batch_size=8, verbose=0)
    for measure in (gan.relative_diversity, gan.separation):
        assert measure(ours) == measure(cpus)
    assert repr(gan.diagnose(ours)) == repr(gan.diagnose(cpus))


def spoil(generator):
    """A weight that is not finite."""
    generator.layers[0].params["kernel"][0, 0] = np.nan


def overflow(generator):
    """Finite weights, whose sums are not, but for the zeros that the fault is looked for with."""
    generator.layers[0].params["kernel"][...] = 3e38


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (spoil, "In the generator: The first numbers that are not finite are in kernel of Dense 'g1'"),
        (overflow, "All weights and outputs are finite"),
    ],
)
def test_a_gan_that_diverges_says_where(harm, found):
    said = []
    for on in (put, same):
        both = make_gan(on)
        harm(both.generator)
        with pytest.raises(sn.DivergedError) as caught:
            both.fit(on(REAL), epochs=1, batch_size=8, verbose=0)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert found in said[0]


def test_pictures_on_the_device_are_shown():
    for show in (as_bytes, sheet):
        shown = show(put(REAL))
        assert isinstance(shown, np.ndarray)
        np.testing.assert_array_equal(shown, show(REAL))
