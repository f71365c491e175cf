"""A GAN's run: exact resume, Ctrl-C, a loss that is not finite, and the callbacks of classifiers."""

import numpy as np
import pytest
from ctrl_c import CtrlC
from safetensors.numpy import load_file

import scratchnet as sn
from scratchnet.gan import FixedNoise, GANMonitor

X = np.random.default_rng(0).integers(0, 256, (44, 8, 8, 2)).astype(np.uint8)
EPOCHS, BATCHES = 4, 5


def make():
    """Everything that a resumed run must carry on: average, noise that becomes less, translation, dropout, u."""
    sn.set_random_seed(5)
    generator, _ = sn.zoo.dcgan(8, 2, 5, 6)
    discriminator = sn.Sequential(
        [
            sn.SpectralNormalization(sn.Conv2D(6, 4, strides=2, padding="same", input_shape=(8, 8, 2))),
            sn.LeakyReLU(0.2),
            sn.Dropout(0.2),
            sn.BatchNormalization(),
            sn.Flatten(),
            sn.Dense(1),
        ]
    )
    gan = sn.GAN(generator, discriminator, 5, average=0.9)
    rate = sn.CosineDecay(0.002, 30)
    gan.compile(
        sn.Adam(rate, 0.5),
        sn.RMSprop(0.001),
        d_steps=2,
        instance_noise=0.2,
        noise_steps=15,
        translation=2,
        real_label=0.9,
    )
    return gan


def train(folder, save_freq="epoch", extra=(), epochs=EPOCHS):
    gan, noise = make(), FixedNoise(4)
    watchers = [
        GANMonitor(verbose=0, metric=lambda gan: float(gan.generate(4, 1).mean()), name="brightness", every=2),
        noise,
        sn.EarlyStopping("brightness", patience=50, restore_best_weights=True),
        sn.ModelCheckpoint(folder / "best.safetensors", "diversity", mode="max", save_best_only=True),
        sn.CSVLogger(folder / "log.csv"),
        sn.BackupAndRestore(folder, save_freq, delete_checkpoint=False),
        *extra,
    ]
    gan.fit(X, 8, epochs, callbacks=watchers, verbose=0)
    return gan, noise


def result(gan, noise, folder):
    """All that came out, as arrays and text."""
    best = load_file(folder / "best.safetensors")  # its text has names of layers, which count up from run to run
    memory = [a for one in gan.optimizer.state.values() for part in one.values() for a in part.values()]
    arrays = [*gan.get_weights(), *memory, *noise.frames.values(), gan.generate(3, 0), *map(best.get, sorted(best))]
    counts = (gan.history.history, gan.history.epoch, gan.optimizer.iterations, gan.get_counters(), gan.steps)
    log = (folder / "log.csv").read_bytes()
    return log, arrays, repr((counts, gan.tricks.get_state(), list(noise.frames), sn.random.get_state()))


def assert_same(some, others):
    assert some[2] == others[2]
    assert len(some[1]) == len(others[1])
    for a, b in zip(some[1], others[1]):
        np.testing.assert_array_equal(a, b)
    assert some[0] == others[0]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return result(*train(folder), folder)


class Kill(Exception):
    """As if the process ended."""


class Killed(sn.Callback):
    """Ends training at once after so many batches in all, without the epoch's end."""

    runs_last = True

    def __init__(self, after):
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if self.after == 0:
            raise Kill


@pytest.mark.parametrize(("save_freq", "moments"), [(1, [3, 4, 6]), (2, [1, 9]), ("epoch", [7, 6]), (5, [5])])
def test_a_killed_run_goes_on_to_the_same_bits(undisturbed, tmp_path, save_freq, moments):
    for after in moments:
        with pytest.raises(Kill):
            train(tmp_path, save_freq, [Killed(after)])
    assert_same(result(*train(tmp_path), tmp_path), undisturbed)


@pytest.mark.usefixtures("python_handles_ctrl_c")
@pytest.mark.parametrize("after", [1, BATCHES, 2 * BATCHES + 3])
def test_ctrl_c_ends_after_a_whole_step_and_the_run_can_go_on(undisturbed, tmp_path, after, capsys):
    gan, _ = train(tmp_path, "epoch", [CtrlC(after)])
    assert gan.steps == after
    assert "GAN 'gan' is usable" in capsys.readouterr().out
    assert_same(result(*train(tmp_path), tmp_path), undisturbed)


