"""A loss that is no number stops training, says where it began, and leaves a model that is good."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.divergence import EVERY, DivergedError, first_bad_place

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def model(rate=0.01, head="softmax"):
    sn.set_random_seed(0)
    m = sn.Sequential(
        [sn.Dense(5, activation="relu", input_shape=(6,)), sn.BatchNormalization(), sn.Dense(2, activation=head)]
    )
    m.compile(sn.Adam(rate), "sparse_categorical_crossentropy")
    return m


def finite(m):
    return all(np.isfinite(w).all() for w in m.get_weights())


def test_a_rate_far_too_large():
    m = model(rate=1e38)
    with pytest.raises(DivergedError, match=r"the loss became (nan|inf) in step \d+ \(epoch \d, batch \d\)") as error:
        m.fit(X, Y, epochs=9, batch_size=10, verbose=0)
    text = str(error.value)
    assert "a smaller learning rate (it is 1e+38: try 1e+37)" in text
    assert "Dense 'dense" in text
    assert finite(m)
    m.optimizer.learning_rate = 0.01
    assert np.isfinite(m.fit(X, Y, epochs=2, verbose=0).history["loss"]).all()


def test_the_last_good_copy_comes_back_with_the_optimizer():
    """The weights after EVERY steps return, and the run goes on from there as if nothing had been."""

    class Spoil(sn.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if self.steps == EVERY:
                self.kept = self.model.get_weights(), self.model.optimizer.iterations
            if self.steps == EVERY + 7:
                self.model.layers[2].params["kernel"][1, 1] = np.nan

    m, spoil = model(), Spoil()
    with pytest.raises(DivergedError) as error:
        m.fit(X, Y, epochs=200, batch_size=20, callbacks=spoil, verbose=0)
    assert f"in step {EVERY + 8} (epoch {EVERY // 2 + 4}, batch 2)" in str(error.value)
    assert f"in kernel of {m.layers[2].full_name}, layer 2" in str(error.value)
    assert f"as they were after {EVERY} steps" in str(error.value)
    for before, now in zip(spoil.kept[0], m.get_weights()):
        np.testing.assert_array_equal(before, now)
    assert m.optimizer.iterations == spoil.kept[1]
    assert len(m.history.epoch) == EVERY // 2 + 3


def test_no_weight_moves_by_a_loss_that_is_no_number():
    m = model()
    before = m.get_weights()
    spoiled = X.copy()
    m.layers[0].params["kernel"][:] = 3e38  # the sums overflow
    m.layers[1].state["moving_mean"][:] = 0
    with np.errstate(all="ignore"):
        assert not np.isfinite(m.train_on_batch(spoiled, Y))
    np.testing.assert_array_equal(m.get_weights()[2:4], before[2:4])
    assert m.optimizer.iterations == 0


def test_where_it_began():
    m = model()
    assert first_bad_place(m, X).startswith("All weights and outputs are finite")
    assert first_bad_place(m, X * np.float32(np.nan)).startswith("The inputs themselves")
    m.layers[0].params["bias"][0] = np.inf
    assert f"in bias of {m.layers[0].full_name}, layer 0" in first_bad_place(m, X)
    m.layers[0].params["bias"][0] = 0
    m.layers[2].params["kernel"][:] = 3e38
    assert f"came out of {m.layers[2].full_name}, layer 2" in first_bad_place(m, X)


def test_the_first_step_of_all():
    m = model()
    m.layers[0].params["kernel"][0, 0] = np.nan
    with pytest.raises(DivergedError, match="It was the first step"):
        m.fit(X, Y, verbose=0)


def test_layers_within_chains_are_named():
    inner = sn.layers.Chain([sn.Dense(3), sn.Dense(2)])
    m = sn.Sequential([sn.Dense(4, input_shape=(6,)), inner])
    inner.layers[1].params["kernel"][0, 0] = np.nan
    assert f"in kernel of {inner.layers[1].full_name}, layer 2" in first_bad_place(m, X)


def test_layers_within_branches_are_named():
    dense = sn.Dense(4, name="in_a_branch")
    m = sn.Sequential([sn.Parallel([[dense, sn.ReLU()], []], input_shape=(4,))])
    dense.params["kernel"][0, 0] = np.nan
    assert f"in kernel of {dense.full_name}, layer 0" in first_bad_place(m, X[:, :4])
    dense.params["kernel"][:] = 3e38
    with np.errstate(all="ignore"):
        assert f"came out of {dense.full_name}, layer 0" in first_bad_place(m, X[:, :4])


# Backups and checkpoints of a run that diverges.


def runaway(rate):
    """A network whose weights grow beyond all bounds within some steps, if the rate is too large."""
    sn.set_random_seed(0)
    m = sn.Sequential(
        [
            sn.Dense(50, activation="relu", input_shape=(6,)),
            sn.Dense(50, activation="relu"),
            sn.Dense(1),
        ]
    )
    m.compile(sn.SGD(rate), "mse")
    return m


def diverges(rate, **options):
    m = runaway(rate)
    with np.errstate(all="ignore"), pytest.raises(DivergedError) as error:
        m.fit(X * 100, Y, 8, 50, verbose=0, **options)
    return m, str(error.value)


def has_finite_loss(m):
    return np.isfinite(m.evaluate(X * 100, Y, verbose=0))


@pytest.mark.parametrize("save_freq", [1, 2, "epoch"])
@pytest.mark.parametrize("rate", [5e-4, 1e-3])
def test_a_diverged_run_goes_on_from_its_backup_with_a_smaller_rate(tmp_path, rate, save_freq):
    first, message = diverges(rate, callbacks=sn.BackupAndRestore(tmp_path, save_freq, delete_checkpoint=False))
    assert has_finite_loss(first)
    again, message_again = diverges(rate, callbacks=sn.BackupAndRestore(tmp_path, save_freq, delete_checkpoint=False))
    assert has_finite_loss(again)
    step = message.split(" in step ")[1].split(")")[0]
    assert f" in step {step})" in message_again  # the same one, counted from the beginning of the run
    for text in (message, message_again):
        assert "the last copy whose loss was finite" in text
    m = runaway(1e-30)
    m.fit(X * 100, Y, 8, 50, callbacks=sn.BackupAndRestore(tmp_path, save_freq, delete_checkpoint=False), verbose=0)
    assert len(m.history.epoch) == 50
    assert has_finite_loss(m)


def test_the_first_step_since_a_run_was_resumed(tmp_path):
    model().fit(X, Y, 20, 2, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0)

    class Spoil(sn.Callback):
        runs_last = True

        def on_epoch_begin(self, epoch, logs=None):
            self.model.layers[0].params["kernel"][0, 0] = np.nan

    with pytest.raises(DivergedError, match=r"in step 5 .* the first step since the run was resumed, so there are no"):
        model().fit(X, Y, 20, 3, callbacks=[sn.BackupAndRestore(tmp_path, delete_checkpoint=False), Spoil()], verbose=0)


class SpoilTheLastStep(sn.Callback):
    """As if the update of the second epoch's last step gave NaN."""

    runs_first = True

    def __init__(self, value):
        self.value, self.epoch = value, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (1, 1):
            self.model.layers[0].params["kernel"][0, 0] = self.value


