"""Pictures of a GAN: sheets, the same noise after each epoch, ways from one picture to another."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.gan import FixedNoise, interpolate, interpolation, sheet, spherical
from scratchnet.gan.pictures import as_bytes

pytest.importorskip("matplotlib", reason="figures need the notebooks extra")
import matplotlib

matplotlib.use("Agg")

X = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def gan():
    sn.set_random_seed(0)
    gan = sn.GAN(*sn.zoo.dcgan(8, 1, 6, 4), 6)
    gan.compile()
    return gan


def test_sheet():
    x = np.arange(5 * 2 * 3 * 1).reshape(5, 2, 3, 1)
    whole = sheet(x, 3)
    assert whole.shape == (4, 9, 1)
    for i in range(5):
        r, c = divmod(i, 3)
        np.testing.assert_array_equal(whole[2 * r : 2 * r + 2, 3 * c : 3 * c + 3], x[i])
    assert not whole[2:, 6:].any()
    assert sheet(x, 9).shape == (2, 15, 1)
    with pytest.raises(ValueError, match="expected pictures"):
        sheet(x[0])


def test_as_bytes():
    np.testing.assert_array_equal(as_bytes(np.array([-2.0, -1.0, 0.0, 1.0, 3.0])), [0, 0, 128, 255, 255])
    x = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(as_bytes(x / np.float32(127.5) - 1), x)


def test_fixed_noise(gan, tmp_path):
    noise = FixedNoise(6, seed=3, every=2)
    with pytest.raises(ValueError, match="no sheet"):
        noise.animation()
    gan.fit(X, 10, 5, callbacks=noise, verbose=0)
    assert list(noise.frames) == [2, 4]
    assert noise.frames[4].shape == (6, 8, 8, 1)
    assert not np.array_equal(noise.frames[2], noise.frames[4])
    gan.fit(X, 10, 2, callbacks=noise, verbose=0)
    assert list(noise.frames) == [2]
    np.testing.assert_array_equal(noise.frames[2], as_bytes(gan.decode(gan.latents(6, 3))))
    figure = noise.figure(columns=3)
    figure.canvas.draw()
    assert len(figure.axes) == 6
    with pytest.raises(ValueError, match="no sheet of epoch 7"):
        noise.figure(7)
    pytest.importorskip("PIL", reason="GIFs need pillow")
    noise.save(tmp_path / "a.gif", columns=3)
    assert (tmp_path / "a.gif").read_bytes()[:4] == b"GIF8"
    with pytest.raises(ValueError, match=r"ends in .gif"):
        noise.save(tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="columns to be a whole number of at least 1, got 0"):
        noise.figure(columns=0)


def test_watching_changes_nothing_that_is_learnt(gan):
    found = []
    for watchers in ([], [FixedNoise(3), sn.gan.GANMonitor(verbose=0)]):
        sn.set_random_seed(1)
        one = sn.GAN(*sn.zoo.dcgan(8, 1, 6, 4), 6, average=0.9)
        one.compile()
        one.fit(X, 10, 3, callbacks=watchers, verbose=0)
        found.append(one.get_weights())
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)


def test_spherical():
    a, b = np.array([3.0, 0.0, 0.0]), np.array([0.0, 3.0, 0.0])
    way = spherical(a, b, np.linspace(0, 1, 7))
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 3)
    np.testing.assert_allclose(way[[0, 3, 6]], [a, [3 / 2**0.5, 3 / 2**0.5, 0], b], atol=1e-12)
    np.testing.assert_allclose(spherical(a, 2 * a, 0.5), 1.5 * a)
    np.testing.assert_allclose(spherical(a, np.zeros(3), 0.5), a / 2)
    assert spherical(a.astype(np.float32), b.astype(np.float32), 0.3).dtype == np.float32
    with pytest.raises(ValueError, match="same shape"):
        spherical(a, b[:2], 0.5)


def test_interpolation(gan):
    x = interpolate(gan, 2, 5, seed=1)
    assert x.shape == (2, 5, 8, 8, 1)
    ends = gan.decode(gan.latents(4, 1))
    np.testing.assert_allclose(x[:, [0, -1]].reshape(ends.shape), ends, atol=1e-6)
    figure = interpolation(gan, 2, 5)
    figure.canvas.draw()
    assert len(figure.axes) == 10