def test_a_backup_of_another_gan_is_refused(tmp_path):
    train(tmp_path, epochs=1)
    other = sn.GAN(*sn.zoo.dcgan(8, 2, 5, 4), 5)
    other.compile()
    with pytest.raises(ValueError, match="backup of another run: its model was"):
        other.fit(X, 8, 1, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"loss": "hinge"}, "its loss was gan.NonSaturating, this one's is gan.Hinge"),
        ({"real_label": 0.9}, "its loss.real_label was 1.0, this one's is 0.9"),
        ({"translation": 1}, "its options.translation was 0, this one's is 1"),
        ({"d_steps": 2}, "its options.d_steps was 1, this one's is 2"),
        (
            {"discriminator_optimizer": sn.Adam(2e-4, 0.4)},
            "its optimizers.discriminator.beta_1 was 0.5, .* is 0.4",
        ),
    ],
)
def test_a_backup_of_other_settings_is_refused(tmp_path, changed, message):
    gan = make()
    gan.compile()
    gan.fit(X, 8, 1, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0)
    gan.compile(**changed)
    with pytest.raises(ValueError, match=f"backup of another run: {message}"):
        gan.fit(X, 8, 2, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0)


def test_a_loss_that_is_not_finite_moves_no_weight():
    gan = make()
    gan.fit(X, 8, 1, verbose=0)
    good = [array.copy() for array in gan.params.values()]
    real, fake = np.full((4, 8, 8, 2), np.nan, np.float32), gan.generate(4)
    sn.gan.discriminator_step(gan.discriminator, gan.loss, sn.SGD(0.1), real, fake)
    fake = gan.generator.forward(gan.latents(4), training=True)
    value = sn.gan.generator_step(gan.generator, gan.discriminator, gan.loss, sn.SGD(0.1), fake * np.float32("nan"))
    assert np.isnan(value)
    for array, before in zip(gan.params.values(), good):
        np.testing.assert_array_equal(array, before)


class Spoil(sn.Callback):
    """Puts infinity into a weight after so many batches."""

    def __init__(self, role, after):
        self.role, self.after = role, after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if self.after == 0:
            next(iter(getattr(self.model, self.role).params.values())).flat[0] = np.inf


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_a_run_that_diverges_is_named_and_undone(role):
    gan = make()
    with pytest.raises(
        sn.DivergedError, match=rf"(?s)In the {role}: .*kernel of .*as they were after 0 steps.*have 0.002"
    ):
        gan.fit(X, 8, 2, callbacks=Spoil(role, 3), verbose=0)
    assert all(np.isfinite(array).all() for array in gan.get_weights())
    assert gan.optimizer.iterations == {"generator": 0, "discriminator": 0}
    assert np.isfinite(gan.generate(3)).all()


def test_rates_of_both_networks_fall_together():
    gan = sn.GAN(*sn.zoo.dcgan(8, 2, 5, 4), 5)
    gan.compile(sn.Adam(1e-3), sn.Adam(4e-3))
    gan.fit(X, 22, 2, callbacks=sn.LearningRateScheduler(lambda epoch, rate: rate / 2), verbose=0)
    both = gan.optimizer.both
    assert both["generator"].learning_rate == pytest.approx(2.5e-4)
    assert both["discriminator"].learning_rate == pytest.approx(1e-3)
    for rate in (0.0, 0.0, 3e-4):  # a rate of 0 does not make them alike
        gan.optimizer.learning_rate = rate
        assert both["discriminator"].learning_rate == pytest.approx(4 * rate)
    both["discriminator"].learning_rate = 3e-4  # a ratio that is changed by hand
    gan.optimizer.learning_rate = 1e-4
    assert both["discriminator"].learning_rate == pytest.approx(1e-4)


def test_the_best_by_a_metric_is_kept(tmp_path):
    values = iter([3.0, 1.0, 2.0, 4.0])
    gan = make()
    keeper = sn.ModelCheckpoint(tmp_path / "best.safetensors", "fcd", save_best_only=True)
    seen = []
    monitor = GANMonitor(metric=lambda gan: seen.append(gan.generate(2, 0)) or next(values), name="fcd", verbose=0)
    gan.fit(X, 8, 4, callbacks=[monitor, keeper], verbose=0)
    np.testing.assert_array_equal(sn.load_model(tmp_path / "best.safetensors").generate(2, 0), seen[1])
    assert gan.history.history["fcd"] == [3.0, 1.0, 2.0, 4.0]


def test_steps_per_epoch_and_later_epochs():
    gan = make()
    history = gan.fit(X, 8, 5, verbose=0, steps_per_epoch=2, initial_epoch=3)
    assert gan.steps == 4
    assert history.epoch == [3, 4]
