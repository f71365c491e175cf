"""Keras's signatures: what Keras has, we take in its order and with its defaults; the rest is ours, by name only."""

import inspect
import re

import numpy as np
import pytest
from keras_signatures import METHODS, NAMES, find, of_keras, parsed, signature_of, stored

import scratchnet as sn
from scratchnet.annotations import checked
from scratchnet.signatures import ADVICE, OnlyDefault, only_default_names

VERSION, TABLE = stored()

# Where Keras has a default and we want to be told, or the other way round.
NEEDED = {
    ("Sequential.fit", "x"),
    ("Sequential.evaluate", "x"),
    ("Sequential.build", "input_shape"),
}
GIVEN = {("layers.AveragePooling2D", "pool_size")}
# What of the package has no counterpart in Keras.
OURS = {
    "Augment", "Chain", "DivergedError", "ExponentialMovingAverage", "FreezeLayers", "GAN", "GPUNotAvailable",
    "GradcheckReport", "LiveCurve", "LocalResponseNormalization", "Lookahead", "Model", "MovingAverage", "Parallel",
    "PiecewiseLinear", "Schedule", "StochasticDepth",
    "WarmUp", "confusion_matrix", "gradcheck", "train_step",
}  # fmt: skip

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def ours(name):
    return find(sn, name)


@pytest.mark.parametrize("name", TABLE)
def test_order_names_and_defaults_are_kerass(name):
    theirs, mine = parsed(TABLE[name]).parameters, signature_of(ours(name)).parameters
    kept = [p for p in theirs.values() if p.kind != p.VAR_KEYWORD]
    assert [p.name for p in mine.values() if p.kind in POSITIONAL] == [p.name for p in kept if p.kind in POSITIONAL]
    assert {p.name for p in kept} <= mine.keys()
    for parameter in kept:
        default = mine[parameter.name].default
        if (name, parameter.name) in NEEDED:
            assert default is inspect.Parameter.empty
        elif (name, parameter.name) not in GIVEN:
            assert default == parameter.default, parameter.name
            assert isinstance(default, bool) == isinstance(parameter.default, bool), parameter.name


def test_exceptions_are_some():
    for name, argument in NEEDED | GIVEN:
        mine, theirs = signature_of(ours(name)).parameters[argument], parsed(TABLE[name]).parameters[argument]
        assert mine.default != theirs.default, f"{name}: {argument} is no exception any more"


def test_every_public_name_is_keras_or_ours():
    """A new public name needs a place: in keras_signatures.NAMES if Keras has it, else in OURS."""
    known = {id(ours(name)) for name in NAMES}
    modules = {name for name in sn.__all__ if inspect.ismodule(getattr(sn, name))}
    missing = {name for name in set(sn.__all__) - modules - OURS if id(getattr(sn, name)) not in known}
    assert not missing
    assert not {name for name in OURS if id(getattr(sn, name)) in known}


def test_the_table_has_every_name():
    """Else nothing would be compared where Keras is not installed."""
    advice = "run `python tests/keras_signatures.py` where Keras is installed; it writes the table anew"
    assert NAMES.keys() == TABLE.keys(), advice


def test_help_shows_kerass_order():
    shown = list(inspect.signature(sn.Conv2D).parameters)
    assert shown[:8] == list(parsed(TABLE["layers.Conv2D"]).parameters)[:8]


def function_of(thing):
    return thing.__init__ if inspect.isclass(thing) else thing


FIXED = [(name, argument) for name in TABLE for argument in only_default_names(function_of(ours(name)))]


def test_there_are_arguments_with_their_default_only():
    assert {"layers.Conv2D", "Sequential.compile", "load_model", "callbacks.BackupAndRestore"} <= {n for n, _ in FIXED}
    assert len(FIXED) > 100


@pytest.mark.parametrize(("name", "argument"), FIXED)
def test_other_values_are_refused(name, argument):
    thing = ours(name)
    parameters = signature_of(thing).parameters
    needed = {n: None for n, p in parameters.items() if p.default is p.empty and p.kind in POSITIONAL}
    of_a_class = "." in name and name.rsplit(".", 1)[0] in METHODS
    call = thing if inspect.isclass(thing) or not of_a_class else (lambda **kwargs: thing(None, **kwargs))
    default = parameters[argument].default
    with pytest.raises(ValueError, match=f"{argument}='another' is not there, only Keras's default, ") as caught:
        call(**needed, **{argument: "another"})
    assert f"{argument}={default!r}. " in str(caught.value)
    assert re.search(r"\. [A-Z].*[.)]$", str(caught.value))  # what to do


MADE = {"filters": 1, "kernel_size": 1, "units": 1, "rate": 0.5, "activation": "relu", "pool_size": 2, "scale": 1.0}
MADE |= {
    "axes": 1,
    "shape": (4,),
    "target_shape": (4,),
    "layer": sn.Dense(1),
    "learning_rate": 0.1,
    "backup_dir": "b",
    "monitor": "loss",
    "fn": abs,
}
MADE |= {"height": 2, "width": 2, "input_dim": 2, "output_dim": 2, "stddev": 0.5, "n": 2, "dims": (1,)}
MADE |= {"factor": 0.5, "height_factor": 0.5, "width_factor": 0.5}