@pytest.mark.parametrize(
    ("value", "validation", "message"),
    [
        (np.nan, None, "weights became NaN or infinite in step 4, the last of epoch 2"),
        (np.nan, (X, Y), "the validation loss became nan after epoch 2"),
        (3e38, (X, Y), "the validation loss became (inf|nan) after epoch 2"),
    ],
)
def test_what_the_last_step_of_an_epoch_spoils_is_not_saved(tmp_path, value, validation, message):
    path = tmp_path / "m.safetensors"
    m = runaway(1e-6)
    watchers = [
        sn.ModelCheckpoint(path),
        sn.ModelCheckpoint(tmp_path / "often.safetensors", save_freq=1),
        sn.BackupAndRestore(tmp_path / "b", 1, delete_checkpoint=False),
        SpoilTheLastStep(value),
    ]
    with np.errstate(all="ignore"), pytest.raises(DivergedError, match=message):
        m.fit(X, Y, 20, 3, validation_data=validation, callbacks=watchers, verbose=0)
    assert len(m.history.epoch) == 1
    for good in (m, sn.load_model(path)):
        assert np.isfinite(good.evaluate(X, Y, verbose=0))
    assert finite(sn.load_model(tmp_path / "often.safetensors"))
    m = runaway(1e-6)
    m.fit(X, Y, 20, 3, validation_data=validation, callbacks=watchers[:-1], verbose=0)
    assert len(m.history.epoch) == 3


def test_a_generated_loss_that_is_missing_ends_no_run():
    """NaN stands for what was not measured, such as the metrics of a callback: that is no divergence."""

    class Nothing(sn.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_fid"] = np.nan

    assert len(model().fit(X, Y, epochs=2, callbacks=Nothing(), verbose=0).epoch) == 2
