"""Printing ends no run: not without a console, not on one that has no letters for a name."""

import io
import os
import subprocess
import sys

import pytest
from processes import python

from scratchnet.printing import say, usable

RUN = """
import sys
import numpy as np, scratchnet as sn

for stream in sys.argv[1].split(","):
    if stream.endswith("closed"):
        getattr(sys, stream.removesuffix("closed")).close()
    elif stream:
        setattr(sys, stream, None)

class Stuck(sn.Callback):
    runs_first = True
    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = 1.0

x, y = np.ones((8, 3), np.float32), np.zeros((8, 1), np.float32)
model = sn.Sequential([sn.Dense(1, input_shape=(3,), name="\u5c42"), sn.BatchNormalization()], name="\u6a21\u578b")
model.compile("sgd", "mse")
model.summary()
callbacks = [
    Stuck(), sn.EarlyStopping(patience=2, verbose=1), sn.ReduceLROnPlateau(patience=1, verbose=1),
    sn.LearningRateScheduler(lambda epoch: 0.1, verbose=1),
    sn.ModelCheckpoint(sys.argv[2], monitor="loss", verbose=1),
]
for verbose in (1, 2):
    model.fit(x, y, epochs=5, verbose=verbose, callbacks=callbacks, validation_split=0.5)
model.evaluate(x, y)
model.fit(x, y, epochs=4, callbacks=sn.BackupAndRestore(sys.argv[2] + "_backup"))

from scratchnet import doctor
doctor.main()
open(sys.argv[2] + "_done", "w").close()
"""


@pytest.mark.parametrize("streams", ["", "stdout", "stderr", "stdout,stderr", "stdoutclosed", "stdoutclosed,stderr"])
def test_a_run_without_a_console(tmp_path, streams):
    python("-W", "ignore", "-c", RUN, streams, tmp_path / "model.safetensors", PYTHONIOENCODING="utf-8")
    assert (tmp_path / "model.safetensors_done").exists()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk"])
def test_a_console_that_lacks_letters(tmp_path, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-W", "ignore", "-c", RUN, "", tmp_path / "model.safetensors"]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")
    name = "模型" if encoding == "gbk" else "??"
    assert f"Model '{name}'" in done.stdout.decode(encoding)


def test_say_prints_as_print_does(capsys):
    say("a", 1, None)
    say("b", "c", sep="\n")
    assert capsys.readouterr().out == "a 1 None\nb\nc\n"


def test_say_replaces_letters_that_the_stream_lacks(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    say("层 1")
    assert stream.buffer.getvalue() == b"? 1\n"


def test_a_stream_is_usable_while_it_is_open():
    stream = io.StringIO()
    assert usable(stream)
    stream.close()
    assert not usable(stream)
    assert not usable(None)


def test_say_leaves_other_errors(monkeypatch):
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(BrokenPipeError):
        say("a")
