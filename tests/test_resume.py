"""Exact resume: a run that is killed or stopped at any moment, and started again, comes out with the same bits."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ctrl_c import CtrlC
from resumed_run import BATCHES, X, Y, fingerprint, make, train

import scratchnet as sn

PROGRAM = Path(__file__).with_name("resumed_run.py")
KILLS = int(os.environ.get("SCRATCHNET_KILLS", "200"))
CHAINS = 2  # at a time, on a thread each
EPOCHS = 6


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a run prints that has a process of its own, with two threads, and that nobody kills."""
    arguments = [sys.executable, PROGRAM, tmp_path_factory.mktemp("undisturbed"), str(EPOCHS), "epoch"]
    environment = {**os.environ, "NUMBA_NUM_THREADS": "2"}
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout.split()[-1]


class Server:
    """A program that starts a run at each call, in a process of its own that it forks off."""

    def __init__(self, errors):
        self.errors = errors
        environment = {**os.environ, "NUMBA_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with errors.open("w") as file:
            self.process = subprocess.Popen([sys.executable, PROGRAM], stderr=file, text=True, env=environment, **pipes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def run(self, folder, save_freq, kill_after=None):
        """Run, killed so many seconds after it has begun; what it printed, None if it was killed."""
        print(folder, EPOCHS, save_freq, sep="\t", file=self.process.stdin, flush=True)
        last = None
        for line in iter(self.process.stdout.readline, ""):
            if line.startswith("begun") and kill_after is not None:
                time.sleep(kill_after)
                os.kill(int(line.split()[1]), signal.SIGKILL)
            if line.startswith("ended"):
                code = int(line.split()[1])
                assert code in (0, -signal.SIGKILL), self.errors.read_text()
                return last if code == 0 else None
            last = line.strip()
        raise AssertionError(f"the server ended: {self.errors.read_text()}")


def kill_again_and_again(folder, kills, seed):
    """Start the run, kill it at a random moment, start it again, and when it is complete do so with another one.

    Returns:
        What each complete run printed.
    """
    draw, results = random.Random(seed), []
    with contextlib.ExitStack() as stack:
        # Several, since each process that is started anew has its own order of sets and the like.
        servers = [stack.enter_context(Server(folder / f"errors_{n}")) for n in range(3)]
        while kills:
            place, save_freq = folder / str(len(results)), draw.choice([1, 2, 5, "epoch"])
            place.mkdir()
            result = None
            while result is None:
                result = draw.choice(servers).run(place, save_freq, draw.expovariate(1 / 0.08) if kills else None)
                kills -= result is None
            results.append(result)
    return results


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs that are killed are forked, which this system cannot")
def test_killed_at_random_moments(undisturbed, tmp_path):
    folders = [tmp_path / str(n) for n in range(CHAINS)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(CHAINS) as pool:
        chains = list(pool.map(kill_again_and_again, folders, [KILLS // CHAINS] * CHAINS, range(CHAINS)))
    assert all(chains)
    assert {result for results in chains for result in results} == {undisturbed}


@pytest.mark.usefixtures("python_handles_ctrl_c")
@pytest.mark.parametrize("after", [[1], [BATCHES], [BATCHES + 4, 1, 11], [EPOCHS * BATCHES]])
def test_after_ctrl_c(undisturbed, tmp_path, after, capsys):
    for batches in after:
        train(tmp_path, EPOCHS, "epoch", [CtrlC(batches)])
    model = train(tmp_path, EPOCHS)
    assert fingerprint(model, tmp_path) == undisturbed
    epochs = (sum(after) - 1) // BATCHES  # after the last batch of an epoch, its end is still to come
    line = f"run.safetensors: {epochs} epochs and {sum(after) - epochs * BATCHES} batches are done."
    assert line in capsys.readouterr().out


def test_more_epochs(undisturbed, tmp_path):
    train(tmp_path, 2)
    assert train(tmp_path, 2).history.epoch == [0, 1]  # complete: nothing is trained anew
    assert fingerprint(train(tmp_path, EPOCHS), tmp_path) == undisturbed


def test_a_loaded_model_goes_on(tmp_path, capsys):
    """The layers are the same, so the run is, whatever their names."""
    make().save(tmp_path / "start.safetensors")
    capsys.readouterr()
    backup = sn.BackupAndRestore(tmp_path / "b", 5, delete_checkpoint=False)
    sn.set_random_seed(1)
    with pytest.raises(Kill):
        sn.load_model(tmp_path / "start.safetensors").fit(X, Y, 8, 2, callbacks=[backup, Killed(6)], verbose=0)
    model = sn.load_model(tmp_path / "start.safetensors")
    model.fit(X, Y, 8, 2, callbacks=backup, verbose=2)
    sn.set_random_seed(1)
    other = sn.load_model(tmp_path / "start.safetensors")
    other.fit(X, Y, 8, 2, verbose=0)
    assert model.history.history == other.history.history
    assert "0 epochs and 5 batches" in capsys.readouterr().out


class Killed(sn.Callback):
    """Ends training at once after so many batches, without the epoch's end."""

    runs_last = True

    def __init__(self, after):
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == self.after:
            raise Kill


class Kill(Exception):
    """As if the process ended."""


def broken_off(folder, after=4):
    with pytest.raises(Kill):
        train(folder, EPOCHS, 2, [Killed(after)])


def test_a_callback_that_fails_loses_nothing(undisturbed, tmp_path):
    broken_off(tmp_path, 7)
    assert fingerprint(train(tmp_path, EPOCHS, 2), tmp_path) == undisturbed


def test_the_backup_of_another_run(tmp_path):
    broken_off(tmp_path)
    backup = sn.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model = make()
    for arguments, named in (
        ((X[:70] + 1, Y[:70], 8, EPOCHS), "its data was"),
        ((X[:70], Y[:70], 8, EPOCHS), "its data was"),  # without the weights of examples
        ((X, Y, 9, EPOCHS), "its data was"),
    ):
        with pytest.raises(ValueError, match=f"is the backup of another run: {named}"):
            model.fit(*arguments, callbacks=backup, verbose=0)
    other = sn.Sequential([sn.Flatten(), sn.Dense(3)])
    other.compile("sgd", sn.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match=r"its model was Sequential with a checksum of .* Take another path"):
        other.fit(X, Y, callbacks=backup, verbose=0)


def test_batch_size_and_shuffle(tmp_path):
    model = make()
    model.fit(X, Y, 8, 1, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0)
    with pytest.raises(ValueError, match="its batch_size was 8, this one's is 4"):
        model.fit(X, Y, 4, 1, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0)
    with pytest.raises(ValueError, match="its shuffle was True, this one's is False"):
        model.fit(
            X, Y, 8, 1, shuffle=False, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0
        )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"optimizer": sn.SGD(0.1)}, "its optimizer was optimizers.Adam, this one's is optimizers.SGD"),
        ({"optimizer": sn.Adam(0.1, beta_1=0.5)}, "its optimizer.beta_1 was 0.9, this one's is 0.5"),
        (
            {"loss": sn.SparseCategoricalCrossentropy(label_smoothing=0.1)},
            "its loss.label_smoothing was 0.0, .* is 0.1",
        ),
        ({"metrics": []}, "its metrics.0 was metrics.Accuracy, this one's is None"),
    ],
)
def test_other_settings_of_compile(tmp_path, changed, message):
    first = {"optimizer": sn.Adam(0.1), "loss": sn.SparseCategoricalCrossentropy(), "metrics": ["accuracy"]}
    model = make()
    model.compile(**first)
    model.fit(X, Y, 8, 1, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0)
    model.compile(**{**first, **changed})
    with pytest.raises(ValueError, match=f"backup of another run: {message}"):
        model.fit(X, Y, 8, 2, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0)


class Weighted(sn.losses.MeanSquaredError):
    """A loss made with what no file can hold."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights


def test_settings_that_no_file_can_hold_hinder_no_backup(tmp_path):
    for epochs in (1, 2):
        model = sn.Sequential([sn.Flatten(), sn.Dense(1)])
        model.compile("sgd", Weighted(np.ones(3)))
        model.fit(
            X, Y.astype(float), 42, epochs, callbacks=sn.BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=0
        )
    assert model.history.epoch == [0, 1]


@pytest.mark.parametrize(
    ("mine", "message"),
    [
        ([], "CSVLogger of the run are missing"),
        ([sn.CSVLogger("a.csv"), sn.EarlyStopping("loss")], "EarlyStopping was not among"),
    ],
)
def test_other_callbacks(tmp_path, monkeypatch, mine, message):
    monkeypatch.chdir(tmp_path)
    model = make()
    model.fit(
        X, Y, 8, 1, callbacks=[sn.CSVLogger("a.csv"), sn.BackupAndRestore("b", delete_checkpoint=False)], verbose=0
    )
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, 8, 2, callbacks=[*mine, sn.BackupAndRestore("b", delete_checkpoint=False)], verbose=0)


def test_a_damaged_backup_is_named_and_stays(tmp_path):
    broken_off(tmp_path)
    path = tmp_path / "run.safetensors"
    data = bytearray(path.read_bytes())
    for cut, message in ((data[:-100], "damaged or cut off"), (data[:-1] + b"\x99", "do not have its checksum")):
        path.write_bytes(cut)
        with pytest.raises(ValueError, match=message):
            train(tmp_path, EPOCHS)
        assert path.read_bytes() == cut


def test_a_model_is_not_a_backup(tmp_path):
    model = make()
    model.save(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="expected a training run, got a model"):
        model.fit(X, Y, callbacks=sn.BackupAndRestore(tmp_path / "m.safetensors", delete_checkpoint=False), verbose=0)


def test_the_file_goes_when_that_is_wanted(tmp_path):
    path = tmp_path / "new" / "folder" / "run.safetensors"
    model = make()
    with pytest.raises(Kill):
        model.fit(X, Y, 8, 2, callbacks=[sn.BackupAndRestore(path, 3), Killed(4)], verbose=0)
    assert path.is_file()
    model.fit(X, Y, 8, 2, callbacks=sn.BackupAndRestore(path, 3), verbose=0)
    assert list(path.parent.iterdir()) == []


def test_bad_save_freq(tmp_path):
    for wrong in (0, -1, 2.5, True, "batch"):
        with pytest.raises(ValueError, match="BackupAndRestore: expected save_freq"):
            sn.BackupAndRestore(tmp_path, wrong, delete_checkpoint=False)
        with pytest.raises(ValueError, match="expected save_freq"):
            sn.ModelCheckpoint(tmp_path, save_freq=wrong)


def test_it_costs_no_random_numbers(tmp_path):
    """A run with a backup is the run without one."""
    model, other = make(), make()
    for m, watchers in ((model, [sn.BackupAndRestore(tmp_path, 1, delete_checkpoint=False)]), (other, [])):
        sn.set_random_seed(8)
        m.set_weights([np.full_like(w, 0.01) for w in m.get_weights()])
        m.fit(X, Y, 8, 2, callbacks=watchers, verbose=0)
    assert model.history.history == other.history.history
