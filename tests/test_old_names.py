"""Programs of Keras 1 and 2: each old name works with one warning, and what is not built says what there is instead."""

import importlib
import importlib.util
import inspect
import itertools
import pickle
import sys
import types
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from processes import python

import scratchnet as sn
from scratchnet import unbuilt
from scratchnet.old_names import OldName, arguments, attributes, names, renamed, warning
from scratchnet.old_names.arguments import ARGUMENTS
from scratchnet.old_names.names import MODULES, NAMES

PACKAGE = Path(sn.__file__).parent
ROOMS = ("layers", "optimizers", "callbacks", "preprocessing.image", "models", "utils", "training.trainable", "gan")
METHODS = {"compile", "evaluate", "fit", "predict"}
X = np.random.default_rng(0).random((12, 4)).astype(np.float32)
Y = np.arange(12) % 3


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch):
    monkeypatch.setattr(warning, "_told", set())


@contextmanager
def told(count):
    """So many warnings come, each of an old name, each at a line of this file."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield seen
    assert [(each.category, Path(each.filename).name) for each in seen] == [(OldName, Path(__file__).name)] * count


def room(name):
    full = f"scratchnet.{name}".rstrip(".")
    return importlib.import_module(full) if importlib.util.find_spec(full) else None


def there(name):
    """The class or function of that name; None where no room has it."""
    if name in METHODS:
        return getattr(sn.Sequential, name)
    found = [vars(room(one)).get(name) for one in ROOMS if room(one) is not None]
    return next((one for one in found if one is not None), None)


def parameters(thing):
    """Names of the arguments; for a class of all that its constructor hands on, too."""
    owners = [c.__init__ for c in thing.__mro__] if inspect.isclass(thing) else [thing]
    return {name for one in owners if one is not object.__init__ for name in inspect.signature(one).parameters}


def old_arguments():
    return [(owner, old, rule) for owner, rules in ARGUMENTS.items() for old, rule in rules.items()]


@pytest.mark.parametrize(
    ("owner", "old", "rule"), old_arguments(), ids=lambda value: value if type(value) is str else ""
)
def test_every_argument_is_of_something_that_there_is(owner, old, rule):
    thing = there(owner)
    if thing is None:
        pytest.skip(f"{owner} is not there")
    known = parameters(thing)
    if not callable(rule):
        assert old not in known
    if isinstance(rule, str):
        assert rule in known


SHAPE = {"input_shape": (8, 8, 3)}
CALLS = [
    (sn.Adam, {"lr": 0.1, "decay": 1e-3}, {"learning_rate": sn.InverseTimeDecay(0.1, 1, 1e-3)}),
    (sn.RMSprop, {"lr": 0.1, "decay": 0.0, "epsilon": None}, {"learning_rate": 0.1}),
    (sn.SGD, {"decay": 0.5}, {"learning_rate": sn.InverseTimeDecay(0.01, 1, 0.5)}),
    (sn.Nadam, {"lr": 0.002, "schedule_decay": 0.004}, {"learning_rate": 0.002}),
    (
        sn.layers.Conv2D,
        {"nb_filter": 4, "nb_row": 3, "nb_col": 5, "border_mode": "same", "subsample": (2, 2), "init": "he_normal"}
        | {"bias": False, "dim_ordering": "tf", "W_regularizer": None, "b_regularizer": None}
        | {"W_constraint": None, "b_constraint": None},
        {"filters": 4, "kernel_size": (3, 5), "padding": "same", "strides": (2, 2), "kernel_initializer": "he_normal"}
        | {"use_bias": False},
    ),
    (
        sn.layers.Conv2DTranspose,
        {"nb_filter": 4, "nb_row": 3, "nb_col": 3, "output_shape": (None, 16, 16, 4), "subsample": 2},
        {"filters": 4, "kernel_size": (3, 3), "strides": 2},
    ),
    (sn.layers.Dense, {"output_dim": 3, "init": "zeros"}, {"units": 3, "kernel_initializer": "zeros"}),
    (
        sn.layers.Dense,
        {"units": 3, "batch_input_shape": (None, 4), "input_dtype": "float32"},
        {"units": 3, "input_shape": (4,)},
    ),
    (sn.layers.Dropout, {"p": 0.25}, {"rate": 0.25}),
    (sn.layers.MaxPooling2D, {"border_mode": "same", "dim_ordering": "tf"}, {"padding": "same"}),
    (sn.layers.AveragePooling2D, {"pool_size": 2, "border_mode": "same"}, {"pool_size": 2, "padding": "same"}),
    (sn.layers.BatchNormalization, {"mode": 0, "beta_init": "ones"}, {"beta_initializer": "ones"}),
    (sn.layers.Flatten, {"dim_ordering": "tf"}, {}),
    (sn.layers.UpSampling2D, {"size": (2, 2), "dim_ordering": "tf"}, {"size": (2, 2)}),
]  # fmt: skip


def config(thing):
    """All that it was made with, without its name, which is counted on."""
    found = {name: value for name, value in thing.get_config().items() if name != "name"}
    return {name: config(one) if hasattr(one, "get_config") else one for name, one in found.items()} | {
        "input_shape": getattr(thing, "input_shape", None)
    }


@pytest.mark.parametrize(("make", "old", "today"), CALLS, ids=[make.__name__ for make, _, _ in CALLS])
def test_a_constructor_s_old_arguments_are_today_s(make, old, today):
    with told(len(old.keys() - {"size", "pool_size", "units", "nb_col"})):  # nb_row's warning names both
        one = make(**old)
    assert config(one) == config(make(**today))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert config(make(**old)) == config(one)  # each name is told once
        assert config(make(**one.get_config())) == config(one)


def test_the_warning_says_today_s_way():
    with pytest.warns(OldName, match=r"^Adam\(lr=\.\.\.\) is of an earlier Keras: write learning_rate=0\.1\.$"):
        sn.Adam(lr=0.1)
    with pytest.warns(OldName, match=r"write learning_rate=InverseTimeDecay\(0\.001, 1, 1e-06\)\.$"):
        sn.Adam(decay=1e-6)
    with pytest.warns(OldName, match=r"fit\(workers=\.\.\.\) .* leave it out, it has no effect\.$"):
        compiled().fit(X, Y, verbose=0, workers=4)


def test_the_rate_with_decay_falls_as_in_keras_2():
    with pytest.warns(OldName):
        optimizer = sn.SGD(lr=0.5, decay=0.25)
    w = {"w": np.zeros(1)}
    for _ in range(4):
        optimizer.update(w, {"w": np.ones(1)})
    assert w["w"][0] == pytest.approx(-sum(0.5 / (1 + 0.25 * n) for n in range(4)))


def test_what_was_never_there_stays_an_error():
    with pytest.raises(TypeError, match="unknown argument 'nb_rows'"):
        sn.layers.Conv2D(3, 3, nb_rows=3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'learning_rat'"):
        sn.Adam(learning_rat=0.1)
    with pytest.raises(TypeError, match="SGD: lr is an earlier name of learning_rate, got both"):
        sn.SGD(lr=0.1, learning_rate=0.1)
    with pytest.raises(ValueError, match="mode=1 was LayerNormalization"):
        sn.layers.BatchNormalization(mode=1)
    with pytest.warns(OldName), pytest.raises(ValueError, match="Channels come last"):
        sn.layers.Conv2D(3, 3, dim_ordering="th")


def test_a_class_of_a_reader_s_has_its_own_arguments():
    class Mine(sn.layers.Dense):
        def __init__(self, units, p=0.5, **options):
            super().__init__(units, **options)
            self.p = p

    assert Mine(3, p=0.25).get_config()["p"] == 0.25
    with pytest.warns(OldName, match=r"Mine\(init="):
        assert Mine(3, init="zeros").get_config()["init"] == "zeros"

    def init(lr):
        """Of no class."""

    assert renamed(init, (), {"lr": 1}) == ((), {"lr": 1})


def test_the_rate_under_its_old_name():
    model = compiled()
    with told(1) as seen:
        assert model.optimizer.lr == model.optimizer.learning_rate
        model.optimizer.lr = 0.25
    assert model.optimizer.learning_rate == 0.25
    assert "write optimizer.learning_rate" in str(seen[0].message)


def compiled(metrics=("accuracy",)):
    model = sn.Sequential([sn.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def test_arguments_of_fit_evaluate_and_predict():
    model = compiled()
    with told(5):
        history = model.fit(X, Y, nb_epoch=3, verbose=0, show_accuracy=True)
        model.fit(X, Y, nb_epoch=1, verbose=0)
        model.evaluate(X, Y, verbose=0, workers=2)
        model.predict(X, verbose=0, use_multiprocessing=True)
        model.compile("sgd", "mse", class_mode="binary")
    assert history.epoch == [0, 1, 2]


class Calls(attributes.Methods):
    """Notes what `fit`, `evaluate` and `predict` are called with."""

    def __init__(self, result=None):
        self.result = result

    def note(self, x, **kwargs):
        self.x, self.kwargs = x, kwargs
        return self.result

    fit = evaluate = predict = note


def test_fit_generator_is_fit():
    model, stream, held_out = Calls(), iter([(X, Y)]), (X, Y)
    with pytest.warns(OldName, match=r"model\.fit_generator .* write model\.fit\(generator, \.\.\.\)"):
        model.fit_generator(stream, 5, 3, 0, [], held_out, class_weight={0: 2.0}, workers=2)
    assert model.x is stream
    assert model.kwargs == {
        "steps_per_epoch": 5, "epochs": 3, "verbose": 0, "callbacks": [], "validation_data": held_out,
        "class_weight": {0: 2.0}, "workers": 2,
    }  # fmt: skip


def test_fit_generator_counts_examples_as_keras_1_did():
    model = Calls()
    batches = ((X[i : i + 5], Y[i : i + 5]) for i in itertools.cycle((0, 5)))
    with pytest.warns(OldName):
        model.fit_generator(
            batches, samples_per_epoch=12, nb_epoch=2, validation_data=iter([(X, Y)]), nb_val_samples=24
        )
    assert model.kwargs["steps_per_epoch"] == 3
    assert model.kwargs["epochs"] == 2
    assert model.kwargs["validation_steps"] == 2
    assert len(next(model.x)[0]) == 5  # the batch that was looked at comes first
    np.testing.assert_array_equal(next(model.x)[0], X[5:10])

    flow = sn.preprocessing.image.ImageDataGenerator().flow(np.zeros((6, 4, 4, 1)), np.zeros(6), 4)
    model.fit_generator(flow, samples_per_epoch=6, validation_data=(X, Y), nb_val_samples=12)
    assert model.x is flow
    assert model.kwargs["steps_per_epoch"] == 2
    assert "validation_steps" not in model.kwargs


def test_evaluate_generator_and_predict_generator():
    model, stream = Calls(7), iter([(X, Y)])
    with told(2):
        assert model.evaluate_generator(stream, 4) == 7
        assert (model.x, model.kwargs) == (stream, {"steps": 4, "verbose": 0})
        assert model.predict_generator(stream, steps=2, verbose=1) == 7
        assert (model.x, model.kwargs) == (stream, {"steps": 2, "verbose": 1})
        model.evaluate_generator(stream, val_samples=24)
        assert model.kwargs["steps"] == 2


def test_predict_classes_and_predict_proba():
    model = compiled()
    p = model.predict(X)
    with told(2):
        np.testing.assert_array_equal(model.predict_proba(X), p)
        np.testing.assert_array_equal(model.predict_classes(X, verbose=0), p.argmax(axis=1))
        one = Calls(np.array([[0.25], [0.75]]))
        np.testing.assert_array_equal(one.predict_classes(X), [[0], [1]])


def test_values_under_their_old_names(tmp_path):
    model = compiled()
    with told(2):
        history = model.fit(
            X,
            Y,
            epochs=2,
            verbose=0,
            validation_data=(X, Y),
            callbacks=[
                sn.ModelCheckpoint(tmp_path / "{epoch}-{val_acc:.2f}.safetensors", "val_acc", save_best_only=True),
                sn.EarlyStopping("acc", patience=5),
            ],
        ).history
        assert history["acc"] == history["accuracy"]
        assert history["val_acc"] == history["val_accuracy"]
    assert "acc" not in history
    assert next(path.name for path in tmp_path.iterdir()) == f"1-{history['val_accuracy'][0]:.2f}.safetensors"
    with pytest.raises(KeyError, match="'lr'"):
        history["lr"]
    assert pickle.loads(pickle.dumps(history)) == history
    assert repr(history).startswith("{'accuracy'") or repr(history).startswith("{'loss'")


def test_a_metric_called_acc_is_in_the_history_as_acc():
    history = compiled(["acc"]).fit(X, Y, verbose=0, validation_data=(X, Y)).history
    assert {"acc", "val_acc"} < history.keys()


def test_a_checkpoint_every_third_epoch(tmp_path):
    checkpoint = sn.ModelCheckpoint(tmp_path / "{epoch}.safetensors", period=3)
    compiled().fit(X, Y, epochs=7, verbose=0, callbacks=checkpoint)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.safetensors", "6.safetensors"]
    with pytest.raises(ValueError, match="ModelCheckpoint: expected period"):
        sn.ModelCheckpoint(tmp_path, period=0)
    with pytest.warns(OldName, match="write min_delta=0.5"):
        assert sn.ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5


@pytest.mark.parametrize(("place", "name"), [(place, name) for place, known in NAMES.items() for name in known])
def test_every_old_name_of_a_room(place, name):
    if room(place) is None:
        pytest.skip(f"{place} is not there")
    path, better = NAMES[place][name]
    # Some modules have the name of an old function.
    if isinstance(vars(room(place)).get(name), types.ModuleType) or f"{place}.{name}" in MODULES:
        if isinstance(path, str):
            with told(1):
                assert type(getattr(room(place), name)()) is getattr(*_owner(path))
        return
    assert name not in vars(room(place)), "it is there: take it out of the table"
    if isinstance(path, str) and not hasattr(*_owner(path)):
        assert not hasattr(room(place), name)
        pytest.skip(f"{path} is not there")
    with told(better is not None):
        thing = getattr(room(place), name)
        assert getattr(room(place), name) is thing
    if isinstance(path, str):
        assert thing is getattr(*_owner(path))


def _owner(path):
    module, _, name = path.rpartition(".")
    return room(module), name


def test_layers_of_keras_1():
    with told(6) as seen:
        one = sn.layers.Convolution2D(4, 3, 5, "he_normal", border_mode="same")
        two = sn.layers.Deconvolution2D(4, 3, 3, output_shape=(None, 8, 8, 4), subsample=(2, 2))
    assert (one.filters, one.kernel_size, one.strides, one.padding) == (4, (3, 5), (1, 1), "same")
    assert one.get_config()["kernel_initializer"] == "he_normal"
    assert (type(two), two.kernel_size, two.strides) == (sn.layers.Conv2DTranspose, (3, 3), (2, 2))
    assert any("Conv2D(4, (3, 5), ...)" in str(each.message) for each in seen)
    assert sn.layers.Convolution2D(4, (3, 3)).kernel_size == (3, 3)  # as Keras 3 has it, without a warning
    assert sn.layers.Conv2D(4, 3, 2).strides == (2, 2)
    assert sn.layers.MaxPool2D is sn.layers.MaxPooling2D


@pytest.mark.skipif(not hasattr(sn.layers, "Concatenate"), reason="there is nothing to merge with")
def test_merge_of_keras_1():
    merge = sn.layers.merge
    with told(2):
        both = merge([X, X], mode="concat", concat_axis=1)
        total = merge([X, X])
    np.testing.assert_array_equal(both, np.concatenate([X, X], axis=1))
    np.testing.assert_array_equal(total, X + X)
    with pytest.raises(ValueError, match="merge: mode='cos' is not there any more"):
        merge([X, X], mode="cos")


@pytest.mark.parametrize("module", MODULES)
def test_every_old_module(module):
    place = PACKAGE.joinpath(*module.split("."))
    assert not place.is_dir(), "it is one of today's: take it out of the table"
    assert not place.with_suffix(".py").exists(), "it is one of today's: take it out of the table"
    if any(room(today) is None for today in MODULES[module]) or room(module.rpartition(".")[0]) is None:
        pytest.skip("its room is not there")
    old, today = importlib.import_module(f"scratchnet.{module}"), room(MODULES[module][0])
    name = next(one for one in old.__all__ if callable(getattr(today, one)))
    with told(1) as seen:
        assert getattr(old, name) is getattr(today, name)
        getattr(old, name)
    assert str(seen[0].message).startswith(f"scratchnet.{module} is of an earlier Keras: write from scratchnet.")
    assert set(getattr(today, "__all__", ())) <= set(old.__all__)
    assert not hasattr(old, "nonsense")
    assert not hasattr(old, "__wrapped__")
    parent, _, last = module.rpartition(".")
    assert getattr(room(parent), last) is old


def test_imports_of_old_programs():
    text = """