@pytest.mark.parametrize("name", sorted({name for name, _ in FIXED if inspect.isclass(ours(name))}))
def test_defaults_are_accepted(name):
    thing = ours(name)
    parameters = signature_of(thing).parameters
    needed = {n: MADE[n] for n, p in parameters.items() if p.default is p.empty and p.kind in POSITIONAL}
    if name == "layers.InputLayer":
        needed["shape"] = (4,)
    fixed = {n: parameters[n].default for n in only_default_names(thing.__init__)}
    made = thing(**needed, **fixed)
    if hasattr(made, "get_config"):
        assert not fixed.keys() & made.get_config().keys()


def test_other_ways_to_ask_for_the_default():
    layer = sn.Conv2D(
        3, 2, data_format="channels_last", dilation_rate=[1, 1], groups=np.int64(1), dtype="float32", trainable=True
    )
    assert layer.filters == 3
    assert sn.Conv2D(3, 2, dilation_rate=1, dtype=np.float32).kernel_size == (2, 2)
    assert sn.Conv2DTranspose(3, 2, dilation_rate=[1, 1]).filters == 3
    for wrong in (
        {"dilation_rate": (1, 2)},
        {"dilation_rate": np.ones((2, 2))},
        {"data_format": True},
        {"dtype": "float64"},
    ):
        with pytest.raises(ValueError, match="is not there, only Keras's default"):
            sn.Conv2DTranspose(3, 2, **wrong)


def test_the_message_says_who_what_and_what_to_do():
    with pytest.raises(
        ValueError, match=r"^Conv2D: data_format='channels_first' is not there, .*x\.transpose\(0, 2, 3"
    ):
        sn.Conv2D(3, 2, data_format="channels_first")
    with pytest.raises(ValueError, match=r"^Embedding: mask_zero=True is not there, .*Nothing is left out"):
        sn.Embedding(3, 2, mask_zero=True)
    model = sn.Sequential([sn.Dense(2)], name="m")
    with pytest.raises(ValueError, match=r"^Sequential 'm': compile: expected loss_weights .*'acc'.*metrics=\['acc"):
        model.compile("adam", "mse", ["acc"])
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'"):
        model.fit(np.ones((2, 2)), np.ones((2, 2)), epoch=3)


def test_a_function_of_ones_own():
    @checked
    def add(a, b=1, c: OnlyDefault = None):
        """Sum."""
        return a + b

    assert add(1, 2, None) == 3
    assert add.__doc__ == "Sum."
    with pytest.raises(ValueError, match=r"add: c=3 is not there, only Keras's default, c=None. Leave it out."):
        add(1, 2, 3)


def test_advice_is_for_arguments_that_there_are():
    names = {argument for _, argument in FIXED}
    ends = {name.rsplit("_", 1)[-1] for name in names}
    assert not ADVICE.keys() - names - ends


def network():
    sn.set_random_seed(0)
    model = sn.Sequential([sn.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


X, Y = np.random.default_rng(0).normal(size=(70, 4)).astype(np.float32), np.arange(70) % 3


def test_fit_takes_batch_size_before_epochs():
    model, named, steps = network(), network(), []

    class Count(sn.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(batch)

    sn.set_random_seed(1)
    history = model.fit(X, Y, 32, 3, 0, [Count()])
    assert history.epoch == [0, 1, 2]
    assert steps == [0, 1, 2] * 3
    sn.set_random_seed(1)
    named.fit(X, Y, epochs=3, batch_size=32, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], named.get_weights()[0])


def test_a_gans_fit_takes_batch_size_before_epochs():
    gan = sn.GAN(sn.Sequential([sn.Dense(4)]), sn.Sequential([sn.Dense(1)]), 2)
    gan.compile()
    history = gan.fit(X, 32, 3, 0)
    assert history.epoch == [0, 1, 2]
    assert gan.steps == 2 * 3  # the rest of 6 is left out


def test_everything_with_kerass_defaults_written_out():
    model, plain = network(), network()
    model.compile(
        "sgd", "sparse_categorical_crossentropy", None, ["accuracy"], None, False, 1, "auto", True
    )  # fmt: skip
    sn.set_random_seed(1)
    model.fit(X, Y, None, 2, 0, None, 0.0, None, True, None, None, 0, None, None, None, 1)
    sn.set_random_seed(1)
    plain.fit(X, Y, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], plain.get_weights()[0])
    assert model.evaluate(X, Y, None, 0, None, None, None, True) == dict(
        zip(("loss", "accuracy"), plain.evaluate(X, Y, verbose=0))
    )
    np.testing.assert_array_equal(model.predict(X, None, 0, None, []), plain.predict(X))
    assert model.train_on_batch(X, Y, return_dict=True).keys() == {"loss", "accuracy"}


def test_validation_batch_size():
    seen = []
    model = network()
    forward = model.forward
    model.forward = lambda x, training=False, logits=False: (
        None if training else seen.append(len(x)), forward(x, training, logits)
    )[1]  # fmt: skip
    model.fit(X, Y, validation_data=(X, Y), validation_batch_size=30, verbose=0)
    assert seen == [30, 30, 10]
    with pytest.raises(ValueError, match="validation_batch_size to be a whole number of at least 1, got 0"):
        model.fit(X, Y, validation_data=(X, Y), validation_batch_size=0, verbose=0)


def test_the_table_is_that_of_the_installed_keras():
    """Optional: needs Keras of the table's major and minor version."""
    keras = pytest.importorskip("keras", reason="the comparison with Keras needs it: pip install keras tensorflow")
    if keras.__version__.split(".")[:2] != VERSION.split(".")[:2]:
        pytest.skip(f"the table is of Keras {VERSION}, {keras.__version__} is installed")
    assert of_keras() == TABLE
