"""`diagnose` names each failure where it is provoked, and finds nothing where there is none."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.datasets.ring import centres, coverage, ring_of_gaussians
from scratchnet.gan import GANMonitor, diagnose, diversity, losses, relative_diversity, ring, separation

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


def strong_d(loss="non_saturating", real_label=None, **options):
    """Options by which D learns quickly from the pictures of a G that does not learn at all."""
    settings = {"generator_optimizer": sn.SGD(0.0), "discriminator_optimizer": sn.Adam(5e-3), "instance_noise": 0.0}
    return {**settings, "loss": loss, "real_label": real_label, **options}


@pytest.mark.parametrize(
    ("loss", "label"),
    [
        ("non_saturating", None),
        ("non_saturating", 0.9),
        ("minimax", 0.9),
        ("least_squares", None),
        ("least_squares", 0.9),
        ("hinge", None),
    ],
)
def test_d_has_won(loss, label, capsys):
    gan = played(4, GANMonitor(), **strong_d(loss, label))
    assert "D has won" in names(gan)
    assert "D has won" in diagnose(gan.history).names  # which knows its GAN
    assert capsys.readouterr().out.count("D has won") == 1


@pytest.mark.parametrize(("loss", "label"), [("minimax", None), ("hinge", None), ("non_saturating", 0.9)])
def test_a_healthy_gan_with_other_losses(loss, label):
    assert names(played(3, GANMonitor(verbose=0), loss=loss, real_label=label)) == []


def test_what_each_loss_asks_of_d():
    """Where D's loss is smallest; a hinge's is as small beyond."""
    z = np.linspace(-6, 6, 120001)[:, None]
    for loss in (losses.NonSaturating(0.9), losses.Minimax(0.7), losses.LeastSquares(0.8), losses.Hinge()):
        best = min(z[:, None], key=lambda one: (round(loss.real(one)[0], 12), abs(one.item())))
        assert loss.probability(best).item() == pytest.approx(loss.targets[0], abs=1e-3)
    assert losses.Hinge().probability(np.array([[-1.0]])).item() == pytest.approx(losses.Hinge().targets[1])


def test_g_gets_no_gradient():
    """The minimax loss and a D that is far ahead: the real points are far away, and D is sure at once."""
    found = {}
    for loss in ("minimax", "non_saturating"):
        sn.set_random_seed(0)
        gan = ring.ring_gan(32, **strong_d(loss, discriminator_optimizer=sn.Adam(0.02)))
        gan.fit(ring_of_gaussians(25600) + 8, 256, 4, callbacks=GANMonitor(verbose=0), verbose=0)
        found[loss] = names(gan)
    assert "G gets no gradient" in found["minimax"]
    assert "G gets no gradient" not in found["non_saturating"]


def test_the_distance_rises(capsys):
    """Good at first, and then rates at which both lose what they had learnt."""

    def distance(gan):
        return max(0.0, separation(gan, 500))

    rates = sn.LearningRateScheduler(lambda epoch, rate: rate if epoch < 7 else 0.3)
    gan = played(11, [GANMonitor(distance, "kid"), rates])
    assert "the distance to real pictures rises" in names(gan)
    assert "the distance to real pictures rises: kid was" in capsys.readouterr().out
    calm = played(11, [GANMonitor(distance, "kid", verbose=0)])
    assert names(calm) == []


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
    gan.fit(x, 64, 16, steps_per_epoch=5, verbose=0)
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
    assert diagnose({**GOOD, "g_gradient": [5.0] * 9}).names == []
    assert diagnose({**GOOD, "g_gradient": [5.0] * 5 + [0.04] * 4}).names == ["G gets no gradient"]
    assert diagnose({**GOOD, "g_gradient": [1e-5] * 9}).names == ["G gets no gradient"]
    for name in ("fcd", "kid"):
        falls, rises = [9.0, 5, 3, 2, 1.5, 1.4, 1.2, 1.3, 1.2], [9.0, 5, 3, 2, 1.5, 1.8, 2.0, 2.2, 2.3]
        assert diagnose({**GOOD, name: falls}).names == []
        assert diagnose({**GOOD, name: rises}).names == ["the distance to real pictures rises"]
        assert f"{name} was 1.5 after 5 epochs" in diagnose({**GOOD, name: rises})[0].fact
    near_0 = [0.3, 0.1, 0.02, 0.005, 0.001, 0.0005, 0.002, 0.003, 0.002]
    assert diagnose({**GOOD, "kid": near_0}).names == []
    for wrong in ({}, {"loss": [1.0]}):
        with pytest.raises(ValueError, match="history of a GAN, got one without d_fake, d_loss, d_real, g_loss"):
            diagnose(wrong)
    with pytest.raises(ValueError, match="at least one epoch, got an empty one"):
        diagnose({name: [] for name in GOOD})


@pytest.mark.filterwarnings("ignore:.*no real picture has a number below 0:UserWarning")
def test_the_range_of_the_real_pictures_is_wrong():
    sn.set_random_seed(0)
    x = np.random.default_rng(0).uniform(size=(32, 8, 8, 1)).astype(np.float32)
    gan = sn.GAN(*sn.zoo.dcgan(8, 1, 4, 4), 4)
    gan.compile()
    gan.fit(x, 16, 1, verbose=0)
    finding = diagnose(gan.history, gan)[0]
    assert finding.name == "the range of the real pictures is wrong"
    assert "tanh from -1 to 1" in finding.fact
    gan.fit(2 * x - 1, 16, 1, verbose=0)
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


def test_a_metric_is_measured_every_so_many_epochs():
    calls = []
    monitor = GANMonitor(lambda gan: calls.append(gan) or float(len(calls)), every=3, verbose=0)
    gan = played(5, monitor)
    assert len(calls) == 2
    assert gan.history.history["metric"] == [1, 1, 1, 2, 2]


def test_the_doctors_real_pictures_come_from_all_of_the_data():
    """Points in the order of their clouds: the first 64 would be one of them."""
    points = np.repeat(centres(), 100, axis=0).astype(np.float32)
    gan = ring.ring_gan(width=4)
    for _ in range(2):
        gan.fit(points, 100, 1, verbose=0)
        assert len(gan.real_sample) == 64
        assert coverage(gan.real_sample).modes == 8
        np.testing.assert_array_equal(gan.real_sample[[0, -1]], points[[0, -1]])
    gan.fit(points[:5], 5, 1, verbose=0)
    np.testing.assert_array_equal(gan.real_sample, points[:5])


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


@pytest.mark.parametrize("seed", range(5))
def test_a_gan_covers_the_ring(seed):
    found = coverage(ring.play(seed).generate(5000, seed=seed))
    assert found.modes == 8
    assert found.share >= 0.9
