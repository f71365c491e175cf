"""A training run with everything that a resumed run must carry on; as a program, one that can be killed.

    python resumed_run.py FOLDER EPOCHS SAVE_FREQ

It writes its checkpoints, its log and its backup into the folder, prints "begun" and its process's number when training
begins, and at its end a hash of all that came out. Without arguments it reads them, parted by tabs, line by line from
its input, runs each in a process forked off, and prints "ended" and the exit code after it: importing takes most of so
short a run, and is done once. (No kernel runs before the fork: GNU's OpenMP ends what is forked off a process that ran
one.)
"""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np

import scratchnet as sn

X = np.random.default_rng(0).normal(size=(84, 8, 8, 2)).astype(np.float32)
Y = (np.arange(84) % 3)[:, None]
BATCHES = 9  # of an epoch: 70 of the 84 are trained on, 8 at a time, the last time 6


class Begun(sn.Callback):
    """Says that training begins, for whoever waits to kill it."""

    runs_last = True

    def on_train_begin(self, logs=None):
        print("begun", os.getpid(), flush=True)


def make():
    """The model; with names, or they would count up from one to the next, and so its files would differ."""
    sn.set_random_seed(5)
    residual = sn.Chain(
        [
            sn.Conv2D(6, 3, padding="same", use_bias=False, name="conv_2"),
            sn.BatchNormalization(name="norm"),
            sn.ReLU(name="relu"),
        ],
        name="residual",
    )
    identity = sn.Chain([], name="identity")
    model = sn.Sequential(
        [
            sn.Conv2D(6, 3, padding="same", activation="relu", input_shape=(8, 8, 2), name="conv_1"),
            sn.Parallel([residual, identity], name="shortcut"),
            sn.MaxPooling2D(name="pool"),
            sn.Dropout(0.3, name="dropout"),
            sn.Flatten(name="flatten"),
            sn.Dense(3, activation="softmax", name="scores"),
        ],
        name="model",
    )
    optimizer = sn.AdamW(sn.CosineDecay(0.02, 60), weight_decay=0.01, clipnorm=1.0)
    model.compile(optimizer, sn.SparseCategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
    return model


def callbacks(folder, save_freq="epoch"):
    return [
        sn.ExponentialMovingAverage(0.9),
        sn.EarlyStopping(patience=50, restore_best_weights=True),
        sn.ModelCheckpoint(folder / "best.safetensors", "val_accuracy", save_best_only=True),
        sn.ModelCheckpoint(folder / "last.safetensors", save_freq=7),
        sn.CSVLogger(folder / "log.csv"),
        sn.BackupAndRestore(folder, save_freq, delete_checkpoint=False),
    ]


def train(folder, epochs, save_freq="epoch", extra=()):
    """The run; goes on where the folder's backup says."""
    model = make()
    watchers = [*callbacks(Path(folder), save_freq), *extra]
    weights = 0.5 + np.arange(len(X)) % 4
    model.fit(
        X,
        Y,
        8,
        epochs,
        validation_split=1 / 6,
        callbacks=watchers,
        verbose=2,
        class_weight={1: 2.0},
        sample_weight=weights,
        augment=sn.Augment(1, rotation=10, brightness=0.1, cutout=2, value_range=(-4, 4)),
    )
    return model


def fingerprint(model, folder):
    """A hash of weights, optimizer, counters, history, and of the files that the run left."""
    digest = hashlib.sha256()
    arrays = [*model.get_weights(), *(a for part in model.optimizer.state.values() for a in part.values())]
    for array in [*arrays, model.predict(X)]:
        digest.update(array.tobytes())
    counters = [layer.get_counters() for layer in model.layers]
    digest.update(repr((model.history.history, model.history.epoch, model.optimizer.iterations, counters)).encode())
    digest.update(repr(sn.random.generator().integers(0, 2**63)).encode())
    for name in ("best.safetensors", "last.safetensors", "log.csv"):
        digest.update((Path(folder) / name).read_bytes())
    return digest.hexdigest()


def main(place, count, freq):
    print(fingerprint(train(place, int(count), freq if freq == "epoch" else int(freq), [Begun()]), place), flush=True)


def serve():
    for line in sys.stdin:
        child = os.fork()
        if not child:
            main(*line.rstrip("\n").split("\t"))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:]) if sys.argv[1:] else serve()
