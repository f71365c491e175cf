"""Keras's own callbacks, where it is installed, make the decisions that are stored in monitor_decisions.json."""

import json
from types import SimpleNamespace

import monitors
import pytest
from with_keras import keras, report  # noqa: F401

compile_utils = pytest.importorskip("keras.src.trainers.compile_utils")


class Metrics(compile_utils.MetricsList):
    """The metrics of a compiled model, as Keras's callbacks look for them."""

    def __init__(self):
        self.metrics = [SimpleNamespace(name=name, _direction=way) for name, way in monitors.METRICS.items() if way]


def theirs(kind, settings, fits):
    callback = getattr(keras.callbacks, kind)(**monitors.arguments(kind, settings))
    return monitors.decisions(callback, monitors.Model(SimpleNamespace(learning_rate=1.0)), callback.monitor, fits)


def direction(name):
    """ "up", "down", or None where Keras raises."""
    callback = keras.callbacks.EarlyStopping(name)
    callback.set_model(monitors.Model(None, [Metrics()]))
    try:
        callback._set_monitor_op()
    except ValueError:
        return None
    return "up" if callback.monitor_op is keras.ops.greater else "down"


@pytest.mark.parametrize("case", monitors.CASES)
def test_decisions(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert theirs(*monitors.CASES[case]) == monitors.stored()["decisions"][case]


@pytest.mark.parametrize("name", monitors.NAMES)
def test_directions(name):
    assert direction(name) == monitors.stored()["directions"][name]


if __name__ == "__main__":
    table = {
        "directions": {name: direction(name) for name in monitors.NAMES},
        "decisions": {name: theirs(*case) for name, case in monitors.CASES.items()},
    }
    parts = [
        f'"{part}": {{\n' + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in rows.items()) + "\n}"
        for part, rows in table.items()
    ]
    monitors.STORED.write_text("{\n" + ",\n".join(parts) + "\n}\n")
