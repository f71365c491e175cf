"""The doctor names each illness where it is provoked, and is silent where there is none."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.datasets.ring import coverage, ring_of_gaussians
from scratchnet.gan import GANMonitor, diagnose, diversity, relative_diversity, ring, separation

GOOD = {"d_loss": [1.3] * 9, "g_loss": [0.8] * 9, "d_real": [0.6] * 9, "d_fake": [0.4] * 9}


def played(epochs=3, monitor=None, **options):
    return ring.play(0, epochs, callbacks=monitor, width=32, **options)


def names(gan):
    return diagnose(gan.history, gan).names


def test_a_healthy_gan(capsys):
    gan = played(3, GANMonitor())
    assert names(gan) == []
    assert "Nothing unusual" in repr(diagnose(gan.history, gan))
    assert capsys.readouterr().out == ""
    found = gan.history.history
    assert {"d_gradient", "g_gradient", "diversity"} <= found.keys()
    assert all(norm > 0 for norm in found["d_gradient"] + found["g_gradient"])
    assert 0.7 < found["diversity"][-1] < 1.3


def test_d_has_won(capsys):
    options = {"generator_optimizer": sn.SGD(0.0), "discriminator_optimizer": sn.Adam(5e-3), "instance_noise": 0.0}
    gan = played(4, GANMonitor(), **options)
    assert "D has won" in names(gan)
    assert capsys.readouterr().out.count("D has won") == 1


def test_g_has_collapsed():
    fast = {"generator_optimizer": sn.Adam(0.05, 0.9), "discriminator_optimizer": sn.Adam(0.05, 0.9)}
    assert "G has collapsed" in names(played(3, instance_noise=0.0, **fast))


def test_d_learns_nothing():
    found = names(played(4, discriminator_optimizer=sn.SGD(0.0), generator_optimizer=sn.SGD(0.0)))
    assert "D learns nothing" in found
    assert "D has won" not in found


def test_oscillation():
    """The smallest GAN: G is a place on a line, D a slope. They run round each other; Mescheder, arXiv 1801.04406."""
    sn.set_random_seed(0)
    place = {"kernel_initializer": sn.Constant(0.1), "bias_initializer": sn.Constant(2.0)}
    generator = sn.Sequential([sn.Dense(1, input_shape=(1,), **place)])
    discriminator = sn.Sequential([sn.Dense(1, kernel_initializer="zeros", use_bias=False, input_shape=(1,))])
    gan = sn.GAN(generator, discriminator, 1)
    gan.compile(sn.SGD(0.1, momentum=0.7), sn.SGD(0.1, momentum=0.7))
    x = np.random.default_rng(0).normal(0, 0.1, (640, 1)).astype(np.float32)
    gan.fit(x, 16, 64, steps_per_epoch=5, verbose=0)
    assert "they oscillate" in names(gan)
    assert "they oscillate" not in names(played())


def test_curves_alone():
    assert diagnose(GOOD).names == []
    assert diagnose({**GOOD, "g_loss": [0.8] * 8 + [np.nan]}).names == ["the losses are not finite"]
    won = {**GOOD, "d_real": [0.6] * 5 + [0.99] * 4, "d_fake": [0.4] * 5 + [0.01] * 4}
    assert diagnose(won).names == ["D has won"]
    over = {**GOOD, "d_real": [0.99] * 5 + [0.6] * 4, "d_fake": [0.01] * 5 + [0.4] * 4}
    assert diagnose(over).names == []  # it was so in the beginning, and is no more
    assert diagnose({**GOOD, "diversity": [1.0] * 5 + [0.1] * 4}).names == ["G has collapsed"]
    assert diagnose({**GOOD, "d_real": [0.5] * 9, "d_fake": [0.49] * 9}).names == ["D learns nothing"]
    assert diagnose({**GOOD, "d_real": [0.5] * 9, "d_fake": [0.49] * 9, "separation": [0.01] * 9}).names == []
    assert diagnose({**GOOD, "d_real": [0.7] * 3 + [0.5] * 6, "d_fake": [0.3] * 3 + [0.49] * 6}).names == []
    for wrong in ({}, {"loss": [1.0]}, {name: [] for name in GOOD}):
        with pytest.raises(ValueError, match="history of a GAN"):
            diagnose(wrong)


@pytest.mark.filterwarnings("ignore:.*no real picture has a number below 0:UserWarning")
def test_the_range_of_the_real_pictures_is_wrong():
    sn.set_random_seed(0)
    x = np.random.default_rng(0).uniform(size=(32, 8, 8, 1)).astype(np.float32)
    gan = sn.GAN(*sn.zoo.dcgan(8, 1, 4, 4), 4)
    gan.compile()
    gan.fit(x, 1, 16, verbose=0)
    finding = diagnose(gan.history, gan)[0]
    assert finding.name == "the range of the real pictures is wrong"
    assert "tanh from -1 to 1" in finding.fact
    gan.fit(2 * x - 1, 1, 16, verbose=0)
    assert "the range of the real pictures is wrong" not in names(gan)


def test_diversity():
    x = np.random.default_rng(0).normal(size=(7, 3, 2))
    flat = x.reshape(7, -1)
    pairs = [np.linalg.norm(flat[i] - flat[j]) for i in range(7) for j in range(7) if i != j]
    assert diversity(x) == pytest.approx(np.mean(pairs))
    assert diversity(x[:1]) == 0
    assert diversity(np.repeat(x[:1], 5, axis=0)) == pytest.approx(0, abs=1e-6)
    gan = ring.ring_gan()
    for measure in (relative_diversity, separation):
        with pytest.raises(RuntimeError, match="before fit"):
            measure(gan)
    gan.real_sample = ring_of_gaussians(2000)
    gan.generate = lambda n, seed: ring_of_gaussians(2000, seed=1)
    assert abs(separation(gan)) < 0.01
    gan.generate = lambda n, seed: ring_of_gaussians(2000, seed=1) + 1
    assert separation(gan) > 0.1
    with pytest.raises(ValueError, match="every"):
        GANMonitor(every=0)


def test_ring():
    real = ring_of_gaussians(8000, seed=1)
    found = coverage(real)
    assert found.modes == 8
    assert 0.985 < found.share < 0.993  # 1 - exp(-9/2)
    assert coverage(real[np.linalg.norm(real - real[0], axis=1) < 0.5]).modes == 1
    assert coverage(real * 1.5).share == 0
    assert coverage(real).counts.sum() == round(found.share * 8000)
    np.testing.assert_array_equal(real, ring_of_gaussians(8000, seed=1))
    with pytest.raises(ValueError, match="expected n"):
        ring_of_gaussians(0)
    with pytest.raises(ValueError, match="std"):
        ring_of_gaussians(5, std=-1)
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        coverage(np.zeros((3, 3)))


def test_a_gan_covers_the_ring():
    found = coverage(ring.play(0).generate(5000, seed=0))
    assert found.modes == 8
    assert found.share >= 0.9
