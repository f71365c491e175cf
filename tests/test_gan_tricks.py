"""The tricks: what they make of pictures, what comes back through them, and that D sees nothing without them."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.gan import tricks
from scratchnet.gan.data import to_range

X = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 2)).astype(np.uint8)


class Spy(sn.gan.Tricks):
    """Tricks that hand on something of their own, and note what they got and gave."""

    def __init__(self):
        super().__init__()
        self.got, self.gave = [], []

    def forward(self, x):
        self.got.append(x)
        self.gave.append(x + np.float32(len(self.got)))
        return self.gave[-1]

    def backward(self, dy):
        return dy


def test_d_sees_real_and_fake_through_the_tricks(monkeypatch):
    sn.set_random_seed(0)
    gan, seen, spy = sn.GAN(*sn.zoo.dcgan(8, 2, 5, 6), 5), [], Spy()
    gan.compile()
    forward = gan.discriminator.forward
    monkeypatch.setattr(gan.discriminator, "forward", lambda x, **o: seen.append(x) or forward(x, **o))
    real, fake = to_range(X, gan), gan.generator.forward(gan.latents(8), training=True)
    sn.gan.discriminator_step(gan.discriminator, gan.loss, sn.SGD(0.1), real, fake, spy)
    sn.gan.generator_step(gan.generator, gan.discriminator, gan.loss, sn.SGD(0.1), fake, spy)
    for got, expected in zip(spy.got, (real, fake, fake), strict=True):
        np.testing.assert_array_equal(got, expected)
    for got, expected in zip(seen, spy.gave, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_translation_moves_pictures_and_its_backward_moves_back():
    x = np.random.default_rng(0).normal(size=(50, 5, 6, 2))
    one = tricks.Translation(3)
    y = one.forward(x)
    for n, (a, b) in enumerate(one.offsets):
        expected = np.zeros_like(x[n])
        for h in range(5):
            for v in range(6):
                if 0 <= h - a < 5 and 0 <= v - b < 6:
                    expected[h, v] = x[n, h - a, v - b]
        np.testing.assert_array_equal(y[n], expected)
    dy = np.random.default_rng(1).normal(size=y.shape)
    np.testing.assert_allclose(np.sum(y * dy), np.sum(x * one.backward(dy)))  # the transpose
    assert {-3, 0, 3} <= set(one.offsets.reshape(-1).tolist())
    far = sn.gan.tricks.kernels.of(x).translate(x, np.full((50, 2), 9))
    assert not far.any()


def test_instance_noise_goes_in_a_straight_line():
    noise, x = tricks.InstanceNoise(0.5, 4), np.zeros((200, 50), np.float32)
    for expected in (0.5, 0.375, 0.25, 0.125, 0.0, 0.0):
        y = noise.forward(x)
        assert y.dtype == np.float32
        assert y.std() == pytest.approx(expected, abs=0.01)
        noise.step += 1
    assert not x.any()
