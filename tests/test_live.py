"""The live figure: one in a notebook, which grows; nothing elsewhere."""

import builtins
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import scratchnet as sn

pytest.importorskip("matplotlib.pyplot", reason="figures need matplotlib")
X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = np.arange(20) % 2


def fit(callback):
    model = sn.Sequential([sn.Dense(2, activation="softmax", input_shape=(3,))])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, 10, 3, validation_data=(X, Y), callbacks=callback, verbose=0)
    return model.history.history


class Shown:
    """IPython's display, which notes what is shown."""

    def __init__(self):
        self.first, self.later = [], []

    def __call__(self, figure, display_id):
        assert display_id
        self.first.append(figure)
        return SimpleNamespace(update=self.later.append)


def test_in_a_notebook_one_figure_grows(monkeypatch):
    sn.plot.history({"loss": [1.0]})  # matplotlib looks for IPython once, and would ask more of it than there is here
    shown = Shown()
    shell = SimpleNamespace(kernel=object())
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=shown))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    live = sn.LiveCurve("digits")
    for run in (1, 2):
        history = fit(live)
        assert (len(shown.first), len(shown.later)) == (run, 2 * run)
    for figure, epochs in zip([shown.first[-1], *shown.later[-2:]], (1, 2, 3)):
        training, validation = figure.axes[0].lines
        assert training.get_ydata().tolist() == history["loss"][:epochs]
        assert validation.get_ydata().tolist() == history["val_loss"][:epochs]
        assert figure.get_suptitle() == "digits"


@pytest.mark.parametrize("shell", [None, SimpleNamespace()])  # plain Python, and IPython in a terminal
def test_elsewhere_nothing_is_shown(monkeypatch, shell):
    shown = Shown()
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=shown))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    fit(sn.LiveCurve())
    assert shown.first == []


def test_without_matplotlib_it_says_so_before_training(monkeypatch):
    def no_matplotlib(name, *arguments, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    model = sn.Sequential([sn.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    with pytest.raises(ImportError, match=r'pip install "scratchnet\[notebooks\]"'):
        model.fit(X, X[:, :2], callbacks=sn.LiveCurve(), verbose=0)
    assert model.optimizer.iterations == 0
