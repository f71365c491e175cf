"""GAN: one step against the same by hand, saving, averaging, determinism."""

import re

import numpy as np
import pytest
from threads import with_threads

import scratchnet as sn
from scratchnet.gan import losses
from scratchnet.gan.data import to_range

X = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 2)).astype(np.uint8)


def networks():
    """A small DCGAN, with everything that has a state: normalization, spectral normalization, dropout."""
    generator, discriminator = sn.zoo.dcgan(8, 2, 5, 6)
    discriminator = sn.Sequential(
        [
            sn.SpectralNormalization(sn.Conv2D(6, 4, strides=2, padding="same", input_shape=(8, 8, 2))),
            sn.LeakyReLU(0.2),
            sn.Dropout(0.2),
            sn.Conv2D(6, 3, padding="same", use_bias=False),
            sn.BatchNormalization(),
            sn.LeakyReLU(0.2),
            sn.Flatten(),
            sn.Dense(1),
        ]
    )
    return generator, discriminator


def make(average=None, seed=0, **options):
    sn.set_random_seed(seed)
    gan = sn.GAN(*networks(), 5, average=average)
    gan.compile(**options)
    return gan


def copies(arrays):
    return {name: array.copy() for name, array in arrays.items()}


def assert_same(some, others):
    assert some.keys() == others.keys()
    for name in some:
        np.testing.assert_array_equal(some[name], others[name], err_msg=name)


