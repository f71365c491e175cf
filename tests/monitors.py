"""Callbacks that watch a value: runs with given values, and what the callback decided in each, of ours and of Keras.

monitor_decisions.json holds what Keras 3.15 decides. With Keras installed, `python tests/test_keras_monitors.py` writes
it anew.
"""

import json
import warnings
from pathlib import Path

import numpy as np

STORED = Path(__file__).with_name("monitor_decisions.json")

# Each is two fits with one callback object, a value an epoch; None where the logs do not have it. All are binary
# fractions: Keras compares in float32.
SEQUENCES = {
    "falls": [[5, 4, 3, 2, 1], [4, 3, 2, 0.5]],
    "rises": [[1, 2, 3, 4, 5], [0.5, 2, 6]],
    "a valley": [[5, 3, 4, 4, 2, 6, 6, 6], [4, 4, 2, 3, 3, 3]],
    "little by little": [[4, 3.75, 3.5, 3.25, 3, 2.75, 2.5], [2.5, 2.5, 2.25, 2.25]],
    "a plateau": [[2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1], [1, 1, 1, 1]],
    "sometimes missing": [[None, 3, None, 2, 4, 4, 4], [None, None, 1, 2]],
}
BOTH = [{}, {"mode": "min"}, {"mode": "max"}, {"monitor": "loss"}]
SETTINGS = {
    "EarlyStopping": [
        *BOTH,
        {"patience": 1},
        {"patience": 2},
        {"patience": 2, "restore_best_weights": True},
        {"patience": 1, "mode": "max", "restore_best_weights": True},
        {"patience": 9, "restore_best_weights": True},
        {"patience": 2, "min_delta": 0.5},
        {"patience": 2, "min_delta": -0.5, "restore_best_weights": True},
        {"patience": 2, "min_delta": 0.25, "mode": "max"},
        {"patience": 2, "baseline": 2.5, "restore_best_weights": True},
        {"patience": 3, "baseline": 0, "restore_best_weights": True},
        {"patience": 2, "baseline": 3, "mode": "max", "restore_best_weights": True},
        {"patience": 2, "baseline": 3, "min_delta": 0.5},
        {"patience": 1, "start_from_epoch": 2, "restore_best_weights": True},
        {"patience": 1, "start_from_epoch": 4, "baseline": 1},
        {"start_from_epoch": 99, "restore_best_weights": True},
    ],
    "ReduceLROnPlateau": [
        *BOTH,
        {"patience": 1},
        {"patience": 0},
        {"patience": 2, "factor": 0.5},
        {"patience": 1, "mode": "max", "factor": 0.5},
        {"patience": 2, "min_delta": 0.5},
        {"patience": 2, "min_delta": -0.5},
        {"patience": 1, "cooldown": 1, "factor": 0.5},
        {"patience": 2, "cooldown": 3, "factor": 0.5},
        {"patience": 1, "min_lr": 0.25, "factor": 0.5},
        {"patience": 1, "min_lr": 0.25, "factor": 0.5, "cooldown": 2},
        {"patience": 1, "min_lr": 4.0},
        {"patience": 1, "factor": 0.0},
    ],
    "ModelCheckpoint": [
        {},
        *({"save_best_only": True, **one} for one in BOTH),
        {"save_best_only": True, "initial_value_threshold": 2.5},
        {"save_best_only": True, "initial_value_threshold": 3, "mode": "max"},
        {"save_best_only": True, "save_weights_only": True},
        {"save_weights_only": True},
        {"save_freq": 3},
        {"save_freq": 1},
        {"save_freq": 5, "save_weights_only": True},
    ],
}
CASES = {
    f"{kind} {json.dumps(settings)} {name}": (kind, settings, fits)
    for kind, rows in SETTINGS.items()
    for settings in rows
    for name, fits in SEQUENCES.items()
}

# Which of two values is better with mode="auto": the name, and the metrics of the model with their directions.
METRICS = {"accuracy": "up", "loss_of_mine": "down", "unknown": None}
NAMES = ["loss", "val_loss", "accuracy", "val_accuracy", "loss_of_mine", "val_loss_of_mine", "unknown", "val_unknown"]
NAMES += ["los", "score", "learning_rate", "d_loss"]


class Model:
    """What the callbacks see of a model; its weights are the number of the epoch."""

    def __init__(self, optimizer, metrics=()):
        self.optimizer, self.metrics, self.params, self.state = optimizer, metrics, {}, {}
        self.stop_training, self.restored = False, None
        self.saved = []

    def get_weights(self):
        return [np.array(self.epoch)]

    def set_weights(self, weights):
        self.restored = int(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(Path(path).name.split(".")[0])

    save_weights = save


def arguments(kind, settings):
    """Those of the constructor: a checkpoint's file has an ending that both take, and says which epoch wrote it."""
    if kind != "ModelCheckpoint":
        return settings
    name = "{epoch}_{batch}" if "save_freq" in settings else "{epoch}"
    return {"filepath": name + (".weights.h5" if settings.get("save_weights_only") else ".keras"), **settings}


def decisions(callback, model, monitor, fits):
    """What the callback does with these values: for each fit, what is seen from outside."""
    callback.set_model(model)
    seen = []
    for values in fits:
        model.stop_training, model.restored, model.saved = False, None, []
        callback.on_train_begin({})
        epochs, rates, warned = 0, [], 0
        for epoch, value in enumerate(values):
            model.epoch = epoch
            callback.on_epoch_begin(epoch, {})
            for batch in range(2):
                callback.on_train_batch_begin(batch, {})
                callback.on_train_batch_end(batch, {"loss": 1.0})
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                callback.on_epoch_end(epoch, {} if value is None else {monitor: value})
            warned += len(caught)
            rates.append(float(model.optimizer.learning_rate))
            epochs += 1
            if model.stop_training:
                break
        callback.on_train_end({})
        one = {"epochs": epochs, "restored": model.restored, "saved": model.saved, "warned": warned}
        one |= {"rates": [rate for rate in rates if rate != 1.0], "best": callback.best}
        seen.append({name: value for name, value in one.items() if value not in (None, [], 0)})
    return seen


def stored():
    return json.loads(STORED.read_text())