from scratchnet.layers.core import Dense, Flatten
from scratchnet.layers.convolutional import *
import scratchnet.layers.experimental.preprocessing as preprocessing
from scratchnet.optimizers import legacy
import scratchnet as keras
assert Conv2D is keras.layers.Conv2D and preprocessing.Rescaling is keras.layers.Rescaling
assert legacy.Adam is keras.optimizers.Adam
assert keras.optimizers.rmsprop(lr=0.1, decay=1e-6).learning_rate == 0.1
assert keras.layers.normalization.BatchNormalization is keras.layers.BatchNormalization
"""
    assert python("-W", "ignore", "-c", text) == ""


def unbuilt_names():
    return [(place, name) for place, known in unbuilt.UNBUILT.items() for name in known]


@pytest.mark.parametrize(("place", "name"), unbuilt_names())
def test_what_is_not_built_says_what_there_is_instead(place, name):
    module = room(place)
    if module is None:
        pytest.skip(f"{place} is not there")
    assert name not in getattr(module, "__all__", ()), "it is built: take it out of the table"
    assert not hasattr(module, name), "it is built: take it out of the table"
    full, said = ".".join(["scratchnet", *([place] if place else []), name]), unbuilt.UNBUILT[place][name]
    assert said.endswith(".")
    text = f"{full} is not built. {said}"
    with pytest.raises(AttributeError) as attribute:
        getattr(module, name)
    assert str(attribute.value) == text
    if hasattr(module, "__path__"):
        with pytest.raises(ImportError) as imported:
            exec(f"from {module.__name__} import {name}")
        assert str(imported.value) == text
        with pytest.raises(ImportError) as imported:
            importlib.import_module(full)
        assert str(imported.value) == text


def test_a_program_that_asks_for_a_tape_ends_with_the_way():
    text = "try:\n    from scratchnet import GradientTape\nexcept ImportError as error:\n    print(error)"
    assert "loss.value_and_gradient" in python("-c", text)
    with pytest.raises(ImportError, match=r"layers\.Lambda is not built"):
        from scratchnet.layers.core import Lambda  # noqa: F401
    with pytest.raises(ImportError, match="There are no weights of ImageNet"):
        import scratchnet.applications.vgg16  # noqa: F401


def test_a_misspelt_name_is_as_in_any_module():
    assert not hasattr(sn, "nonsense")
    with pytest.raises(AttributeError, match="module 'scratchnet' has no attribute 'Adm'"):
        sn.Adm  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'nonsense' from 'scratchnet'"):
        from scratchnet import nonsense  # noqa: F401
    with pytest.raises(ModuleNotFoundError):
        import scratchnet.nonsense  # noqa: F401
    with pytest.raises(AttributeError, match=r"module 'scratchnet\.layers' has no attribute 'Adm'"):
        names.find_in_module("layers.core", "Adm")
    assert sum(isinstance(finder, unbuilt.Finder) for finder in sys.meta_path) == 1
    unbuilt.install()
    assert sum(isinstance(finder, unbuilt.Finder) for finder in sys.meta_path) == 1


def test_values_are_described_as_a_program_writes_them():
    assert arguments._described(0.5) == "0.5"
    assert arguments._described(sn.Zeros()) == "Zeros()"
    assert arguments._described(sn.InverseTimeDecay(0.5, 1, 0.25, True)) == "InverseTimeDecay(0.5, 1, 0.25, True)"


def test_a_room_s_own_way_with_missing_names_comes_first():
    asked = unbuilt.ask("layers", lambda name: {"LSTM": 1}[name] if name == "LSTM" else object().nothing)
    assert asked("LSTM") == 1
    with pytest.raises(AttributeError, match=r"layers\.GRU is not built"):
        asked("GRU")


@pytest.mark.skipif(room("backend") is None, reason="there is no backend")
def test_settings_of_the_backend_under_old_names():
    backend = room("backend")
    with told(2):
        assert backend.image_dim_ordering() == "tf"
        backend.set_image_dim_ordering("tf")
    with pytest.raises(ValueError, match="transpose"):
        backend.set_image_dim_ordering("th")
    with told(1):
        from scratchnet.backend.tensorflow_backend import epsilon
    assert epsilon is backend.epsilon