def test_history_has_what_it_promises(capsys):
    gan = make()
    history = gan.fit(X, 16, 3)
    assert history is gan.history
    assert set(history.history) == {"d_loss", "g_loss", "d_real", "d_fake"}
    assert all(len(values) == 3 and np.isfinite(values).all() for values in history.history.values())
    assert all(0 < p < 1 for p in history.history["d_real"] + history.history["d_fake"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3  # one an epoch
    assert all(
        re.match(rf"Epoch {n}/3 - \d+s - .*/step - d_fake: .* - d_loss: ", line) for n, line in enumerate(lines, 1)
    )
    assert gan.steps == 3 * 2  # what does not fill a batch is left out


def test_train_on_batch_is_the_two_steps_by_hand():
    gan, other = make(seed=3), make(seed=3)
    real = to_range(X[:16], gan)
    sn.set_random_seed(4)
    logs = gan.train_on_batch(X[:16])
    sn.set_random_seed(4)
    adam = [sn.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    loss = losses.NonSaturating()
    fake = other.generator.forward(other.latents(16), training=True)
    judged = sn.gan.discriminator_step(other.discriminator, loss, adam[0], real, fake)
    value = sn.gan.generator_step(other.generator, other.discriminator, loss, adam[1], fake)
    assert logs["d_loss"] == judged.loss
    assert logs["g_loss"] == value
    assert logs["d_real"] == pytest.approx(float((1 / (1 + np.exp(-judged.real))).mean()), rel=1e-5)
    assert_same(gan.params, other.params)
    assert_same(gan.state, other.state)


def test_real_and_fake_are_two_batches_whose_gradients_add_up():
    gan = make()
    D, loss = gan.discriminator, losses.NonSaturating()
    D.layers[2].rate = 0.0
    real, fake = to_range(X[:8], gan), to_range(X[8:16], gan) * 0.1
    parts = []
    start = (D.get_weights(), D.get_counters())
    for pictures, judge in ((real, loss.real), (fake, loss.fake)):
        D.zero_grads()
        value, dz = judge(D.forward(pictures, training=True))
        D.backward(dz)
        parts.append((value, copies(D.grads)))
    D.set_weights(start[0])
    judged = sn.gan.discriminator_step(D, loss, sn.SGD(0.0), real, fake)
    assert judged.loss == pytest.approx(parts[0][0] + parts[1][0])
    for name, gradient in D.grads.items():
        np.testing.assert_allclose(gradient, parts[0][1][name] + parts[1][1][name], rtol=1e-5, atol=1e-7)


def test_d_is_held_fixed_in_gs_step():
    gan = make()
    fake = gan.generator.forward(gan.latents(8), training=True)
    sn.gan.discriminator_step(gan.discriminator, gan.loss, sn.SGD(0.1), to_range(X[:8], gan), fake)
    weights, grads = copies(gan.discriminator.params), copies(gan.discriminator.grads)
    before = copies(gan.generator.params)
    sn.gan.generator_step(gan.generator, gan.discriminator, gan.loss, sn.SGD(0.1), fake)
    assert_same(gan.discriminator.params, weights)
    assert_same(gan.discriminator.grads, grads)
    assert any(np.any(gan.generator.params[name] != before[name]) for name in before)
    assert all(np.any(g) for g in gan.generator.grads.values())


def test_g_is_held_fixed_in_ds_step():
    gan = make()
    fake = gan.generator.forward(gan.latents(8), training=True)
    weights = copies(gan.generator.params)
    sn.gan.discriminator_step(gan.discriminator, gan.loss, sn.SGD(0.1), to_range(X[:8], gan), fake)
    assert_same(gan.generator.params, weights)
    assert not any(np.any(g) for g in gan.generator.grads.values())


def whole_gradient(gan, z, name, eps):
    """A difference quotient of G's loss, through D and the tricks, for one weight of G."""
    kernel = gan.generator.params[name].reshape(-1)
    place, found = int(np.argmax(np.abs(gan.generator.grads[name]))), []
    for sign in (1, -1):
        kernel[place] += sign * eps
        sn.set_random_seed(9)
        x = gan.tricks.forward(gan.generator.forward(z, training=True))
        found.append(gan.loss.generator(gan.discriminator.forward(x, training=True))[0])
        kernel[place] -= sign * eps
    return place, (found[0] - found[1]) / (2 * eps)


@pytest.mark.parametrize("loss", sorted(losses.LOSSES))
def test_gs_gradient_through_d_and_the_tricks(loss):
    sn.set_random_seed(1)
    gan = sn.GAN(*sn.zoo.dcgan(8, 1, 4, 4), 4)
    gan.astype(np.float64)
    gan.compute_dtype = np.dtype(np.float64)
    gan.compile(loss=loss, translation=2, instance_noise=0.1)
    z = gan.latents(6)
    sn.set_random_seed(9)
    fake = gan.generator.forward(z, training=True)
    sn.gan.generator_step(gan.generator, gan.discriminator, gan.loss, sn.SGD(0.0), fake, gan.tricks)
    for name in [n for n in gan.generator.params if n.endswith("kernel")]:
        place, quotient = whole_gradient(gan, z, name, 1e-6)
        assert gan.generator.grads[name].reshape(-1)[place] == pytest.approx(quotient, rel=1e-4), name


def test_d_learns_more_often_than_g():
    gan = make(d_steps=3)
    history = gan.fit(X, 10, 2, verbose=0).history  # 4 steps an epoch
    assert gan.optimizer.iterations == {"generator": 2, "discriminator": 8}
    assert np.isfinite(history["g_loss"]).all()
    assert "g_loss" not in gan.train_on_batch(X[:8]) or gan.steps % 3 == 0


def test_the_average_takes_in_gs_steps_alone():
    gan = make(average=0.9, d_steps=3)
    gan.fit(X, 10, 2, verbose=0)
    assert gan.average.updates == gan.optimizer.iterations["generator"] == 2


def test_options_change_what_is_learnt():
    weights = [make(**options) for options in ({}, {"translation": 2}, {"instance_noise": 0.3}, {"real_label": 0.9})]
    for gan in weights:
        gan.fit(X, 16, 1, verbose=0)
    kernels = [gan.discriminator.get_weights()[0] for gan in weights]
    assert all(not np.array_equal(kernels[0], other) for other in kernels[1:])


def test_average_has_its_own_statistics_and_makes_the_pictures(tmp_path):
    gan = make(average=0.9)
    gan.fit(X, 8, 2, verbose=0)
    own = copies(gan.generator.params)
    pictures = gan.generate(4, seed=1)
    assert_same(gan.generator.params, own)
    direct = gan.generator.predict(gan.latents(4, 1))
    assert not np.array_equal(pictures, direct)
    copy = sn.zoo.dcgan(8, 2, 5, 6)[0]
    for name, array in {**copy.params, **copy.state}.items():
        array[...] = gan.state[f"average/{name}"]
    np.testing.assert_array_equal(copy.predict(gan.latents(4, 1)), pictures)
    assert any("moving_mean" in name for name in gan.state if name.startswith("average/"))
    for name in ("m.safetensors", "w.safetensors"):
        (gan.save if name[0] == "m" else gan.save_weights)(tmp_path / name)
        other = make(average=0.9, seed=5)
        other.load_weights(tmp_path / name)
        np.testing.assert_array_equal(other.generate(4, seed=1), pictures)


def test_generate():
    gan = make()
    assert gan.generate(3, seed=1).shape == (3, 8, 8, 2)
    np.testing.assert_array_equal(gan.generate(3, seed=1), gan.generate(3, seed=1))
    assert not np.array_equal(gan.generate(3, seed=1), gan.generate(3, seed=2))
    np.testing.assert_array_equal(gan.generate(7, 1), gan.generate(7, 1, batch_size=2))
    before = sn.random.get_state()
    gan.generate(3, seed=1)
    assert sn.random.get_state() == before
    with pytest.raises(ValueError, match=r"expected z, latents of shape \(N, 5\), got \(2, 4\)"):
        gan.decode(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="expected n to be"):
        gan.generate(0)


def test_saved_and_loaded_it_goes_on_to_the_same_bits(tmp_path):
    gan = make(average=0.9, translation=1, instance_noise=0.2, noise_steps=30, d_steps=2, loss="least_squares")
    gan.fit(X, 12, 2, verbose=0)
    gan.save(tmp_path / "gan.safetensors")
    other = sn.load_model(tmp_path / "gan.safetensors")
    assert isinstance(other, sn.GAN)
    assert other.tricks.noise.step == gan.tricks.noise.step == 6
    histories = []
    for one in (gan, other):
        sn.set_random_seed(7)
        histories.append(one.fit(X, 12, 2, verbose=0).history)
    assert histories[0] == histories[1]
    assert_same(gan.params, other.params)
    assert_same(gan.state, other.state)
    plain = sn.load_model(tmp_path / "gan.safetensors", compile=False)
    with pytest.raises(RuntimeError, match="before compile"):
        plain.fit(X)


def trained(average=0.9):
    gan = make(average=average, translation=2, instance_noise=0.2)
    gan.fit(X, 10, 2, verbose=0)
    return [*gan.get_weights(), gan.generate(4, 0)]


def test_same_bits_for_any_number_of_threads():
    for a, b in zip(with_threads(1, trained), with_threads(2, trained)):
        np.testing.assert_array_equal(a, b)


def test_weights_out_and_in():
    gan, other = make(average=0.5, seed=1), make(average=0.5, seed=2)
    other.set_weights(gan.get_weights())
    assert_same(gan.params, other.params)
    assert_same(gan.state, other.state)
    before = copies(other.params)
    with pytest.raises(ValueError, match="arrays, got 3"):
        other.set_weights([np.zeros(1)] * 3)
    wrong = gan.get_weights()
    wrong[-1] = np.zeros((1, 2, 3))
    with pytest.raises(ValueError, match="shape"):
        other.set_weights(wrong)
    assert_same(other.params, before)
    assert other.count_params() == other.generator.count_params() + other.discriminator.count_params()


def sequential(*layers):
    return sn.Sequential(layers)


def test_uint8_comes_into_gs_range():
    gan = make()
    np.testing.assert_allclose(to_range(X, gan), X / np.float32(127.5) - 1, atol=1e-6)
    by_hand, other = make(seed=2), make(seed=2)
    for one, x in ((by_hand, to_range(X, gan)), (other, X)):
        sn.set_random_seed(3)
        one.fit(x, 16, 1, verbose=0)
    assert_same(by_hand.params, other.params)


def test_a_sigmoid_at_ds_end_changes_nothing():
    found = []
    for last in ([], [sn.Activation("sigmoid")]):
        sn.set_random_seed(0)
        g = sequential(sn.Dense(8, activation="relu", input_shape=(3,)), sn.Dense(4))
        d = sn.Sequential([sn.Dense(8, activation="relu", input_shape=(4,)), sn.Dense(1), *last])
        gan = sn.GAN(g, d, 3)
        gan.compile(sn.Adam(0.01), sn.Adam(0.01))
        gan.fit(np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32), 16, 3, verbose=0)
        found.append(gan.get_weights())
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)
